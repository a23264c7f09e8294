//! What a patient and a clinician are told of a visit, and when it is not so any more.

use super::*;

#[tokio::test]
async fn a_patient_who_agreed_is_told_once_in_words_that_say_nothing_of_them() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS", "EMAIL"]).await;
    booked(&server, &visit).await?;
    // However often the reaction runs.
    booked(&server, &visit).await?;
    assert_eq!(send_all(&server).await?, Sent { sent: 2, ..Sent::default() });
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(send_all(&server).await?, Sent::default());

    let carried = twilio.carried();
    assert_eq!(carried.len(), 1);
    assert_eq!(carried[0].to, "+442079460123");
    let wall = visit.starts_at.with_timezone(&chrono_tz::Europe::London);
    let day = wall.format("%A, %-d %B %Y");
    assert!(
        carried[0]
            .body
            .starts_with(&format!("NORTHSIDE: appointment booked for {day}, {}", wall.format("%H:%M"))),
        "{}",
        carried[0].body
    );
    let mails = post.taken();
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "quill@example.org"));
    for text in [&carried[0].body, &mails[0].text] {
        for secret in ["Ada", "Quill", "Osei", "1990"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED EMAIL SENT", "APPOINTMENT_BOOKED SMS SENT"]);
    // What was opened for it was written down as told.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let disclosed = "SELECT count(*) FROM audit_entry WHERE action = 'disclose' AND actor_kind = 'SYSTEM' AND classes = '{contact}'";
    assert_eq!(count(&mut sql, disclosed).await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_not_so_any_more_is_not_told() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    // Moved between the planning and the sending, with nobody to take the notice back.
    booked(&server, &visit).await?;
    let to = visit.starts_at + TimeDelta::hours(1);
    let moved = json!({ "id": visit.appointment.to_string(), "ifVersion": 1, "startsAt": to });
    owner.run("appointmentReschedule", "userErrors { message }", moved).await;
    assert_eq!(send_all(&server).await?.sent, 0);
    // The old time's reminder is due and tells nothing; the new one's does.
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    reacting(&server, async |op| remind(op, &visit, to).await).await?;
    // Cancelled meanwhile, and the reaction takes back what waits.
    let version = owner
        .ask(
            "query($id: ID!) { appointment(id: $id) { version } }",
            json!({ "id": visit.appointment.to_string() }),
        )
        .await;
    let cancelled = json!({ "id": visit.appointment.to_string(), "ifVersion": version["appointment"]["version"], "code": "pat" });
    owner.run("appointmentCancel", "userErrors { message }", cancelled).await;
    reacting(&server, async |op| react::appointment_cancelled(op, visit.appointment, None).await).await?;
    let sent = send_all(&server).await?;
    assert_eq!(twilio.carried().len(), 1, "{sent:?} {:?}", standing(&server).await?);
    assert!(twilio.carried()[0].body.contains("was cancelled"));
    let standing: BTreeSet<_> = standing(&server).await?.into_iter().collect();
    assert!(standing.iter().any(|row| row.starts_with("APPOINTMENT_BOOKED SMS CANCELLED")), "{standing:?}");
    assert!(standing.iter().any(|row| row.starts_with("APPOINTMENT_REMINDER SMS CANCELLED")), "{standing:?}");
    Ok(())
}

#[tokio::test]
async fn a_visit_that_is_moved_there_and_back_is_told_of_each_time() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    let (early, late) = (visit.starts_at, visit.starts_at + TimeDelta::hours(1));
    for (version, to) in [(1, late), (2, early), (3, late)] {
        let moved = json!({ "id": visit.appointment.to_string(), "ifVersion": version, "startsAt": to });
        let moved = owner.run("appointmentReschedule", "userErrors { message }", moved).await;
        assert_eq!(moved["userErrors"], json!([]));
        // However often the reaction runs.
        for _ in 0..2 {
            reacting(&server, async |op| react::appointment_moved(op, visit.appointment, None).await).await?;
        }
        assert_eq!(send_all(&server).await?.sent, 1, "{to}");
    }
    assert_eq!(twilio.carried().len(), 3);
    Ok(())
}

#[tokio::test]
async fn of_a_visit_that_is_struck_the_patient_is_told_once_that_it_does_not_take_place() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    let id = visit.appointment.to_string();
    let off = json!({ "id": id, "ifVersion": 1 });
    owner.run("appointmentEnterInError", "userErrors { message }", off).await;
    crate::tasks::work_off(&server).await?;
    assert_eq!(send_all(&server).await?.sent, 1);
    assert!(twilio.carried()[0].body.contains("was cancelled"));
    Ok(())
}

//! Notices: told to those who want to know, by the way they agreed to, in words that say nothing of them, once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use praxis::{
    config::{Config, Log, LogFormat},
    telemetry,
};
use praxis_domain::notifications::{Notice, Recipient, Sent, Subject, notify, react};
use praxis_entity::{
    ids::{AppointmentId, TaskId, UserId},
    notification::Topic,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use crate::support::{
    clock::TestClock,
    installation::TestInstallation,
    people::Person,
    server::TestServer,
    smtp::MailServer,
    steps::refused_steps,
    twilio::{self, Twilio},
};

mod killed;
mod push;
mod reminders;
mod staff;
mod words;

const HOST: &str = "northside.praxis.test";

/// A clinic whose text messages and mails go to servers of the test.
pub(crate) async fn clinic(twilio: &Twilio, post: &MailServer) -> Result<TestServer> {
    clinic_with(twilio, post, &[]).await
}

pub(crate) async fn clinic_with(
    twilio: &Twilio,
    post: &MailServer,
    more: &[(&'static str, String)],
) -> Result<TestServer> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    let config = configuration(&installation, twilio, post, more)?;
    TestServer::over(installation, config).await
}

fn configuration(
    installation: &TestInstallation,
    twilio: &Twilio,
    post: &MailServer,
    more: &[(&'static str, String)],
) -> Result<Config> {
    let mail = [("mail.smtp_url", post.url()), ("mail.from", "no-reply@praxis.test".to_owned())];
    let settings: Vec<_> = twilio.settings().into_iter().chain(mail).chain(more.iter().cloned()).collect();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    installation.config_with(&settings)
}

/// Sends until nothing is due.
pub(crate) async fn send_all(server: &TestServer) -> Result<Sent> {
    let mut sum = Sent::default();
    loop {
        let woken = server.app.notifier.ready(8, &[]).await?;
        if woken.is_empty() {
            return Ok(sum);
        }
        for woken in woken {
            sum = sum.and(server.app.notifier.serve(&woken).await?);
        }
    }
}

/// Where all notices stand: topic, channel, status and reason.
async fn standing(server: &TestServer) -> Result<Vec<String>> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let rows = "SELECT concat_ws(' ', topic, channel, status, reason) FROM notification ORDER BY id";
    Ok(sqlx::query_scalar(rows).fetch_all(&mut sql).await?)
}

async fn count(sql: &mut PgConnection, query: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(sql).await?)
}

/// A patient with a visit in three days, at noon in London.
struct Visit {
    patient: String,
    appointment: AppointmentId,
    starts_at: DateTime<Utc>,
}

async fn visit(owner: &Person<'_>, clock: &TestClock) -> Visit {
    use praxis_platform::clock::Clock;
    let facility = owner.facility("MAIN").await;
    let practitioner = owner.clinician("Osei").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    // One minute of the night is enough for most stories: then nobody is in peace while they are told.
    let awake =
        json!({ "patientId": patient, "timeZone": "UTC", "quietFrom": "03:33", "quietUntil": "03:34" });
    owner.run("notificationProfileSet", "userErrors { code }", awake).await;
    let day = clock.now().date_naive() + TimeDelta::days(3);
    let starts_at = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    let input = json!({ "patientId": patient, "practitionerId": practitioner, "facilityId": facility, "type": "PHONE", "startsAt": starts_at });
    let booked = owner.run("appointmentBook", "appointment { id } userErrors { message }", input).await;
    let appointment = booked["appointment"]["id"].as_str().unwrap().parse().unwrap();
    Visit { patient, appointment, starts_at }
}

async fn agree(owner: &Person<'_>, patient: &str, channel: &str) {
    let input = json!({ "patientId": patient, "channel": channel, "allowed": true });
    let done = owner
        .run(
            "channelConsentSet",
            "patient { channelConsents { channel } } userErrors { code message }",
            input,
        )
        .await;
    assert_eq!(done["userErrors"], json!([]));
}

/// A reminder of a visit at a time, as scheduling raises it when it is due.
async fn remind(
    op: &praxis_platform::Op<praxis_platform::Write>,
    visit: &Visit,
    starts_at: DateTime<Utc>,
) -> praxis_domain::Result<()> {
    react::reminder_due(op, visit.appointment, starts_at, "1").await
}

/// Lets something follow from what happened, as a worker does.
async fn reacting<
    F: AsyncFnOnce(&praxis_platform::Op<praxis_platform::Write>) -> praxis_domain::Result<()>,
>(
    server: &TestServer,
    react: F,
) -> Result<()> {
    let op = server.as_system("northside").await?;
    react(&op).await?;
    op.record(praxis_platform::audit::Entry::done("test"));
    Ok(op.commit().await?)
}

async fn booked(server: &TestServer, visit: &Visit) -> Result<()> {
    reacting(server, async |op| react::appointment_booked(op, visit.appointment, None).await).await
}

#[tokio::test]
async fn a_patient_who_agreed_is_told_once_in_words_that_say_nothing_of_them() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    for channel in ["SMS", "EMAIL"] {
        agree(&owner, &visit.patient, channel).await;
    }
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
async fn a_report_counts_when_it_is_signed_and_then_once() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    booked(&server, &visit).await?;
    send_all(&server).await?;
    let message = &twilio.carried()[0];
    let report = |status: &'static str| {
        [
            ("MessageSid", message.sid.as_str()),
            ("MessageStatus", status),
            ("To", message.to.as_str()),
            ("From", twilio::FROM),
        ]
    };
    let status = |server| async move { standing(server).await };

    // Signed by somebody else, over something else, or not at all.
    let forged = twilio::call(&server, &message.report_to, &report("delivered"), "another secret").await;
    assert_eq!(forged.status, 403);
    let elsewhere = message.report_to.replace("ntf_", "ntf_0");
    assert_ne!(twilio::call(&server, &elsewhere, &report("delivered"), twilio::TOKEN).await.status, 204);
    let path = url::Url::parse(&message.report_to)?.path().to_owned();
    assert_eq!(server.post(HOST, &path, &[], json!({})).await.status, 403);
    assert_eq!(status(&server).await?, ["APPOINTMENT_BOOKED SMS SENT"]);

    for told in ["sent", "delivered", "delivered", "sent", "queued"] {
        assert_eq!(
            twilio::call(&server, &message.report_to, &report(told), twilio::TOKEN).await.status,
            204,
            "{told}"
        );
    }
    assert_eq!(status(&server).await?, ["APPOINTMENT_BOOKED SMS DELIVERED"]);
    let mut sql = server.installation.tenant_connection("northside").await?;
    assert_eq!(count(&mut sql, "SELECT count(*) FROM delivery_report").await?, 3);
    Ok(())
}

#[tokio::test]
async fn whoever_said_nothing_gets_no_text_message_at_night() -> Result<()> {
    use praxis_platform::clock::Clock;
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    let berlin = json!({ "patientId": visit.patient, "timeZone": "Europe/Berlin" });
    owner.run("notificationProfileSet", "profile { quietFrom } userErrors { code }", berlin).await;
    let zone = chrono_tz::Europe::Berlin;
    let tonight = server.clock.now().with_timezone(&zone).date_naive().and_hms_opt(23, 30, 0).unwrap();
    let tonight = tonight.and_local_timezone(zone).unwrap().to_utc();
    // Later than that it is night already.
    if tonight > server.clock.now() {
        server.clock.advance_to(tonight);
    }
    booked(&server, &visit).await?;
    assert_eq!(send_all(&server).await?, Sent { postponed: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SCHEDULED QUIET_HOURS"]);
    let mut told = None;
    for _ in 0..40 {
        server.clock.advance(TimeDelta::minutes(30));
        if send_all(&server).await?.sent == 1 {
            told = Some(server.clock.now().with_timezone(&zone).format("%H:%M").to_string());
            break;
        }
    }
    let told = told.unwrap();
    assert!(("08:00"..="08:30").contains(&told.as_str()), "{told}");
    assert_eq!(twilio.carried().len(), 1);
    Ok(())
}

#[tokio::test]
async fn nobody_is_written_to_without_consent_nor_at_a_number_it_was_not_given_for() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    booked(&server, &visit).await?;
    assert_eq!(standing(&server).await?, Vec::<String>::new());

    agree(&owner, &visit.patient, "SMS").await;
    booked(&server, &visit).await?;
    // The number is somebody else's by now.
    let changed = json!({ "id": visit.patient, "ifVersion": 1, "phone": "+442079460999" });
    owner.run("patientUpdate", "userErrors { message }", changed).await;
    assert_eq!(send_all(&server).await?, Sent { suppressed: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SUPPRESSED ADDRESS_CHANGED"]);
    assert_eq!(twilio.carried().len(), 0);
    let consents = "query($id: ID!) { patient(by: { id: $id }) { channelConsents { channel givenAt } } }";
    let seen = owner.ask(consents, json!({ "id": visit.patient })).await;
    assert_eq!(seen["patient"]["channelConsents"][0]["channel"], "SMS");

    let input = json!({ "input": { "patientId": visit.patient, "channel": "PUSH", "allowed": true } });
    let query = "mutation($input: ChannelConsentSetInput!) { channelConsentSet(input: $input) { userErrors { code } } }";
    let refused = owner.send(query, input.clone(), &[]).await;
    assert_eq!(refused.body["data"]["channelConsentSet"]["userErrors"][0]["code"], "INVALID");
    Ok(())
}

#[tokio::test]
async fn stop_closes_a_number_and_start_or_a_new_consent_opens_it() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    let inbound = format!("https://{HOST}/webhooks/twilio/inbound");
    let say = async |sid: &str, body: &str| {
        let parameters =
            [("MessageSid", sid), ("From", "+442079460123"), ("To", twilio::FROM), ("Body", body)];
        let answer = twilio::call(&server, &inbound, &parameters, twilio::TOKEN).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "<Response/>"));
    };
    let tell = async |occasion: &str| {
        let notice = Notice {
            topic: Topic::AppointmentReminder,
            subject: Subject::Appointment(visit.appointment),
            about_at: Some(visit.starts_at),
            occasion: occasion.to_owned(),
            due: server.as_system("northside").await?.now(),
            expires_at: None,
            to: vec![Recipient::Patient(visit.patient.parse()?)],
        };
        reacting(&server, async |op| notify(op, &notice).await.map(|_| ())).await?;
        send_all(&server).await
    };
    assert_eq!(tell("1").await?.sent, 1);
    say("SM01", "Please call me").await;
    assert_eq!(tell("2").await?.sent, 1);
    say("SM02", " Stop. ").await;
    assert_eq!(tell("3").await?.suppressed, 1);
    say("SM03", "START").await;
    // The same call once more changes nothing.
    say("SM02", " Stop. ").await;
    assert_eq!(tell("4").await?.sent, 1);
    // What we did not hear of, the provider tells when we send.
    twilio.plan(&[twilio::Treat::Refuse(400, 21610)]);
    assert_eq!(tell("5").await?.suppressed, 1);
    assert_eq!(tell("6").await?.suppressed, 1);
    agree(&owner, &visit.patient, "SMS").await;
    assert_eq!(tell("7").await?.sent, 1);
    assert_eq!(twilio.carried().len(), 4);
    Ok(())
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_can_not_is_given_up() -> Result<()> {
    use twilio::Treat::{Refuse, TakeAndHangUp};
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    booked(&server, &visit).await?;
    twilio.plan(&[Refuse(429, 20429), Refuse(401, 20003), Refuse(503, 0), TakeAndHangUp]);
    for pause in [15, 30, 60, 120] {
        assert_eq!(send_all(&server).await?, Sent { postponed: 1, ..Sent::default() });
        server.clock.advance(TimeDelta::seconds(pause));
    }
    // The connection broke after the message was taken: the report tells so before it is sent again.
    let message = &twilio.carried()[0];
    let report = [("MessageSid", message.sid.as_str()), ("MessageStatus", "sent")];
    assert_eq!(twilio::call(&server, &message.report_to, &report, twilio::TOKEN).await.status, 204);
    assert_eq!(send_all(&server).await?, Sent::default());
    assert_eq!(standing(&server).await?, ["APPOINTMENT_BOOKED SMS SENT"]);
    assert_eq!(twilio.carried().len(), 1);

    twilio.plan(&[Refuse(400, 21211)]);
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    assert_eq!(send_all(&server).await?, Sent { dead: 1, ..Sent::default() });
    assert_eq!(standing(&server).await?[1], "APPOINTMENT_REMINDER SMS DEAD twilio 21211");
    let deliveries = "{ notificationDeliveries(filter: { status: DEAD }) { totalCount nodes { id channel toPatient reason attempts allowedActions } } }";
    let seen = owner.ask(deliveries, json!({})).await["notificationDeliveries"].clone();
    let id = seen["nodes"][0]["id"].clone();
    let row = json!({ "id": id, "channel": "SMS", "toPatient": true, "reason": "twilio 21211", "attempts": 1, "allowedActions": ["notificationRetry"] });
    assert_eq!(seen, json!({ "totalCount": 1, "nodes": [row] }));
    // Whoever looks after them may have it tried anew: once, whatever is sent twice.
    let retry = "mutation($id: ID!) { notificationRetry(input: { id: $id }) { delivery { status } userErrors { code } } }";
    for replayed in [json!(null), json!(["notificationRetry"])] {
        let answer = owner.send(retry, json!({ "id": id }), &[("idempotency-key", "anew")]).await;
        assert_eq!(
            answer.body["data"]["notificationRetry"],
            json!({ "delivery": { "status": "SCHEDULED" }, "userErrors": [] })
        );
        assert_eq!(answer.body["extensions"]["idempotentReplay"], replayed);
    }
    let refused = owner.ask(retry, json!({ "id": id })).await;
    assert_eq!(refused["notificationRetry"]["userErrors"][0]["code"], "INVALID_TRANSITION");
    assert_eq!(send_all(&server).await?, Sent { sent: 1, ..Sent::default() });
    let desk = server.person("northside", "receptionist").await;
    assert_eq!(desk.send(deliveries, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn what_is_not_so_any_more_is_not_told() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
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
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
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
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    let id = visit.appointment.to_string();
    let off = json!({ "id": id, "ifVersion": 1 });
    owner.run("appointmentEnterInError", "userErrors { message }", off).await;
    crate::tasks::work_off(&server).await?;
    assert_eq!(send_all(&server).await?.sent, 1);
    assert!(twilio.carried()[0].body.contains("was cancelled"));
    Ok(())
}

#[tokio::test]
async fn that_an_earlier_try_failed_says_nothing_of_a_later_one() -> Result<()> {
    use twilio::Treat::{Refuse, TakeAndHangUp};
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    agree(&owner, &visit.patient, "SMS").await;
    booked(&server, &visit).await?;
    // Taken without our knowing, and sent once more.
    twilio.plan(&[TakeAndHangUp]);
    assert_eq!(send_all(&server).await?.postponed, 1);
    server.clock.advance(TimeDelta::seconds(15));
    assert_eq!(send_all(&server).await?.sent, 1);
    let [first, second] = twilio.carried().try_into().unwrap();
    let report = async |of: &twilio::Carried, status: &str| {
        let report = [("MessageSid", of.sid.as_str()), ("MessageStatus", status)];
        let answer = twilio::call(&server, &of.report_to, &report, twilio::TOKEN).await;
        assert_eq!(answer.status, 204);
        standing(&server).await.unwrap().remove(0)
    };
    assert_eq!(report(&first, "undelivered").await, "APPOINTMENT_BOOKED SMS SENT");
    assert_eq!(report(&second, "undelivered").await, "APPOINTMENT_BOOKED SMS DEAD twilio");
    // It is where it was to be after all.
    assert_eq!(report(&first, "delivered").await, "APPOINTMENT_BOOKED SMS DELIVERED");

    // One that is tried anew has as many tries as a new one, and each of them is written down.
    twilio.plan(&[Refuse(400, 21211)]);
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    assert_eq!(send_all(&server).await?.dead, 1);
    let dead = "{ notificationDeliveries(filter: { status: DEAD }) { nodes { id } } }";
    let id = owner.ask(dead, json!({})).await["notificationDeliveries"]["nodes"][0]["id"].clone();
    owner.run("notificationRetry", "userErrors { code }", json!({ "id": id })).await;
    twilio.plan(&[Refuse(503, 0); 19]);
    for left in (0..20).rev() {
        let sum = send_all(&server).await?;
        assert_eq!((sum.postponed, sum.sent), (u32::from(left > 0), u32::from(left == 0)), "{left}");
        server.clock.advance(TimeDelta::hours(1));
    }
    let mut sql = server.installation.tenant_connection("northside").await?;
    let tries = "SELECT count(*) FROM delivery_attempt a JOIN notification n ON n.id = a.notification_id
        WHERE n.topic = 'APPOINTMENT_REMINDER' AND n.attempts = 21";
    assert_eq!(count(&mut sql, tries).await?, 21);
    Ok(())
}

#[tokio::test]
async fn staff_see_their_own_notices_and_decide_what_they_are_told() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let (nia, ben) = (server.person("northside", "nurse").await, server.person("northside", "nurse").await);
    let id = async |person: &Person<'_>| -> UserId {
        person.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].as_str().unwrap().parse().unwrap()
    };
    let (nia_id, ben_id) = (id(&nia).await, id(&ben).await);
    let mut task = 0_u128;
    let mut assign = async |to: &[UserId]| {
        task += 1;
        let id = TaskId(uuid::Uuid::from_u128(task));
        reacting(&server, async |op| react::task_assigned(op, id, to, "").await).await
    };
    assign(&[nia_id, ben_id]).await?;
    assign(&[nia_id]).await?;
    let list = "{ notifications(unread: true) { totalCount nodes { id topic text readAt subjectId } } }";
    let seen = nia.ask(list, json!({})).await["notifications"].clone();
    assert_eq!(seen["totalCount"], 2);
    assert_eq!(seen["nodes"][0]["text"], "There is a task for you.");
    assert!(seen["nodes"][0]["subjectId"].as_str().unwrap().starts_with("tsk_"));
    // Ben marks hers and his: his only.
    let hers = seen["nodes"][0]["id"].clone();
    let his = ben.ask(list, json!({})).await["notifications"]["nodes"][0]["id"].clone();
    let marked =
        ben.run("notificationMarkRead", "marked userErrors { code }", json!({ "ids": [hers, his] })).await;
    assert_eq!(marked["marked"], 1);
    assert_eq!(nia.ask(list, json!({})).await["notifications"]["totalCount"], 2);
    let marked = nia.run("notificationMarkRead", "marked userErrors { code }", json!({})).await;
    assert_eq!(marked["marked"], 2);

    let german = json!({ "locale": "de-AT", "timeZone": "Europe/Vienna" });
    nia.run("notificationProfileSet", "profile { locale timeZone quietFrom } userErrors { code }", german)
        .await;
    assign(&[nia_id]).await?;
    let seen = nia.ask(list, json!({})).await["notifications"].clone();
    assert_eq!(seen["nodes"][0]["text"], "Es gibt eine Aufgabe für Sie.");

    let off = json!({ "topic": "TASK_ASSIGNED", "channel": "IN_APP", "enabled": false });
    nia.run("notificationPreferenceSet", "preference { enabled } userErrors { code }", off).await;
    let on = json!({ "topic": "TASK_ASSIGNED", "channel": "EMAIL", "enabled": true });
    nia.run("notificationPreferenceSet", "preference { enabled } userErrors { code }", on).await;
    assign(&[nia_id]).await?;
    assert_eq!(nia.ask(list, json!({})).await["notifications"]["totalCount"], 1);
    assert_eq!(send_all(&server).await?, Sent { sent: 1, ..Sent::default() });
    assert!(
        post.taken()[0].header("Subject").contains("=?utf-8?") || post.taken()[0].text.contains("Aufgabe")
    );
    let wishes = nia.ask("{ viewer { notificationPreferences { topic channel enabled } } }", json!({})).await;
    let wishes = wishes["viewer"]["notificationPreferences"].as_array().unwrap();
    let of = |channel: &str| {
        wishes.iter().find(|wish| wish["topic"] == "TASK_ASSIGNED" && wish["channel"] == channel).unwrap()["enabled"].clone()
    };
    assert_eq!((of("IN_APP"), of("EMAIL"), of("PUSH")), (json!(false), json!(true), json!(true)));
    let sms = json!({ "topic": "TASK_ASSIGNED", "channel": "SMS", "enabled": true });
    let refused = nia.run("notificationPreferenceSet", "userErrors { code path }", sms).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    Ok(())
}

#[tokio::test]
async fn the_database_knows_how_a_notice_may_fare() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    server.user("northside", "nia@praxis.test", "nurse").await?;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let nia: uuid::Uuid = sqlx::query_scalar("SELECT id FROM user_account").fetch_one(&mut sql).await?;
    let to = [UserId(nia)];
    reacting(&server, async |op| react::task_escalated(op, TaskId(uuid::Uuid::nil()), &to, "").await).await?;
    sql.execute("UPDATE notification SET sent_at = now(), delivered_at = now()").await?;
    let mut admin = server.installation.admin().await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut sql).await?;
    // One row is enough, and only the steps are of interest.
    admin
        .execute(AssertSqlSafe(format!("DELETE FROM {schema}.notification WHERE channel = 'IN_APP'")))
        .await?;
    let statuses = ["SCHEDULED", "SENDING", "SENT", "DELIVERED", "FAILED", "DEAD", "CANCELLED", "SUPPRESSED"];
    let refused = refused_steps(&server, &mut sql, "notification", &statuses).await?;
    let legal = [
        "SCHEDULED SENDING",
        "SCHEDULED CANCELLED",
        "SCHEDULED DELIVERED",
        "SENDING SCHEDULED",
        "SENDING SENT",
        "SENDING DELIVERED",
        "SENDING FAILED",
        "SENDING DEAD",
        "SENDING CANCELLED",
        "SENDING SUPPRESSED",
        "SENT DELIVERED",
        "SENT DEAD",
        "FAILED SENDING",
        "FAILED CANCELLED",
        "FAILED SENT",
        "FAILED DELIVERED",
        "DEAD SCHEDULED",
        "DEAD DELIVERED",
    ];
    assert_eq!(refused.len(), statuses.len() * (statuses.len() - 1) - legal.len());
    assert!(legal.iter().all(|step| !refused.contains(*step)));
    Ok(())
}

#[tokio::test]
async fn no_number_or_address_stands_in_a_dump_or_in_the_log_at_trace() -> Result<()> {
    let log = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("notices-{}.log", std::process::id()));
    let settings = Log { filter: "trace".to_owned(), format: LogFormat::Json };
    telemetry::init_to(&settings, std::fs::File::create(&log)?);
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit(&owner, &server.clock).await;
    for channel in ["SMS", "EMAIL"] {
        agree(&owner, &visit.patient, channel).await;
    }
    // Well and badly.
    twilio.plan(&[twilio::Treat::Refuse(400, 21211)]);
    booked(&server, &visit).await?;
    send_all(&server).await?;
    reacting(&server, async |op| remind(op, &visit, visit.starts_at).await).await?;
    send_all(&server).await?;
    let message = &twilio.carried()[0];
    let report =
        [("MessageSid", message.sid.as_str()), ("MessageStatus", "delivered"), ("To", message.to.as_str())];
    twilio::call(&server, &message.report_to, &report, twilio::TOKEN).await;
    twilio::call(&server, &message.report_to, &report, "another").await;
    assert_eq!(post.taken().len(), 2);
    let logged = std::fs::read_to_string(&log)?;
    assert!(!logged.is_empty(), "nothing was logged at TRACE");
    let dump = std::process::Command::new("pg_dump").arg(&server.installation.url).output()?;
    let dump = String::from_utf8_lossy(&dump.stdout).into_owned();
    assert!(dump.contains("delivery_attempt"), "no dump");
    for secret in ["442079460123", "2079460123", "quill@example.org", "Quill"] {
        assert!(!dump.contains(secret), "{secret} stands in the dump");
        assert!(!logged.contains(secret), "{secret} stands in the log");
    }
    Ok(())
}

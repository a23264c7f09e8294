//! A server that is killed while it sends leaves nothing unsent, and what it had in hand is known by the reports.

use std::time::Duration;

use praxis_entity::ids::PatientId;
use tokio::process::Child;

use super::*;

/// A server in a process of its own, over the test's installation.
fn serve(server: &TestServer, twilio: &Twilio) -> Result<Child> {
    let endpoint = format!("http://127.0.0.1:{}", twilio.port);
    let variables = [
        ("PRAXIS_SMS_PROVIDER", "twilio"),
        ("PRAXIS_TWILIO_ACCOUNT_SID", twilio::ACCOUNT),
        ("PRAXIS_TWILIO_AUTH_TOKEN", twilio::TOKEN),
        ("PRAXIS_TWILIO_FROM", twilio::FROM),
        ("PRAXIS_TWILIO_ENDPOINT", endpoint.as_str()),
    ];
    server.installation.spawn(&["serve", "--listen", "127.0.0.1:0"], &variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_nothing_is_lost_and_what_is_reported_is_not_sent_again() -> Result<()> {
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS"]).await;
    // Never quiet, so that the time of day does not matter.
    let quiet =
        json!({ "patientId": visit.patient, "timeZone": "UTC", "quietFrom": "00:00", "quietUntil": "00:01" });
    owner.run("notificationProfileSet", "userErrors { code }", quiet).await;
    let patient: PatientId = visit.patient.parse()?;
    let op = server.as_system("northside").await?;
    for number in 0..300 {
        let notice = Notice {
            topic: Topic::AppointmentReminder,
            subject: Subject::Appointment(visit.appointment),
            about_at: Some(visit.starts_at),
            occasion: number.to_string(),
            due: op.now(),
            expires_at: None,
            to: vec![Recipient::Patient(patient)],
        };
        notify(&op, &notice).await?;
    }
    op.commit().await?;
    twilio.pause(Duration::from_millis(60));
    let mut kills = 0;
    while twilio.carried().len() < 200 && kills < 4 {
        let reached = twilio.carried().len() + 40;
        let mut process = serve(&server, &twilio)?;
        for _ in 0..600 {
            if twilio.carried().len() >= reached {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // SIGKILL.
        process.kill().await?;
        kills += 1;
        // What was taken and not written down, the provider reports before the lease ends.
        tokio::time::sleep(Duration::from_millis(200)).await;
        for message in twilio.carried() {
            let report = [("MessageSid", message.sid.as_str()), ("MessageStatus", "sent")];
            twilio::call(&server, &message.report_to, &report, twilio::TOKEN).await;
        }
        server.clock.advance(TimeDelta::minutes(4));
        let mut sql = server.installation.tenant_connection("northside").await?;
        // The killed server's clock was the machine's: its leases end now.
        sql.execute(
            "UPDATE notification SET next_attempt_at = now() - interval '1 second' WHERE status = 'SENDING'",
        )
        .await?;
    }
    assert!(kills >= 2, "{kills}");
    twilio.pause(Duration::ZERO);
    send_all(&server).await?;
    let carried = twilio.carried();
    let mut times: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for message in &carried {
        *times.entry(message.report_to.clone()).or_default() += 1;
    }
    eprintln!("killed {kills} times, {} messages for {} notices", carried.len(), times.len());
    // The servers told of the booking, too, which happened before the patient agreed: if they came to it later.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let notices = count(&mut sql, "SELECT count(*) FROM notification").await?;
    assert!(notices >= 300 && i64::try_from(times.len())? == notices, "{notices}");
    assert!(
        times.values().all(|times| *times == 1),
        "sent again: {:?}",
        times.values().filter(|n| **n > 1).count()
    );
    Ok(())
}

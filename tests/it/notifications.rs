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
use praxis_platform::clock::Clock;
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
mod tries;
mod visits;
mod wishes;
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
    clinic_on(TestInstallation::new().await?, twilio, post, more).await
}

/// The same on an installation that is there.
pub(crate) async fn clinic_on(
    installation: TestInstallation,
    twilio: &Twilio,
    post: &MailServer,
    more: &[(&'static str, String)],
) -> Result<TestServer> {
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

/// The wishes of a patient who is left in peace in a minute that is over: not while a story is told, and not whole
/// hours later either.
fn awake(patient: &str, clock: &TestClock) -> serde_json::Value {
    let quiet = |ago| (clock.now() - TimeDelta::minutes(ago)).format("%H:%M").to_string();
    json!({ "patientId": patient, "timeZone": "UTC", "quietFrom": quiet(20), "quietUntil": quiet(19) })
}

async fn visit(owner: &Person<'_>, clock: &TestClock) -> Visit {
    let facility = owner.facility("MAIN").await;
    let practitioner = owner.clinician("Osei").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    owner.run("notificationProfileSet", "userErrors { code }", awake(&patient, clock)).await;
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

/// A visit of somebody who may be told of it by these channels.
async fn visit_of_who_agreed(owner: &Person<'_>, clock: &TestClock, channels: &[&str]) -> Visit {
    let visit = visit(owner, clock).await;
    for channel in channels {
        agree(owner, &visit.patient, channel).await;
    }
    visit
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
async fn no_number_or_address_stands_in_a_dump_or_in_the_log_at_trace() -> Result<()> {
    let log = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("notices-{}.log", std::process::id()));
    let settings = Log { filter: "trace".to_owned(), format: LogFormat::Json };
    telemetry::init_to(&settings, std::fs::File::create(&log)?);
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let owner = server.person("northside", "owner").await;
    let visit = visit_of_who_agreed(&owner, &server.clock, &["SMS", "EMAIL"]).await;
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

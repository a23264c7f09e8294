//! Ten thousand reminders for one minute: each sent once, none for what was called off, and nobody woken up.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chrono::{NaiveTime, Timelike};
use praxis_domain::{
    notifications::{Profile, SetConsent, SetProfile, notify_all, set_consent, set_profile},
    patients::{self, RegisterPatient},
};
use praxis_entity::{
    ids::PatientId,
    notification::Channel,
    value::{ContactPoint, ContactSystem, HumanName},
};

use super::*;

/// Zones in which it is three in the night, noon and nine in the evening at once.
const ZONES: [&str; 4] = ["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];

struct Patients {
    /// Patient, number, zone.
    all: Vec<(PatientId, String, &'static str)>,
}

impl Patients {
    /// Patients who agreed, each in a zone, all left in peace from ten until seven.
    async fn register(server: &TestServer, how_many: usize) -> Result<Self> {
        let mut all = Vec::with_capacity(how_many);
        let op = server.as_system("northside").await?;
        for number in 0..how_many {
            let name = HumanName {
                usage: None,
                given: vec!["Ada".to_owned()],
                family: format!("Quill{number}"),
                prefix: None,
                suffix: None,
            };
            let mut new = RegisterPatient::named(name, "1990-01-02".parse()?);
            let phone = format!("+4477009{number:05}");
            let point = |system, value: String| ContactPoint { system, value, usage: None, preferred: true };
            new.contact.points = vec![
                point(ContactSystem::Phone, phone.clone()),
                point(ContactSystem::Email, format!("q{number}@example.org")),
            ];
            let patient = patients::import(&op, new).await?.id;
            let channel = if number % 10 == 9 { Channel::Email } else { Channel::Sms };
            set_consent(&op, SetConsent { patient, channel, allowed: true }).await?;
            let zone = ZONES[number % ZONES.len()];
            let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
            let profile =
                Profile { locale: None, time_zone: Some(zone.to_owned()), quiet: Some((at(22), at(7))) };
            set_profile(&op, SetProfile { patient: Some(patient), profile }).await?;
            all.push((patient, phone, zone));
        }
        op.commit().await?;
        Ok(Self { all })
    }
}

/// Visits of the patients in turn, all at different minutes of one day; every seventh is called off, every eleventh moved.
async fn visits(
    server: &TestServer,
    patients: &Patients,
    practitioner: &str,
    how_many: usize,
    day: DateTime<Utc>,
) -> Result<Vec<(AppointmentId, PatientId, DateTime<Utc>)>> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let facility: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM facility LIMIT 1").fetch_one(&mut sql).await?;
    let practitioner: praxis_entity::ids::PractitionerId = practitioner.parse()?;
    let visits: Vec<_> = (0..how_many)
        .map(|number| {
            let patient = patients.all[number % patients.all.len()].0;
            let minute = i64::try_from(number / patients.all.len()).unwrap();
            (AppointmentId(server.clock.new_id()), patient, day + TimeDelta::minutes(minute))
        })
        .collect();
    let insert = "INSERT INTO appointment (id, patient_id, practitioner_id, facility_id, modality, status, starts_at, ends_at, time_zone)
        SELECT a.id, a.patient, $1, $2, 'PHONE', 'BOOKED', a.at, a.at + interval '15 minutes', 'Europe/London'
        FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) AS a (id, patient, at)";
    sqlx::query(insert)
        .bind(practitioner.0)
        .bind(facility)
        .bind(visits.iter().map(|visit| visit.0.0).collect::<Vec<_>>())
        .bind(visits.iter().map(|visit| visit.1.0).collect::<Vec<_>>())
        .bind(visits.iter().map(|visit| visit.2).collect::<Vec<_>>())
        .execute(&mut sql)
        .await?;
    Ok(visits)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_reminders_for_one_minute_are_each_sent_once() -> Result<()> {
    let how_many: usize =
        std::env::var("PRAXIS_REMINDERS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let (twilio, post) = (Twilio::start().await, MailServer::start(&[]).await);
    let server = clinic(&twilio, &post).await?;
    let other = praxis::App::build_with_clock(
        configuration(&server.installation, &twilio, &post, &[])?,
        server.clock.clone(),
    )
    .await?;
    let owner = server.person("northside", "owner").await;
    owner.facility("MAIN").await;
    let practitioner = owner.clinician("Osei").await;
    let patients = Patients::register(&server, 400).await?;
    // The minute for which all are planned: four in the morning in London, half past midnight of a Wednesday or so.
    let minute =
        server.clock.now().date_naive().and_hms_opt(3, 0, 0).unwrap().and_utc() + TimeDelta::days(10);
    let visits = visits(&server, &patients, &practitioner, how_many, minute + TimeDelta::days(1)).await?;
    let start = Instant::now();
    for chunk in visits.chunks(1_000) {
        let notices: Vec<_> = chunk
            .iter()
            .map(|(id, patient, at)| Notice {
                topic: Topic::AppointmentReminder,
                subject: Subject::Appointment(*id),
                about_at: Some(*at),
                occasion: String::new(),
                due: minute,
                expires_at: Some(*at),
                to: vec![Recipient::Patient(*patient)],
            })
            .collect();
        let op = server.as_system("northside").await?;
        assert_eq!(notify_all(&op, &notices).await?, u64::try_from(chunk.len())?);
        // A second time nothing is new.
        assert_eq!(notify_all(&op, &notices).await?, 0);
        op.commit().await?;
    }
    eprintln!("{how_many} reminders planned in {:?}", start.elapsed());
    // Called off, and moved, by what nobody told us of.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let chosen = |every: usize| {
        visits
            .iter()
            .enumerate()
            .filter(|(n, _)| n % every == 0)
            .map(|(_, visit)| visit.0.0)
            .collect::<Vec<_>>()
    };
    let (off, moved) = (chosen(7), chosen(11));
    let called_off = sqlx::query("UPDATE appointment SET status = 'CANCELLED' WHERE id = ANY($1)")
        .bind(&off)
        .execute(&mut sql)
        .await?;
    sqlx::query("UPDATE appointment SET starts_at = starts_at + interval '3 hours', ends_at = ends_at + interval '3 hours' WHERE id = ANY($1)").bind(&moved).execute(&mut sql).await?;
    let void: BTreeSet<uuid::Uuid> = off.iter().chain(&moved).copied().collect();
    assert_eq!(usize::try_from(called_off.rows_affected())?, off.len());
    let rightful = how_many - void.len();

    server.clock.advance_to(minute);
    let sending = async |notifier: &praxis::noticing::Notifier| {
        let mut sum = Sent::default();
        let mut idle = 0;
        while idle < 3 {
            let woken = notifier.ready(8, &[]).await?;
            idle = if woken.is_empty() { idle + 1 } else { 0 };
            for woken in woken {
                sum = sum.and(notifier.serve(&woken).await?);
            }
            if idle > 0 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        anyhow::Ok(sum)
    };
    // Before anybody's morning: those who are in peace wait, the others are told.
    let mut sum = Sent::default();
    let mut told_at: HashMap<&str, DateTime<Utc>> = HashMap::new();
    let mut before = 0;
    let start = Instant::now();
    let mut busy = Duration::ZERO;
    for _ in 0..26 {
        let round = Instant::now();
        let (one, two) = tokio::try_join!(sending(&server.app.notifier), sending(&other.notifier))?;
        let done = one.and(two);
        if done.sent > 0 {
            busy += round.elapsed();
        }
        sum = sum.and(done);
        let now = server.clock.now();
        let carried = twilio.carried();
        for message in &carried[before..] {
            let (_, _, zone) = patients.all.iter().find(|(_, phone, _)| *phone == message.to).unwrap();
            let zone: chrono_tz::Tz = zone.parse()?;
            let hour = now.with_timezone(&zone).hour();
            assert!((7..22).contains(&hour), "somebody in {zone} was woken up at {hour}");
            told_at.entry(zone.name()).or_insert(now);
        }
        before = carried.len();
        server.clock.advance(TimeDelta::minutes(60));
    }
    eprintln!(
        "{} of {how_many} sent by two servers in {busy:?} (all rounds {:?}): {:.0}/s; {sum:?}",
        sum.sent,
        start.elapsed(),
        f64::from(sum.sent) / busy.as_secs_f64()
    );
    assert_eq!((usize::try_from(sum.sent)?, usize::try_from(sum.cancelled)?), (rightful, void.len()));
    assert_eq!((sum.dead, sum.suppressed), (0, 0));
    // Each once: by text message or by mail.
    let (messages, mails) = (twilio.carried().len(), post.taken().len());
    assert_eq!(messages + mails, rightful);
    let ids: BTreeSet<_> = twilio.carried().into_iter().map(|message| message.report_to).collect();
    assert_eq!(ids.len(), messages);
    let ids: BTreeSet<_> = post.taken().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), mails);
    let pending = "SELECT count(*) FROM notification WHERE status IN ('SCHEDULED', 'SENDING', 'FAILED')";
    assert_eq!(count(&mut sql, pending).await?, 0);
    // Nobody waited longer than their night.
    assert!(told_at.len() >= 4, "{told_at:?}");
    Ok(())
}

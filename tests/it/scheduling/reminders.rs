//! Reminders: due by the clock of the branch, and looked up when they are due.

use std::time::Instant;

use anyhow::Result;
use chrono::TimeDelta;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

use super::{APPOINTMENT, Clinic, booked};

async fn due(clinic: &Clinic) -> Result<i64> {
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    let count = "SELECT count(*) FROM event WHERE kind = 'APPOINTMENT_REMINDER_DUE'";
    Ok(sqlx::query_scalar(count).fetch_one(&mut sql).await?)
}

#[tokio::test]
async fn a_patient_is_reminded_the_day_before_at_the_same_time_of_day() -> Result<()> {
    for (zone, starts_at, too_early, due_at) in [
        // In the night before the visit the clock is changed.
        ("Europe/Berlin", "2027-03-28T07:00:00Z", "2027-03-27T07:59:00Z", "2027-03-27T08:00:00Z"),
        ("America/New_York", "2027-11-07T14:00:00Z", "2027-11-06T12:59:00Z", "2027-11-06T13:00:00Z"),
        ("Australia/Lord_Howe", "2027-10-02T22:00:00Z", "2027-10-01T22:29:00Z", "2027-10-01T22:30:00Z"),
    ] {
        let clinic = Clinic::at(zone).await?;
        let desk = clinic.person("receptionist").await;
        booked(&desk, clinic.visit_at(starts_at, json!({}))).await;
        clinic.advance_to(too_early);
        clinic.work().await?;
        assert_eq!(due(&clinic).await?, 0, "{zone}");
        clinic.advance_to(due_at);
        clinic.work().await?;
        assert_eq!(due(&clinic).await?, 1, "{zone}");
        clinic.work().await?;
        assert_eq!(due(&clinic).await?, 1, "{zone}: once");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_is_reminded_of_what_was_called_off_or_moved() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let gone = booked(&owner, clinic.visit("10:00", json!({}))).await;
    let moved = booked(&owner, clinic.visit("11:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": gone["id"], "ifVersion": 1 })).await;
    let day: chrono::NaiveDate = clinic.day.parse()?;
    let later = format!("{}T11:00:00Z", day + TimeDelta::days(3));
    let to = json!({ "id": moved["id"], "ifVersion": 1, "startsAt": later });
    owner.run("appointmentReschedule", APPOINTMENT, to).await;
    clinic.advance_to(&format!("{}T12:00:00Z", clinic.day));
    clinic.work().await?;
    assert_eq!(due(&clinic).await?, 0);
    // At its new time it is reminded of.
    clinic.advance_to(&format!("{}T11:00:00Z", day + TimeDelta::days(2)));
    clinic.work().await?;
    assert_eq!(due(&clinic).await?, 1);
    Ok(())
}

/// How many reminders fall due in one minute: ten thousand where `PRAXIS_TEST_REMINDERS` says so.
fn reminders() -> i64 {
    std::env::var("PRAXIS_TEST_REMINDERS").ok().and_then(|many| many.parse().ok()).unwrap_or(100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_reminders_of_one_minute_are_raised_once_each_and_none_for_what_was_called_off() -> Result<()> {
    let (clinic, many) = (Clinic::new().await?, reminders());
    let desk = clinic.person("receptionist").await;
    booked(&desk, clinic.visit("10:00", json!({}))).await;
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    // Copies of the visit without its resources, each with its reminder.
    let copy = format!(
        "INSERT INTO appointment (id, patient_id, practitioner_id, facility_id, modality, status, starts_at, ends_at, time_zone)
             SELECT gen_random_uuid(), patient_id, practitioner_id, facility_id, modality, status, starts_at, ends_at, time_zone
             FROM appointment, generate_series(2, {many});
         INSERT INTO job (id, created_at, name, payload, dedupe_key, status, run_at)
             SELECT gen_random_uuid(), now(), j.name, jsonb_set(j.payload, '{{appointment}}', to_jsonb(a.id)), a.id::text, 'QUEUED', j.run_at
             FROM job j, appointment a WHERE j.name = 'REMIND_OF_APPOINTMENT' AND a.id::text <> j.payload->>'appointment';
         UPDATE appointment SET status = 'CANCELLED' WHERE id IN (SELECT id FROM appointment ORDER BY id LIMIT {many} / 10);
         UPDATE appointment SET starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour'
             WHERE id IN (SELECT id FROM appointment WHERE status = 'BOOKED' ORDER BY id LIMIT {many} / 10)"
    );
    sql.execute(sqlx::raw_sql(AssertSqlSafe(copy))).await?;
    let day: chrono::NaiveDate = clinic.day.parse()?;
    clinic.advance_to(&format!("{}T10:00:30Z", day.pred_opt().unwrap()));
    let start = Instant::now();
    clinic.work().await?;
    let elapsed = start.elapsed();
    println!(
        "{many} reminders looked at in {elapsed:?}: {:.0} a second",
        many as f64 / elapsed.as_secs_f64()
    );
    assert_eq!(due(&clinic).await?, many - 2 * (many / 10));
    let twice = "SELECT count(*) FROM (SELECT subject_id FROM event WHERE kind = 'APPOINTMENT_REMINDER_DUE' GROUP BY 1 HAVING count(*) > 1) x";
    let twice: i64 = sqlx::query_scalar(twice).fetch_one(&mut sql).await?;
    assert_eq!(twice, 0);
    Ok(())
}

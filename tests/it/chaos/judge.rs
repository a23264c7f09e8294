//! Whether what follows from the acts happened, once: by the jobs, and by the rows and events that they left.

use std::collections::{BTreeMap, BTreeSet};

use praxis_domain::{event::Recorded, reaction::reactions};
use praxis_platform::events;
use sea_orm::Condition;

use super::*;

/// Each event has its place and its number without a gap, and each of its reactions a job that was done.
pub async fn what_follows(server: &TestServer) -> Result<()> {
    let op = server.as_system("northside").await?;
    events::order(&op).await?;
    let mut all = Vec::new();
    loop {
        let behind = all.last().and_then(|event: &praxis_entity::event::Model| event.position).unwrap_or(0);
        let more = events::after(&op, behind, Condition::all(), 1_000).await?;
        if more.is_empty() {
            break;
        }
        all.extend(more);
    }
    op.rollback().await?;
    let places: Vec<i64> = all.iter().map(|event| event.position.unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(all.len())?).collect::<Vec<_>>());
    let mut numbers: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
    for event in &all {
        if let Some(encounter) = event.encounter_id {
            assert!(numbers.entry(encounter.0).or_default().insert(event.encounter_seq.unwrap()));
        }
    }
    for numbers in numbers.values() {
        assert!(numbers.iter().copied().eq(1..=i32::try_from(numbers.len())?), "{numbers:?}");
    }

    let mut sql = server.installation.tenant_connection("northside").await?;
    let jobs = "SELECT event_id, name, status FROM job WHERE event_id IS NOT NULL";
    let jobs: Vec<(uuid::Uuid, String, String)> = sqlx::query_as(jobs).fetch_all(&mut sql).await?;
    let jobs: BTreeSet<_> = jobs.into_iter().collect();
    let mut expected = BTreeSet::new();
    for event in all {
        let id = event.id.0;
        let recorded = Recorded::read(event).unwrap();
        expected.extend(reactions(&recorded.event).iter().map(|one| (id, one.name(), "DONE".to_owned())));
    }
    eprintln!("{} events, {} reactions, {} encounters", places.len(), expected.len(), numbers.len());
    let amiss: Vec<_> = jobs.symmetric_difference(&expected).collect();
    assert!(amiss.is_empty() && !expected.is_empty(), "{amiss:?}");
    let left: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM job WHERE status IN ('RUNNING', 'DEAD') OR status = 'QUEUED' AND event_id IS NOT NULL",
    )
    .fetch_one(&mut sql)
    .await?;
    assert_eq!(left, 0);
    Ok(())
}

/// How many jobs are done.
pub async fn jobs_done(server: &TestServer) -> Result<i64> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let done = "SELECT count(*) FROM job WHERE status = 'DONE'";
    Ok(sqlx::query_scalar(done).fetch_one(&mut sql).await?)
}

/// What the reactions did is there once. None of these is kept from happening twice by a constraint.
pub async fn effects(server: &TestServer) -> Result<()> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    for (what, times) in [
        (
            "a visit of each appointment that was checked in",
            "SELECT (SELECT count(*) FROM encounter e WHERE e.appointment_id = a.id AND e.status <> 'PLANNED')
             FROM appointment a WHERE a.status = 'CHECKED_IN'",
        ),
        (
            "told that the visit is planned",
            "SELECT (SELECT count(*) FROM event v WHERE v.subject_id = e.id AND v.kind = 'ENCOUNTER_PLANNED') FROM encounter e",
        ),
        (
            "told that the patient has arrived",
            "SELECT (SELECT count(*) FROM event v WHERE v.subject_id = e.id AND v.kind = 'ENCOUNTER_CHECKED_IN') FROM encounter e",
        ),
        (
            "the second step of each workflow whose first is done",
            "SELECT (SELECT count(*) FROM task s WHERE s.instance_id = f.instance_id AND s.step = 'second')
             FROM task f WHERE f.step = 'first' AND f.status = 'COMPLETED'",
        ),
        (
            "told of the second step",
            "SELECT (SELECT count(*) FROM event v WHERE v.subject_id = s.id AND v.kind = 'TASK_CREATED')
             FROM task s WHERE s.step = 'second'",
        ),
        (
            "the clinician told of what is called off",
            "SELECT (SELECT count(*) FROM notification n WHERE n.subject_id = a.id AND n.channel = 'IN_APP'
                AND n.topic = 'APPOINTMENT_CANCELLED') FROM appointment a WHERE a.status = 'CANCELLED'",
        ),
        (
            "the clinician told of what is booked",
            "SELECT (SELECT count(*) FROM notification n WHERE n.subject_id = a.id AND n.channel = 'IN_APP'
                AND n.topic = 'APPOINTMENT_BOOKED') FROM appointment a WHERE a.status = 'BOOKED'",
        ),
    ] {
        let times: Vec<i64> = sqlx::query_scalar(times).fetch_all(&mut sql).await?;
        assert!(!times.is_empty() && times.iter().all(|times| *times == 1), "{what}: {times:?}");
    }
    Ok(())
}

//! Events: told once each, in an order without gaps, and never changed.

use std::collections::BTreeSet;

use praxis_domain::event::{Event, all_happened, happened};
use praxis_entity::ids::EventId;
use serde_json::json;
use sqlx::Executor;

use super::*;

#[tokio::test]
async fn an_act_leaves_an_event_that_nobody_can_change() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let patient: PatientId = owner.register("Ada", "Quill", "1990-01-02").await.parse()?;
    let told = told(&server, "northside").await?;
    let registered = told.iter().find(|event| event.kind == "PATIENT_REGISTERED").unwrap();
    assert_eq!((registered.patient_id, registered.subject_id), (Some(patient), patient.0));
    assert_eq!(registered.body, json!({ "patient": patient.0 }));
    assert!(registered.actor_id.is_some());

    let mut runtime = server.installation.tenant_connection("northside").await?;
    for attempt in [
        "UPDATE event SET kind = 'X_Y_Z'",
        "UPDATE event SET position = NULL",
        "DELETE FROM event",
        "TRUNCATE event",
    ] {
        let error = runtime.execute(attempt).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{attempt}");
    }
    // Nor can whoever owns the table, short of taking the triggers away.
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let mut admin = server.installation.admin().await?;
    for attempt in [
        "UPDATE event SET at = now()",
        "UPDATE event SET position = 1000",
        "DELETE FROM event",
        "TRUNCATE event CASCADE",
    ] {
        let attempt = format!("SET search_path = {schema}; {attempt}");
        let error = admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(attempt.clone()))).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("PX003"), "{attempt}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_taken_back_did_not_happen() -> Result<()> {
    let server = clinic().await?;
    let before = told(&server, "northside").await?.len();
    let (patient, encounter) = visit(&server).await?;
    let op = factory(&server, "northside").write().await?;
    happened(&op, Event::EncounterRecorded { encounter, patient }).await?;
    jobs::enqueue(&op, vec![new_job("a", op.now())]).await?;
    op.rollback().await?;
    // The patient's registration was told, and nothing else.
    assert_eq!(told(&server, "northside").await?.len(), before + 1);
    assert_eq!(rows(&server, "northside").await?.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_events_of_an_encounter_are_numbered_without_a_gap_however_many_write_at_once() -> Result<()> {
    let server = clinic().await?;
    let (patient, encounter) = visit(&server).await?;
    let factory = factory(&server, "northside");
    let write = async |number: usize| {
        let op = factory.write().await?;
        let event = || Event::EncounterRecorded { encounter, patient };
        all_happened(&op, vec![event(), event(), event()]).await?;
        op.record(Entry::done("test"));
        // One in four changes its mind.
        if number % 4 == 3 {
            op.rollback().await?
        } else {
            op.commit().await?
        }
        anyhow::Ok(())
    };
    futures::future::try_join_all((0..24).map(write)).await?;
    let numbers: BTreeSet<i32> = told(&server, "northside")
        .await?
        .into_iter()
        .filter(|event| event.encounter_id == Some(encounter))
        .map(|event| event.encounter_seq.unwrap())
        .collect();
    assert_eq!(numbers, (1..=54).collect());
    Ok(())
}

#[tokio::test]
async fn an_event_that_is_committed_late_is_not_missed() -> Result<()> {
    let server = clinic().await?;
    let (patient, _) = visit(&server).await?;
    let last = told(&server, "northside").await?.last().unwrap().position.unwrap();
    let factory = factory(&server, "northside");
    let (early, late) = (factory.write().await?, factory.write().await?);
    let event = Event::PatientImported { patient };
    happened(&early, event.clone()).await?;
    happened(&late, event).await?;
    early.record(Entry::done("test"));
    late.record(Entry::done("test"));

    // The one that began later is committed first: it has its place before the other.
    late.commit().await?;
    let reader = factory.read();
    events::order(&reader).await?;
    let first = events::after(&reader, last, Condition::all(), 10).await?;
    assert_eq!(first.len(), 1);
    early.commit().await?;
    events::order(&reader).await?;
    let second = events::after(&reader, first[0].position.unwrap(), Condition::all(), 10).await?;
    assert_eq!(second.len(), 1);
    assert!(second[0].id < first[0].id);
    assert_eq!(second[0].position, Some(last + 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_have_no_gap_and_whoever_goes_on_behind_the_last_one_sees_each_event_once() -> Result<()> {
    let server = clinic().await?;
    let (patient, _) = visit(&server).await?;
    let factory = factory(&server, "northside");
    let begin = events::last_position(&factory.read()).await?;
    let writing = futures::future::try_join_all((0..16).map(async |_| {
        for _ in 0..5 {
            let op = factory.write().await?;
            happened(&op, Event::PatientImported { patient }).await?;
            op.record(Entry::done("test"));
            op.commit().await?;
        }
        anyhow::Ok(())
    }));
    let reading = async |_| {
        let (mut seen, mut position) = (Vec::new(), begin);
        while seen.len() < 80 {
            let op = factory.read();
            events::order(&op).await?;
            for event in events::after(&op, position, Condition::all(), 7).await? {
                position = event.position.unwrap();
                if event.kind == "PATIENT_IMPORTED" {
                    seen.push(event.id);
                }
            }
        }
        anyhow::Ok(seen)
    };
    let (_, seen) = tokio::try_join!(writing, futures::future::try_join_all((0..3).map(reading)))?;
    for seen in seen {
        let distinct: BTreeSet<EventId> = seen.iter().copied().collect();
        assert_eq!((seen.len(), distinct.len()), (80, 80));
    }
    let places: Vec<i64> =
        told(&server, "northside").await?.iter().map(|event| event.position.unwrap()).collect();
    assert_eq!(places, (1..=places.len() as i64).collect::<Vec<_>>());
    Ok(())
}

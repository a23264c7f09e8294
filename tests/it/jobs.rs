//! Events and jobs: what is committed is told once and followed once, whatever happens to those who do it.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use praxis::{App, working};
use praxis_domain::{
    event::{Event, all_happened, happened},
    jobs::{self as work, Jobs, Work},
};
use praxis_entity::{
    encounter::{self, EncounterClass, EncounterStatus},
    event,
    ids::{EncounterId, EventId, PatientId},
    job::{self, JobStatus},
};
use praxis_platform::{
    Failure, Op, OpFactory, Platform, RequestInfo, Write,
    access::Actor,
    audit::Entry,
    clock::Clock,
    events,
    jobs::{self, JobFilter, NewJob, Outcome, Perform, Problem, Ran, Worker},
    tenancy::{Control, Queue, Tenant},
};
use sea_orm::{ActiveValue::Set, Condition, ConnectionTrait, DbBackend, EntityTrait, Statement};
use serde_json::json;
use sqlx::Executor;
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{server::TestServer, steps::refused_steps};

mod fair;
mod killed;

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

/// Counts in the clinic's own data how often each job was done, and fails as it is told.
#[derive(Default)]
struct Counting {
    /// Fail so many times, after the effect was written.
    fail: AtomicU32,
    /// Panic so many times.
    panic: AtomicU32,
    /// Take so long.
    takes: Duration,
    /// Recur each hour under this name.
    recurring: Option<&'static str>,
}

fn once_more(times: &AtomicU32) -> bool {
    times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Perform for Counting {
    async fn perform(&self, op: &Op<Write>, job: &job::Model) -> Result<(), Problem> {
        let key = job.dedupe_key.clone().unwrap_or_default();
        let count =
            "INSERT INTO counter (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counter.n + 1";
        let count = Statement::from_sql_and_values(DbBackend::Postgres, count, [format!("job:{key}").into()]);
        op.db().execute_raw(count).await.map_err(Failure::from)?;
        tokio::time::sleep(self.takes).await;
        assert!(!once_more(&self.panic), "as it was told");
        if once_more(&self.fail) { Err(Problem("as it was told".into())) } else { Ok(()) }
    }

    fn next(&self, _: &Tenant, job: &job::Model, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.recurring == Some(job.name.as_str())).then(|| now + TimeDelta::hours(1))
    }

    async fn plan(&self, _: &Op<Write>) -> Result<u64, Failure> {
        Ok(0)
    }
}

async fn worker(server: &TestServer, app: &App, perform: impl Perform) -> Result<Worker> {
    let control = Control::connect(&server.installation.url, &*server.installation.keys).await?;
    Ok(Worker {
        platform: Arc::clone(&app.platform),
        directory: Arc::clone(&app.directory),
        control,
        perform: Arc::new(perform),
        places: Semaphore::new(8),
    })
}

/// Works until nothing is due.
async fn work_off(worker: &Worker) -> Result<Vec<Ran>> {
    let mut all = Vec::new();
    loop {
        let woken = worker.ready(8, &[]).await?;
        if woken.is_empty() {
            return Ok(all);
        }
        for woken in woken {
            all.extend(worker.serve(&woken).await?);
        }
    }
}

fn results(ran: &[Ran]) -> Vec<Outcome> {
    ran.iter().map(|ran| ran.result).collect()
}

fn factory(server: &TestServer, slug: &str) -> OpFactory {
    let tenant = server.app.directory.by_slug(slug).unwrap();
    let platform: Arc<Platform> = Arc::clone(&server.app.platform);
    OpFactory::new(platform, tenant, Arc::new(Actor::operator()), RequestInfo::default(), true)
}

fn new_job(key: &str, run_at: DateTime<Utc>) -> NewJob {
    NewJob { name: "COUNT".to_owned(), event: None, payload: None, dedupe_key: Some(key.to_owned()), run_at }
}

async fn enqueue(server: &TestServer, slug: &str, jobs: Vec<NewJob>) -> Result<u64> {
    let op = factory(server, slug).write().await?;
    let written = jobs::enqueue(&op, jobs).await?;
    op.record(Entry::done("test"));
    op.commit().await?;
    Ok(written)
}

/// How often each job was done: how many were, and the most that one was.
async fn done(server: &TestServer, slug: &str) -> Result<(i64, i64)> {
    let mut runtime = server.installation.tenant_connection(slug).await?;
    let counted = "SELECT count(*), coalesce(max(n), 0) FROM counter WHERE name LIKE 'job:%'";
    Ok(sqlx::query_as(counted).fetch_one(&mut runtime).await?)
}

async fn rows(server: &TestServer, slug: &str) -> Result<Vec<job::Model>> {
    let op = factory(server, slug).read();
    let mut rows = Vec::new();
    for status in
        [JobStatus::Queued, JobStatus::Running, JobStatus::Done, JobStatus::Dead, JobStatus::Discarded]
    {
        rows.extend(
            jobs::list(&op, &JobFilter { status: Some(status), name: Some("COUNT".to_owned()) }).await?,
        );
    }
    Ok(rows)
}

async fn told(server: &TestServer, slug: &str) -> Result<Vec<event::Model>> {
    let op = factory(server, slug).read();
    events::order(&op).await?;
    Ok(events::after(&op, 0, Condition::all(), 10_000).await?)
}

/// A patient, and an encounter of theirs.
async fn visit(server: &TestServer) -> Result<(PatientId, EncounterId)> {
    let owner = server.person("northside", "owner").await;
    let patient: PatientId = owner.register("Ada", "Quill", "1990-01-02").await.parse()?;
    let op = factory(server, "northside").write().await?;
    let id = EncounterId(op.new_id());
    let row = encounter::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        class: Set(EncounterClass::Ambulatory),
        status: Set(EncounterStatus::Planned),
        ..Default::default()
    };
    encounter::Entity::insert(row).exec_without_returning(op.db()).await?;
    op.record(Entry::done("test"));
    op.commit().await?;
    Ok((patient, id))
}

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

#[tokio::test]
async fn a_job_that_fails_leaves_nothing_and_is_tried_again_later() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { fail: 2.into(), ..Counting::default() }).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    assert_eq!(done(&server, "northside").await?, (0, 0));
    let row = rows(&server, "northside").await?.remove(0);
    assert_eq!(
        (row.status, row.attempts, row.last_error.as_deref()),
        (JobStatus::Queued, 1, Some("as it was told"))
    );
    // Not before its time.
    assert_eq!(results(&work_off(&worker).await?), []);
    server.clock.advance(TimeDelta::seconds(2));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    server.clock.advance(TimeDelta::seconds(4));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Done]);
    assert_eq!(done(&server, "northside").await?, (1, 1));
    let row = rows(&server, "northside").await?.remove(0);
    assert_eq!((row.status, row.attempts), (JobStatus::Done, 3));
    assert!(row.finished_at.is_some());
    // The hints of its leases come round, and find nothing.
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(results(&work_off(&worker).await?), []);
    let mut admin = server.installation.admin().await?;
    let hints: i64 = sqlx::query_scalar("SELECT count(*) FROM cell.ready WHERE queue = 'jobs'")
        .fetch_one(&mut admin)
        .await?;
    assert_eq!(hints, 0);
    Ok(())
}

#[tokio::test]
async fn a_job_that_panics_ends_only_itself() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { panic: 1.into(), ..Counting::default() }).await?;
    let now = server.clock.now();
    enqueue(&server, "northside", (0..5).map(|n| new_job(&n.to_string(), now)).collect()).await?;
    let ran = work_off(&worker).await?;
    let postponed = results(&ran).into_iter().filter(|result| *result == Outcome::Postponed).count();
    assert_eq!((ran.len(), postponed), (5, 1));
    server.clock.advance(TimeDelta::seconds(2));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Done]);
    assert_eq!(done(&server, "northside").await?, (5, 1));
    Ok(())
}

#[tokio::test]
async fn what_cannot_succeed_is_given_up_until_an_operator_decides() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { fail: 26.into(), ..Counting::default() }).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let mut sum = Vec::new();
    while !sum.contains(&Outcome::Dead) {
        sum.extend(results(&work_off(&worker).await?));
        server.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(sum.len(), 25);
    assert_eq!(results(&work_off(&worker).await?), []);
    let dead = rows(&server, "northside").await?.remove(0);
    assert_eq!(dead.status, JobStatus::Dead);

    let op = factory(&server, "northside").write().await?;
    assert_eq!(jobs::retry(&op, Some(dead.id)).await?, 1);
    op.commit().await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    let op = factory(&server, "northside").write().await?;
    assert_eq!(jobs::discard(&op, Some(dead.id)).await?, 1);
    op.commit().await?;
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(results(&work_off(&worker).await?), []);
    assert_eq!(rows(&server, "northside").await?[0].status, JobStatus::Discarded);
    assert_eq!(done(&server, "northside").await?, (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_do_each_job_once() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let (one, two) = (
        worker(&server, &server.app, Counting::default()).await?,
        worker(&server, &other, Counting::default()).await?,
    );
    let writing = async {
        for batch in 0..20 {
            let now = server.clock.now();
            let jobs = (0..15).map(|n| new_job(&format!("{batch}-{n}"), now)).collect();
            enqueue(&server, "northside", jobs).await?;
        }
        anyhow::Ok(())
    };
    let working = async |worker: &Worker| {
        let mut count = 0;
        while done(&server, "northside").await?.0 < 300 {
            count += work_off(worker).await?.len();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(count)
    };
    let ((), a, b) = tokio::try_join!(writing, working(&one), working(&two))?;
    assert!(a > 0 && b > 0, "{a} and {b}");
    server.clock.advance(TimeDelta::hours(1));
    work_off(&one).await?;
    assert_eq!(done(&server, "northside").await?, (300, 1));
    Ok(())
}

#[tokio::test]
async fn a_worker_that_outlived_its_lease_takes_back_what_it_did() -> Result<()> {
    let server = clinic().await?;
    let slow =
        worker(&server, &server.app, Counting { takes: Duration::from_secs(2), ..Counting::default() })
            .await?;
    let quick = worker(&server, &server.app, Counting::default()).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let (late, early) = tokio::try_join!(work_off(&slow), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.clock.advance(TimeDelta::minutes(3));
        // Waits for the row that the slow one has changed and not committed; finds the job done by nobody.
        work_off(&quick).await
    })?;
    let mut ended = results(&late);
    ended.extend(results(&early));
    ended.sort_by_key(|result| *result as u8);
    assert_eq!(ended, [Outcome::Done, Outcome::Lost]);
    assert_eq!(done(&server, "northside").await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn work_of_the_same_key_is_written_once_and_done_at_its_time() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting::default()).await?;
    let tomorrow = server.clock.now() + TimeDelta::days(1);
    let now = server.clock.now();
    assert_eq!(enqueue(&server, "northside", vec![new_job("a", tomorrow), new_job("b", now)]).await?, 2);
    assert_eq!(enqueue(&server, "northside", vec![new_job("a", now)]).await?, 0);
    assert_eq!(work_off(&worker).await?.len(), 1);
    server.clock.advance(TimeDelta::hours(23));
    assert_eq!(work_off(&worker).await?.len(), 0);
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(work_off(&worker).await?.len(), 1);
    assert_eq!(done(&server, "northside").await?, (2, 1));
    Ok(())
}

#[tokio::test]
async fn recurring_work_is_done_once_each_time_on_all_servers_together() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let hourly = || Counting { recurring: Some("COUNT"), fail: 1.into(), ..Counting::default() };
    let (one, two) =
        (worker(&server, &server.app, hourly()).await?, worker(&server, &other, hourly()).await?);
    enqueue(&server, "northside", vec![new_job("RECURRING", server.clock.now())]).await?;
    let mut ran = 0;
    for _ in 0..12 {
        let (a, b) = tokio::try_join!(work_off(&one), work_off(&two))?;
        ran += results(&a).into_iter().chain(results(&b)).filter(|result| *result == Outcome::Done).count();
        server.clock.advance(TimeDelta::minutes(30));
    }
    assert!((4..=6).contains(&ran), "{ran}");
    assert_eq!(done(&server, "northside").await?, (1, ran as i64));
    assert_eq!(rows(&server, "northside").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn each_clinic_keeps_house_at_night_by_its_own_clock() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Jobs).await?;
    let tenant = server.app.directory.by_slug("northside").unwrap();
    worker.plan(Arc::clone(&tenant)).await?;
    worker.plan(Arc::clone(&tenant)).await?;
    let op = factory(&server, "northside").read();
    let named = JobFilter { status: None, name: Some("FORGET_OLD_JOBS".to_owned()) };
    let planned = jobs::list(&op, &named).await?;
    assert_eq!(planned.len(), 1);
    let zone: chrono_tz::Tz = tenant.time_zone.parse()?;
    assert_eq!(planned[0].run_at.with_timezone(&zone).format("%H:%M").to_string(), "03:17");

    enqueue(&server, "northside", vec![new_job("old", server.clock.now())]).await?;
    let counting = self::worker(&server, &server.app, Counting::default()).await?;
    // The counting one finds the old job; what else is due is left to the other.
    assert_eq!(work_off(&counting).await?.len(), 1);
    server.clock.advance(TimeDelta::days(32));
    work_off(&worker).await?;
    assert_eq!(rows(&server, "northside").await?.len(), 0);
    let again = jobs::list(&factory(&server, "northside").read(), &named).await?;
    assert!(again[0].run_at > server.clock.now() && again[0].attempts == 0);
    Ok(())
}

#[tokio::test]
async fn what_one_zone_does_not_know_waits_for_a_server_that_does() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Jobs).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    assert_eq!(rows(&server, "northside").await?[0].last_error.as_deref(), Some("unknown here"));
    Ok(())
}

#[tokio::test]
async fn the_database_knows_how_a_job_may_fare() -> Result<()> {
    let server = clinic().await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let lift = format!("ALTER TABLE {schema}.job DROP CONSTRAINT job_finished_has_time");
    server.installation.admin().await?.execute(sqlx::AssertSqlSafe(lift)).await?;
    let statuses = ["QUEUED", "RUNNING", "DONE", "DEAD", "DISCARDED"];
    let refused = refused_steps(&server, &mut runtime, "job", &statuses).await?;
    let legal = [
        "QUEUED RUNNING",
        "RUNNING QUEUED",
        "RUNNING DONE",
        "RUNNING DEAD",
        "DEAD QUEUED",
        "QUEUED DISCARDED",
        "DEAD DISCARDED",
    ];
    let all = statuses.iter().flat_map(|from| statuses.iter().map(move |to| format!("{from} {to}")));
    let expected: BTreeSet<String> = all
        .filter(|step| !legal.contains(&step.as_str()) && step.split_once(' ').is_some_and(|(a, b)| a != b))
        .collect();
    assert_eq!(refused, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_announced_with_its_commit_and_what_is_under_way_when_a_server_stops_is_finished()
-> Result<()> {
    let server = clinic().await?;
    let worker = Arc::new(
        worker(&server, &server.app, Counting { takes: Duration::from_millis(400), ..Counting::default() })
            .await?,
    );
    let stop = CancellationToken::new();
    let running = tokio::spawn(working::run(Arc::clone(&worker), stop.clone()));
    let now = server.clock.now();
    enqueue(&server, "northside", (0..12).map(|n| new_job(&n.to_string(), now)).collect()).await?;
    while rows(&server, "northside").await?.iter().all(|row| row.status == JobStatus::Queued) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    running.await?;
    // Nobody looks any more, so the bell is there to be heard; it is not rung for what is taken back or not yet due.
    let rung =
        async || timeout(Duration::from_millis(300), worker.platform.bell.rung(Queue::Jobs)).await.is_ok();
    while rung().await {}
    enqueue(&server, "northside", vec![new_job("later", now + TimeDelta::days(1))]).await?;
    assert!(!rung().await);
    enqueue(&server, "northside", vec![new_job("now", now)]).await?;
    assert!(rung().await);
    // Four were under way; the others are as if nobody had taken them up.
    let rows = rows(&server, "northside").await?;
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    assert_eq!((count(JobStatus::Done), count(JobStatus::Queued)), (4, 10));
    assert!(rows.iter().filter(|row| row.status == JobStatus::Queued).all(|row| row.attempts == 0));
    Ok(())
}

#[tokio::test]
async fn work_is_written_with_ids_and_codes() -> Result<()> {
    let server = clinic().await?;
    let op = factory(&server, "northside").write().await?;
    let tonight = op.now() + TimeDelta::hours(3);
    work::enqueue(&op, Work::ForgetOldJobs, tonight, "tonight").await?;
    op.record(Entry::done("test"));
    op.commit().await?;
    let op = factory(&server, "northside").read();
    let row = jobs::list(&op, &JobFilter::default()).await?.remove(0);
    assert_eq!(
        (row.name.as_str(), row.payload, row.dedupe_key.as_deref()),
        ("FORGET_OLD_JOBS", None, Some("tonight"))
    );
    Ok(())
}

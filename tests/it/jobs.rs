//! Events and jobs: what is committed is told once and followed once, whatever happens to those who do it.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
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
use praxis_domain::jobs::Jobs;
use praxis_entity::{
    encounter::{self, EncounterClass, EncounterStatus},
    event,
    ids::{EncounterId, PatientId},
    job::{self, JobStatus},
};
use praxis_platform::{
    Failure, Op, OpFactory, Platform, RequestInfo, Write,
    access::Actor,
    audit::Entry,
    clock::Clock,
    events,
    jobs::{self, JobFilter, NewJob, Outcome, Perform, Problem, Ran, Worker},
    tenancy::{Control, Tenant},
};
use sea_orm::{ActiveValue::Set, Condition, ConnectionTrait, DbBackend, EntityTrait, Statement};
use tokio_util::sync::CancellationToken;

use crate::support::server::TestServer;

mod attempts;
mod fair;
mod killed;
mod order;
mod times;

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

    fn recurring(&self) -> Vec<String> {
        self.recurring.iter().map(|name| (*name).to_owned()).collect()
    }

    async fn plan(&self, _: &Op<Write>) -> Result<(), Failure> {
        Ok(())
    }
}

async fn worker(server: &TestServer, app: &App, perform: impl Perform) -> Result<Worker> {
    let control = Control::connect(&server.installation.url, &*server.installation.keys).await?;
    let (platform, directory) = (Arc::clone(&app.platform), Arc::clone(&app.directory));
    Ok(Worker::new(platform, directory, control, Arc::new(perform), 8))
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

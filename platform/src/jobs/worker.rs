//! Doing what is due, for all tenants of the installation, on any number of servers.

use std::{
    result::Result as StdResult,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use praxis_entity::{
    ids::TenantId,
    job::{self, JobStatus},
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};

use super::{Perform, Problem, row};
use crate::{
    Failure, OpFactory, Platform, RequestInfo,
    access::Actor,
    audit::{self, Entry},
    tenancy::{Control, Directory, Queue, Standing, Tenant, Woken},
    vault::crypto,
};

/// A job that was not done after so many attempts is given up: after about half a day.
pub const MAX_ATTEMPTS: i32 = 25;
/// The longest that one attempt may take.
const LONGEST: Duration = Duration::from_secs(30);
/// How long a turn's jobs are nobody else's.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Jobs of one tenant before another one gets its turn.
const TURN: usize = 50;
/// Jobs of one tenant at once.
const AT_ONCE: usize = 4;
/// How long a tenant waits that can't be looked at.
const SET_ASIDE: TimeDelta = TimeDelta::seconds(30);

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Result {
    /// Done.
    Done,
    /// Tried again later.
    Postponed,
    /// Given up; one that recurs waits for its next time.
    Dead,
    /// Somebody else was faster: nothing was changed.
    Lost,
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The reaction, or the kind of work.
    pub name: String,
    /// What became of it.
    pub result: Result,
    /// How long it waited since it was due, when this was its first attempt.
    pub waited: Option<Duration>,
    /// How long it took.
    pub took: Duration,
}

/// Does jobs.
pub struct Worker {
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// Where hints of waiting work are.
    pub control: Control,
    perform: Arc<dyn Perform>,
    /// How many jobs are done at once, of all tenants: as many connections it may take. Once it is closed, no
    /// further job is begun.
    places: Semaphore,
    /// Turns under way of tenants that have no more to do than that.
    light: AtomicUsize,
}

/// A turn of a tenant that has no more to do, for as long as it is under way.
struct Light<'a>(&'a AtomicUsize);

impl<'a> Light<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Light<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Does what `perform` knows, so many jobs at once.
    pub fn new(
        platform: Arc<Platform>,
        directory: Arc<Directory>,
        control: Control,
        perform: Arc<dyn Perform>,
        at_once: usize,
    ) -> Self {
        let (places, light) = (Semaphore::new(at_once), AtomicUsize::new(0));
        Self { platform, directory, control, perform, places, light }
    }

    /// No further job is begun.
    pub fn stop(&self) {
        self.places.close();
    }

    /// Tenants that have work due, up to `most` of them and none that is busy.
    pub async fn ready(&self, most: usize, busy: &[TenantId]) -> StdResult<Vec<Woken>, Failure> {
        let now = self.platform.clock.now();
        self.control.take_ready(Queue::Jobs, now, now + LEASE, most, busy).await
    }

    /// Does a turn of a tenant's jobs.
    pub async fn serve(&self, woken: &Woken) -> StdResult<Vec<Ran>, Failure> {
        let set_aside = self.platform.clock.now() + SET_ASIDE;
        // The work of a clinic that may not be changed waits; one that the directory does not know yet is asked
        // for again.
        let tenant =
            self.directory.by_id(woken.tenant).filter(|tenant| tenant.standing() == Standing::Served);
        let turn = tenant.map(|tenant| async move { self.turn(&tenant).await });
        self.control.look_after(woken, set_aside, turn).await
    }

    /// Sees to it that every tenant's recurring jobs are written down; returns how many tenants lacked some.
    ///
    /// Which ones do is one question for all of them. One that may not be changed now is asked for again.
    pub async fn plan(&self) -> StdResult<usize, Failure> {
        let names = self.perform.recurring();
        let mut planned = 0;
        for id in self.control.unplanned(&names).await? {
            let tenant = self.directory.by_id(id).filter(|tenant| tenant.standing() == Standing::Served);
            let Some(tenant) = tenant else { continue };
            match self.plan_for(&tenant, &names).await {
                Ok(()) => planned += 1,
                Err(error) => tracing::warn!(tenant = %id, %error, "recurring work is not planned yet"),
            }
        }
        Ok(planned)
    }

    async fn plan_for(&self, tenant: &Arc<Tenant>, names: &[String]) -> StdResult<(), Failure> {
        let op = self.system(tenant, None).write().await?;
        self.perform.plan(&op).await?;
        row::note_planned(&op, names).await?;
        op.record(Entry::done("job.plan"));
        op.commit().await
    }

    async fn turn(&self, tenant: &Arc<Tenant>) -> StdResult<Vec<Ran>, Failure> {
        let system = self.system(tenant, None);
        let lease_ends = self.platform.clock.now() + LEASE;
        let op = system.read();
        let jobs = row::claim(&op, lease_ends, TURN).await?;
        let full = jobs.len() == TURN;
        if full {
            // There may be more: back into the queue, behind the others.
            row::wake(&op, self.platform.clock.now()).await?;
        }
        op.release().await;
        let last_start = lease_ends - TimeDelta::from_std(LONGEST).unwrap_or_default();
        let _light = (!full).then(|| Light::new(&self.light));
        let slowly = Mutex::new(());
        let attempts = jobs.into_iter().map(async |job| {
            // Who has much to do goes one step at a time while others have little.
            let crowded = full && self.light.load(Ordering::Relaxed) > 0;
            let _slowly = if crowded { Some(slowly.lock().await) } else { None };
            self.attempt(tenant, job, last_start).await
        });
        // What others of this turn are doing is let finish, whatever happens to one.
        let ended: Vec<_> = futures::stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
        let ended: StdResult<Vec<_>, _> = ended.into_iter().collect();
        Ok(ended?.into_iter().flatten().collect())
    }

    /// One attempt at a job, if there is time for it.
    async fn attempt(
        &self,
        tenant: &Arc<Tenant>,
        job: job::Model,
        last_start: DateTime<Utc>,
    ) -> StdResult<Option<Ran>, Failure> {
        let system = self.system(tenant, Some(&job));
        let place = self.places.acquire().await;
        let now = self.platform.clock.now();
        if place.is_err() || now > last_start {
            return row::hand_back(&system.read(), &job).await.map(|()| None);
        }
        let begun = Instant::now();
        let waited = (job.attempts == 1).then(|| (now - job.run_at).to_std().unwrap_or_default());
        let result = match self.perform(&system, &job).await {
            Ok(true) => Result::Done,
            Ok(false) => Result::Lost,
            Err(problem) => self.settle(&system, &job, &problem).await?,
        };
        Ok(Some(Ran { name: job.name, result, waited, took: begun.elapsed() }))
    }

    /// Does the job in a transaction of its own. Whether it was still this worker's.
    async fn perform(&self, system: &OpFactory, job: &job::Model) -> StdResult<bool, Problem> {
        let (system, perform, job) = (system.clone(), Arc::clone(&self.perform), job.clone());
        // In a task of its own, so that a job that panics ends only itself.
        let work = tokio::spawn(timeout(LONGEST, async move { once(&system, &*perform, &job).await }));
        match work.await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Problem("took too long".into())),
            Err(_) => Err(Problem("panicked".into())),
        }
    }

    /// Writes down that an attempt failed.
    async fn settle(
        &self,
        system: &OpFactory,
        job: &job::Model,
        Problem(why): &Problem,
    ) -> StdResult<Result, Failure> {
        let tenant = system.tenant();
        let now = self.platform.clock.now();
        if job.attempts < MAX_ATTEMPTS {
            tracing::info!(tenant = %tenant.id, job = %job.id, name = job.name, attempts = job.attempts, problem = %why, "a job was not done; it is tried again");
            row::postpone(&system.read(), job, now + pause(job.attempts)?, why).await?;
            return Ok(Result::Postponed);
        }
        tracing::warn!(tenant = %tenant.id, job = %job.id, name = job.name, attempts = job.attempts, problem = %why, "a job is given up; see `praxis job list`");
        let op = system.write().await?;
        match self.perform.next(tenant, job, now) {
            Some(next) => row::recur(&op, job, next, Some(why)).await?,
            None => row::end(&op, job, JobStatus::Dead, Some(why)).await?,
        };
        let entry = Entry::done("job.give-up").on("Job", job.id.0, job.attempts);
        op.record(entry.ended(audit::Outcome::Failed));
        op.commit().await?;
        Ok(Result::Dead)
    }

    /// Operations of the system; the audit entries of a job name it as what they were asked by.
    fn system(&self, tenant: &Arc<Tenant>, job: Option<&job::Model>) -> OpFactory {
        let id = job.map(|job| job.id.0);
        let request = RequestInfo { id, purpose: "HOPERAT", ..RequestInfo::default() };
        let actor = Arc::new(Actor::system());
        OpFactory::new(Arc::clone(&self.platform), Arc::clone(tenant), actor, request, true)
    }
}

/// Effects and end of a job, committed together or not at all.
async fn once(system: &OpFactory, perform: &dyn Perform, job: &job::Model) -> StdResult<bool, Problem> {
    let op = system.write().await?;
    if let Err(problem) = perform.perform(&op, job).await {
        op.rollback().await?;
        return Err(problem);
    }
    let own = match perform.next(system.tenant(), job, op.now()) {
        Some(next) => row::recur(&op, job, next, None).await?,
        None => row::end(&op, job, JobStatus::Done, None).await?,
    };
    if !own {
        op.rollback().await?;
        return Ok(false);
    }
    op.commit_job(job).await?;
    Ok(true)
}

/// Twice as long each time, from two seconds to an hour, and never all at once.
fn pause(attempts: i32) -> StdResult<TimeDelta, Failure> {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(11);
    let whole = (2_000_i64 << doublings).min(3_600_000);
    let [noise] = crypto::random::<1>()?;
    Ok(TimeDelta::milliseconds(whole / 2 + whole / 2 * i64::from(noise) / 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_an_hour_and_last_half_a_day_in_sum() {
        let mut sum = TimeDelta::zero();
        for attempts in 1..MAX_ATTEMPTS {
            let paused = pause(attempts).unwrap();
            assert!(paused >= TimeDelta::seconds(1) && paused <= TimeDelta::hours(1), "{attempts}");
            sum += paused;
        }
        assert!(sum > TimeDelta::hours(7) && sum < TimeDelta::hours(15), "{sum}");
    }
}

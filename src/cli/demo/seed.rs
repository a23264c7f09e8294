//! Fills a clinic with everything that makes it look lived in.
//!
//! All of it goes through the functions of the domain, as if people had entered it: checked, sealed,
//! written to the audit log.

mod charts;
mod clinic;

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use praxis_platform::{
    OpFactory, Platform, RequestInfo,
    access::Actor,
    audit::Backlog,
    bell::Bell,
    clock::{Clock, SharedClock},
    keyring::{KeyTimes, Keyring},
    names::NameIndexes,
    tenancy::{Control, Tenant},
    vault::KeyWrapper,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use self::{charts::Charts, clinic::Premises};
use super::{clinics::Clinic, people::people, random::Random, schedule};

/// Patients registered in one transaction.
const TOGETHER: usize = 25;

/// How long ago everything was booked: a visit of last month can only have been booked before.
const BOOKED_AGO: TimeDelta = TimeDelta::days(120);

/// Fills clinics; see [`Seeder::fill`].
pub(super) struct Seeder {
    /// As of today.
    now: Arc<Platform>,
    /// As of when visits were booked.
    then: Arc<Platform>,
}

/// The clock that stood at one instant; its ids are those of today.
struct Past(SharedClock, DateTime<Utc>);

impl Clock for Past {
    fn now(&self) -> DateTime<Utc> {
        self.1
    }

    fn new_id(&self) -> Uuid {
        self.0.new_id()
    }
}

impl Seeder {
    /// A seeder on the connections of a server that does not serve yet.
    pub(super) fn new(now: &Arc<Platform>, control: Control, root: Arc<dyn KeyWrapper>) -> Self {
        let clock = Arc::clone(&now.clock);
        let then = clock.now() - BOOKED_AGO;
        Self {
            now: Arc::clone(now),
            then: Arc::new(Platform {
                pool: now.pool.clone(),
                keyring: Keyring::new(control, root, Arc::clone(&now.clock), KeyTimes::default()),
                clock: Arc::new(Past(clock, then)),
                names: NameIndexes::new(1),
                backlog: Backlog::default(),
                readings: Arc::default(),
                bell: Bell::default(),
            }),
        }
    }

    /// Fills an empty clinic: branches, staff, accounts, patients and what happened to them.
    pub(super) async fn fill(
        self: Arc<Self>,
        tenant: Arc<Tenant>,
        clinic: &'static Clinic,
        seed: u64,
        patients: usize,
    ) -> Result<()> {
        let now = self.factory(&self.now, &tenant);
        let premises =
            clinic::open(&now, clinic).await.with_context(|| format!("opening {}", clinic.name))?;
        let accounts = clinic::make_accounts(&now, clinic, &premises);
        let (accounts, charts) =
            tokio::join!(accounts, self.take_in_patients(&tenant, clinic, premises.clone(), seed, patients));
        accounts.with_context(|| format!("making the accounts of {}", clinic.name))?;
        charts.with_context(|| format!("filling the charts of {}", clinic.name))
    }

    async fn take_in_patients(
        &self,
        tenant: &Arc<Tenant>,
        clinic: &'static Clinic,
        premises: Premises,
        seed: u64,
        count: usize,
    ) -> Result<()> {
        let (now, then) = (self.factory(&self.now, tenant), self.factory(&self.then, tenant));
        let people = people(seed, clinic, count);
        let zone = premises.zone;
        let instant = self.now.clock.now();
        let today = instant.with_timezone(&zone).date_naive();
        let alive: Vec<usize> =
            people.iter().enumerate().filter(|(_, person)| person.died.is_none()).map(|(at, _)| at).collect();
        let mut random = Random::new(seed, &format!("{} schedule", clinic.slug));
        let plans =
            schedule::plan(&mut random, zone, today, &alive, clinic.clinicians.len(), premises.visits.len());
        let charts = Arc::new(Charts { clinic, premises, seed, now, instant });
        // What happened at the visits is written while the next patients are registered. Bookings
        // stay in one line: each holds its clinician until the end of its transaction.
        let mut writing = JoinSet::new();
        for (chunk, people) in people.chunks(TOGETHER).enumerate() {
            let first = chunk * TOGETHER;
            let plans: Vec<_> = plans
                .iter()
                .filter(|plan| (first..first + people.len()).contains(&plan.patient))
                .copied()
                .collect();
            let taken_in = charts.register_and_book(&then, first, people, &plans).await?;
            writing.spawn(Arc::clone(&charts).write(taken_in));
            if writing.len() > 1
                && let Some(written) = writing.join_next().await
            {
                written??;
            }
        }
        while let Some(written) = writing.join_next().await {
            written??;
        }
        Ok(())
    }

    fn factory(&self, platform: &Arc<Platform>, tenant: &Arc<Tenant>) -> OpFactory {
        let actor = Arc::new(Actor::operator());
        OpFactory::new(Arc::clone(platform), Arc::clone(tenant), actor, RequestInfo::default(), true)
    }
}

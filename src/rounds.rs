//! Rounds over all clinics: what time alone brings about.
//!
//! Any number of servers may make them; what one did another finds done. Nothing hangs on when a round comes: what is
//! open, overdue or usable follows from the clocks.

use std::{sync::Arc, time::Duration};

use praxis_domain::{Error, break_glass, retention};
use praxis_platform::{
    Failure, OpFactory, Platform, RequestInfo,
    access::Actor,
    tenancy::{Directory, Standing, Tenant},
};
use tokio::time::{MissedTickBehavior, interval};

/// So often a clinic is looked at in one round, at the most.
const MOST: usize = 50;

/// What is done on a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Notes emergency access that has run out, and tells reviewers of reviews that are late.
    Emergencies,
    /// Forgets what is kept for a time only.
    Retention,
}

impl Round {
    const fn every(self) -> Duration {
        match self {
            Self::Emergencies => Duration::from_mins(1),
            Self::Retention => Duration::from_hours(1),
        }
    }

    /// Goes round all clinics, until it is dropped.
    pub async fn go(self, platform: Arc<Platform>, directory: Arc<Directory>) {
        let mut ticks = interval(self.every());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for tenant in directory.all() {
                let id = tenant.id;
                if let Err(failure) = self.look_after(&platform, tenant).await {
                    tracing::warn!(tenant = %id, round = ?self, error = %failure, "a clinic could not be looked after");
                }
            }
        }
    }

    /// Looks after one clinic until nothing is left that is due. No transaction takes long, and other clinics wait for their
    /// turn no longer than so many of them take.
    pub async fn look_after(self, platform: &Arc<Platform>, tenant: Arc<Tenant>) -> Result<u64, Failure> {
        let mut all = 0;
        for _ in 0..MOST {
            let changed = self.look(platform, Arc::clone(&tenant)).await?;
            all += changed;
            if changed < retention::AT_ONCE {
                break;
            }
        }
        Ok(all)
    }

    /// Looks once. How many rows changed; with none there is nothing to commit.
    pub async fn look(self, platform: &Arc<Platform>, tenant: Arc<Tenant>) -> Result<u64, Failure> {
        if tenant.standing() == Standing::Refused {
            return Ok(0);
        }
        let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
        let system = OpFactory::new(Arc::clone(platform), tenant, Arc::new(Actor::system()), request, true);
        let op = system.write_always().await?;
        let changed = match self {
            Self::Emergencies => break_glass::settle_due(&op).await,
            Self::Retention => retention::forget(&op).await,
        };
        match changed {
            Ok(0) => op.rollback().await.map(|()| 0),
            Ok(changed) => op.commit().await.map(|()| changed),
            Err(Error::Failure(failure)) => Err(failure),
            Err(violated) => Err(Failure::Internal(violated.to_string())),
        }
    }
}

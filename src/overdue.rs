//! The watch over emergency access: notes what has run out, and tells reviewers of reviews that are late.
//!
//! Any number of servers may do it; each row is told of once. Nothing hangs on it but the mail.

use std::{sync::Arc, time::Duration};

use praxis_domain::break_glass;
use praxis_platform::{
    Failure, OpFactory, Platform, RequestInfo,
    access::Actor,
    tenancy::{Directory, Standing, Tenant},
};
use tokio::time::{MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(60);

/// Watches over all clinics, until it is dropped.
pub async fn watch(platform: Arc<Platform>, directory: Arc<Directory>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for tenant in directory.all() {
            let id = tenant.id;
            if let Err(failure) = look(&platform, tenant).await {
                tracing::warn!(tenant = %id, error = %failure, "emergency access could not be looked after");
            }
        }
    }
}

/// Looks after one clinic. How many declarations changed.
pub async fn look(platform: &Arc<Platform>, tenant: Arc<Tenant>) -> Result<usize, Failure> {
    if tenant.standing() == Standing::Refused {
        return Ok(0);
    }
    let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
    let system = OpFactory::new(Arc::clone(platform), tenant, Arc::new(Actor::system()), request, true);
    let op = system.write_always().await?;
    match break_glass::settle_due(&op).await {
        Ok(0) => op.rollback().await.map(|()| 0),
        Ok(changed) => op.commit().await.map(|()| changed),
        Err(praxis_domain::Error::Failure(failure)) => Err(failure),
        Err(violated) => Err(Failure::Internal(violated.to_string())),
    }
}

//! Keeps the audit logs of all clinics sealed: every ten seconds, or as soon as a thousand entries wait.
//!
//! Only clinics with something new are asked. A slow round over all of them, an hour long, finds what
//! a killed server left behind. Several servers may run it: one of them seals a clinic at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use praxis_domain::audit;
use praxis_entity::ids::TenantId;
use praxis_platform::{OpFactory, Platform, RequestInfo, access::Actor, audit::Waiting, tenancy::Directory};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::heads::Remembered;

const PERIOD: Duration = Duration::from_secs(10);
/// Ticks of one round over all clinics.
const ROUND: usize = 360;

/// Seals until it is told to stop, and then once more.
pub async fn keep_sealed(
    platform: Arc<Platform>,
    directory: Arc<Directory>,
    remembered: Option<Remembered>,
    stop: CancellationToken,
) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut round = 0;
    loop {
        let due = tokio::select! {
            () = stop.cancelled() => break,
            () = platform.backlog.full() => platform.backlog.take_full(),
            _ = ticks.tick() => {
                let mut due = platform.backlog.take();
                for tenant in turn(&directory, round) {
                    due.entry(tenant).or_default();
                }
                round = (round + 1) % ROUND;
                due
            }
        };
        seal_all(&platform, &directory, remembered.as_ref(), due).await;
    }
    let due = platform.backlog.take();
    seal_all(&platform, &directory, remembered.as_ref(), due).await;
}

/// The clinics whose turn it is in the slow round.
fn turn(directory: &Directory, round: usize) -> Vec<TenantId> {
    let mut all: Vec<_> = directory.all().iter().map(|tenant| tenant.id).collect();
    all.sort_unstable();
    all.into_iter().skip(round).step_by(ROUND).collect()
}

async fn seal_all(
    platform: &Arc<Platform>,
    directory: &Directory,
    remembered: Option<&Remembered>,
    due: HashMap<TenantId, Waiting>,
) {
    for (id, waiting) in due {
        let Some(tenant) = directory.by_id(id) else { continue };
        let actor = Arc::new(Actor::system());
        let request = RequestInfo { purpose: "HSYSADMIN", ..RequestInfo::default() };
        let factory = OpFactory::new(Arc::clone(platform), tenant, actor, request, true);
        if let Err(error) = audit::keep(&factory, &waiting).await {
            tracing::error!(tenant = %id, error = %error, "the audit log could not be sealed");
            platform.backlog.note(id, waiting.entries.max(1));
        }
        if let (Some(remembered), Some(head)) = (remembered, platform.backlog.heads().of(id))
            && let Err(error) = remembered.write(id, &head)
        {
            tracing::error!(tenant = %id, error = %error, "how far the audit log was sealed could not be written down");
        }
    }
}

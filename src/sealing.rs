//! Keeps the audit logs of all clinics sealed: every ten seconds, or as soon as a thousand entries wait.
//!
//! Only clinics with something new are asked. A round over all of them finds what a killed server left
//! behind: a quick one at the start, and then slow ones of an hour each, however long sealing takes.
//! Several servers may run it: one of them seals a clinic at a time.

use std::{future::ready, sync::Arc, time::Duration};

use praxis_domain::audit;
use praxis_entity::ids::TenantId;
use praxis_platform::{OpFactory, Platform, RequestInfo, access::Actor, audit::Waiting, tenancy::Directory};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::heads::Remembered;

const PERIOD: Duration = Duration::from_secs(10);
/// After each clinic the sealer rests so many times as long as sealing took, and no longer than that: where a thousand clinics
/// wrote something, people go on being answered.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(50);
/// Parts of one round over all clinics; of a slow one, each is due after a period.
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
    let start = Instant::now();
    // Parts that had their turn, of all rounds together.
    let mut looked = 0;
    loop {
        let due = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = platform.backlog.full() => platform.backlog.take_full(),
            _ = ticks.tick() => {
                let mut due = platform.backlog.take();
                if looked >= ROUND {
                    let periods = start.elapsed().as_secs() / PERIOD.as_secs();
                    let until = ROUND + usize::try_from(periods).unwrap_or_default();
                    for tenant in turn(&directory, looked, until.saturating_sub(looked)) {
                        due.entry(tenant).or_default();
                    }
                    looked = looked.max(until);
                }
                due
            }
            // The quick round gives way to everything else.
            () = ready(()), if looked < ROUND => {
                let part = turn(&directory, looked, 1);
                looked += 1;
                part.into_iter().map(|tenant| (tenant, Waiting::default())).collect()
            }
        };
        for (id, waiting) in due {
            let start = Instant::now();
            seal(&platform, &directory, remembered.as_ref(), id, waiting).await;
            for (id, waiting) in platform.backlog.take_full() {
                seal(&platform, &directory, remembered.as_ref(), id, waiting).await;
            }
            let rest = LONGEST_REST.min(start.elapsed() * REST);
            // Whoever stops is not kept waiting.
            let _ = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }
    for (id, waiting) in platform.backlog.take() {
        seal(&platform, &directory, remembered.as_ref(), id, waiting).await;
    }
}

/// The clinics of so many parts, from one on.
fn turn(directory: &Directory, first: usize, parts: usize) -> Vec<TenantId> {
    let mut all: Vec<_> = directory.all().iter().map(|tenant| tenant.id).collect();
    all.sort_unstable();
    let mine = all.into_iter().enumerate().filter(|(place, _)| is_in(*place, first, parts));
    mine.map(|(_, tenant)| tenant).collect()
}

/// Whether a place in the list of clinics is in one of these parts.
fn is_in(place: usize, first: usize, parts: usize) -> bool {
    (place % ROUND + ROUND - first % ROUND) % ROUND < parts
}

async fn seal(
    platform: &Arc<Platform>,
    directory: &Directory,
    remembered: Option<&Remembered>,
    id: TenantId,
    waiting: Waiting,
) {
    let Some(tenant) = directory.by_id(id) else { return };
    let actor = Arc::new(Actor::system());
    let request = RequestInfo { purpose: "HSYSADMIN", ..RequestInfo::default() };
    let factory = OpFactory::new(Arc::clone(platform), tenant, actor, request, true);
    let before = platform.backlog.heads().of(id);
    if let Err(error) = audit::keep(&factory, &waiting).await {
        tracing::error!(tenant = %id, error = %error, "the audit log could not be sealed");
        ::metrics::counter!("praxis_audit_not_sealed_total").increment(1);
        platform.backlog.note(id, waiting.entries.max(1));
    }
    // Only what grew: what an operator took out of the folder must not come back by a log that is refused.
    let after = platform.backlog.heads().of(id);
    if after != before
        && let (Some(remembered), Some(head)) = (remembered, after)
        && let Err(error) = remembered.write(id, &head)
    {
        tracing::error!(tenant = %id, error = %error, "how far the audit log was sealed could not be written down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clinic_has_its_turn_once_in_a_round() {
        let times = |place: usize| (0..ROUND).filter(|part| is_in(place, *part, 1)).count();
        assert!([0, 1, ROUND - 1, ROUND, 5 * ROUND + 7].into_iter().all(|place| times(place) == 1));
        // Where sealing took long, the parts that were missed come together; across the end of a round, too.
        let due: Vec<_> = (0..ROUND).filter(|place| is_in(*place, ROUND - 2, 5)).collect();
        assert_eq!(due, [0, 1, 2, ROUND - 2, ROUND - 1]);
        assert!((0..ROUND).all(|place| is_in(place, 7, ROUND + 1)), "more than a round is one");
        assert!(!is_in(3, 3, 0));
    }
}

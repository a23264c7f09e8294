//! Sending a turn of a clinic's notices.

use chrono::TimeDelta;
use futures::StreamExt;
use praxis_platform::{OpFactory, mail};

use super::{
    deliver::{Ports, deliver},
    judge::judge,
    row, settle,
};
use crate::Result;

/// A notice that was not taken after so many tries is given up: about half a day.
pub const MAX_ATTEMPTS: i32 = 20;
/// Longer than handing over one mail can take.
const MAIL_LEASE: TimeDelta = TimeDelta::minutes(20);
/// Longer than handing over anything else can take.
const LEASE: TimeDelta = TimeDelta::minutes(3);
const _: () = assert!(mail::LONGEST.as_secs() < MAIL_LEASE.num_seconds().unsigned_abs());
/// Notices that are judged together.
const BATCH: u32 = 64;
/// Notices of one clinic at once: as many as may come twice when a server is killed.
const AT_ONCE: usize = 16;
/// Notices of one clinic before another one gets its turn.
const TURN: u32 = 512;

/// What became of notices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// They were taken, or are where they were to be.
    pub sent: u32,
    /// They are tried again, or sent when it is not quiet any more.
    pub postponed: u32,
    /// They are given up.
    pub dead: u32,
    /// What they spoke of is not so any more.
    pub cancelled: u32,
    /// Their recipients are not to be written to.
    pub suppressed: u32,
}

impl Sent {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            postponed: self.postponed + other.postponed,
            dead: self.dead + other.dead,
            cancelled: self.cancelled + other.cancelled,
            suppressed: self.suppressed + other.suppressed,
        }
    }
}

/// Sends what is due at a clinic, a turn of it, and sees to it that somebody looks when there is more.
pub async fn send_due(system: &OpFactory, ports: &Ports, origin: &str) -> Result<Sent> {
    let mut sum = Sent::default();
    let mut taken = 0;
    while taken < TURN {
        let op = system.read();
        let now = op.now();
        let claimed = row::claim(&op, BATCH, now + MAIL_LEASE, now + LEASE).await?;
        if claimed.is_empty() {
            break;
        }
        taken += u32::try_from(claimed.len()).unwrap_or(BATCH);
        sum = sum.and(batch(system, ports, origin, claimed).await?);
    }
    let op = system.read();
    if let Some(next) = row::next_due(&op).await? {
        row::wake(&op, next.max(op.now())).await?;
    }
    op.release().await;
    Ok(sum)
}

async fn batch(
    system: &OpFactory,
    ports: &Ports,
    origin: &str,
    claimed: Vec<praxis_entity::notification::Model>,
) -> Result<Sent> {
    let op = system.read();
    let judged = judge(&op, ports, origin, claimed).await;
    // Written down before anything leaves; whatever came of the judging, what was opened was opened.
    op.write_disclosures().await?;
    // Handing over takes long and needs no connection.
    op.release().await;
    let results = futures::stream::iter(judged?)
        .map(|(notice, verdict)| deliver(ports, op.now(), notice, verdict))
        .buffer_unordered(AT_ONCE)
        .ready_chunks(AT_ONCE);
    let mut results = std::pin::pin!(results);
    let mut sum = Sent::default();
    while let Some(done) = results.next().await {
        sum = sum.and(settle::settle(system, done).await?);
    }
    Ok(sum)
}

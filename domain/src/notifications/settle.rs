//! Writing down what became of notices: those that were handed over at the same time in one transaction.
//!
//! What is sent and not written down would be sent again, so this is tried for as long as a lease allows.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    delivery_attempt,
    notification::{self, Channel, NotificationStatus},
    push_device, suppression,
};
use praxis_platform::{
    Failure, Op, OpFactory, Write,
    audit::{Entry, Outcome as Ended},
    vault::crypto,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{
    deliver::{Done, Outcome},
    row,
    send::{MAX_ATTEMPTS, Sent},
};
use crate::{Error, Result};

/// Only what is still in this hand changes: a provider's report, or a later try, was first otherwise.
const SETTLE: &str = "UPDATE notification n SET status = r.status, reason = nullif(r.reason, ''),
        next_attempt_at = r.next,
        sent_at = CASE WHEN r.status = 'SENT' THEN $6 ELSE n.sent_at END,
        delivered_at = CASE WHEN r.status = 'DELIVERED' THEN $6 ELSE n.delivered_at END
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) AS r (id, attempt, status, reason, next)
    WHERE n.id = r.id AND n.attempts = r.attempt AND n.status = 'SENDING'";

struct Settled {
    status: NotificationStatus,
    reason: String,
    next: DateTime<Utc>,
}

/// Writes down what became of notices.
pub(super) async fn settle(system: &OpFactory, done: Vec<Done>) -> Result<Sent> {
    let mut wait = Duration::from_millis(250);
    for _ in 0..8 {
        match write(system, &done).await {
            Err(Error::Failure(Failure::Unavailable(error) | Failure::TimedOut(error))) => {
                tracing::warn!(%error, "what became of notices can't be written down yet");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            other => return other,
        }
    }
    write(system, &done).await
}

async fn write(system: &OpFactory, done: &[Done]) -> Result<Sent> {
    let op = system.write_always().await?;
    let mut sum = Sent::default();
    let mut attempts = Vec::new();
    let (mut ids, mut numbers, mut statuses, mut reasons, mut nexts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Done { notice, outcome, gone } in done {
        let Some(settled) = settled(&op, notice, outcome)? else { continue };
        count(&mut sum, settled.status);
        attempts.extend(attempt(&op, notice, outcome, settled.status));
        if let Outcome::Stopped { token, .. } = outcome {
            suppress(&op, notice.channel, token.clone(), "STOP").await?;
        }
        if !gone.is_empty() {
            let gone = gone.iter().map(|id| id.0);
            push_device::Entity::update_many()
                .col_expr(push_device::Column::RemovedAt, Expr::value(op.now()))
                .filter(push_device::Column::Id.is_in(gone))
                .exec(op.db())
                .await?;
        }
        ids.push(notice.id.0);
        numbers.push(notice.attempts);
        statuses.push(settled.status.to_value());
        reasons.push(settled.reason.clone());
        nexts.push(settled.next);
        op.record(entry(notice, &settled));
    }
    if ids.is_empty() {
        op.rollback().await?;
        return Ok(sum);
    }
    let values = [ids.into(), numbers.into(), statuses.into(), reasons.into(), nexts.into(), op.now().into()];
    op.db().execute_raw(row::statement(SETTLE, values)).await?;
    if !attempts.is_empty() {
        delivery_attempt::Entity::insert_many(attempts)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
    }
    op.commit().await?;
    Ok(sum)
}

/// What an outcome makes of a notice; `None` leaves it to the end of its lease.
fn settled(op: &Op<Write>, notice: &notification::Model, outcome: &Outcome) -> Result<Option<Settled>> {
    let now = op.now();
    let to = |status, reason: &str| Settled { status, reason: reason.to_owned(), next: now };
    Ok(Some(match outcome {
        Outcome::Left => return Ok(None),
        Outcome::Sent { .. } => to(NotificationStatus::Sent, ""),
        Outcome::Delivered => to(NotificationStatus::Delivered, ""),
        Outcome::Later(until) => Settled { next: *until, ..to(NotificationStatus::Scheduled, "QUIET_HOURS") },
        Outcome::Cancelled(why) => to(NotificationStatus::Cancelled, why),
        Outcome::Suppressed(why) => to(NotificationStatus::Suppressed, why),
        Outcome::Stopped { .. } => to(NotificationStatus::Suppressed, "CLOSED"),
        Outcome::Dead { why, .. } => to(NotificationStatus::Dead, why),
        Outcome::Failed { why, .. } => {
            let tries = notice.attempts - (notice.last_attempt - MAX_ATTEMPTS);
            let next = now + pause(tries)?;
            let too_late = notice.expires_at.is_some_and(|expires| expires <= next);
            if notice.attempts >= notice.last_attempt || too_late {
                to(NotificationStatus::Dead, why)
            } else {
                Settled { next, ..to(NotificationStatus::Failed, why) }
            }
        }
    }))
}

fn count(sum: &mut Sent, status: NotificationStatus) {
    let counter = match status {
        NotificationStatus::Sent | NotificationStatus::Delivered => &mut sum.sent,
        NotificationStatus::Dead => &mut sum.dead,
        NotificationStatus::Cancelled => &mut sum.cancelled,
        NotificationStatus::Suppressed => &mut sum.suppressed,
        NotificationStatus::Scheduled | NotificationStatus::Sending | NotificationStatus::Failed => {
            &mut sum.postponed
        }
    };
    *counter += 1;
}

/// The row of a try, where there was one.
fn attempt(
    op: &Op<Write>,
    notice: &notification::Model,
    outcome: &Outcome,
    status: NotificationStatus,
) -> Option<delivery_attempt::ActiveModel> {
    let (provider, message, error) = match outcome {
        Outcome::Sent { provider, message } => (*provider, message.clone(), None),
        Outcome::Failed { provider, why } | Outcome::Dead { provider: Some(provider), why } => {
            (*provider, None, Some(why.clone()))
        }
        Outcome::Stopped { provider, .. } => (*provider, None, Some("STOP".to_owned())),
        _ => return None,
    };
    let outcome = match status {
        NotificationStatus::Sent => "SENT",
        NotificationStatus::Failed => "FAILED",
        _ => "DEAD",
    };
    Some(delivery_attempt::ActiveModel {
        notification_id: Set(notice.id),
        attempt: Set(notice.attempts),
        ended_at: Set(op.now()),
        provider: Set(provider.to_owned()),
        outcome: Set(outcome.to_owned()),
        provider_message_id: Set(message),
        error: Set(error),
    })
}

fn entry(notice: &notification::Model, settled: &Settled) -> Entry {
    let ended = match settled.status {
        NotificationStatus::Dead | NotificationStatus::Failed => Ended::Failed,
        _ => Ended::Ok,
    };
    let entry = Entry::done("notification.send").on("Notification", notice.id.0, notice.version).ended(ended);
    let entry = if settled.reason.is_empty() { entry } else { entry.because(settled.reason.clone()) };
    match notice.patient_id {
        Some(patient) => entry.of(patient.0),
        None => entry,
    }
}

/// Closes a number or address, if it is not closed already.
pub(super) async fn suppress(op: &Op<Write>, channel: Channel, token: Vec<u8>, reason: &str) -> Result<bool> {
    let row = suppression::ActiveModel {
        id: Set(op.new_id()),
        channel: Set(channel),
        contact_token: Set(token),
        reason: Set(reason.to_owned()),
        created_at: Set(op.now()),
        lifted_at: Set(None),
    };
    let written = suppression::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    Ok(written > 0)
}

/// Twice as long each time, from fifteen seconds to an hour, and never all at once.
fn pause(tries: i32) -> std::result::Result<TimeDelta, Failure> {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(8);
    let whole = (15_000_i64 << doublings).min(3_600_000);
    let [noise] = crypto::random::<1>()?;
    Ok(TimeDelta::milliseconds(whole / 2 + whole / 2 * i64::from(noise) / 255))
}

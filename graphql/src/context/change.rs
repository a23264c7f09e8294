//! The one way of a mutation: permission, transaction, key, rule, audit, commit.
//!
//! A resolver can't begin a write itself, so none can forget the idempotency key: a retry under the
//! same key and input gets the first outcome, another input under it is refused, and of requests at
//! the same time one runs the rule while the others wait for it. A rule that refuses is taken back
//! whole, key included, so that the same key may succeed once the reason is gone.

use std::collections::BTreeSet;

use async_graphql::Context;
use praxis_domain::Error;
use praxis_platform::{
    Failure, Op, Write,
    audit::Entry,
    idempotency::{Claim, IdempotencyKey},
};

use super::{Ask, own};
use crate::{
    error::{ApiError, Code},
    idempotency::{REQUIRED, Replay, given_input, given_key},
    payload::{Done, refused},
};

/// Runs a rule as the mutation at `coordinate`, and commits what it did or takes it back.
///
/// The rule gets the writing operation: `change(ctx, "Mutation.roomAdd", async |op| …)`.
pub(crate) async fn change<T: Replay>(
    ctx: &Context<'_>,
    coordinate: &'static str,
    rule: impl AsyncFnOnce(&Op<Write>) -> Result<T, Error>,
) -> Result<Done<T>, ApiError> {
    let caller = ctx.caller()?;
    let result = attempt(ctx, coordinate, rule).await;
    if let Ok(Done::Written(_)) = result {
        caller.note_changed();
    }
    result
}

async fn attempt<T: Replay>(
    ctx: &Context<'_>,
    coordinate: &'static str,
    rule: impl AsyncFnOnce(&Op<Write>) -> Result<T, Error>,
) -> Result<Done<T>, ApiError> {
    let op = begin(ctx, coordinate).await?;
    let result = match once(ctx, &op, rule).await {
        Ok(result) => result,
        Err(error) => {
            // Dropping the operation would take everything back too, at the price of its connection.
            let _ = op.rollback().await;
            return Err(error);
        }
    };
    let result = match result {
        // What was within the clinic's limits may not be any more: the last word is the commit's.
        Ok(value) => op.commit().await.map(|()| value).map_err(Error::from),
        Err(error) => {
            let rolled_back = op.rollback().await;
            if matches!(error, Error::Violated(_)) {
                rolled_back?;
            }
            Err(error)
        }
    };
    match result {
        Ok(value) => Ok(Done::Written(value)),
        Err(Error::Failure(failure)) => Err(failure.into()),
        Err(Error::Violated(violations)) => {
            let reasons: BTreeSet<_> = violations.iter().map(|violation| violation.code.name()).collect();
            let reasons = reasons.into_iter().collect::<Vec<_>>().join(" ");
            ctx.caller()?.note_refused(coordinate, reasons);
            Ok(Done::Refused(refused(ctx, violations).await?))
        }
    }
}

/// Mutations that a clinic's lock does not stop: it never hides what somebody needs in mid-care.
const DESPITE_A_LOCK: [&str; 3] = ["breakGlassDeclare", "breakGlassEnd", "breakGlassReview"];

async fn begin(ctx: &Context<'_>, coordinate: &'static str) -> Result<Op<Write>, ApiError> {
    let caller = ctx.caller()?;
    caller.admit(own(ctx, coordinate)?)?;
    // Mutation fields run one after the other. What an earlier one's payload read is done: keeping
    // its connection while waiting for another would let busy requests block each other.
    caller.0.read.release().await;
    if DESPITE_A_LOCK.contains(&ctx.field().name()) {
        return Ok(caller.0.factory.write_always().await?);
    }
    Ok(caller.0.factory.write().await?)
}

async fn once<T: Replay>(
    ctx: &Context<'_>,
    op: &Op<Write>,
    rule: impl AsyncFnOnce(&Op<Write>) -> Result<T, Error>,
) -> Result<Result<T, Error>, ApiError> {
    let mutation = ctx.field().name();
    let Some(key) = given_key(ctx)? else {
        return if REQUIRED.contains(&mutation) {
            Err(Failure::IdempotencyKeyRequired.into())
        } else {
            // The futures of rules are large; on the heap they do not add up on the stack.
            Ok(Box::pin(rule(op)).await)
        };
    };
    let key = IdempotencyKey::new(op, mutation, &key, &given_input(ctx)?).await?;
    match key.claim::<T::Outcome>(op).await? {
        Claim::New => {
            let result = Box::pin(rule(op)).await;
            if let Ok(value) = &result {
                key.settle(op, &value.outcome()).await?;
            }
            Ok(result)
        }
        Claim::Replay(outcome) => {
            // Nothing is written but the fact that somebody asked again.
            op.record(Entry::done("replay"));
            ctx.caller()?.note_replay(ctx.field().alias().unwrap_or(mutation));
            let value = T::recall(op, outcome).await.map_err(ApiError::from)?;
            value.map(Ok).ok_or_else(|| ApiError::new(Code::NotFound, "Not found."))
        }
    }
}

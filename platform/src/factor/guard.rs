//! Slows down whoever guesses codes, per account and for all servers together.
//!
//! The row is locked while a code is looked at, so guesses sent at once are looked at one by one.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{factor_guard, ids::UserId};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::OnConflict};

use crate::{Failure, Op, Write};

/// Wrong codes in a row that cost nothing.
const FREE: i32 = 5;
/// The longest pause. With it, a guesser has less than one chance in ten thousand a day.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// Wrong codes in a row, held for the length of the transaction.
pub(super) struct Guard(factor_guard::Model);

impl Guard {
    /// Waits for its turn.
    pub(super) async fn hold(op: &Op<Write>, user: UserId) -> Result<Self, Failure> {
        let row = factor_guard::ActiveModel { user_id: Set(user), failures: Set(0), closed_until: Set(None) };
        factor_guard::Entity::insert(row)
            .on_conflict(OnConflict::column(factor_guard::Column::UserId).do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
        let row = factor_guard::Entity::find_by_id(user).lock_exclusive().one(op.db()).await?;
        row.map(Self).ok_or_else(|| Failure::Internal("a guard vanished".to_owned()))
    }

    /// How long nothing is looked at, if so.
    pub(super) fn closed_for(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.0.closed_until.map(|until| until - now).filter(|left| *left > TimeDelta::zero())
    }

    /// Counts a wrong code.
    pub(super) async fn wrong(self, op: &Op<Write>) -> Result<(), Failure> {
        let failures = self.0.failures.saturating_add(1);
        self.set(op, failures, pause(failures).map(|pause| op.now() + pause)).await
    }

    /// Forgives.
    pub(super) async fn right(self, op: &Op<Write>) -> Result<(), Failure> {
        if self.0.failures == 0 { Ok(()) } else { self.set(op, 0, None).await }
    }

    async fn set(self, op: &Op<Write>, failures: i32, until: Option<DateTime<Utc>>) -> Result<(), Failure> {
        let row = factor_guard::ActiveModel {
            user_id: Set(self.0.user_id),
            failures: Set(failures),
            closed_until: Set(until),
        };
        factor_guard::Entity::update(row).exec(op.db()).await?;
        Ok(())
    }
}

/// One minute after the last free one, then twice as long each time.
fn pause(failures: i32) -> Option<TimeDelta> {
    let doublings = u32::try_from(failures - FREE).ok()?.min(6);
    Some(TimeDelta::minutes(1 << doublings).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let minutes: Vec<_> =
            (1..=13).map(|failures| pause(failures).map_or(0, |pause| pause.num_minutes())).collect();
        assert_eq!(minutes, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(i32::MAX), Some(LONGEST));
    }
}

//! Sessions that are not over: neither ended, nor idle for too long, nor past their absolute end.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{session, session_policy, user_account};
use sea_orm::{
    DbErr, EntityTrait, FromQueryResult, JoinType, QueryResult, QuerySelect, Select, SelectTwo,
    sea_query::Expr,
};

use crate::{Failure, Op, access::Account};

/// A session that nobody used for this long is over, unless the clinic decided otherwise.
pub const IDLE: TimeDelta = TimeDelta::minutes(15);

/// A session that is not over, of a user who may sign in.
pub(super) struct Live {
    pub(super) session: session::Model,
    pub(super) user: user_account::Model,
    idle: TimeDelta,
}

impl Live {
    /// When the session is over if nobody uses it from now on.
    pub(super) fn ends_at(&self) -> DateTime<Utc> {
        self.session.expires_at.min(self.session.last_seen_at + self.idle)
    }

    fn unless_over(self, now: DateTime<Utc>) -> Option<Self> {
        let is_live = self.user.active && self.session.ended_at.is_none() && self.ends_at() > now;
        is_live.then_some(self)
    }
}

/// The session that the query finds, if it is not over; with one statement.
pub(super) async fn live<Mode>(
    op: &Op<Mode>,
    found: Select<session::Entity>,
) -> Result<Option<Live>, Failure> {
    let found = with_holder(found).into_model::<session::Model, Holder>().one(op.db()).await?;
    let Some((session, Some(Holder { user, idle }))) = found else { return Ok(None) };
    Ok(Live { session, user, idle }.unless_over(op.now()))
}

/// The same with all that the holder is judged by, with one statement still.
pub(super) async fn live_account<Mode>(
    op: &Op<Mode>,
    found: Select<session::Entity>,
) -> Result<Option<(Live, Account)>, Failure> {
    let mut found = with_holder(found);
    for (name, column) in Account::columns() {
        found = found.expr_as(Expr::cust(column), name);
    }
    let found = found.into_model::<session::Model, Judged>().one(op.db()).await?;
    let Some((session, Some(Judged { holder: Holder { user, idle }, account }))) = found else {
        return Ok(None);
    };
    Ok(Live { session, user, idle }.unless_over(op.now()).map(|live| (live, account)))
}

fn with_holder(found: Select<session::Entity>) -> SelectTwo<session::Entity, user_account::Entity> {
    let holder = session::Entity::belongs_to(user_account::Entity)
        .from(session::Column::UserId)
        .to(user_account::Column::Id);
    found
        .join(JoinType::InnerJoin, holder.into())
        .select_also(user_account::Entity)
        .expr_as(Expr::cust("(SELECT idle_minutes FROM session_policy)"), "idle_minutes")
}

/// Whose a session is, and after how long without use it is over.
struct Holder {
    user: user_account::Model,
    idle: TimeDelta,
}

impl FromQueryResult for Holder {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let idle: Option<i32> = row.try_get("", "idle_minutes")?;
        Ok(Self { user: user_account::Model::from_query_result(row, prefix)?, idle: idle_of(idle) })
    }
}

/// The same, and what the holder is judged by.
struct Judged {
    holder: Holder,
    account: Account,
}

impl FromQueryResult for Judged {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let holder = Holder::from_query_result(row, prefix)?;
        Ok(Self { holder, account: Account::from_query_result(row, "")? })
    }
}

/// After how long without use sessions of the clinic are over.
pub async fn idle_limit<Mode>(op: &Op<Mode>) -> Result<TimeDelta, Failure> {
    let policy = session_policy::Entity::find().one(op.db()).await?;
    Ok(idle_of(policy.map(|policy| policy.idle_minutes)))
}

fn idle_of(minutes: Option<i32>) -> TimeDelta {
    minutes.map_or(IDLE, |minutes| TimeDelta::minutes(minutes.into()))
}

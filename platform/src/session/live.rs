//! Sessions that are not over: neither ended, nor idle for too long, nor past their absolute end.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{session, session_policy, user_account};
use sea_orm::{EntityTrait, Select};

use crate::{Failure, Op};

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
}

/// The session that the query finds, if it is not over.
pub(super) async fn live<Mode>(
    op: &Op<Mode>,
    found: Select<session::Entity>,
) -> Result<Option<Live>, Failure> {
    let Some(session) = found.one(op.db()).await? else { return Ok(None) };
    let user = user_account::Entity::find_by_id(session.user_id).one(op.db()).await?;
    let Some(user) = user.filter(|user| user.active) else { return Ok(None) };
    let live = Live { session, user, idle: idle_limit(op).await? };
    Ok((live.session.ended_at.is_none() && live.ends_at() > op.now()).then_some(live))
}

/// After how long without use sessions of the clinic are over.
pub async fn idle_limit<Mode>(op: &Op<Mode>) -> Result<TimeDelta, Failure> {
    let policy = session_policy::Entity::find().one(op.db()).await?;
    Ok(policy.map_or(IDLE, |policy| TimeDelta::minutes(policy.idle_minutes.into())))
}

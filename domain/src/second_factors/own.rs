//! The person who changes their own second factors.

use chrono::TimeDelta;
use praxis_entity::{ids::SessionId, session, user_account};
use praxis_platform::{
    Failure, Op, Write,
    access::FRESH,
    factor::{Enrolled, is_required},
};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};

use crate::{Result, Violation, ViolationCode};

/// A first factor has to be enrolled this soon after signing in: nothing else says by then that it
/// is still the same person.
const FIRST: TimeDelta = TimeDelta::minutes(15);

/// Somebody, with what they can show so far.
pub(super) struct Own {
    pub(super) user: user_account::Model,
    pub(super) session: SessionId,
    pub(super) enrolled: Enrolled,
}

impl Own {
    /// Who asks, for whatever they do about their factors. Whoever has a factor has to have shown
    /// one a short while ago; whoever has none, to have signed in a short while ago.
    ///
    /// The session is read anew: what a server remembers of it may be older than the factor.
    pub(super) async fn fresh(op: &Op<Write>) -> Result<Self> {
        let (user, session) = op.actor().user.zip(op.actor().session).ok_or(Failure::Unauthenticated)?;
        let session =
            session::Entity::find_by_id(session).one(op.db()).await?.ok_or(Failure::Unauthenticated)?;
        // Locked: of two changes at the same time the second sees which factors the first left.
        let user = user_account::Entity::find_by_id(user).lock(LockType::NoKeyUpdate).one(op.db()).await?;
        let user = user.ok_or(Failure::Unauthenticated)?;
        let enrolled = Enrolled::of(op.db(), user.id).await?;
        let fresh = match session.second_factor_at {
            Some(shown) => op.now() < shown + FRESH,
            None => !enrolled.any() && op.now() < session.created_at + FIRST,
        };
        if fresh {
            Ok(Self { user, session: session.id, enrolled })
        } else {
            Err(Failure::StepUpRequired.into())
        }
    }

    /// Refuses to take away the last factor of somebody who must have one.
    pub(super) async fn may_lose(&self, op: &Op<Write>, left: bool) -> Result<()> {
        if left || !is_required(op.db(), self.user.id).await? {
            return Ok(());
        }
        let message = "A role of yours asks for a second factor: add another one first.";
        Err(Violation::at(ViolationCode::Locked, &[], message).into())
    }
}

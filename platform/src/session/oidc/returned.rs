//! Somebody who came back from an identity provider, vouched for; and what follows, once.

use praxis_entity::{external_identity, finished_sign_in, identity_provider, session, user_account};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{Error, Intent, Refusal, attempt::Attempt, id_token::Vouched, notice};
use crate::{
    Failure, Op, OpFactory, Read, Write,
    access::FRESH,
    audit::{Entry, Outcome},
    session::{Method, SessionKind, SignIn, proceed},
    vault::IndexField,
};

/// Somebody who came back. Only [`come_back`](super::come_back) makes one.
pub struct Returned {
    pub(super) attempt: Attempt,
    pub(super) provider: identity_provider::Model,
    pub(super) vouched: Vouched,
}

impl Returned {
    /// What they went there for.
    pub fn intent(&self) -> &Intent {
        &self.attempt.intent
    }

    /// Where the browser wanted to go.
    pub fn return_to(&self) -> &str {
        &self.attempt.return_to
    }

    /// Does what follows in one transaction, which happens once for each coming back.
    pub async fn settle<T>(
        &self,
        factory: &OpFactory,
        rule: impl AsyncFnOnce(&Op<Write>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let op = match self.intent() {
            Intent::SignIn => factory.write_always().await?,
            Intent::Link { .. } | Intent::Join { .. } => factory.write().await?,
        };
        let settled = match self.once(&op).await {
            Ok(()) => rule(&op).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(settled) => {
                op.commit().await?;
                Ok(settled)
            }
            Err(error) => {
                // Dropping the operation would do the same at the price of its connection.
                op.rollback().await?;
                Err(note_refusal(&factory.read(), self.intent(), error).await?)
            }
        }
    }

    /// Opens a session for the user who is known by the identity.
    pub async fn sign_in(&self, op: &Op<Write>) -> Result<SignIn, Error> {
        let Vouched { subject, multi_factor, at } = &self.vouched;
        let known = external_identity::Entity::find_by_id((self.provider.id, subject.clone())).one(op.db());
        let known = known.await?.ok_or(Refusal::Stranger)?;
        let user = user_account::Entity::find_by_id(known.user_id).one(op.db()).await?;
        let user = user.filter(|user| user.active).ok_or(Refusal::Stranger)?;
        let provider = self.provider.id;
        let method =
            if *multi_factor { Method::ExternalMultiFactor(provider) } else { Method::External(provider) };
        let outcome = match proceed(op, &user, &[method], SessionKind::Cookie).await {
            // The account was changed, or the identity unlinked, a moment ago.
            Err(Failure::Unauthenticated) => return Err(Refusal::Stranger.into()),
            outcome => outcome?,
        };
        if *multi_factor && let SignIn::Opened(signed_in) = &outcome {
            // The provider may have asked long ago and remembered: then the factor is not fresh here.
            let shown = at.map_or(op.now() - FRESH, |at| at.min(op.now()));
            session::Entity::update_many()
                .col_expr(session::Column::SecondFactorAt, Expr::value(shown))
                .filter(session::Column::Id.eq(signed_in.session))
                .exec(op.db())
                .await?;
        }
        Ok(outcome)
    }

    /// Makes the identity known as a user's, and tells them: for whoever proved to be both. Their account has to be
    /// locked, or new.
    pub async fn link(&self, op: &Op<Write>, user: &user_account::Model) -> Result<(), Error> {
        let key = (self.provider.id, self.vouched.subject.clone());
        let row = external_identity::ActiveModel {
            provider_id: Set(key.0),
            subject: Set(key.1.clone()),
            user_id: Set(user.id),
            created_at: Set(op.now()),
            last_used_at: Set(None),
        };
        let linked = external_identity::Entity::insert_many([row])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
        let held = external_identity::Entity::find_by_id(key.clone()).one(op.db()).await?;
        if held.is_none_or(|held| held.user_id != user.id) {
            return Err(Refusal::Taken.into());
        }
        let identity = json!({ "provider": key.0.to_string(), "subject": key.1 });
        let entry = Entry::done("identity.link").on("User", user.id.0, user.version);
        op.record(op.changed_here(entry, &None, &Some(identity)).await?);
        if linked > 0 {
            notice::changed(op, user, &self.provider, notice::Change::Linked).await?;
        }
        Ok(())
    }

    /// Notes that the attempt came to its end; refuses when it had before.
    async fn once(&self, op: &Op<Write>) -> Result<(), Error> {
        finished_sign_in::Entity::delete_many()
            .filter(finished_sign_in::Column::ExpiresAt.lt(op.now()))
            .exec(op.db())
            .await?;
        let Attempt { state, expires_at, .. } = &self.attempt;
        let hash = op.token(IndexField::Session, state).await?.ok_or(Failure::KeyUnavailable)?;
        let row = finished_sign_in::ActiveModel { state_hash: Set(hash), expires_at: Set(*expires_at) };
        let first = finished_sign_in::Entity::insert_many([row])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
        if first == 0 { Err(Refusal::Stale.into()) } else { Ok(()) }
    }
}

/// Writes down that somebody was refused, and hands the reason on. What nobody began leaves no entry: the log would
/// be anybody's to fill.
pub(super) async fn note_refusal(op: &Op<Read>, intent: &Intent, error: Error) -> Result<Error, Failure> {
    if let Error::Refused(refusal) = &error
        && *refusal != Refusal::Stale
    {
        let action = intent.action();
        tracing::info!(tenant = %op.tenant().id, %refusal, action, "who came back from an identity provider was refused");
        op.record(Entry::done(action).ended(Outcome::Denied)).await?;
    }
    Ok(error)
}

//! From a second factor to a session, or to a session stepped up.

use chrono::{DateTime, Utc};
use praxis_entity::{ids::SessionId, session, user_account};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::Value;

use super::{
    Asked, Method, SessionKind, SignedIn,
    open::open,
    step::{ask, asked},
};
use crate::{
    Failure, Op, OpFactory, Write,
    audit::{Entry, Outcome},
    factor::{
        Challenge, Enrolled, NotShown, Purpose, Shown, show, show_alone,
        webauthn::{self, Assertion, Site},
    },
};

/// Completes a sign-in that waits for a second factor. The factory must be the system's.
pub async fn second_factor(
    system: &OpFactory,
    challenge: &str,
    shown: &Shown,
) -> Result<Result<SignedIn, NotShown>, Failure> {
    let op = system.write_always().await?;
    let site = site(&op)?;
    let Some(challenge) = Challenge::open(&op, challenge).await? else { return refuse(system, op).await };
    let Purpose::SecondFactor { user, version, mut methods, kind } = challenge.purpose.clone() else {
        return refuse(system, op).await;
    };
    let user = user_account::Entity::find_by_id(user).one(op.db()).await?;
    let Some(user) = user.filter(|user| user.active && user.version == version) else {
        return refuse(system, op).await;
    };
    // Before the answer is looked at: the same one sent twice must not pass for a copied passkey.
    if !challenge.spend(&op).await? {
        return refuse(system, op).await;
    }
    match show(&op, &user, shown, challenge.text(), &site).await? {
        Ok(method) => methods.push(method),
        Err(not) => {
            challenge.give_back(&op).await?;
            op.commit().await?;
            return Ok(Err(not));
        }
    }
    opened(system, op, &user, &methods, kind).await
}

/// What can be shown to answer a challenge, for a page that was handed nothing but its text.
pub async fn second_factor_options(system: &OpFactory, challenge: &str) -> Result<Option<Asked>, Failure> {
    let op = system.read();
    let Some(challenge) = Challenge::open(&op, challenge).await? else { return Ok(None) };
    let Purpose::SecondFactor { user, .. } = challenge.purpose else { return Ok(None) };
    let enrolled = Enrolled::of(op.db(), user).await?;
    Ok(Some(asked(&op, &enrolled, challenge)))
}

/// What a browser is asked when somebody wants to sign in with a passkey alone.
pub async fn passkey_options(system: &OpFactory) -> Result<Value, Failure> {
    let op = system.read();
    let site = op.site().ok_or_else(no_site)?;
    let challenge = Challenge::issue(&op, Purpose::PasskeySignIn).await?;
    Ok(webauthn::request_options(challenge.text(), &site, &[]))
}

/// Signs in with a passkey alone: it has to verify its holder, and so is two factors at once.
pub async fn passkey_sign_in(
    system: &OpFactory,
    answer: &Assertion,
    kind: SessionKind,
) -> Result<Result<SignedIn, NotShown>, Failure> {
    let op = system.write_always().await?;
    let site = site(&op)?;
    let Some(challenge) = answered(&op, answer).await? else { return refuse(system, op).await };
    if challenge.purpose != Purpose::PasskeySignIn || !challenge.spend(&op).await? {
        return refuse(system, op).await;
    }
    let user = match show_alone(&op, answer, challenge.text(), &site).await? {
        Ok(user) => user,
        Err(not) => {
            challenge.give_back(&op).await?;
            op.record(Entry::done("login").ended(Outcome::Denied));
            op.commit().await?;
            return Ok(Err(not));
        }
    };
    opened(system, op, &user, &[Method::Passkey], kind).await
}

/// Opens the session, unless the account was changed since the sign-in began.
async fn opened(
    system: &OpFactory,
    op: Op<Write>,
    user: &user_account::Model,
    methods: &[Method],
    kind: SessionKind,
) -> Result<Result<SignedIn, NotShown>, Failure> {
    match open(&op, user, methods, kind).await {
        Ok(signed_in) => {
            op.commit().await?;
            Ok(Ok(signed_in))
        }
        Err(Failure::Unauthenticated) => refuse(system, op).await,
        Err(failure) => Err(failure),
    }
}

/// What the person of a session can show to step it up.
pub async fn step_up_options(factory: &OpFactory) -> Result<Asked, Failure> {
    let (user, session) = own(factory)?;
    let op = factory.read();
    let enrolled = Enrolled::of(op.db(), user).await?;
    ask(&op, &enrolled, Purpose::StepUp { session }).await
}

/// Steps a session up: sensitive actions are open to it for a few minutes.
pub async fn step_up(factory: &OpFactory, shown: &Shown) -> Result<Result<DateTime<Utc>, NotShown>, Failure> {
    let (user, session) = own(factory)?;
    let op = factory.write_always().await?;
    let site = site(&op)?;
    // A code is bound to its time; a passkey to the challenge that it signed.
    let challenge = match shown {
        Shown::Passkey(answer) => match answered(&op, answer).await? {
            Some(challenge) if challenge.purpose == (Purpose::StepUp { session }) => Some(challenge),
            _ => return refuse(factory, op).await,
        },
        Shown::Totp(_) | Shown::RecoveryCode(_) => None,
    };
    if let Some(challenge) = &challenge
        && !challenge.spend(&op).await?
    {
        return refuse(factory, op).await;
    }
    let user = user_account::Entity::find_by_id(user).one(op.db()).await?.ok_or(Failure::Unauthenticated)?;
    let text = challenge.as_ref().map_or("", Challenge::text);
    if let Err(not) = show(&op, &user, shown, text, &site).await? {
        if let Some(challenge) = &challenge {
            challenge.give_back(&op).await?;
        }
        op.commit().await?;
        return Ok(Err(not));
    }
    stepped_up(&op, session).await?;
    op.record(Entry::done("step-up").on("User", user.id.0, user.version));
    let at = op.now();
    op.commit().await?;
    Ok(Ok(at))
}

/// Writes down that a second factor was shown in a session just now.
pub async fn stepped_up(op: &Op<Write>, session: SessionId) -> Result<(), Failure> {
    session::Entity::update_many()
        .col_expr(session::Column::SecondFactorAt, Expr::value(op.now()))
        .filter(session::Column::Id.eq(session))
        .filter(session::Column::EndedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(())
}

fn own(factory: &OpFactory) -> Result<(praxis_entity::ids::UserId, SessionId), Failure> {
    let actor = factory.actor();
    actor.user.zip(actor.session).ok_or(Failure::Unauthenticated)
}

async fn answered(op: &Op<Write>, answer: &Assertion) -> Result<Option<Challenge>, Failure> {
    match answer.challenge() {
        Some(text) => Challenge::open(op, &text).await,
        None => Ok(None),
    }
}

/// Takes everything back and writes down that somebody tried.
async fn refuse<T>(factory: &OpFactory, op: Op<Write>) -> Result<Result<T, NotShown>, Failure> {
    op.rollback().await?;
    factory.read().record(Entry::done("second-factor").ended(Outcome::Denied)).await?;
    Ok(Err(NotShown::Wrong))
}

fn site(op: &Op<Write>) -> Result<Site, Failure> {
    op.site().ok_or_else(no_site)
}

fn no_site() -> Failure {
    Failure::Internal("a request without a host".to_owned())
}

//! Showing a second factor: the one place where one is looked at.
//!
//! Whatever comes of it is part of the operation, wrong codes too: whoever calls commits.

use chrono::TimeDelta;
use praxis_entity::{ids::UserId, passkey, totp, user_account};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::Map;

use super::{
    guard::Guard,
    notice, recovery,
    totp::{Code, read_code},
    webauthn::{self, Assertion, Site, Stored},
};
use crate::{
    Failure, Op, Write,
    access::Permission,
    audit::{Entry, Outcome},
    mail::{NewMail, enqueue_to_holders},
    session::Method,
};

/// What somebody shows.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A code of an authenticator app.
    Totp(String),
    /// A recovery code.
    RecoveryCode(String),
    /// The answer of a passkey.
    Passkey(Box<Assertion>),
}

/// Why it did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotShown {
    /// It is not right, or no longer.
    Wrong,
    /// After too many wrong codes nothing is looked at for this long.
    Closed(TimeDelta),
}

/// Looks at a user's second factor. A passkey has to have signed `challenge`.
pub async fn show(
    op: &Op<Write>,
    user: &user_account::Model,
    shown: &Shown,
    challenge: &str,
    site: &Site,
) -> Result<Result<Method, NotShown>, Failure> {
    let outcome = match shown {
        Shown::Totp(code) => with_guard(op, user.id, async |op| totp_code(op, user.id, code).await).await?,
        Shown::RecoveryCode(code) => {
            let spent = async |op: &Op<Write>| {
                Ok(if recovery::spend(op, user.id, code).await? { Look::Right } else { Look::Wrong })
            };
            with_guard(op, user.id, spent).await?
        }
        Shown::Passkey(answer) => match find_passkey(op, answer).await? {
            Some(key) if key.user_id == user.id => {
                passkey(op, user, key, answer, challenge, site).await?.map(|_| ())
            }
            _ => Err(NotShown::Wrong),
        },
    };
    if let Err(not) = outcome {
        op.record(Entry::done("second-factor").on("User", user.id.0, user.version).ended(Outcome::Denied));
        return Ok(Err(not));
    }
    Ok(Ok(match shown {
        Shown::Totp(_) => Method::Totp,
        Shown::Passkey(_) => Method::Passkey,
        Shown::RecoveryCode(_) => {
            notice::changed(op, user, "a recovery code was used to sign in").await?;
            Method::RecoveryCode
        }
    }))
}

/// Finds whose passkey answered, when nobody said who they are. The passkey must have verified its
/// holder: nothing else does.
pub async fn show_alone(
    op: &Op<Write>,
    answer: &Assertion,
    challenge: &str,
    site: &Site,
) -> Result<Result<user_account::Model, NotShown>, Failure> {
    let Some(key) = find_passkey(op, answer).await? else { return Ok(Err(NotShown::Wrong)) };
    let user = user_account::Entity::find_by_id(key.user_id).one(op.db()).await?.filter(|user| user.active);
    let Some(user) = user else { return Ok(Err(NotShown::Wrong)) };
    let verified =
        answer.names_its_user() && passkey(op, &user, key, answer, challenge, site).await? == Ok(true);
    Ok(if verified { Ok(user) } else { Err(NotShown::Wrong) })
}

enum Look {
    Right,
    Wrong,
    /// It was right before: no guess, and no proof either.
    Used,
}

async fn with_guard(
    op: &Op<Write>,
    user: UserId,
    look: impl AsyncFnOnce(&Op<Write>) -> Result<Look, Failure>,
) -> Result<Result<(), NotShown>, Failure> {
    let guard = Guard::hold(op, user).await?;
    if let Some(left) = guard.closed_for(op.now()) {
        return Ok(Err(NotShown::Closed(left)));
    }
    match look(op).await? {
        Look::Right => guard.right(op).await.map(Ok),
        Look::Used => Ok(Err(NotShown::Wrong)),
        Look::Wrong => {
            guard.wrong(op).await?;
            Ok(Err(NotShown::Wrong))
        }
    }
}

async fn totp_code(op: &Op<Write>, user: UserId, code: &str) -> Result<Look, Failure> {
    let row = totp::Entity::find_by_id(user)
        .filter(totp::Column::ConfirmedAt.is_not_null())
        .lock_exclusive()
        .one(op.db())
        .await?;
    let Some(row) = row else { return Ok(Look::Wrong) };
    let key = op.clinic_key().await?;
    let secret = op.open_unseen(&key, &op.place("totp", user.0, op.tenant().uuid()), &row.secret).await?;
    let step = match read_code(&secret, code, op.now(), row.last_step) {
        Code::Fresh(step) => step,
        Code::Used => return Ok(Look::Used),
        Code::Wrong => return Ok(Look::Wrong),
    };
    totp::Entity::update_many()
        .col_expr(totp::Column::LastStep, Expr::value(step))
        .filter(totp::Column::UserId.eq(user))
        .exec(op.db())
        .await?;
    Ok(Look::Right)
}

async fn find_passkey(op: &Op<Write>, answer: &Assertion) -> Result<Option<passkey::Model>, Failure> {
    let find = passkey::Entity::find()
        .filter(passkey::Column::CredentialId.eq(answer.credential_id()))
        .lock_exclusive();
    Ok(find.one(op.db()).await?)
}

/// Whether the passkey verified its holder, if its answer is right.
async fn passkey(
    op: &Op<Write>,
    user: &user_account::Model,
    key: passkey::Model,
    answer: &Assertion,
    challenge: &str,
    site: &Site,
) -> Result<Result<bool, NotShown>, Failure> {
    if key.cloned_at.is_some() || key.host != site.host() {
        return Ok(Err(NotShown::Wrong));
    }
    let known = Stored {
        public_key: &key.public_key,
        sign_count: u32::try_from(key.sign_count).unwrap_or(u32::MAX),
        backup_eligible: key.backup_eligible,
        user_handle: user.id.0.as_bytes(),
    };
    let asserted = match webauthn::assert(answer, challenge, site, known) {
        Ok(asserted) => asserted,
        Err(refused) => {
            tracing::info!(tenant = %op.tenant().id, error = %refused, "a passkey was refused");
            return Ok(Err(NotShown::Wrong));
        }
    };
    let change = if asserted.cloned {
        passkey::ActiveModel { cloned_at: Set(Some(op.now())), ..Default::default() }
    } else {
        passkey::ActiveModel {
            sign_count: Set(asserted.sign_count.into()),
            last_used_at: Set(Some(op.now())),
            ..Default::default()
        }
    };
    passkey::Entity::update_many().set(change).filter(passkey::Column::Id.eq(key.id)).exec(op.db()).await?;
    if asserted.cloned {
        tell_of_a_clone(op, user, &key).await?;
        return Ok(Err(NotShown::Wrong));
    }
    Ok(Ok(asserted.user_verified))
}

/// Somebody holds a copy of the key: its owner and whoever watches over security are told.
async fn tell_of_a_clone(
    op: &Op<Write>,
    user: &user_account::Model,
    key: &passkey::Model,
) -> Result<(), Failure> {
    op.record(Entry::done("passkey.cloned").on("Passkey", key.id.0, 1).ended(Outcome::Denied));
    notice::changed(op, user, "a passkey was shut off: there seems to be a copy of it").await?;
    let alert = NewMail {
        to: String::new(),
        template: "passkey-cloned",
        locale: None,
        facts: Map::from_iter([("user".to_owned(), user.display_name.clone().into())]),
        dedupe_key: Some(format!("passkey-cloned:{}", key.id)),
    };
    enqueue_to_holders(op, Permission::SECURITY_ALERT_READ, &alert).await?;
    Ok(())
}

//! Links that are mailed to people who have an account: for a new password, or to sign in without one.
//!
//! A secret of 256 bits is mailed and kept as a keyed hash; it is good once, for fifteen minutes. Asking
//! for one takes the same steps and gets the same answer whether somebody has the address or not.

mod reset;
mod sign_in;

pub use reset::{request_reset, reset_password};
pub use sign_in::{Device, request_sign_in, sign_in};

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::{
    account_link::{self, Column, Entity},
    ids::UserId,
    user_account,
};
use praxis_platform::{
    Failure, Op, OpFactory, Write,
    audit::{Entry, Outcome},
    mail::{self, NewMail},
    vault::{IndexField, crypto},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{Result, Violation, ViolationCode};

/// How long a link can be used.
pub const VALID: TimeDelta = TimeDelta::minutes(15);
/// For how long it is kept that somebody was sent a link: an attack on an account may be noticed late.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Links that one account gets within that time; more is a flood of somebody's mailbox.
const MOST: u64 = 3;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    PasswordReset,
    SignIn,
}

impl Purpose {
    fn code(self) -> &'static str {
        match self {
            Self::PasswordReset => "PASSWORD_RESET",
            Self::SignIn => "SIGN_IN",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::SignIn => "sign_in_link",
        }
    }

    /// What the audit log calls the asking.
    fn asked(self) -> &'static str {
        match self {
            Self::PasswordReset => "password-reset.request",
            Self::SignIn => "sign-in-link.request",
        }
    }
}

/// The secret of a link, and what is kept of it.
pub(super) struct Secret {
    pub(super) text: Zeroizing<String>,
    pub(super) hash: Vec<u8>,
}

impl Secret {
    pub(super) async fn new<M>(op: &Op<M>) -> Result<Self> {
        let text = Zeroizing::new(BASE64URL_NOPAD.encode(&crypto::random::<32>().map_err(Failure::from)?));
        let hash = hash(op, &text).await?;
        Ok(Self { text, hash })
    }
}

/// What is kept of a secret.
pub(super) async fn hash<M>(op: &Op<M>, secret: &str) -> Result<Vec<u8>> {
    Ok(op.token(IndexField::MailedLink, secret).await?.unwrap_or_default())
}

/// The link is of no use: unknown, used, or too old. Which of them is nobody's business.
pub(super) fn useless() -> Violation {
    let message = "This link can't be used any more. Ask for a new one.";
    Violation::at(ViolationCode::NotFound, &["token"], message)
}

/// An instant for people, in the clinic's zone.
pub(super) fn in_words<M>(op: &Op<M>, at: DateTime<Utc>) -> String {
    let zone: chrono_tz::Tz = op.tenant().time_zone.parse().unwrap_or(chrono_tz::UTC);
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// Mails a link to whoever has the address. The factory must be the system's.
///
/// Nothing tells whether anybody has: each way writes one entry, and the one that sends nothing takes
/// the steps of the other and takes them back.
async fn request(
    system: &OpFactory,
    address: &str,
    purpose: Purpose,
    device_hash: Option<Vec<u8>>,
) -> Result<()> {
    let address = address.trim().to_lowercase().replace('\0', "");
    let op = system.write().await?;
    let account = user_account::Entity::find()
        .filter(user_account::Column::Email.eq(address))
        .filter(user_account::Column::Active.eq(true))
        .one(op.db())
        .await?;
    let since = op.now() - VALID;
    let user = account.as_ref().map_or(UserId(op.new_id()), |account| account.id);
    let lately = Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(Column::CreatedAt.gt(since))
        .count(op.db())
        .await?;
    let secret = Secret::new(&op).await?;
    let receiver = account.filter(|_| lately < MOST);
    let name = receiver.as_ref().map_or("", |account| account.display_name.as_str());
    let facts = json!({ "name": name, "token": *secret.text, "minutes": VALID.num_minutes() });
    let mail = NewMail {
        to: receiver.as_ref().map_or_else(String::new, |account| account.email.clone()),
        template: purpose.template(),
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: None,
    };
    mail::enqueue(&op, mail).await?;
    let Some(account) = receiver else {
        op.rollback().await?;
        system.read().record(Entry::done(purpose.asked()).ended(Outcome::Denied)).await?;
        return Ok(());
    };
    let row = account_link::ActiveModel {
        id: Set(op.new_id()),
        user_id: Set(account.id),
        purpose: Set(purpose.code().to_owned()),
        token_hash: Set(secret.hash),
        device_hash: Set(device_hash),
        created_at: Set(op.now()),
        expires_at: Set(op.now() + VALID),
        used_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(op.db()).await?;
    op.record(Entry::done(purpose.asked()).on("User", account.id.0, account.version));
    Ok(op.commit().await?)
}

/// Whose link it is, as long as it can be used.
async fn owner<M>(
    op: &Op<M>,
    purpose: Purpose,
    hash: &[u8],
    device: Option<&[u8]>,
) -> Result<Option<user_account::Model>> {
    let Some(link) = Entity::find().filter(usable(op, purpose, hash, device)).one(op.db()).await? else {
        return Ok(None);
    };
    let account = user_account::Entity::find_by_id(link.user_id).one(op.db()).await?;
    Ok(account.filter(|account| account.active))
}

/// Uses the link up: of many who come at once one gets the user.
///
/// The user's row is locked before the link, in the order of whoever changes a password and with it all links:
/// for a new password as it will be changed, and else so that nobody changes it.
async fn consume(
    op: &Op<Write>,
    purpose: Purpose,
    hash: &[u8],
    device: Option<&[u8]>,
) -> Result<Option<user_account::Model>> {
    let Some(account) = owner(op, purpose, hash, device).await? else { return Ok(None) };
    let lock = match purpose {
        Purpose::PasswordReset => LockType::NoKeyUpdate,
        Purpose::SignIn => LockType::Share,
    };
    let account = user_account::Entity::find_by_id(account.id).lock(lock).one(op.db()).await?;
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(op.now()))
        .filter(usable(op, purpose, hash, device))
        .exec(op.db())
        .await?
        .rows_affected;
    Ok(account.filter(|account| account.active && used == 1))
}

fn usable<M>(op: &Op<M>, purpose: Purpose, hash: &[u8], device: Option<&[u8]>) -> Condition {
    Condition::all()
        .add(Column::TokenHash.eq(hash))
        .add(Column::Purpose.eq(purpose.code()))
        .add(Column::UsedAt.is_null())
        .add(Column::ExpiresAt.gt(op.now()))
        .add_option(device.map(|device| Column::DeviceHash.eq(device)))
}

/// Forgets links that lead nowhere any more, so many at a time; how many.
pub async fn forget(op: &Op<Write>) -> Result<u64> {
    let past = Expr::cust_with_values(
        "id IN (SELECT id FROM account_link WHERE expires_at < $1 LIMIT 10000)",
        [op.now() - KEPT],
    );
    Ok(Entity::delete_many().filter(past).exec(op.db()).await?.rows_affected)
}

/// Makes all links of a user useless.
pub(super) async fn void(op: &Op<Write>, user: UserId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(op.now()))
        .filter(Column::UserId.eq(user))
        .filter(Column::UsedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(())
}

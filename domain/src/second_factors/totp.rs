//! The authenticator app: enrolled, confirmed by a first code, removed.

use praxis_entity::{ids::UserId, recovery_code, totp, user_account, value::TotpSecret};
use praxis_platform::{
    Failure, Op, Write,
    audit::Entry,
    factor::{
        notice, recovery,
        totp::{self as codes, Code},
    },
    session::stepped_up,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};

use super::own::Own;
use crate::{Result, Violation, ViolationCode};

/// What an authenticator app is set up with. Told to its owner and to nobody else.
pub struct TotpEnrolment {
    /// For the app to scan.
    pub uri: String,
    /// For a person to type.
    pub secret: String,
}

/// Makes a secret. It counts once a code was shown; until then another takes its place.
pub async fn totp_enrol(op: &Op<Write>) -> Result<TotpEnrolment> {
    let own = Own::fresh(op).await?;
    if own.enrolled.totp.is_some() {
        let message = "There is an authenticator app already: remove it first.";
        return Err(Violation::at(ViolationCode::AlreadyExists, &[], message).into());
    }
    let secret = codes::secret().map_err(Failure::from)?;
    let key = op.clinic_key().await?;
    let place = op.place("totp", own.user.id.0, op.tenant().uuid());
    let row = totp::ActiveModel {
        user_id: Set(own.user.id),
        secret: Set(op.seal(&key, &place, &secret)?),
        created_at: Set(op.now()),
        confirmed_at: Set(None),
        last_step: Set(0),
    };
    let replaced = [totp::Column::Secret, totp::Column::CreatedAt, totp::Column::LastStep];
    totp::Entity::insert(row)
        .on_conflict(OnConflict::column(totp::Column::UserId).update_columns(replaced).to_owned())
        .exec_without_returning(op.db())
        .await?;
    op.record(Entry::done("totp.enrol").on("User", own.user.id.0, own.user.version));
    enrolment(op, &own.user, &secret)
}

/// The secret of an enrolment that is not confirmed yet, once more.
pub async fn totp_enrolment(op: &Op<Write>) -> Result<Option<TotpEnrolment>> {
    let own = Own::fresh(op).await?;
    let Some(row) = unconfirmed(op, own.user.id).await? else { return Ok(None) };
    enrolment(op, &own.user, &open(op, &row).await?).map(Some)
}

/// Confirms the app by a code of it. Gives recovery codes to whoever has none.
pub async fn totp_confirm(op: &Op<Write>, code: &str) -> Result<Vec<String>> {
    let own = Own::fresh(op).await?;
    let Some(row) = unconfirmed(op, own.user.id).await? else {
        let message = "There is no authenticator app to confirm.";
        return Err(Violation::at(ViolationCode::NotFound, &[], message).into());
    };
    let Code::Fresh(step) = codes::read_code(&open(op, &row).await?, code, op.now(), row.last_step) else {
        let message = "This is not the code of the moment; see that the telephone's clock is right.";
        return Err(Violation::at(ViolationCode::Invalid, &["code"], message).into());
    };
    let confirmed = totp::ActiveModel {
        user_id: Set(own.user.id),
        confirmed_at: Set(Some(op.now())),
        last_step: Set(step),
        ..Default::default()
    };
    totp::Entity::update(confirmed).exec(op.db()).await?;
    stepped_up(op, own.session).await?;
    op.record(Entry::done("totp.confirm").on("User", own.user.id.0, own.user.version));
    notice::changed(op, &own.user, "an authenticator app was added").await?;
    first_codes(op, &own).await
}

/// Removes the app.
pub async fn totp_remove(op: &Op<Write>) -> Result<()> {
    let own = Own::fresh(op).await?;
    if own.enrolled.totp.is_none() {
        let message = "There is no authenticator app.";
        return Err(Violation::at(ViolationCode::NotFound, &[], message).into());
    }
    let left = !own.enrolled.passkeys.is_empty();
    own.may_lose(op, left).await?;
    totp::Entity::delete_by_id(own.user.id).exec(op.db()).await?;
    forget_codes(op, own.user.id, left).await?;
    op.record(Entry::done("totp.remove").on("User", own.user.id.0, own.user.version));
    Ok(notice::changed(op, &own.user, "the authenticator app was removed").await?)
}

/// Recovery codes for whoever has none left.
pub(super) async fn first_codes(op: &Op<Write>, own: &Own) -> Result<Vec<String>> {
    if own.enrolled.any() && own.enrolled.recovery_codes > 0 {
        return Ok(Vec::new());
    }
    Ok(recovery::renew(op, own.user.id).await?)
}

/// Recovery codes stand in for a factor; without one there is nothing to stand in for.
pub(super) async fn forget_codes(op: &Op<Write>, user: UserId, left: bool) -> Result<()> {
    if !left {
        let codes = recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user));
        codes.exec(op.db()).await?;
    }
    Ok(())
}

async fn unconfirmed(op: &Op<Write>, user: UserId) -> Result<Option<totp::Model>> {
    let find = totp::Entity::find_by_id(user).filter(totp::Column::ConfirmedAt.is_null()).lock_exclusive();
    Ok(find.one(op.db()).await?)
}

async fn open(op: &Op<Write>, row: &totp::Model) -> Result<TotpSecret> {
    let key = op.clinic_key().await?;
    let place = op.place("totp", row.user_id.0, op.tenant().uuid());
    Ok(op.open_unseen(&key, &place, &row.secret).await?)
}

fn enrolment(op: &Op<Write>, user: &user_account::Model, secret: &TotpSecret) -> Result<TotpEnrolment> {
    let uri = codes::uri(secret, &op.tenant().display_name, &user.email)
        .ok_or_else(|| Failure::Internal("no otpauth address".to_owned()))?;
    Ok(TotpEnrolment { uri, secret: codes::readable(secret) })
}

//! Making an account for a person who signs in.

use praxis_entity::{
    ids::{PractitionerId, UserId},
    practitioner, user_account,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::{address, set_password::hashed};
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations};

/// A person who is to sign in.
pub struct NewUser {
    /// E-mail address, the login.
    pub email: String,
    /// Name as shown.
    pub display_name: String,
    /// First password.
    pub password: String,
    /// The clinician this person is.
    pub practitioner: Option<PractitionerId>,
}

/// Makes an account. It has no role yet.
pub async fn create_user(op: &Op<Write>, new: NewUser) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let mut found = Violations::default();
    let email = address::checked(&mut found, &["email"], &new.email);
    let display_name = text::line(&mut found, &["displayName"], &new.display_name, 200);
    known_practitioner(op, &mut found, new.practitioner).await?;
    found.check()?;
    let password_hash = hashed(op.tenant(), &new.password, &[&email, &display_name]).await?;
    add(op, email, display_name, password_hash, new.practitioner).await
}

/// Notes a practitioner that does not exist.
pub(super) async fn known_practitioner<M>(
    op: &Op<M>,
    found: &mut Violations,
    practitioner: Option<PractitionerId>,
) -> Result<()> {
    if let Some(id) = practitioner
        && practitioner::Entity::find_by_id(id).one(op.db()).await?.is_none()
    {
        found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
    }
    Ok(())
}

/// Writes the account down, unless somebody has the address already.
pub(super) async fn add(
    op: &Op<Write>,
    email: String,
    display_name: String,
    password_hash: String,
    practitioner: Option<PractitionerId>,
) -> Result<user_account::Model> {
    let row = user_account::ActiveModel {
        id: Set(UserId(op.new_id())),
        email: Set(email),
        display_name: Set(display_name),
        password_hash: Set(password_hash),
        practitioner_id: Set(practitioner),
        ..Default::default()
    };
    let created = user_account::Entity::insert_many([row])
        .on_conflict(OnConflict::column(user_account::Column::Email).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(taken)?;
    op.record(Entry::done("user.create").on("User", created.id.0, created.version));
    Ok(created)
}

/// Somebody has the address.
pub(super) fn taken() -> Violation {
    Violation::at(ViolationCode::AlreadyExists, &["email"], "Somebody signs in with this address already.")
}

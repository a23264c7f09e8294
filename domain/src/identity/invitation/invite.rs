//! Asking somebody to join.

use praxis_entity::{
    facility,
    ids::{FacilityId, InvitationId, PractitionerId},
    invitation::{self, Column, InvitationStatus},
    role, user_account,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry, literal::Literal, quota::Quota};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::{
    super::{
        address,
        create_user::{known_practitioner, taken},
        link::Secret,
        reach,
    },
    VALID, send,
};
use crate::{
    Result, Violation, ViolationCode,
    clinic::{text, usage},
    error::{Violations, exhausted},
    rows::refused,
};

/// Somebody who is to join.
pub struct NewInvitation {
    /// Where the link goes; the login later.
    pub email: String,
    /// Name as shown.
    pub display_name: String,
    /// Code of the role.
    pub role: String,
    /// Where the role is held; everywhere when absent.
    pub facility: Option<FacilityId>,
    /// The clinician this person is.
    pub practitioner: Option<PractitionerId>,
}

/// Invites somebody and mails the link.
pub async fn invite(op: &Op<Write>, new: NewInvitation) -> Result<invitation::Model> {
    op.require(Permission::USER_MANAGE)?;
    // An account is worth what a role is: who invites themselves would keep what a stolen session could do.
    op.require_step_up()?;
    let mut found = Violations::default();
    let email = address::checked(&mut found, &["email"], &new.email);
    let display_name = text::line(&mut found, &["displayName"], &new.display_name, 200);
    let role = role::Entity::find()
        .filter(role::Column::Code.eq(new.role.replace('\0', "")))
        .filter(role::Column::Retired.eq(false))
        .one(op.db())
        .await?;
    if role.is_none() {
        found.add(ViolationCode::NotFound, &["role"], "There is no such role.");
    }
    if let Some(id) = new.facility
        && facility::Entity::find_by_id(id).one(op.db()).await?.is_none()
    {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    known_practitioner(op, &mut found, new.practitioner).await?;
    found.check()?;
    let role = role.ok_or(Failure::NotFound)?;
    reach::require_role(op, role.id, new.facility).await?;
    if user_account::Entity::find()
        .filter(user_account::Column::Email.eq(&email))
        .one(op.db())
        .await?
        .is_some()
    {
        return Err(taken().into());
    }
    close_expired(op, &email).await?;
    let seats = usage::of(op, Quota::Seats).await?;
    if let Some(most) = seats.most
        && seats.used + promised(op).await? >= most
    {
        let message = "Every seat of the clinic is taken or promised: disable an account, take an invitation back, or ask for more.";
        return Err(exhausted(Quota::Seats).saying(message).into());
    }

    let secret = Secret::new(op).await?;
    let row = invitation::ActiveModel {
        id: Set(InvitationId(op.new_id())),
        email: Set(email),
        display_name: Set(display_name),
        role_id: Set(role.id),
        facility_id: Set(new.facility),
        practitioner_id: Set(new.practitioner),
        invited_by: Set(op.actor().user),
        token_hash: Set(secret.hash.clone()),
        expires_at: Set(op.now() + VALID),
        status: Set(InvitationStatus::Sent),
        user_id: Set(None),
        created_at: Set(op.now()),
        ..Default::default()
    };
    let invited = invitation::Entity::insert(row)
        .exec_with_returning(op.db())
        .await
        .map_err(|error| refused(error, |constraint| (constraint == "invitation_one_open").then(already)))?;
    send(op, &invited, &role.name, &secret.text).await?;
    op.record(Entry::done("user.invite").on("Invitation", invited.id.0, invited.version));
    Ok(invited)
}

/// An invitation that nobody accepted in time does not stand in the way of a new one.
async fn close_expired(op: &Op<Write>, email: &str) -> Result<()> {
    invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(InvitationStatus::Expired))
        .filter(Column::Email.eq(email))
        .filter(Column::Status.is(InvitationStatus::Sent))
        .filter(Column::ExpiresAt.lte(op.now()))
        .exec(op.db())
        .await?;
    Ok(())
}

/// How many are invited and may still come. An invitation holds no seat: whoever accepts takes one, if it is there.
async fn promised(op: &Op<Write>) -> Result<i64> {
    let open = invitation::Entity::find()
        .filter(Column::Status.is(InvitationStatus::Sent))
        .filter(Column::ExpiresAt.gt(op.now()));
    Ok(i64::try_from(open.count(op.db()).await?).unwrap_or(i64::MAX))
}

fn already() -> Violation {
    let message = "There is an open invitation for this address; send its link again, or take it back.";
    Violation::at(ViolationCode::AlreadyExists, &["email"], message)
}

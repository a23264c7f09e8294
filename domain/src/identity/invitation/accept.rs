//! Joining: the link's secret and a password make an account.

use praxis_entity::{
    ids::MembershipId,
    invitation::{self, Column, InvitationStatus},
    membership, role, user_account,
};
use praxis_platform::{
    Op, OpFactory, Write,
    access::Permission,
    audit::{Entry, Outcome},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::{
    super::{create_user, link, reach, set_password::hashed},
    revoke::set_status,
};
use crate::Result;

/// Makes the account. The factory must be the system's: nobody has signed in yet.
///
/// Of many who come with the same secret at once one joins; to the others it is no secret any more.
pub async fn accept_invitation(
    system: &OpFactory,
    secret: &str,
    password: &str,
) -> Result<user_account::Model> {
    let read = system.read();
    let hash = link::hash(&read, secret).await?;
    let offered = invitation::Entity::find().filter(usable(&read, &hash)).one(read.db()).await?;
    read.release().await;
    let Some(offered) = offered else {
        read.record(Entry::done("invitation.accept").ended(Outcome::Denied)).await?;
        return Err(link::useless().into());
    };
    let person = [offered.email.as_str(), offered.display_name.as_str()];
    let password_hash = hashed(system.tenant(), password, &person).await?;

    let op = system.write().await?;
    // From here on others who have the secret wait, and find it used.
    let locked = invitation::Entity::find().filter(usable(&op, &hash)).lock_exclusive().one(op.db()).await?;
    let Some(invitation) = locked else {
        op.rollback().await?;
        return Err(link::useless().into());
    };
    if !still_covered(&op, &invitation).await? {
        let revoked = set_status(&op, invitation.id, InvitationStatus::Revoked).await?;
        let entry = Entry::done("invitation.accept").on("Invitation", revoked.id.0, revoked.version);
        op.record(entry.ended(Outcome::Denied));
        op.commit().await?;
        return Err(link::useless().into());
    }
    match join(&op, &invitation, password_hash).await {
        Ok(user) => {
            op.commit().await?;
            Ok(user)
        }
        Err(error) => {
            op.rollback().await?;
            Err(error)
        }
    }
}

async fn join(
    op: &Op<Write>,
    invitation: &invitation::Model,
    password_hash: String,
) -> Result<user_account::Model> {
    let (email, name) = (invitation.email.clone(), invitation.display_name.clone());
    let user = create_user::add(op, email, name, password_hash, invitation.practitioner_id).await?;
    let row = membership::ActiveModel {
        id: Set(MembershipId(op.new_id())),
        user_id: Set(user.id),
        role_id: Set(invitation.role_id),
        facility_id: Set(invitation.facility_id),
        created_at: Set(op.now()),
    };
    membership::Entity::insert(row).exec_without_returning(op.db()).await?;
    let change = invitation::ActiveModel {
        status: Set(InvitationStatus::Accepted),
        user_id: Set(Some(user.id)),
        ..Default::default()
    };
    invitation::Entity::update_many().set(change).filter(Column::Id.eq(invitation.id)).exec(op.db()).await?;
    let version = invitation.version + 1;
    op.record(Entry::done("invitation.accept").on("Invitation", invitation.id.0, version));
    Ok(user)
}

fn usable<M>(op: &Op<M>, hash: &[u8]) -> Condition {
    Condition::all()
        .add(Column::TokenHash.eq(hash))
        .add(Column::Status.eq(InvitationStatus::Sent))
        .add(Column::ExpiresAt.gt(op.now()))
}

/// Whether the role is in use, and its inviter could still give it.
async fn still_covered(op: &Op<Write>, invitation: &invitation::Model) -> Result<bool> {
    let role = role::Entity::find_by_id(invitation.role_id).one(op.db()).await?;
    if role.is_none_or(|role| role.retired) {
        return Ok(false);
    }
    let Some(inviter) = invitation.invited_by else { return Ok(true) };
    let account = user_account::Entity::find_by_id(inviter).one(op.db()).await?;
    if !account.is_some_and(|account| account.active) {
        return Ok(false);
    }
    let held = reach::of_user(op, inviter, invitation.facility_id).await?;
    let offered = reach::of_role(op, invitation.role_id).await?;
    Ok(held.contains(Permission::USER_MANAGE) && held.is_superset(&offered))
}

//! Giving a person a role, at one branch or everywhere.

use praxis_entity::{
    facility,
    ids::{FacilityId, MembershipId, UserId},
    membership, role, user_account,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{Result, ViolationCode, error::Violations};

/// Gives the role. A person who holds it already keeps it.
pub async fn grant_role(
    op: &Op<Write>,
    user: UserId,
    role_code: &str,
    facility: Option<FacilityId>,
) -> Result<membership::Model> {
    op.require(Permission::ROLE_MANAGE)?;
    let mut found = Violations::default();
    let account = user_account::Entity::find_by_id(user).one(op.db()).await?;
    if account.is_none() {
        found.add(ViolationCode::NotFound, &["userId"], "There is no such user.");
    }
    let role = role::Entity::find()
        .filter(role::Column::Code.eq(role_code))
        .filter(role::Column::Retired.eq(false))
        .one(op.db())
        .await?;
    if role.is_none() {
        found.add(ViolationCode::NotFound, &["role"], "There is no such role.");
    }
    if let Some(id) = facility
        && facility::Entity::find_by_id(id).one(op.db()).await?.is_none()
    {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    found.check()?;
    let (Some(account), Some(role)) = (account, role) else { return Err(Failure::NotFound.into()) };

    let row = membership::ActiveModel {
        id: Set(MembershipId(op.new_id())),
        user_id: Set(user),
        role_id: Set(role.id),
        facility_id: Set(facility),
        created_at: Set(op.now()),
    };
    let granted = membership::Entity::insert_many([row])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop();
    op.record(Entry::done("role.grant").on("User", user.0, account.version));
    match granted {
        Some(granted) => Ok(granted),
        None => held(op, user, &role, facility).await,
    }
}

/// The membership that was there before.
async fn held(
    op: &Op<Write>,
    user: UserId,
    role: &role::Model,
    facility: Option<FacilityId>,
) -> Result<membership::Model> {
    let memberships = membership::Entity::find()
        .filter(membership::Column::UserId.eq(user))
        .filter(membership::Column::RoleId.eq(role.id))
        .all(op.db())
        .await?;
    memberships
        .into_iter()
        .find(|membership| membership.facility_id == facility)
        .ok_or_else(|| Failure::Internal("a membership vanished".to_owned()).into())
}

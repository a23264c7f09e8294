//! Taking a role from a person.

use praxis_entity::{membership, user_account};
use praxis_platform::{Op, Write, audit::Entry};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    grant::Grant,
    reach,
    read::{self, Role},
};
use crate::{Result, Violation, ViolationCode, identity::owners};

/// Takes the role, if the actor holds all that it permits; never the last owner's.
pub async fn revoke(op: &Op<Write>, grant: Grant) -> Result<Role> {
    reach::manage(op)?;
    let owners = owners::lock(op).await?;
    let role = read::in_use(op, grant.role, "roleId").await?;
    reach::covers(op, role.permissions())?;
    let Some(user) = user_account::Entity::find_by_id(grant.user).one(op.db()).await? else {
        return Err(Violation::unknown("userId").into());
    };
    let held = membership::Entity::delete_many()
        .filter(membership::Column::UserId.eq(grant.user))
        .filter(membership::Column::RoleId.eq(grant.role));
    let held = match grant.facility {
        Some(facility) => held.filter(membership::Column::FacilityId.eq(facility)),
        None => held.filter(membership::Column::FacilityId.is_null()),
    };
    if held.exec(op.db()).await?.rows_affected == 0 {
        let message = "This person does not hold the role there.";
        return Err(Violation::at(ViolationCode::NotFound, &["roleId"], message).into());
    }
    owners.remain(op, "userId").await?;
    op.record(Entry::done("role.revoke").on("User", user.id.0, user.version));
    Ok(role)
}

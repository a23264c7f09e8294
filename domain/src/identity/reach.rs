//! How far a person's rights reach: nobody gives what they do not have, nor takes from who has more.
//!
//! What is held under a condition, or at another branch, is not had to give: it would be given without the condition.

use praxis_entity::{
    ids::{FacilityId, RoleId, UserId},
    role_permission,
};
use praxis_platform::{
    Failure, Op,
    access::{ActorKind, EVERYTHING, Permission, PermissionSet, held_at, load_grants},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::Result;

/// Refuses unless the actor holds, at the branch or everywhere, all of this.
pub(crate) fn covers<M>(op: &Op<M>, facility: Option<FacilityId>, wanted: PermissionSet) -> Result<()> {
    let actor = op.actor();
    // The system and the installation's operator stand above the clinic's roles.
    if matches!(actor.kind, ActorKind::System | ActorKind::Operator) {
        return Ok(());
    }
    match wanted.without(actor.held_at(facility)).iter().next() {
        Some(lacking) => Err(Failure::Forbidden(lacking).into()),
        None => Ok(()),
    }
}

/// Refuses unless the actor holds, at the branch or everywhere, all that the role permits.
pub(crate) async fn require_role<M>(op: &Op<M>, role: RoleId, facility: Option<FacilityId>) -> Result<()> {
    covers(op, facility, of_role(op, role).await?)
}

/// Refuses unless the actor holds, everywhere, all that the user may do anywhere.
pub(crate) async fn require_user<M>(op: &Op<M>, user: UserId) -> Result<()> {
    covers(op, None, load_grants(op.db(), user, None).await?.unwrap_or_default().permissions())
}

/// What a user may give at a branch, or, without one, everywhere.
pub(super) async fn of_user<M>(
    op: &Op<M>,
    user: UserId,
    facility: Option<FacilityId>,
) -> Result<PermissionSet> {
    let grants = load_grants(op.db(), user, facility).await?.unwrap_or_default();
    Ok(held_at(&grants.list, facility))
}

/// What a role permits, under whatever condition.
pub(super) async fn of_role<M>(op: &Op<M>, role: RoleId) -> Result<PermissionSet> {
    let rows = role_permission::Entity::find().filter(role_permission::Column::RoleId.eq(role));
    let rows = rows.all(op.db()).await?;
    if rows.iter().any(|row| row.permission == EVERYTHING) {
        return Ok(PermissionSet::all());
    }
    // A permission that this version does not know grants nothing.
    Ok(rows.iter().filter_map(|row| Permission::parse(&row.permission)).collect())
}

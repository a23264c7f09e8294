//! How far a person's rights reach: nobody gives what they do not have, nor shuts out who has more.

use praxis_entity::{
    ids::{FacilityId, RoleId, UserId},
    membership, role, role_permission,
};
use praxis_platform::{
    Failure, Op,
    access::{ActorKind, EVERYTHING, Permission, PermissionSet},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::{Result, page::any_of};

/// What a role permits.
pub(super) async fn of_role<M>(op: &Op<M>, role: RoleId) -> Result<PermissionSet> {
    permissions(op, vec![role.0]).await
}

/// What a user may do at a branch, or, without one, at every branch.
pub(super) async fn of_user<M>(
    op: &Op<M>,
    user: UserId,
    facility: Option<FacilityId>,
) -> Result<PermissionSet> {
    let everywhere = membership::Column::FacilityId.is_null();
    let there = facility.map(|facility| membership::Column::FacilityId.eq(facility));
    let held = membership::Entity::find()
        .filter(membership::Column::UserId.eq(user))
        .filter(Condition::any().add(everywhere).add_option(there))
        .all(op.db())
        .await?;
    in_use(op, held).await
}

/// What a user may do anywhere.
async fn of_user_anywhere<M>(op: &Op<M>, user: UserId) -> Result<PermissionSet> {
    let held = membership::Entity::find().filter(membership::Column::UserId.eq(user)).all(op.db()).await?;
    in_use(op, held).await
}

/// Refuses unless the actor may do, at the branch or everywhere, all that the role permits.
pub(super) async fn require_role<M>(op: &Op<M>, role: RoleId, facility: Option<FacilityId>) -> Result<()> {
    let Some(own) = own(op, facility).await? else { return Ok(()) };
    require_all(own, of_role(op, role).await?)
}

/// Refuses unless the actor may do, everywhere, all that the user may do anywhere.
pub(super) async fn require_user<M>(op: &Op<M>, user: UserId) -> Result<()> {
    let Some(own) = own(op, None).await? else { return Ok(()) };
    require_all(own, of_user_anywhere(op, user).await?)
}

/// `None` for those who may do everything: the system, and the installation's operator.
async fn own<M>(op: &Op<M>, facility: Option<FacilityId>) -> Result<Option<PermissionSet>> {
    let actor = op.actor();
    match (actor.kind, actor.user) {
        (ActorKind::System | ActorKind::Operator, _) => Ok(None),
        // What the session may do now is the other bound: an owner who looks through another role's
        // eyes, or has yet to show a second factor, gives no more than that.
        (ActorKind::User, Some(user)) => {
            let stored = of_user(op, user, facility).await?;
            Ok(Some(stored.iter().filter(|permission| actor.may(*permission)).collect()))
        }
        // A program's rights hold everywhere in the clinic.
        (ActorKind::Client, _) => Ok(Some(actor.permissions)),
        (ActorKind::User, None) => Ok(Some(PermissionSet::default())),
    }
}

fn require_all(own: PermissionSet, wanted: PermissionSet) -> Result<()> {
    match wanted.iter().find(|permission| !own.contains(*permission)) {
        Some(lacking) => Err(Failure::Forbidden(lacking).into()),
        None => Ok(()),
    }
}

async fn in_use<M>(op: &Op<M>, held: Vec<membership::Model>) -> Result<PermissionSet> {
    let roles = role::Entity::find()
        .filter(any_of(role::Column::Id, held.iter().map(|membership| membership.role_id.0).collect()))
        .filter(role::Column::Retired.eq(false))
        .all(op.db())
        .await?;
    permissions(op, roles.iter().map(|role| role.id.0).collect()).await
}

async fn permissions<M>(op: &Op<M>, roles: Vec<uuid::Uuid>) -> Result<PermissionSet> {
    let rows = role_permission::Entity::find()
        .filter(any_of(role_permission::Column::RoleId, roles))
        .all(op.db())
        .await?;
    if rows.iter().any(|row| row.permission == EVERYTHING) {
        return Ok(PermissionSet::all());
    }
    // A permission that this version does not know grants nothing.
    Ok(rows.iter().filter_map(|row| Permission::parse(&row.permission)).collect())
}

//! What a user's memberships permit, at one branch or everywhere.

use praxis_entity::{
    ids::{FacilityId, UserId},
    membership, role, role_permission,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Permission, PermissionSet};
use crate::{Failure, tenancy::TenantDb};

/// The roles a user holds and the union of their permissions.
///
/// With a branch chosen only memberships of that branch and clinic-wide ones count; a branch where
/// the user is no member gives `None`.
pub async fn load_grants(
    db: &TenantDb,
    user: UserId,
    facility: Option<FacilityId>,
) -> Result<Option<(Vec<String>, PermissionSet)>, Failure> {
    let memberships = membership::Entity::find().filter(membership::Column::UserId.eq(user)).all(db).await?;
    let counted: Vec<_> = memberships
        .iter()
        .filter(|membership| {
            facility.is_none() || membership.facility_id.is_none() || membership.facility_id == facility
        })
        .map(|membership| membership.role_id.0)
        .collect();
    if counted.is_empty() && facility.is_some() {
        return Ok(None);
    }
    let roles = role::Entity::find()
        .filter(sea_orm::sea_query::Expr::cust_with_values("id = ANY($1)", [counted.clone()]))
        .filter(role::Column::Retired.eq(false))
        .all(db)
        .await?;
    let held: Vec<_> = roles.iter().map(|role| role.id.0).collect();
    let permissions = role_permission::Entity::find()
        .filter(sea_orm::sea_query::Expr::cust_with_values("role_id = ANY($1)", [held]))
        .all(db)
        .await?;
    let mut codes: Vec<_> = roles.into_iter().map(|role| role.code).collect();
    codes.sort_unstable();
    // A permission that this version does not know grants nothing.
    let set = permissions.iter().filter_map(|row| Permission::parse(&row.permission)).collect();
    Ok(Some((codes, set)))
}

//! Roles with what they permit.

use std::collections::HashMap;

use praxis_entity::{ids::RoleId, role, role_permission};
use praxis_platform::{
    Op,
    access::{EVERYTHING, Permission, PermissionSet},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, Violation, ViolationCode, error::Violations, page::any_of};

/// A role with what it permits.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// The role.
    pub row: role::Model,
    /// Codes as they are stored, sorted; `*` among them.
    pub codes: Vec<String>,
}

impl Role {
    /// Whether it permits everything, now and in later versions.
    pub fn holds_everything(&self) -> bool {
        self.codes.iter().any(|code| code == EVERYTHING)
    }

    /// What it permits in this version.
    pub fn permissions(&self) -> PermissionSet {
        if self.holds_everything() {
            return PermissionSet::all();
        }
        self.codes.iter().filter_map(|code| Permission::parse(code)).collect()
    }
}

/// The permissions of codes that were given; `*` alone is every right.
pub(super) fn parse(found: &mut Violations, codes: &[String]) -> PermissionSet {
    if codes == [EVERYTHING] {
        return PermissionSet::all();
    }
    let mut set = PermissionSet::NONE;
    for (index, code) in codes.iter().enumerate() {
        match Permission::parse(code) {
            Some(permission) => set.insert(permission),
            None => found.add(
                ViolationCode::Invalid,
                &["permissions", &index.to_string()],
                "There is no such permission.",
            ),
        }
    }
    set
}

/// What is stored for a set that was asked for with these codes.
pub(super) fn stored(codes: &[String], set: PermissionSet) -> Vec<String> {
    let star = (codes == [EVERYTHING]).then(|| EVERYTHING.to_owned());
    star.into_iter().chain(set.iter().map(|permission| permission.code().to_owned())).collect()
}

/// All roles by code, those out of use too.
pub async fn all<M>(op: &Op<M>) -> Result<Vec<Role>> {
    op.require(Permission::ROLE_READ)?;
    with_permissions(op, role::Entity::find().order_by_asc(role::Column::Code).all(op.db()).await?).await
}

/// The roles with these ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[RoleId]) -> Result<Vec<Role>> {
    op.require(Permission::ROLE_READ)?;
    let wanted = any_of(role::Column::Id, ids.iter().map(|id| id.0).collect());
    with_permissions(op, role::Entity::find().filter(wanted).all(op.db()).await?).await
}

/// The role that is about to change, if it is in use.
pub(super) async fn in_use<M>(op: &Op<M>, id: RoleId, path: &str) -> Result<Role> {
    let found = role::Entity::find_by_id(id).one(op.db()).await?.filter(|role| !role.retired);
    let found =
        found.ok_or_else(|| Violation::at(ViolationCode::NotFound, &[path], "There is no such role."))?;
    with_permissions(op, vec![found]).await?.pop().ok_or_else(|| Violation::unknown(path).into())
}

async fn with_permissions<M>(op: &Op<M>, roles: Vec<role::Model>) -> Result<Vec<Role>> {
    let ids = roles.iter().map(|role| role.id.0).collect();
    let rows = role_permission::Entity::find()
        .filter(any_of(role_permission::Column::RoleId, ids))
        .order_by_asc(role_permission::Column::Permission)
        .all(op.db())
        .await?;
    let mut of: HashMap<RoleId, Vec<String>> = HashMap::new();
    for row in rows {
        of.entry(row.role_id).or_default().push(row.permission);
    }
    Ok(roles
        .into_iter()
        .map(|row| Role { id: row.id, codes: of.remove(&row.id).unwrap_or_default(), row })
        .collect())
}

//! Roles with what they permit.

use std::collections::{BTreeMap, HashMap};

use praxis_entity::{ids::RoleId, role, role_permission};
use praxis_platform::{
    Op,
    access::{EVERYTHING, Permission, PermissionSet, Relation, class::ON_RECORD},
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
    /// What it permits by code, as it is stored, `*` among it; each with the relation that must hold, if one must.
    pub permitted: Permitted,
}

/// Codes of permissions, each with the relation that must hold.
pub type Permitted = BTreeMap<String, Option<Relation>>;

impl Role {
    /// Whether it permits everything, now and in later versions.
    pub fn holds_everything(&self) -> bool {
        self.permitted.contains_key(EVERYTHING)
    }

    /// What it permits in this version, whatever must hold for it.
    pub fn permissions(&self) -> PermissionSet {
        if self.holds_everything() {
            return PermissionSet::all();
        }
        self.permitted.keys().filter_map(|code| Permission::parse(code)).collect()
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

/// The codes that are stored for a set that was asked for with these.
pub(super) fn stored(codes: &[String], set: PermissionSet) -> Vec<String> {
    let star = (codes == [EVERYTHING]).then(|| EVERYTHING.to_owned());
    star.into_iter().chain(set.iter().map(|permission| permission.code().to_owned())).collect()
}

/// The conditions that were given for some of the permissions of a set.
pub(super) fn conditions(
    found: &mut Violations,
    given: &[(String, Relation)],
    set: PermissionSet,
) -> BTreeMap<String, Relation> {
    let mut conditions = BTreeMap::new();
    for (index, (code, relation)) in given.iter().enumerate() {
        let path = ["conditions", &index.to_string(), "permission"];
        match Permission::parse(code).filter(|permission| set.contains(*permission)) {
            None => found.add(ViolationCode::NotFound, &path, "The role does not permit this."),
            Some(permission) if !ON_RECORD.contains(permission) => {
                let message = "This is not judged for each patient, so no relation to one can be asked for.";
                found.add(ViolationCode::Invalid, &path, message);
            }
            Some(_) if conditions.insert(code.clone(), *relation).is_some() => {
                found.add(ViolationCode::AlreadyExists, &path, "This permission is named twice.");
            }
            Some(_) => {}
        }
    }
    conditions
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
    let mut of: HashMap<RoleId, Permitted> = HashMap::new();
    for row in rows {
        let condition = Relation::parse(&row.condition);
        of.entry(row.role_id).or_default().insert(row.permission, condition);
    }
    Ok(roles
        .into_iter()
        .map(|row| Role { id: row.id, permitted: of.remove(&row.id).unwrap_or_default(), row })
        .collect())
}

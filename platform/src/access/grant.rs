//! What a role permits, where, and under which condition.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{BreakGlassId, FacilityId, PatientId, RoleId, UserId},
    membership, role, role_permission,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{Permission, PermissionSet, class::CLINIC};
use crate::{Failure, tenancy::TenantDb};

/// Stored in the place of a permission: every right, those of later versions too.
pub const EVERYTHING: &str = "*";

/// A relation of the actor to a patient or row, or a state of the patient, that a grant may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The row names the actor as its clinician; a patient is one's own when one is in their care team.
    Own,
    /// The actor is in the patient's care team.
    CareTeam,
    /// The row is at the branch that the actor acts for.
    Facility,
    /// The patient is in care: alive, and neither gone nor merged.
    InCare,
}

impl Relation {
    /// Every relation.
    pub const EVERY: [Self; 4] = [Self::Own, Self::CareTeam, Self::Facility, Self::InCare];

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::CareTeam => "CARE_TEAM",
            Self::Facility => "FACILITY",
            Self::InCare => "IN_CARE",
        }
    }

    /// The relation with this stored form.
    pub fn parse(code: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|relation| relation.code() == code)
    }
}

/// Some permissions, where they hold and under which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// What is permitted.
    pub permissions: PermissionSet,
    /// At which branch; everywhere when absent.
    pub facility: Option<FacilityId>,
    /// The relation that must hold.
    pub condition: Option<Relation>,
}

impl Grant {
    /// Permissions that hold everywhere and always.
    pub const fn everywhere(permissions: PermissionSet) -> Self {
        Self { permissions, facility: None, condition: None }
    }

    /// Whether it holds everywhere and always.
    pub const fn is_unbound(&self) -> bool {
        self.facility.is_none() && self.condition.is_none()
    }
}

/// What is permitted without a condition at a branch, or, without one, everywhere.
pub fn held_at(grants: &[Grant], facility: Option<FacilityId>) -> PermissionSet {
    let there = |grant: &&Grant| {
        grant.condition.is_none() && (grant.facility.is_none() || grant.facility == facility)
    };
    grants.iter().filter(there).fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions))
}

/// Emergency access to one patient, while it lasts. It goes over what roles lack, branches, conditions, labels and
/// directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// The declaration.
    pub id: BreakGlassId,
    /// Whose record.
    pub patient: PatientId,
    /// The permissions of the classes that were opened.
    pub permissions: PermissionSet,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// The roles a user holds, and what they permit.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Codes of the roles, sorted.
    pub roles: Vec<String>,
    /// What they permit, where.
    pub list: Vec<Grant>,
}

impl Grants {
    /// Everything that is permitted somewhere.
    pub fn permissions(&self) -> PermissionSet {
        self.list.iter().fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions))
    }
}

/// Reads what a user's memberships permit.
///
/// With a branch chosen only memberships of that branch and clinic-wide ones count; a branch where the user is
/// no member gives `None`. Memberships of a branch apply at that branch, whether it was chosen or not.
pub async fn load_grants(
    db: &TenantDb,
    user: UserId,
    facility: Option<FacilityId>,
) -> Result<Option<Grants>, Failure> {
    let memberships = membership::Entity::find().filter(membership::Column::UserId.eq(user)).all(db).await?;
    let counted: Vec<_> = memberships
        .into_iter()
        .filter(|membership| {
            facility.is_none() || membership.facility_id.is_none() || membership.facility_id == facility
        })
        .collect();
    if counted.is_empty() && facility.is_some() {
        return Ok(None);
    }
    let held: Vec<_> = counted.iter().map(|membership| membership.role_id.0).collect();
    let roles = role::Entity::find()
        .filter(Expr::cust_with_values("id = ANY($1)", [held]))
        .filter(role::Column::Retired.eq(false))
        .all(db)
        .await?;
    let held: Vec<_> = roles.iter().map(|role| role.id.0).collect();
    let permissions = role_permission::Entity::find()
        .filter(Expr::cust_with_values("role_id = ANY($1)", [held]))
        .all(db)
        .await?;
    let mut of: HashMap<RoleId, Vec<(Option<Relation>, PermissionSet)>> = HashMap::new();
    for row in permissions {
        if let Some(grant) = known(&row) {
            of.entry(row.role_id).or_default().push(grant);
        }
    }
    let mut list: Vec<Grant> = Vec::new();
    for membership in counted {
        for (condition, permissions) in of.get(&membership.role_id).into_iter().flatten() {
            add(&mut list, membership.facility_id, *condition, *permissions);
        }
    }
    let mut codes: Vec<_> = roles.into_iter().map(|role| role.code).collect();
    codes.sort_unstable();
    // In one order, so that whoever asks twice can tell whether something changed.
    list.sort_unstable_by_key(|grant| (grant.facility, grant.condition));
    Ok(Some(Grants { roles: codes, list }))
}

/// Reads what a role permits; `None` when there is no such role.
pub async fn load_role(db: &TenantDb, code: &str) -> Result<Option<Vec<Grant>>, Failure> {
    let role = role::Entity::find()
        .filter(role::Column::Code.eq(code))
        .filter(role::Column::Retired.eq(false))
        .one(db)
        .await?;
    let Some(role) = role else { return Ok(None) };
    let permissions = role_permission::Entity::find().filter(role_permission::Column::RoleId.eq(role.id));
    let mut list = Vec::new();
    for row in permissions.all(db).await? {
        if let Some((condition, permissions)) = known(&row) {
            add(&mut list, None, condition, permissions);
        }
    }
    Ok(Some(list))
}

/// What a row grants. A permission or condition that this version does not know grants nothing; `*` grants
/// everything that this version knows.
fn known(row: &role_permission::Model) -> Option<(Option<Relation>, PermissionSet)> {
    let condition = Relation::parse(&row.condition);
    let known = condition.is_some() || row.condition.is_empty();
    let permissions = match row.permission.as_str() {
        EVERYTHING => PermissionSet::all(),
        code => PermissionSet::of(&[Permission::parse(code)?]),
    };
    known.then_some((condition, permissions))
}

fn add(
    list: &mut Vec<Grant>,
    facility: Option<FacilityId>,
    condition: Option<Relation>,
    permissions: PermissionSet,
) {
    let permissions = if facility.is_some() { permissions.without(CLINIC) } else { permissions };
    if permissions.is_empty() {
        return;
    }
    let same = |grant: &&mut Grant| grant.facility == facility && grant.condition == condition;
    match list.iter_mut().find(same) {
        Some(grant) => grant.permissions = grant.permissions.union(permissions),
        None => list.push(Grant { permissions, facility, condition }),
    }
}

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

/// A relation of the actor to a patient or row, or a state of the patient, that a grant may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// Emergency access to one patient, while it lasts. It lifts branches, conditions, labels and directives, and
/// gives nothing that no role of the actor permits somewhere.
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
    let mut of: HashMap<RoleId, Vec<(Option<Relation>, Permission)>> = HashMap::new();
    for row in permissions {
        // A permission or condition that this version does not know grants nothing.
        let Some(permission) = Permission::parse(&row.permission) else { continue };
        let condition = Relation::parse(&row.condition);
        if condition.is_some() || row.condition.is_empty() {
            of.entry(row.role_id).or_default().push((condition, permission));
        }
    }
    let mut list: Vec<Grant> = Vec::new();
    for membership in counted {
        for (condition, permission) in of.get(&membership.role_id).into_iter().flatten() {
            add(&mut list, membership.facility_id, *condition, *permission);
        }
    }
    let mut codes: Vec<_> = roles.into_iter().map(|role| role.code).collect();
    codes.sort_unstable();
    Ok(Some(Grants { roles: codes, list }))
}

fn add(
    list: &mut Vec<Grant>,
    facility: Option<FacilityId>,
    condition: Option<Relation>,
    permission: Permission,
) {
    if facility.is_some() && CLINIC.contains(permission) {
        return;
    }
    let same = |grant: &&mut Grant| grant.facility == facility && grant.condition == condition;
    match list.iter_mut().find(same) {
        Some(grant) => grant.permissions.insert(permission),
        None => list.push(Grant { permissions: PermissionSet::of(&[permission]), facility, condition }),
    }
}

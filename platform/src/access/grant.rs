//! What a role permits, where, and under which condition.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{BreakGlassId, FacilityId, PatientId, UserId},
    role, role_permission,
};
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, Statement};
use serde::Deserialize;
use uuid::Uuid;

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
    /// Whether one of the roles, wherever it is held, asks for a second factor.
    pub second_factor_required: bool,
}

impl Grants {
    /// What memberships permit.
    ///
    /// With a branch chosen only memberships of that branch and clinic-wide ones count; a branch where the user is
    /// no member gives `None`. Memberships of a branch apply at that branch, whether it was chosen or not.
    pub(crate) fn of(held: Vec<Held>, facility: Option<FacilityId>) -> Option<Self> {
        let second_factor_required = held.iter().any(|held| held.second_factor_required);
        let at = |held: &Held| held.facility_id.map(FacilityId);
        let counts = |held: &Held| facility.is_none() || at(held).is_none() || at(held) == facility;
        let counted: Vec<_> = held.into_iter().filter(counts).collect();
        if counted.is_empty() && facility.is_some() {
            return None;
        }
        let mut list: Vec<Grant> = Vec::new();
        let mut roles = BTreeSet::new();
        for held in counted {
            let facility = at(&held);
            for (condition, permissions) in
                held.permissions.iter().filter_map(|code| known(&held.condition, code))
            {
                add(&mut list, facility, condition, permissions);
            }
            roles.extend(held.code);
        }
        // In one order, so that whoever asks twice can tell whether something changed.
        list.sort_unstable_by_key(|grant| (grant.facility, grant.condition));
        Some(Self { roles: roles.into_iter().collect(), list, second_factor_required })
    }

    /// Everything that is permitted somewhere.
    pub fn permissions(&self) -> PermissionSet {
        self.list.iter().fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions))
    }
}

/// What a user holds: a row for each branch, role and condition. A retired role grants nothing, and its holder is a
/// member all the same.
pub(super) const HELD: &str = "SELECT m.facility_id, r.code, coalesce(r.second_factor_required, false) AS second_factor_required,
        coalesce(p.condition, '') AS condition, array_remove(array_agg(p.permission), NULL) AS permissions
    FROM membership m LEFT JOIN role r ON r.id = m.role_id AND NOT r.retired LEFT JOIN role_permission p ON p.role_id = r.id
    WHERE m.user_id = $1 GROUP BY m.facility_id, r.code, r.second_factor_required, p.condition";

#[derive(FromQueryResult, Deserialize)]
pub(crate) struct Held {
    facility_id: Option<Uuid>,
    code: Option<String>,
    second_factor_required: bool,
    condition: String,
    permissions: Vec<String>,
}

/// Reads what a user's memberships permit, with one statement: see [`Grants::of`].
pub async fn load_grants(
    db: &TenantDb,
    user: UserId,
    facility: Option<FacilityId>,
) -> Result<Option<Grants>, Failure> {
    let find = Statement::from_sql_and_values(DbBackend::Postgres, HELD, [user.0.into()]);
    Ok(Grants::of(Held::find_by_statement(find).all(db).await?, facility))
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
        if let Some((condition, permissions)) = known(&row.condition, &row.permission) {
            add(&mut list, None, condition, permissions);
        }
    }
    Ok(Some(list))
}

/// What is granted under a condition. A permission or condition that this version does not know grants nothing; `*`
/// grants everything that this version knows.
fn known(condition: &str, permission: &str) -> Option<(Option<Relation>, PermissionSet)> {
    let relation = Relation::parse(condition);
    let known = relation.is_some() || condition.is_empty();
    let permissions = match permission {
        EVERYTHING => PermissionSet::all(),
        code => PermissionSet::of(&[Permission::parse(code)?]),
    };
    known.then_some((relation, permissions))
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

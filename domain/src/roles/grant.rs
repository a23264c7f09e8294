//! Giving a person a role, at one branch or everywhere.

use praxis_entity::ids::{FacilityId, RoleId, UserId};
use praxis_platform::{Op, Write};

use super::{
    reach, read,
    review::{Held, held_by_ids},
};
use crate::{Result, Violation, identity};

/// Who holds which role where.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Who.
    pub user: UserId,
    /// Which role.
    pub role: RoleId,
    /// At which branch; everywhere without one.
    pub facility: Option<FacilityId>,
}

/// Gives the role, if the actor holds all that it permits. Who holds it already keeps it.
pub async fn grant(op: &Op<Write>, grant: Grant) -> Result<Held> {
    reach::manage(op)?;
    let role = read::in_use(op, grant.role, "roleId").await?;
    reach::covers(op, role.permissions())?;
    let membership = identity::grant_role(op, grant.user, &role.row.code, grant.facility).await?;
    let held = held_by_ids(op, &[membership.id]).await?.pop();
    held.ok_or_else(|| Violation::unknown("userId").into())
}

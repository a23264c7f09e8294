//! Taking a role out of use: it permits nothing any more. Who held it stays on record.

use praxis_entity::{ids::RoleId, role};
use praxis_platform::{Op, Write, audit::Entry};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};

use super::{
    change::outdated,
    reach,
    read::{self, Role},
};
use crate::{Result, identity::owners};

/// Takes a role out of use.
pub async fn retire(op: &Op<Write>, id: RoleId, if_version: i32) -> Result<Role> {
    reach::manage(op)?;
    let owners = owners::lock(op).await?;
    let stored = read::in_use(op, id, "id").await?;
    if stored.row.version != if_version {
        return Err(outdated(stored.row.version).into());
    }
    reach::covers(op, stored.permissions())?;
    let row = role::ActiveModel {
        id: Unchanged(id),
        retired: Set(true),
        customised: Set(true),
        ..Default::default()
    };
    let row = role::Entity::update(row).exec(op.db()).await?;
    owners.remain(op, "id").await?;
    op.record(Entry::done("role.retire").on("Role", id.0, row.version));
    Ok(Role { row, ..stored })
}

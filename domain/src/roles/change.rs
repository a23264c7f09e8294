//! Changing a role: its name, what it is for, what it permits.

use praxis_entity::{ids::RoleId, role, role_permission};
use praxis_platform::{Op, Write, access::PermissionSet, audit::Entry};
use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter,
};
use serde_json::{Value as Json, json};

use super::{
    create::permit,
    owners, reach,
    read::{self, Role},
};
use crate::{Detail, Result, Violation, ViolationCode, clinic::text, error::Violations};

/// What of a role changes; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// All that it permits from now on: codes of permissions, or `*` alone.
    pub permissions: Option<Vec<String>>,
}

/// Changes a role. One that came from a template is the clinic's own from then on.
///
/// The actor must hold what the role permitted as well as what it will: otherwise somebody could strip
/// those who may do more.
pub async fn change(op: &Op<Write>, id: RoleId, if_version: i32, change: RoleChange) -> Result<Role> {
    reach::manage(op)?;
    let mut found = Violations::default();
    let name = change.name.map(|name| text::line(&mut found, &["name"], &name, 100));
    let description = change.description.map(|text| text::line(&mut found, &["description"], &text, 500));
    let permissions = change.permissions.as_ref().map(|codes| (codes, read::parse(&mut found, codes)));
    found.check()?;
    owners::lock(op).await?;
    let stored = read::in_use(op, id, "id").await?;
    if stored.row.version != if_version {
        return Err(outdated(stored.row.version).into());
    }
    let after = permissions.map_or(PermissionSet::NONE, |(_, set)| set);
    reach::covers(op, stored.permissions().union(after))?;
    let row = role::ActiveModel {
        id: Unchanged(id),
        name: name.map_or(NotSet, Set),
        description: description.map_or(NotSet, Set),
        customised: Set(true),
        ..Default::default()
    };
    let row = role::Entity::update(row).exec(op.db()).await?;
    let before = said(&stored.row, &stored.codes);
    let codes = match permissions {
        Some((given, set)) => {
            let codes = read::stored(given, set);
            replace(op, id, &stored.codes, &codes).await?;
            codes
        }
        None => stored.codes,
    };
    owners::remain(op, "permissions").await?;
    let mut codes = codes;
    codes.sort_unstable();
    let entry = Entry::done("role.change").on("Role", id.0, row.version);
    op.record(op.changed_here(entry, &before, &said(&row, &codes)).await?);
    Ok(Role { id, row, codes })
}

/// What the log says of a role.
fn said(row: &role::Model, codes: &[String]) -> Json {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    json!({ "name": row.name, "description": row.description, "permissions": codes })
}

/// Takes away what is no longer permitted and adds what is new; the rest keeps its conditions.
pub(super) async fn replace(op: &Op<Write>, id: RoleId, before: &[String], after: &[String]) -> Result<()> {
    let gone: Vec<String> = before.iter().filter(|code| !after.contains(code)).cloned().collect();
    if !gone.is_empty() {
        role_permission::Entity::delete_many()
            .filter(role_permission::Column::RoleId.eq(id))
            .filter(role_permission::Column::Permission.is_in(gone))
            .exec(op.db())
            .await?;
    }
    permit(op, id, after).await
}

pub(super) fn outdated(current: i32) -> Violation {
    Violation::at(
        ViolationCode::VersionConflict,
        &["ifVersion"],
        "Somebody else changed this role meanwhile.",
    )
    .with(Detail::Version { current })
}

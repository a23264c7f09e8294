//! Changing a role: its name, what it is for, what it permits.

use std::collections::BTreeMap;

use praxis_entity::{ids::RoleId, role, role_permission};
use praxis_platform::{Op, Write, access::Relation, audit::Entry};
use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter,
};
use serde_json::{Value as Json, json};

use super::{
    create::permit,
    reach,
    read::{self, Permitted, Role},
};
use crate::{Detail, Result, Violation, ViolationCode, clinic::text, error::Violations, identity::owners};

/// What of a role changes; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// All that it permits from now on: codes of permissions, or `*` alone.
    pub permissions: Option<Vec<String>>,
    /// All relations that must hold from now on, each for one permission.
    pub conditions: Option<Vec<(String, Relation)>>,
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
    let owners = owners::lock(op).await?;
    let stored = read::in_use(op, id, "id").await?;
    if stored.row.version != if_version {
        return Err(outdated(stored.row.version).into());
    }
    let after = permissions.map_or_else(|| stored.permissions(), |(_, set)| set);
    reach::covers(op, stored.permissions().union(after))?;
    let mut found = Violations::default();
    let conditions = change.conditions.map(|given| read::conditions(&mut found, &given, after));
    found.check()?;
    let row = role::ActiveModel {
        id: Unchanged(id),
        name: name.map_or(NotSet, Set),
        description: description.map_or(NotSet, Set),
        customised: Set(true),
        ..Default::default()
    };
    let row = role::Entity::update(row).exec(op.db()).await?;
    let before = said(&stored.row, &stored.permitted);
    let codes = match permissions {
        Some((given, set)) => read::stored(given, set),
        None => stored.permitted.keys().cloned().collect(),
    };
    let condition = |code: &String| match &conditions {
        Some(conditions) => conditions.get(code).copied(),
        None => stored.permitted.get(code).copied().flatten(),
    };
    let permitted = codes.into_iter().map(|code| (code.clone(), condition(&code))).collect();
    replace(op, id, &stored.permitted, &permitted).await?;
    owners.remain(op, "permissions").await?;
    let entry = Entry::done("role.change").on("Role", id.0, row.version);
    op.record(op.changed_here(entry, &before, &said(&row, &permitted)).await?);
    Ok(Role { id, row, permitted })
}

/// What the log says of a role.
fn said(row: &role::Model, permitted: &Permitted) -> Json {
    let codes: Vec<_> = permitted.keys().collect();
    let bound = permitted.iter().filter_map(|(code, relation)| Some((code, (*relation)?.code())));
    let conditions: BTreeMap<_, _> = bound.collect();
    json!({ "name": row.name, "description": row.description, "permissions": codes, "conditions": conditions })
}

/// Takes away what is no longer permitted, or no longer so, and adds what is new.
pub(super) async fn replace(op: &Op<Write>, id: RoleId, before: &Permitted, after: &Permitted) -> Result<()> {
    let gone = before.iter().filter(|(code, condition)| after.get(*code) != Some(condition));
    let gone: Vec<String> = gone.map(|(code, _)| code.clone()).collect();
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

//! Bringing the default roles of a clinic to what its template says now.

use praxis_entity::role;
use praxis_platform::{
    Op, Write,
    access::{EVERYTHING, Permission, PermissionSet},
    audit::Entry,
    template::Template,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};

use super::{change::replace, create::permit, read};
use crate::Result;

/// What became of the default roles, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ensured {
    /// Made, because they were missing.
    pub made: Vec<String>,
    /// Brought to what the template says now.
    pub renewed: Vec<String>,
    /// Left alone, because the clinic made them its own.
    pub kept: Vec<String>,
}

impl Ensured {
    /// Whether something changed.
    pub fn changed(&self) -> bool {
        !self.made.is_empty() || !self.renewed.is_empty()
    }
}

/// Makes the default roles that are missing, and renews those that the clinic left as they were.
pub async fn ensure(op: &Op<Write>, template: &Template) -> Result<Ensured> {
    op.require(Permission::ROLE_MANAGE)?;
    let mut ensured = Ensured::default();
    let stored = read::all(op).await?;
    for wanted in &template.roles {
        let given =
            if wanted.permissions == PermissionSet::all() { vec![EVERYTHING.to_owned()] } else { Vec::new() };
        let codes = read::stored(&given, wanted.permissions);
        let seeded = role::ActiveModel {
            code: Set(wanted.code.clone()),
            name: Set(wanted.name.clone()),
            description: Set(wanted.description.clone()),
            template_key: Set(Some(wanted.key())),
            template_hash: Set(Some(wanted.content_hash().to_owned())),
            ..Default::default()
        };
        let (row, list) = match stored.iter().find(|role| role.row.code == wanted.code) {
            None => {
                let id = praxis_entity::ids::RoleId(wanted.row_id(op.tenant().uuid()));
                let row = role::Entity::insert(role::ActiveModel { id: Set(id), ..seeded });
                let row = row.exec_with_returning(op.db()).await?;
                permit(op, row.id, &codes.into_iter().map(|code| (code, None)).collect()).await?;
                (row, &mut ensured.made)
            }
            Some(role) if role.row.customised || role.row.retired => {
                ensured.kept.push(wanted.code.clone());
                continue;
            }
            Some(role)
                if codes.iter().all(|code| role.permitted.contains_key(code))
                    && role.permitted.len() == codes.len() =>
            {
                continue;
            }
            Some(role) => {
                let row = role::ActiveModel { id: Unchanged(role.id), ..seeded };
                let row = role::Entity::update(row).exec(op.db()).await?;
                // What a template permits it permits always; a condition is the clinic's own.
                let kept = |code: &String| role.permitted.get(code).copied().flatten();
                let after = codes.into_iter().map(|code| (code.clone(), kept(&code))).collect();
                replace(op, role.id, &role.permitted, &after).await?;
                (row, &mut ensured.renewed)
            }
        };
        list.push(row.code.clone());
        op.record(Entry::done("role.ensure").on("Role", row.id.0, row.version));
    }
    Ok(ensured)
}

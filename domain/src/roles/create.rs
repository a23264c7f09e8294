//! Making a role.

use praxis_entity::{ids::RoleId, role, role_permission};
use praxis_platform::{Op, Write, access::Relation, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::{
    reach,
    read::{self, Permitted, Role},
};
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations};

/// A new role.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// Code, unique in the clinic: small letters, digits, underscores.
    pub code: String,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Codes of permissions, or `*` alone.
    pub permissions: Vec<String>,
    /// Relations that must hold for some of them.
    pub conditions: Vec<(String, Relation)>,
}

/// Makes a role that permits no more than the actor holds.
pub async fn create(op: &Op<Write>, new: NewRole) -> Result<Role> {
    reach::manage(op)?;
    let mut found = Violations::default();
    let code = text::line(&mut found, &["code"], &new.code, 60);
    if !code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        let message = "A code consists of small letters, digits and underscores.";
        found.add(ViolationCode::Invalid, &["code"], message);
    }
    let name = text::line(&mut found, &["name"], &new.name, 100);
    let description = text::line(&mut found, &["description"], &new.description, 500);
    let permissions = read::parse(&mut found, &new.permissions);
    let conditions = read::conditions(&mut found, &new.conditions, permissions);
    found.check()?;
    reach::covers(op, permissions)?;
    let row = role::ActiveModel {
        id: Set(RoleId(op.new_id())),
        code: Set(code),
        name: Set(name),
        description: Set(description),
        customised: Set(true),
        ..Default::default()
    };
    let row = role::Entity::insert_many([row])
        .on_conflict(OnConflict::column(role::Column::Code).do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &["code"], "Another role has this code.")
        })?;
    let codes = read::stored(&new.permissions, permissions).into_iter();
    let permitted = codes.map(|code| (code.clone(), conditions.get(&code).copied())).collect();
    permit(op, row.id, &permitted).await?;
    op.record(Entry::done("role.create").on("Role", row.id.0, row.version));
    Ok(Role { id: row.id, row, permitted })
}

/// Lets a role do something more.
pub(super) async fn permit(op: &Op<Write>, role: RoleId, permitted: &Permitted) -> Result<()> {
    if permitted.is_empty() {
        return Ok(());
    }
    let row = |(code, condition): (&String, &Option<Relation>)| role_permission::ActiveModel {
        role_id: Set(role),
        permission: Set(code.clone()),
        condition: Set(condition.map(Relation::code).unwrap_or_default().to_owned()),
    };
    role_permission::Entity::insert_many(permitted.iter().map(row))
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    Ok(())
}

//! Asking for a permission before a field is read.

use praxis_entity::{field_policy, ids::FieldPolicyId};
use praxis_platform::{
    Op, Write,
    access::{Permission, Relation},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};
use serde_json::{Value as Json, json};

use crate::{Result, ViolationCode, clinic::text, error::Violations};

/// A policy of a field.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// GraphQL type.
    pub type_name: String,
    /// Its field.
    pub field: String,
    /// What is asked for.
    pub permission: String,
    /// And this relation to the patient or row.
    pub condition: Option<Relation>,
    /// Why.
    pub reason: String,
}

/// Asks for a permission, and perhaps a relation, before a field is read. The same permission asked for before
/// is asked for under the new condition.
///
/// Whether the field exists, and may be bound, the caller knows.
pub async fn set(op: &Op<Write>, new: SetPolicy) -> Result<field_policy::Model> {
    op.require(Permission::POLICY_MANAGE)?;
    op.require_step_up()?;
    let mut found = Violations::default();
    let reason = text::line(&mut found, &["reason"], &new.reason, 500);
    if Permission::parse(&new.permission).is_none() {
        found.add(ViolationCode::NotFound, &["permission"], "There is no such permission.");
    }
    found.check()?;
    let condition = new.condition.map(Relation::code).unwrap_or_default().to_owned();
    let same = field_policy::Entity::find()
        .filter(field_policy::Column::TypeName.eq(&new.type_name))
        .filter(field_policy::Column::FieldName.eq(&new.field))
        .filter(field_policy::Column::Permission.eq(&new.permission))
        .lock(LockType::NoKeyUpdate);
    let before = same.one(op.db()).await?;
    let was = before.as_ref().map(said);
    let stored = match before {
        Some(stored) => {
            let row = field_policy::ActiveModel {
                id: Unchanged(stored.id),
                condition: Set(condition),
                reason: Set(reason),
                customised: Set(true),
                ..Default::default()
            };
            field_policy::Entity::update(row).exec(op.db()).await?
        }
        None => {
            let row = field_policy::ActiveModel {
                id: Set(FieldPolicyId(op.new_id())),
                type_name: Set(new.type_name),
                field_name: Set(new.field),
                permission: Set(new.permission),
                condition: Set(condition),
                reason: Set(reason),
                customised: Set(true),
                ..Default::default()
            };
            field_policy::Entity::insert(row).exec_with_returning(op.db()).await?
        }
    };
    let entry = Entry::done("field-policy.set");
    let entry = Entry { object_type: Some("FieldPolicy"), object_id: Some(stored.id.0), ..entry };
    op.record(op.changed_here(entry, &was, &Some(said(&stored))).await?);
    Ok(stored)
}

/// What the log says of a policy.
pub(super) fn said(row: &field_policy::Model) -> Json {
    let field = format!("{}.{}", row.type_name, row.field_name);
    json!({ "field": field, "permission": row.permission, "condition": row.condition, "reason": row.reason })
}

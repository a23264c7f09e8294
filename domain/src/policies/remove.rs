//! Asking for a permission no more. What the platform asks for stays.

use praxis_entity::{field_policy, ids::FieldPolicyId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::EntityTrait;

use super::set::said;
use crate::{Result, Violation};

/// Removes a policy of the clinic.
pub async fn remove(op: &Op<Write>, id: FieldPolicyId) -> Result<field_policy::Model> {
    op.require(Permission::POLICY_MANAGE)?;
    op.require_step_up()?;
    let stored = field_policy::Entity::find_by_id(id).one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    field_policy::Entity::delete_by_id(id).exec(op.db()).await?;
    let entry = Entry::done("field-policy.remove");
    let entry = Entry { object_type: Some("FieldPolicy"), object_id: Some(id.0), ..entry };
    op.record(op.changed_here(entry, &Some(said(&stored)), &None).await?);
    Ok(stored)
}

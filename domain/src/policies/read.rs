//! The policies of the clinic.

use praxis_entity::{field_policy, ids::FieldPolicyId};
use praxis_platform::{Op, access::Permission};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

/// All policies of the clinic, by type and field.
pub async fn list<M>(op: &Op<M>) -> Result<Vec<field_policy::Model>> {
    op.require(Permission::POLICY_READ)?;
    let policies = field_policy::Entity::find()
        .order_by_asc(field_policy::Column::TypeName)
        .order_by_asc(field_policy::Column::FieldName)
        .order_by_asc(field_policy::Column::Permission);
    Ok(policies.all(op.db()).await?)
}

/// Policies by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[FieldPolicyId]) -> Result<Vec<field_policy::Model>> {
    op.require(Permission::POLICY_READ)?;
    let wanted = any_of(field_policy::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(field_policy::Entity::find().filter(wanted).all(op.db()).await?)
}

//! The field policies a clinic added: permissions asked for beyond the platform's own.

use std::collections::HashMap;

use praxis_entity::field_policy;
use sea_orm::EntityTrait;

use super::Permission;
use crate::{Failure, tenancy::TenantDb};

/// What a clinic asks for in addition, by type and field. It can only tighten.
#[derive(Debug, Default)]
pub struct FieldPolicies {
    extra: HashMap<String, Vec<Option<Permission>>>,
}

impl FieldPolicies {
    /// The additional permissions for `Type.field`. `None` stands for a permission that this
    /// version does not know: nobody holds it.
    pub fn extra(&self, coordinate: &str) -> &[Option<Permission>] {
        self.extra.get(coordinate).map_or(&[], Vec::as_slice)
    }
}

/// Reads the policies of the clinic.
pub async fn load_field_policies(db: &TenantDb) -> Result<FieldPolicies, Failure> {
    let mut policies = FieldPolicies::default();
    for row in field_policy::Entity::find().all(db).await? {
        policies
            .extra
            .entry(format!("{}.{}", row.type_name, row.field_name))
            .or_default()
            .push(Permission::parse(&row.permission));
    }
    Ok(policies)
}

//! Which roles ask for a second factor.

use praxis_entity::role;
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};

use crate::{Result, Violation, identity::reach};

/// Makes a role ask for a second factor, or not. Sessions that showed none can from then on do
/// nothing but show or enrol one.
pub async fn role_require_second_factor(op: &Op<Write>, code: &str, required: bool) -> Result<role::Model> {
    op.actor().require_everywhere(Permission::ROLE_MANAGE)?;
    op.require_step_up()?;
    let stored = role::Entity::find()
        .filter(role::Column::Code.eq(code))
        .filter(role::Column::Retired.eq(false))
        .lock(LockType::NoKeyUpdate)
        .one(op.db())
        .await?
        .ok_or_else(|| Violation::unknown("role"))?;
    // Else whoever may less could take the lock off the door of who may more.
    reach::require_role(op, stored.id, None).await?;
    let row = role::ActiveModel {
        id: Unchanged(stored.id),
        second_factor_required: Set(required),
        ..Default::default()
    };
    let changed = role::Entity::update(row).exec(op.db()).await?;
    let entry = Entry::done("role.require-second-factor").on("Role", changed.id.0, changed.version);
    let (was, is) = (stored.second_factor_required, changed.second_factor_required);
    op.record(op.changed_here(entry, &was, &is).await?);
    Ok(changed)
}

/// A role by its code, for a retry to find it again.
pub async fn role_by_code(op: &Op<Write>, code: &str) -> Result<Option<role::Model>> {
    Ok(role::Entity::find().filter(role::Column::Code.eq(code)).one(op.db()).await?)
}

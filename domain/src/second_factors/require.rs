//! Which roles ask for a second factor.

use praxis_entity::role;
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{Result, Violation};

/// Makes a role ask for a second factor, or not. Sessions that showed none can from then on do
/// nothing but show or enrol one.
pub async fn role_require_second_factor(op: &Op<Write>, code: &str, required: bool) -> Result<role::Model> {
    op.require(Permission::ROLE_MANAGE)?;
    op.require_step_up()?;
    let changed = role::Entity::update_many()
        .set(role::ActiveModel { second_factor_required: Set(required), ..Default::default() })
        .filter(role::Column::Code.eq(code))
        .filter(role::Column::Retired.eq(false))
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| Violation::unknown("role"))?;
    op.record(Entry::done("role.require-second-factor").on("Role", changed.id.0, 1));
    Ok(changed)
}

/// A role by its code, for a retry to find it again.
pub async fn role_by_code(op: &Op<Write>, code: &str) -> Result<Option<role::Model>> {
    Ok(role::Entity::find().filter(role::Column::Code.eq(code)).one(op.db()).await?)
}

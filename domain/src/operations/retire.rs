//! Retiring an operation: it can't be called any more, and its id keeps its meaning.

use praxis_entity::registered_operation::{self, Column, OperationStatus};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Result, Violation};

/// Retires an operation of the clinic; one that is retired stays so.
pub async fn retire(op: &Op<Write>, document_id: &str) -> Result<registered_operation::Model> {
    op.require(Permission::OPERATION_MANAGE)?;
    let stored = registered_operation::Entity::find()
        .filter(Column::DocumentId.eq(document_id))
        .one(op.db())
        .await?
        .ok_or_else(|| Violation::unknown("documentId"))?;
    if stored.status == OperationStatus::Active {
        registered_operation::Entity::update_many()
            .col_expr(Column::Status, Expr::value(OperationStatus::Retired))
            .col_expr(Column::RetiredAt, Expr::value(op.now()))
            .filter(Column::Id.eq(stored.id))
            .exec(op.db())
            .await?;
    }
    op.record(Entry::done("operation.retire").on("RegisteredOperation", stored.id.0, 1));
    let now = op.now();
    let retired_at = stored.retired_at.or(Some(now));
    Ok(registered_operation::Model { status: OperationStatus::Retired, retired_at, ..stored })
}

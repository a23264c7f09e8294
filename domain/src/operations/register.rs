//! Registering operations. Doing it again changes nothing.

use praxis_entity::{
    ids::RegisteredOperationId,
    registered_operation::{self, Column, OperationKind, OperationStatus},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Result, Violation, ViolationCode};

/// An operation that was judged and may be registered.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The id by which clients will call it.
    pub document_id: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// Name of the operation.
    pub name: String,
    /// What it does.
    pub kind: OperationKind,
    /// The text.
    pub body: String,
    /// What it costs.
    pub cost: i64,
    /// How deep its fields lie.
    pub depth: i32,
    /// May be sent by GET.
    pub by_get: bool,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// It is new.
    Added,
    /// It was retired, and may be called again.
    Restored,
    /// It was there.
    Unchanged,
}

/// Registers operations, all of them or none.
pub async fn register(op: &Op<Write>, new: Vec<NewOperation>) -> Result<Vec<Registration>> {
    op.require(Permission::OPERATION_MANAGE)?;
    let mut registrations = Vec::with_capacity(new.len());
    for operation in new {
        registrations.push(register_one(op, operation).await?);
    }
    op.record(Entry::done("operation.push"));
    Ok(registrations)
}

async fn register_one(op: &Op<Write>, new: NewOperation) -> Result<Registration> {
    let stored = registered_operation::Entity::find()
        .filter(Column::DocumentId.eq(new.document_id.clone()))
        .one(op.db())
        .await?;
    let Some(stored) = stored else {
        let id = RegisteredOperationId(op.new_id());
        let row = registered_operation::ActiveModel {
            id: Set(id),
            document_id: Set(new.document_id),
            sha256: Set(new.sha256),
            name: Set(new.name),
            kind: Set(new.kind),
            body: Set(new.body),
            cost: Set(new.cost),
            depth: Set(new.depth),
            by_get: Set(new.by_get),
            status: Set(OperationStatus::Active),
            created_at: Set(op.now()),
            retired_at: Set(None),
        };
        registered_operation::Entity::insert(row).exec_without_returning(op.db()).await?;
        op.record(Entry::done("operation.register").on("RegisteredOperation", id.0, 1));
        return Ok(Registration::Added);
    };
    if stored.sha256 != new.sha256 {
        let message = format!("Another text is registered under the id {}.", new.document_id);
        return Err(Violation::at(ViolationCode::AlreadyExists, &["operations"], message).into());
    }
    if stored.status == OperationStatus::Active {
        return Ok(Registration::Unchanged);
    }
    registered_operation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(OperationStatus::Active))
        .col_expr(Column::RetiredAt, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
        .filter(Column::Id.eq(stored.id))
        .exec(op.db())
        .await?;
    op.record(Entry::done("operation.restore").on("RegisteredOperation", stored.id.0, 1));
    Ok(Registration::Restored)
}

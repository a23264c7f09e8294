//! Long work: on a clinic, or on the installation.

use async_graphql::{ComplexObject, Context, Error, ID, SimpleObject};
use praxis_fleet::{registry, tenant};
use uuid::Uuid;

use crate::{
    error::database,
    ground::reading,
    scalar::{DateTime, Json},
    stored::{OperationKind, OperationState, Stored},
    tenants::Tenant,
};

/// Long work on a clinic, or on the installation.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(crate) struct Operation {
    #[graphql(skip)]
    clinic: Option<Uuid>,
    /// Its id.
    id: ID,
    /// What it is about.
    kind: OperationKind,
    /// What it is known by: asked for again under the same key, it is the same one.
    idempotency_key: String,
    /// How far it is.
    state: OperationState,
    /// What it is at.
    step: Option<String>,
    /// How much is done: rows, or clinics.
    progress: f64,
    /// How often it was begun.
    attempts: i32,
    /// What came of it; nothing of a patient.
    detail: Json,
    /// Why it failed.
    error: Option<String>,
    /// Who asked for it.
    actor: String,
    /// When it was asked for.
    created_at: DateTime,
    /// When it was begun last.
    started_at: Option<DateTime>,
    /// When it ended.
    finished_at: Option<DateTime>,
}

#[ComplexObject]
impl Operation {
    /// The clinic that it is about; null for what is about the installation, and until a new one is there.
    #[graphql(complexity = "1 + child_complexity")]
    async fn tenant(&self, context: &Context<'_>) -> Result<Option<Tenant>, Error> {
        let Some(clinic) = self.clinic else { return Ok(None) };
        let mut connection = reading(context).await?;
        Ok(registry::tenant(&mut connection, clinic).await.map_err(database)?.map(Tenant::from))
    }
}

impl From<tenant::Operation> for Operation {
    #[expect(clippy::cast_precision_loss, reason = "rows of a clinic are far fewer than 2^52")]
    fn from(row: tenant::Operation) -> Self {
        Self {
            clinic: row.tenant_id,
            id: ID(row.id.to_string()),
            kind: OperationKind::read(&row.kind),
            idempotency_key: row.idempotency_key,
            state: OperationState::read(&row.state),
            step: row.step,
            progress: row.progress as f64,
            attempts: row.attempts,
            detail: Json(row.detail),
            error: row.error,
            actor: row.actor,
            created_at: DateTime(row.created_at),
            started_at: row.started_at.map(DateTime),
            finished_at: row.finished_at.map(DateTime),
        }
    }
}

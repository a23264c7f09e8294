//! What can be asked for, and how each of it is done.

use praxis_platform::tenancy::{Installation, MAIN};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Executor, migration::Run};
use crate::tenant::{
    self, Cloning, LifeError, NewClinic, Operation, Relocating, create_further, operation::Kind,
};

/// A sandbox to be made of a clinic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sandbox {
    /// Its subdomain.
    pub as_slug: String,
}

/// A clinic to be brought to another cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The cell.
    pub to: String,
}

/// Schemas to be made ahead of need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// How many are to be ready.
    pub size: i64,
    /// In which cell; in the control database when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// The template whose rows they are to hold; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

/// Something that can be asked for.
#[derive(Debug, Clone)]
pub enum Task {
    /// A clinic to be made.
    Provision(NewClinic),
    /// A sandbox of a clinic.
    Clone(Uuid, Sandbox),
    /// A clinic to be destroyed.
    Shred(Uuid),
    /// Schemas ahead of need.
    PoolFill(Fill),
    /// Schemas to be brought forward.
    Migrate(Run),
    /// A clinic to be brought to another cell.
    Move(Uuid, Move),
}

impl Task {
    /// What this build does; other kinds are left to those who know them.
    pub(super) const KINDS: [Kind; 6] =
        [Kind::Provision, Kind::Clone, Kind::Shred, Kind::PoolFill, Kind::Migrate, Kind::Move];

    /// What an operation asks for, if it is one of these.
    pub(super) fn read(operation: &Operation) -> Option<Self> {
        let input = operation.input.clone()?;
        match Kind::of(&operation.kind)? {
            Kind::Provision => given(input).map(Self::Provision),
            Kind::Clone => Some(Self::Clone(operation.tenant_id?, given(input)?)),
            Kind::Shred => operation.tenant_id.map(Self::Shred),
            Kind::PoolFill => given(input).map(Self::PoolFill),
            Kind::Migrate => given(input).map(Self::Migrate),
            Kind::Move => Some(Self::Move(operation.tenant_id?, given(input)?)),
            Kind::Export | Kind::Restore => None,
        }
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Provision(_) => Kind::Provision,
            Self::Clone(..) => Kind::Clone,
            Self::Shred(_) => Kind::Shred,
            Self::PoolFill(_) => Kind::PoolFill,
            Self::Migrate(_) => Kind::Migrate,
            Self::Move(..) => Kind::Move,
        }
    }

    /// Whose it is.
    pub fn clinic(&self) -> Option<Uuid> {
        match self {
            Self::Clone(clinic, _) | Self::Shred(clinic) | Self::Move(clinic, _) => Some(*clinic),
            Self::Provision(_) | Self::PoolFill(_) | Self::Migrate(_) => None,
        }
    }

    /// As it stands in the operation.
    pub fn input(&self) -> Result<Value, LifeError> {
        let input = match self {
            Self::Provision(new) => serde_json::to_value(new),
            Self::Clone(_, sandbox) => serde_json::to_value(sandbox),
            Self::Shred(_) => Ok(json!({})),
            Self::PoolFill(fill) => serde_json::to_value(fill),
            Self::Migrate(run) => serde_json::to_value(run),
            Self::Move(_, to) => serde_json::to_value(to),
        };
        input.map_err(|_| LifeError::Malformed("operation"))
    }

    pub(super) async fn run(
        self,
        executor: &Executor,
        installation: &Installation,
        operation: &Operation,
        stop: CancellationToken,
    ) -> Result<(), LifeError> {
        match self {
            Self::Provision(new) => provision(executor, installation, operation, &new).await,
            Self::Clone(clinic, Sandbox { as_slug }) => {
                let ground = executor.ground(installation, operation);
                let key = &operation.idempotency_key;
                tenant::clone(&ground, &Cloning { clinic: clinic.into(), as_slug: &as_slug, key }).await?;
                Ok(())
            }
            Self::Shred(clinic) => {
                tenant::shred(&executor.ground(installation, operation), clinic).await?;
                Ok(())
            }
            Self::PoolFill(fill) => fill_pool(executor, installation, operation, fill).await,
            Self::Migrate(run) => run.go(executor, operation, stop).await,
            Self::Move(clinic, Move { to }) => {
                let ground = executor.ground(installation, operation);
                let key = &operation.idempotency_key;
                tenant::relocate(&ground, &Relocating { clinic: clinic.into(), to: &to, key }).await?;
                Ok(())
            }
        }
    }
}

fn given<T: DeserializeOwned>(input: Value) -> Option<T> {
    serde_json::from_value(input).ok()
}

/// The clinic and the end of the operation are one transaction: it is made once, whenever the process is killed.
async fn provision(
    executor: &Executor,
    installation: &Installation,
    operation: &Operation,
    new: &NewClinic,
) -> Result<(), LifeError> {
    let Some(mut work) = executor.take_up(operation).await? else { return Ok(()) };
    work.at("make", 0).await?;
    let made = async {
        let mut admin = executor.connect_for(operation).await?;
        let ground = executor.ground(installation, operation);
        tenant::prepare(&mut admin, &ground, new).await?;
        let (mut transaction, clinic) = match new.further() {
            Some(cell) => create_further(&mut admin, &ground, cell, new).await?,
            None => {
                let mut transaction = admin.begin().await?;
                let clinic = tenant::create(&mut transaction, &ground, new).await?;
                (transaction, clinic)
            }
        };
        let detail = json!({ "tenant": clinic.id.to_string(), "slug": clinic.slug });
        work.about(&mut transaction, clinic.id.0).await?;
        work.keep(&mut transaction, &detail, true).await?;
        transaction.commit().await?;
        Ok(detail)
    };
    let made = made.await;
    work.end(made).await.map(drop)
}

async fn fill_pool(
    executor: &Executor,
    installation: &Installation,
    operation: &Operation,
    fill: Fill,
) -> Result<(), LifeError> {
    let Some(mut work) = executor.take_up(operation).await? else { return Ok(()) };
    work.at("fill", 0).await?;
    let filled = async {
        let mut admin = executor.connect_for(operation).await?;
        let ground = executor.ground(installation, operation);
        let pool = (fill.cell.as_deref().unwrap_or(MAIN), fill.template.as_deref());
        let filled = tenant::fill(&mut admin, &ground, pool, fill.size).await?;
        Ok(json!({ "made": filled.made }))
    };
    let filled = filled.await;
    work.end(filled).await.map(drop)
}

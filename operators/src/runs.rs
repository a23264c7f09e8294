//! Runs of migrations.

use async_graphql::{ComplexObject, Context, Error, ID, SimpleObject};
use praxis_fleet::registry::{self, RunItemRecord, RunRecord};
use uuid::Uuid;

use crate::{
    page::size,
    plane::{Ground, unavailable},
    scalar::DateTime,
};

/// A run of migrations over clinics.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct MigrationRun {
    #[graphql(skip)]
    run: Uuid,
    /// Its id, which `praxis migrate up --resume` takes.
    id: ID,
    /// `RUNNING`, `DONE`, `PARTIAL` or `FAILED`. A run that was killed stays `RUNNING` until the next one begins.
    state: String,
    /// The version that it was for.
    target_version: i32,
    /// In which order it went, such as `canary:5,rest`.
    waves: String,
    /// When it began.
    started_at: DateTime,
    /// When it ended.
    finished_at: Option<DateTime>,
    /// Clinics that it was about.
    tenants: i32,
    /// Clinics that got there.
    done: i32,
    /// Clinics that could not be migrated.
    failed: i32,
}

#[ComplexObject]
impl MigrationRun {
    /// Its clinics, by wave and slug.
    #[graphql(complexity = "5 + child_complexity")]
    async fn items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those that could not be migrated.", default = false)] failed_only: bool,
        #[graphql(desc = "How many, 1 to 200; 25 unless said otherwise.")] first: Option<i32>,
    ) -> Result<Vec<MigrationRunItem>, Error> {
        let mut connection = context.data::<Ground>()?.connect().await?;
        let state = failed_only.then_some("FAILED");
        let rows =
            registry::run_items(&mut connection, self.run, state, size(first)?).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(MigrationRunItem::from).collect())
    }
}

impl From<RunRecord> for MigrationRun {
    fn from(row: RunRecord) -> Self {
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            run: row.id,
            id: ID(row.id.to_string()),
            state: row.state,
            target_version: row.target_version,
            waves: row.waves,
            started_at: DateTime(row.started_at),
            finished_at: row.finished_at.map(DateTime),
            tenants: count(row.tenants),
            done: count(row.done),
            failed: count(row.failed),
        }
    }
}

/// How a run went for a clinic.
#[derive(SimpleObject)]
pub(crate) struct MigrationRunItem {
    /// The clinic's subdomain.
    tenant: String,
    /// In which wave, from 1 on.
    wave: i32,
    /// The version it was at.
    from_version: i32,
    /// `PENDING`, `DONE` or `FAILED`.
    state: String,
    /// How often the step was tried that was tried most often.
    attempts: i32,
    /// How long it took, in milliseconds.
    duration_ms: Option<i32>,
    /// Why it failed.
    error: Option<String>,
}

impl From<RunItemRecord> for MigrationRunItem {
    fn from(row: RunItemRecord) -> Self {
        let RunItemRecord { tenant, wave, from_version, state, attempts, duration_ms, error } = row;
        Self { tenant, wave, from_version, state, attempts, duration_ms, error }
    }
}

//! Runs of migrations.

use async_graphql::{ComplexObject, Context, Error, ID, SimpleObject};
use praxis_fleet::registry::{self, RunItemRecord, RunRecord};
use uuid::Uuid;

use crate::{
    error::database,
    ground::reading,
    page::{Connection, Paging, cost},
    scalar::DateTime,
    stored::{MigrationItemState, MigrationRunState, Stored},
};

/// A run of migrations over clinics.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(crate) struct MigrationRun {
    #[graphql(skip)]
    run: Uuid,
    /// Its id, which `praxis migrate up --resume` takes.
    id: ID,
    /// How far it is.
    state: MigrationRunState,
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
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those that are so far.")] state: Option<MigrationItemState>,
        #[graphql(desc = "How many, 1 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
    ) -> Result<Connection<MigrationRunItem>, Error> {
        let paging = Paging::of(first, after)?;
        let after = paging.after(|place| {
            let (wave, slug) = place.split_once(' ')?;
            Some((wave.parse().ok()?, slug.to_owned()))
        })?;
        let state = state.map(MigrationItemState::code);
        let mut connection = reading(context).await?;
        let rows = registry::run_items(&mut connection, self.run, state, after, paging.limit()).await;
        let rows = rows.map_err(database)?.into_iter();
        Ok(paging.page(rows.map(|row| (format!("{} {}", row.wave, row.tenant), row.into()))))
    }
}

impl From<RunRecord> for MigrationRun {
    fn from(row: RunRecord) -> Self {
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            run: row.id,
            id: ID(row.id.to_string()),
            state: MigrationRunState::read(&row.state),
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
#[derive(SimpleObject, Clone)]
pub(crate) struct MigrationRunItem {
    /// The clinic's subdomain.
    tenant: String,
    /// In which wave, from 1 on.
    wave: i32,
    /// The version it was at.
    from_version: i32,
    /// How far it is.
    state: MigrationItemState,
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
        let state = MigrationItemState::read(&state);
        Self { tenant, wave, from_version, state, attempts, duration_ms, error }
    }
}

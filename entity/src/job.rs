//! Work that follows from an event, or is due at a time.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    ids::{EventId, JobId},
    place::ByPlace,
};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Waits until it is due.
    Queued,
    /// A worker has it, until its lease ends.
    Running,
    /// Its effects are committed.
    Done,
    /// Given up after many attempts, until somebody looks at it.
    Dead,
    /// Somebody decided that it is not to be done.
    Discarded,
}

/// Work that follows from an event, or is due at a time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// When it was written down.
    pub created_at: DateTimeUtc,
    /// The reaction, or the kind of work.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The event it follows from, if it is a reaction.
    pub event_id: Option<EventId>,
    /// Ids and codes that the work needs; never PHI.
    pub payload: Option<Json>,
    /// Work of the same name and key is not written twice.
    #[sea_orm(column_type = "Text", nullable)]
    pub dedupe_key: Option<String>,
    /// Where it stands.
    pub status: JobStatus,
    /// When it is due; while it runs, when the lease of whoever runs it ends.
    pub run_at: DateTimeUtc,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was done, given up or discarded.
    pub finished_at: Option<DateTimeUtc>,
    /// A code of why it failed last time.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A place in a walk-in queue.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FacilityId, PatientId, QueueTokenId},
    place::ByPlace,
};

/// Where a token stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QueueStatus {
    /// Its holder waits.
    Waiting,
    /// Its number was called.
    Called,
    /// Its holder was seen to.
    Served,
    /// Nobody came; it may be called again.
    Skipped,
}

/// A place in a walk-in queue.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "queue_token")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QueueTokenId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// At which branch.
    pub facility_id: FacilityId,
    /// In which queue: `WALK_IN`.
    #[sea_orm(column_type = "Text")]
    pub queue: String,
    /// On which day of the branch.
    pub day: Date,
    /// The number, from 1 each day.
    pub number: i32,
    /// Whose it is, when that is known.
    pub patient_id: Option<PatientId>,
    /// Where it stands; changes only by a legal transition.
    pub status: QueueStatus,
    /// Where its holder was called to.
    #[sea_orm(column_type = "Text", nullable)]
    pub desk: Option<String>,
    /// When it was last called.
    pub called_at: Option<DateTimeUtc>,
    /// When its holder was seen to.
    pub served_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

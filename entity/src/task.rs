//! Something that somebody has to do.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, PatientId, TaskId, UserId, WorkflowInstanceId},
    place::ByPlace,
    value::{Sealed, TaskWords},
};

/// How soon, in FHIR's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskPriority {
    /// In its turn.
    Routine,
    /// Before what is routine.
    Urgent,
    /// As soon as possible.
    Asap,
    /// At once.
    Stat,
}

/// Where a task stands: FHIR's states, as far as a clinic tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// Asked for; nobody has taken it on.
    Requested,
    /// Somebody has taken it on.
    Accepted,
    /// Somebody is at it.
    InProgress,
    /// Interrupted.
    OnHold,
    /// Done, with an outcome.
    Completed,
    /// Tried, and not possible.
    Failed,
    /// Whoever was asked does not do it.
    Rejected,
    /// No longer wanted.
    Cancelled,
}

impl TaskStatus {
    /// The statuses in which something is still to be done.
    pub const OPEN: [Self; 4] = [Self::Requested, Self::Accepted, Self::InProgress, Self::OnHold];

    /// Whether something is still to be done.
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskOutcome {
    /// It was done.
    Done,
    /// Some of it was done.
    PartlyDone,
    /// It turned out that nothing had to be done.
    NotNeeded,
    /// It could not be done.
    NotPossible,
}

/// Something that somebody has to do.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "task")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaskId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whom it concerns.
    pub patient_id: Option<PatientId>,
    /// The visit it belongs to.
    pub encounter_id: Option<EncounterId>,
    /// Three letters of the kind of object it is about.
    #[sea_orm(column_type = "Text", nullable)]
    pub focus_kind: Option<String>,
    /// The object it is about.
    pub focus_id: Option<Uuid>,
    /// What kind of task, from the clinic's own list.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// How soon.
    pub priority: TaskPriority,
    /// Where it stands; changes only by a legal transition.
    pub status: TaskStatus,
    /// Who was asked, or has taken it on.
    pub owner_id: Option<UserId>,
    /// Who may take it on: whoever holds this role.
    #[sea_orm(column_type = "Text", nullable)]
    pub role_code: Option<String>,
    /// Who asked for it; nobody where the system did.
    pub requested_by: Option<UserId>,
    /// By when.
    pub due_at: Option<DateTimeUtc>,
    /// When somebody first began.
    pub started_at: Option<DateTimeUtc>,
    /// When it was over.
    pub ended_at: Option<DateTimeUtc>,
    /// What came of it.
    pub outcome: Option<TaskOutcome>,
    /// Whatever was written in words.
    pub words: Option<Sealed<TaskWords>>,
    /// The workflow that opened it.
    pub instance_id: Option<WorkflowInstanceId>,
    /// The step of that workflow.
    #[sea_orm(column_type = "Text", nullable)]
    pub step: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

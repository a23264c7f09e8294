//! A workflow under way.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, PatientId, UserId, WorkflowDefinitionId, WorkflowInstanceId},
    place::ByPlace,
};

/// Where a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceStatus {
    /// Something is still to be done.
    Running,
    /// All that was to be done is done.
    Completed,
    /// A step was turned down, called off or not possible.
    Failed,
    /// Called off.
    Cancelled,
}

/// A workflow under way.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "workflow_instance")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkflowInstanceId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// The edition it began with, and keeps.
    pub definition_id: WorkflowDefinitionId,
    /// Whom it concerns.
    pub patient_id: Option<PatientId>,
    /// The visit it belongs to.
    pub encounter_id: Option<EncounterId>,
    /// Where it stands; changes only by a legal transition.
    pub status: InstanceStatus,
    /// Who started it.
    pub started_by: Option<UserId>,
    /// When it was over.
    pub ended_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

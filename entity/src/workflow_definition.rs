//! One edition of a workflow.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{UserId, WorkflowDefinitionId},
    place::ByPlace,
};

/// Where an edition of a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkflowStatus {
    /// Written.
    Draft,
    /// Can be started.
    Active,
    /// Out of use; what runs goes on.
    Retired,
}

/// One edition of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "workflow_definition")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WorkflowDefinitionId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Key that all editions share.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Number of the edition, from one.
    pub edition: i32,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Where it stands; changes only by a legal transition.
    pub status: WorkflowStatus,
    /// Who wrote it.
    pub defined_by: Option<UserId>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! One step of a workflow: the task that it opens.

use sea_orm::entity::prelude::*;

use crate::{ids::WorkflowDefinitionId, place::ByPlace, task::TaskPriority};

/// One step of a workflow: the task that it opens.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "workflow_step")]
pub struct Model {
    /// The workflow.
    #[sea_orm(primary_key, auto_increment = false)]
    pub definition_id: WorkflowDefinitionId,
    /// Key within the workflow.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub key: String,
    /// Place in the list as it was written.
    pub position: i32,
    /// What kind of task it opens.
    #[sea_orm(column_type = "Text")]
    pub task_code: String,
    /// Who is asked.
    #[sea_orm(column_type = "Text")]
    pub role_code: String,
    /// How soon.
    pub priority: TaskPriority,
    /// Within how many minutes of its opening.
    pub due_minutes: Option<i32>,
    /// When it is opened: a CEL expression over what came of the steps before.
    #[sea_orm(column_type = "Text", nullable)]
    pub guard: Option<String>,
    /// Keys of the steps that have to be over before.
    pub follows: Vec<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A reminder of a task that is overdue.

use sea_orm::entity::prelude::*;

use crate::{ids::TaskId, place::ByPlace};

/// A reminder of a task that is overdue.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "task_escalation")]
pub struct Model {
    /// The task.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: TaskId,
    /// How loud: 1 for whoever does it, 2 and 3 for those who lead.
    #[sea_orm(primary_key, auto_increment = false)]
    pub level: i16,
    /// When they were reminded.
    pub at: DateTimeUtc,
    /// When the task was due then.
    pub due_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

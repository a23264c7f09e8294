//! What counts as suspicious, as the clinic sees it.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// What counts as suspicious, as the clinic sees it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "alert_rule")]
pub struct Model {
    /// Which rule.
    #[sea_orm(primary_key, auto_increment = false)]
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Whether it is watched for.
    pub enabled: bool,
    /// How many make it suspicious.
    pub threshold: i32,
    /// Within how many minutes.
    pub window_minutes: i32,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! One Postgres primary that holds tenant schemas.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// One Postgres primary that holds tenant schemas.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "cell")]
pub struct Model {
    /// Name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Name of the setting with its address; empty for the control database itself.
    #[sea_orm(column_type = "Text", nullable)]
    pub dsn_ref: Option<String>,
    /// postgres or citus.
    #[sea_orm(column_type = "Text")]
    pub engine: String,
    /// active, draining or sandbox.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// How many tenants it may hold.
    pub max_tenants: i32,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

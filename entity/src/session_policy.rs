//! How long sessions live at this clinic, once it decided for itself: one row or none.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// How long sessions live at this clinic, once it decided for itself: one row or none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "session_policy")]
pub struct Model {
    /// Always true: there is one row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub only_one: bool,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// A session that was not used for this many minutes is over.
    pub idle_minutes: i32,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

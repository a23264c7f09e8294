//! What a kind of visit asks for.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// What a kind of visit asks for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "visit_policy")]
pub struct Model {
    /// The kind.
    #[sea_orm(primary_key, auto_increment = false)]
    pub class: String,
    /// Vital signs have to be recorded before it is closed.
    pub needs_vitals: bool,
    /// For so long a closed one can be reopened.
    pub reopen_days: i32,
    /// Grows by one with each write.
    pub version: i32,
    /// Whoever is responsible has to sign a note before it is closed.
    pub needs_signed_note: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! How a visit was closed.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{EncounterId, UserId},
    place::ByPlace,
};

/// How a visit was closed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "encounter_closing")]
pub struct Model {
    /// The visit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub encounter_id: EncounterId,
    /// Its version when the gate was asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub encounter_version: i32,
    /// When.
    pub closed_at: DateTimeUtc,
    /// By whom.
    pub closed_by: Option<UserId>,
    /// Codes of what was missing.
    pub missing: Vec<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

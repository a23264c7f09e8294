//! A branch of the clinic.

use sea_orm::entity::prelude::*;

use crate::{ids::FacilityId, place::ByPlace};

/// A branch of the clinic.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "facility")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FacilityId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Short code, unique in the clinic.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// IANA zone of its wall clock.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Telephone.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone: Option<String>,
    /// Postal address, line by line.
    pub address_lines: Vec<String>,
    /// False once closed.
    pub active: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

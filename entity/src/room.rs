//! A room that can be booked.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FacilityId, RoomId},
    place::ByPlace,
};

/// A room that can be booked.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "room")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoomId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Where.
    pub facility_id: FacilityId,
    /// Name, unique at the facility.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// How many visits may use it at once.
    pub capacity: i32,
    /// How many more on purpose.
    pub overbook_limit: i32,
    /// False once out of use.
    pub active: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

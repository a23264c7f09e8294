//! A kind of visit that can be booked.

use sea_orm::entity::prelude::*;

use crate::{appointment::Modality, ids::VisitTypeId, place::ByPlace};

/// A kind of visit that can be booked.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "visit_type")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VisitTypeId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Key, unique in the clinic.
    #[sea_orm(column_type = "Text")]
    pub key: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// How it takes place.
    pub modality: Modality,
    /// Length.
    pub duration_minutes: i32,
    /// Time kept free before.
    pub buffer_before_minutes: i32,
    /// Time kept free after.
    pub buffer_after_minutes: i32,
    /// Offered no later than so long before the start.
    pub lead_minutes: i32,
    /// Called off without remark no later than so long before the start.
    pub cutoff_minutes: i32,
    /// True when it takes a room.
    pub needs_room: bool,
    /// Kinds of device that it takes, one of each.
    pub device_kinds: Vec<String>,
    /// How long before the start patients are reminded.
    pub reminder_minutes: Vec<i32>,
    /// True once out of use.
    pub retired: bool,
    /// Key of the template item this row was seeded from.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_key: Option<String>,
    /// Hash of that item, to see whether the template changed.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_hash: Option<String>,
    /// True when the clinic changed the seeded row.
    pub customised: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

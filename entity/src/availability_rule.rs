//! When a practitioner sees patients, week by week, in local time.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{AvailabilityRuleId, FacilityId, PractitionerId},
    place::ByPlace,
};

/// When a practitioner sees patients, week by week, in local time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "availability_rule")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AvailabilityRuleId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose time.
    pub practitioner_id: PractitionerId,
    /// At which branch.
    pub facility_id: FacilityId,
    /// ISO weekday, 1 is Monday.
    pub weekday: i16,
    /// First minute, wall clock.
    pub starts_local: Time,
    /// End, wall clock; not included.
    pub ends_local: Time,
    /// IANA zone of the wall clock.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Option<Date>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

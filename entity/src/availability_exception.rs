//! Time at which a branch or a resource is closed, or a practitioner works in addition.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{AvailabilityExceptionId, DeviceId, FacilityId, PractitionerId, RoomId},
    place::ByPlace,
};

/// Whether time is taken away or added.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExceptionKind {
    /// Nobody is seen.
    Closed,
    /// Patients are seen besides the weekly hours.
    Extra,
}

/// Time at which a branch or a resource is closed, or a practitioner works in addition.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "availability_exception")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AvailabilityExceptionId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// At which branch.
    pub facility_id: FacilityId,
    /// Whose time; with the next two absent as well, the whole branch's.
    pub practitioner_id: Option<PractitionerId>,
    /// Which room's.
    pub room_id: Option<RoomId>,
    /// Which device's.
    pub device_id: Option<DeviceId>,
    /// Closed or extra.
    pub kind: ExceptionKind,
    /// First day.
    pub first_day: Date,
    /// Last day.
    pub last_day: Date,
    /// First minute of each day, wall clock; all day when absent.
    pub starts_local: Option<Time>,
    /// End on each day, wall clock; not included.
    pub ends_local: Option<Time>,
    /// IANA zone of the wall clock.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

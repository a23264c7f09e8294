//! A practitioner, room or device held by an appointment, buffers included.

use sea_orm::entity::prelude::*;

use crate::{ids::AppointmentId, place::ByPlace};

/// A practitioner, room or device held by an appointment, buffers included.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "appointment_resource")]
pub struct Model {
    /// The appointment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub appointment_id: AppointmentId,
    /// Practitioner, room or device.
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource_id: Uuid,
    /// PRACTITIONER, ROOM or DEVICE.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Start, buffer included.
    pub busy_from: DateTimeUtc,
    /// End, buffer included; not part of the time held.
    pub busy_until: DateTimeUtc,
    /// Which of the visits at once it is, from 0; below 0 where it was overbooked.
    pub lane: i32,
    /// False once the appointment is called off.
    pub blocking: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! How a user or patient is spoken to, and when not.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// How a user or patient is spoken to, and when not.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "notification_profile")]
pub struct Model {
    /// The user or the patient.
    #[sea_orm(primary_key, auto_increment = false)]
    pub recipient_id: Uuid,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// BCP 47; the clinic's where absent.
    #[sea_orm(column_type = "Text", nullable)]
    pub locale: Option<String>,
    /// IANA zone of their wall clock; the clinic's where absent.
    #[sea_orm(column_type = "Text", nullable)]
    pub time_zone: Option<String>,
    /// From when on they are left in peace, wall clock.
    pub quiet_from: Option<Time>,
    /// Until when; earlier than the beginning means the next day.
    pub quiet_until: Option<Time>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

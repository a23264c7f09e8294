//! A warning of suspicious access.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{AuditEntryId, PatientId, SecurityAlertId, UserId},
    place::ByPlace,
};

/// Where a warning stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertStatus {
    /// Somebody should look at it.
    Open,
    /// Somebody did.
    Closed,
}

/// A warning of suspicious access.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "security_alert")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SecurityAlertId,
    /// Grows by one on each write.
    pub version: i32,
    /// When it was raised.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Which rule raised it.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Where it stands.
    pub status: AlertStatus,
    /// Whose doing it was, if it is known.
    pub actor_id: Option<Uuid>,
    /// Whose chart, if it is one.
    pub patient_id: Option<PatientId>,
    /// The entry that raised it.
    pub entry_id: Option<AuditEntryId>,
    /// How many there were within the window.
    pub seen: i32,
    /// How many make it suspicious, at that time.
    pub threshold: i32,
    /// Within how many minutes, at that time.
    pub window_minutes: i32,
    /// One alert for each.
    #[sea_orm(column_type = "Text")]
    pub dedupe_key: String,
    /// When it was closed.
    pub closed_at: Option<DateTimeUtc>,
    /// By whom.
    pub closed_by: Option<UserId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub close_reason: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A clinic or hospital.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ids::TenantId, place::ByPlace};

/// Where a tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TenantState {
    /// Being made.
    #[sea_orm(string_value = "PROVISIONING")]
    #[serde(rename = "PROVISIONING")]
    Provisioning,
    /// Served.
    #[sea_orm(string_value = "ACTIVE")]
    #[serde(rename = "ACTIVE")]
    Active,
    /// Served; payment is late.
    #[sea_orm(string_value = "PAST_DUE")]
    #[serde(rename = "PAST_DUE")]
    PastDue,
    /// Not served.
    #[sea_orm(string_value = "SUSPENDED")]
    #[serde(rename = "SUSPENDED")]
    Suspended,
    /// Read-only; payment is long overdue.
    #[sea_orm(string_value = "LOCKED")]
    #[serde(rename = "LOCKED")]
    Locked,
    /// Leaving.
    #[sea_orm(string_value = "OFFBOARDING")]
    #[serde(rename = "OFFBOARDING")]
    Offboarding,
    /// Kept, not served.
    #[sea_orm(string_value = "ARCHIVED")]
    #[serde(rename = "ARCHIVED")]
    Archived,
    /// Keys destroyed.
    #[sea_orm(string_value = "SHREDDED")]
    #[serde(rename = "SHREDDED")]
    Shredded,
}

/// Which operations are taken; the later, the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum OperationMode {
    /// Any document.
    #[sea_orm(string_value = "OPEN")]
    Open,
    /// Any document, and documents that were sent before by their hash.
    #[default]
    #[sea_orm(string_value = "APQ")]
    Apq,
    /// Registered operations only.
    #[sea_orm(string_value = "REGISTERED")]
    Registered,
}

/// A clinic or hospital.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "tenant")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenantId,
    /// Schema and role; opaque, never changes.
    #[sea_orm(column_type = "Text")]
    pub schema_name: String,
    /// Subdomain.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub display_name: String,
    /// Where its data lives.
    #[sea_orm(column_type = "Text", nullable)]
    pub region: Option<String>,
    /// BCP 47 locale.
    #[sea_orm(column_type = "Text")]
    pub locale: String,
    /// IANA zone.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Which cell.
    #[sea_orm(column_type = "Text")]
    pub cell_id: String,
    /// Which login role serves it.
    pub login_shard: i32,
    /// Where it stands; changes only by a legal transition.
    pub state: TenantState,
    /// Since when.
    pub state_since: DateTimeUtc,
    /// Number of tenant migrations applied.
    pub schema_version: i32,
    /// The oldest build that can serve it, as the number of steps that build knows.
    pub oldest_build: i32,
    /// The directory's version at its latest change.
    pub changed: i64,
    /// Grows by one with each rotation of its keys.
    pub key_epoch: i64,
    /// Template it was made from.
    #[sea_orm(column_type = "Text")]
    pub template: String,
    /// Version of that template.
    #[sea_orm(column_type = "Text")]
    pub template_version: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Grows with each change.
    pub row_version: i64,
    /// Which operations are taken here, if the installation's setting is not strict enough.
    pub operation_mode: Option<OperationMode>,
    /// Points the whole clinic may spend at once, instead of the setting.
    pub rate_points: Option<i32>,
    /// Points the whole clinic gets back each second, instead of the setting.
    pub rate_restore: Option<i32>,
    /// Points one caller may spend at once, instead of the setting.
    pub actor_rate_points: Option<i32>,
    /// Points one caller gets back each second, instead of the setting.
    pub actor_rate_restore: Option<i32>,
    /// How often it went from one cell to another.
    pub moves: i64,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

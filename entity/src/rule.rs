//! One edition of a clinical rule.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{RuleId, UserId},
    place::ByPlace,
};

/// What makes a rule be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleCause {
    /// Vital signs were recorded.
    VitalsRecorded,
    /// Somebody wants to close a visit.
    EncounterClosing,
}

/// How grave what a rule finds is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertSeverity {
    /// Good to know.
    Info,
    /// To be looked at.
    Warning,
    /// Dangerous.
    Critical,
    /// Not to be done; whoever does it all the same shows a second factor.
    Contraindicated,
}

/// Where an edition of a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleStatus {
    /// Written.
    Draft,
    /// Its cases come out as they should.
    Tested,
    /// In use.
    Active,
    /// Out of use.
    Retired,
}

/// One edition of a clinical rule.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "rule")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RuleId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Key that all editions share.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Number of the edition, from one.
    pub edition: i32,
    /// What it says, in a few words.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// When it is asked.
    pub cause: RuleCause,
    /// When it fires: a CEL expression over the facts of its cause.
    #[sea_orm(column_type = "Text")]
    pub condition: String,
    /// What follows when it fires.
    pub actions: Json,
    /// How grave it is.
    pub severity: AlertSeverity,
    /// Why one believes it.
    #[sea_orm(column_type = "Text", nullable)]
    pub evidence: Option<String>,
    /// Where it stands; changes only by a legal transition.
    pub status: RuleStatus,
    /// In effect from then on.
    pub starts_at: Option<DateTimeUtc>,
    /// In effect until then.
    pub ends_at: Option<DateTimeUtc>,
    /// Who wrote it; nobody where it came with a template.
    pub author_id: Option<UserId>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
    /// When it was approved.
    pub approved_at: Option<DateTimeUtc>,
    /// Key of the template item this row was seeded from.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_key: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! What a provider reported of a message afterwards, or received.

use sea_orm::entity::prelude::*;

use crate::{ids::NotificationId, place::ByPlace};

/// What a provider reported of a message afterwards, or received.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "delivery_report")]
pub struct Model {
    /// Which provider.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub provider: String,
    /// What the provider calls the message.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub provider_message_id: String,
    /// What it reports.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub report: String,
    /// The notice, if it is one of ours.
    pub notification_id: Option<NotificationId>,
    /// When it was reported first.
    pub reported_at: DateTimeUtc,
    /// The provider's code of what went wrong.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

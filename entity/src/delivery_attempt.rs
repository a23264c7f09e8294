//! A try to send a notice, of which somebody lived to tell.

use sea_orm::entity::prelude::*;

use crate::{ids::NotificationId, place::ByPlace};

/// A try to send a notice, of which somebody lived to tell.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "delivery_attempt")]
pub struct Model {
    /// Which notice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub notification_id: NotificationId,
    /// Which try.
    #[sea_orm(primary_key, auto_increment = false)]
    pub attempt: i32,
    /// When it ended.
    pub ended_at: DateTimeUtc,
    /// By whom it was to be sent.
    #[sea_orm(column_type = "Text")]
    pub provider: String,
    /// SENT, FAILED or DEAD.
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    /// What the provider calls it.
    #[sea_orm(column_type = "Text", nullable)]
    pub provider_message_id: Option<String>,
    /// Why it was not taken.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

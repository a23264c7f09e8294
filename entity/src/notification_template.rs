//! The clinic's own words for a topic, channel and locale.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{NotificationTemplateId, UserId},
    notification::{Channel, Topic},
    place::ByPlace,
};

/// The clinic's own words for a topic, channel and locale.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "notification_template")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationTemplateId,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// Who wrote it.
    pub created_by: Option<UserId>,
    /// What it is about.
    pub topic: Topic,
    /// By which way.
    pub channel: Channel,
    /// BCP 47.
    #[sea_orm(column_type = "Text")]
    pub locale: String,
    /// The newest is used.
    pub version: i32,
    /// The subject of a mail.
    #[sea_orm(column_type = "Text", nullable)]
    pub subject: Option<String>,
    /// The words, with places for what differs.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

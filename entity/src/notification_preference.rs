//! What a user or patient wants otherwise than it is by default.

use sea_orm::entity::prelude::*;

use crate::{
    notification::{Channel, Topic},
    place::ByPlace,
};

/// What a user or patient wants otherwise than it is by default.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "notification_preference")]
pub struct Model {
    /// The user or the patient.
    #[sea_orm(primary_key, auto_increment = false)]
    pub recipient_id: Uuid,
    /// What it is about.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: Topic,
    /// By which way.
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel: Channel,
    /// Whether they want it.
    pub enabled: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

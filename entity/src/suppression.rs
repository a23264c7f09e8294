//! A number or address to which nothing goes any more.

use sea_orm::entity::prelude::*;

use crate::{notification::Channel, place::ByPlace};

/// A number or address to which nothing goes any more.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "suppression")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// By which way: EMAIL or SMS.
    pub channel: Channel,
    /// Keyed hash of the number or address.
    pub contact_token: Vec<u8>,
    /// STOP, BOUNCE or COMPLAINT.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Since when.
    pub created_at: DateTimeUtc,
    /// Until when.
    pub lifted_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

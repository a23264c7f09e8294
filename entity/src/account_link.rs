//! A link that was mailed to somebody who has an account: good once, and not for long.

use sea_orm::entity::prelude::*;

use crate::{ids::UserId, place::ByPlace};

/// A link that was mailed to somebody who has an account: good once, and not for long.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "account_link")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account.
    pub user_id: UserId,
    /// PASSWORD_RESET or SIGN_IN.
    #[sea_orm(column_type = "Text")]
    pub purpose: String,
    /// Keyed hash of the link's secret.
    pub token_hash: Vec<u8>,
    /// Keyed hash of what the device keeps that asked; empty where any device may use the link.
    pub device_hash: Option<Vec<u8>>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it ends.
    pub expires_at: DateTimeUtc,
    /// When it was used, or became useless because another one was.
    pub used_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A program that calls the API with credentials of its own.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{ApiClientId, UserId},
    place::ByPlace,
};

/// Whether it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ApiClientStatus {
    /// It may call.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// It may not call any more, for good.
    #[sea_orm(string_value = "RETIRED")]
    Retired,
}

/// A program that calls the API with credentials of its own.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "api_client")]
pub struct Model {
    /// Id, also its public client id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiClientId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose program it is and what it does.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Codes of what it may do.
    pub permissions: Vec<String>,
    /// Ids of the documents it may call.
    pub operations: Vec<String>,
    /// Points it may spend at once.
    pub rate_points: i32,
    /// Points it gets back each second.
    pub rate_restore: i32,
    /// Tokens from before are no longer taken.
    pub tokens_after: DateTimeUtc,
    /// Who made it; nobody when it was an operator.
    pub created_by: Option<UserId>,
    /// Whether it may call.
    pub status: ApiClientStatus,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

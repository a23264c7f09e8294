//! The first answer to a mutation, for its retries.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// The first answer to a mutation, for its retries.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// Who asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: Uuid,
    /// The mutation field.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// Keyed hash of the client's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    /// Keyed hash of the input.
    pub request_hash: Vec<u8>,
    /// Ids and codes of the first answer; never PHI.
    pub outcome: Json,
    /// When.
    pub created_at: DateTimeUtc,
    /// Until when a retry is recognised.
    pub expires_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

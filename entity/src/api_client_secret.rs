//! A secret with which a program proves who it is.

use sea_orm::entity::prelude::*;

use crate::{ids::ApiClientId, place::ByPlace};

/// A secret with which a program proves who it is; told once, kept as a keyed hash.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "api_client_secret")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub client_id: ApiClientId,
    /// Keyed hash.
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it stops to count; never, until another one takes over.
    pub expires_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

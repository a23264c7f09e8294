//! A token with which a session is renewed once; stored as a keyed hash.

use sea_orm::entity::prelude::*;

use crate::{ids::SessionId, place::ByPlace};

/// A token with which a session is renewed once; stored as a keyed hash.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The session: all its tokens are one family.
    pub session_id: SessionId,
    /// Which token of the family it is, from 1.
    pub generation: i32,
    /// Keyed hash of the token.
    pub token_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Until when it can be used.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub spent_at: Option<DateTimeUtc>,
    /// Keyed hash of what the client called the attempt that used it.
    pub attempt_hash: Option<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

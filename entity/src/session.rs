//! A signed-in session; the token itself is never stored.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{IdentityProviderId, SessionId, UserId},
    place::ByPlace,
};

/// A signed-in session; the token itself is never stored.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Keyed hash of the cookie's token; bearers have none.
    pub token_hash: Option<Vec<u8>>,
    /// Who.
    pub user_id: UserId,
    /// BEARER or COOKIE.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// When it began.
    pub created_at: DateTimeUtc,
    /// Last use, for the idle limit.
    pub last_seen_at: DateTimeUtc,
    /// Absolute end.
    pub expires_at: DateTimeUtc,
    /// When it was ended.
    pub ended_at: Option<DateTimeUtc>,
    /// How the person proved who they are, in the terms of RFC 8176.
    pub methods: Vec<String>,
    /// When a second factor was last shown.
    pub second_factor_at: Option<DateTimeUtc>,
    /// The identity provider at which it was opened, if it was one.
    pub identity_provider_id: Option<IdentityProviderId>,
    /// Address it was opened from.
    #[sea_orm(column_type = "Text", nullable)]
    pub source_address: Option<String>,
    /// What the client called itself then.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

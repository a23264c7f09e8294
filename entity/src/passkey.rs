//! A user's passkey: the public half of a key that an authenticator keeps.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PasskeyId, UserId},
    place::ByPlace,
};

/// A user's passkey: the public half of a key that an authenticator keeps.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "passkey")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PasskeyId,
    /// Whose.
    pub user_id: UserId,
    /// What its owner calls it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The host it was made for, and the only one it works at.
    #[sea_orm(column_type = "Text")]
    pub host: String,
    /// How the authenticator calls it.
    pub credential_id: Vec<u8>,
    /// Public key in COSE form.
    pub public_key: Vec<u8>,
    /// The authenticator's counter at the last use.
    pub sign_count: i64,
    /// Whether it may be copied to the owner's other devices.
    pub backup_eligible: bool,
    /// How the authenticator is reached, as the browser said.
    pub transports: Vec<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last used.
    pub last_used_at: Option<DateTimeUtc>,
    /// When its counter ran backwards; it is not believed since.
    pub cloned_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A user's authenticator app.

use sea_orm::entity::prelude::*;

use crate::{
    ids::UserId,
    place::ByPlace,
    value::{Sealed, TotpSecret},
};

/// A user's authenticator app.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "totp")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// What app and clinic share.
    pub secret: Sealed<TotpSecret>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When a first code was shown; it counts from then on.
    pub confirmed_at: Option<DateTimeUtc>,
    /// The time step of the newest code that was taken.
    pub last_step: i64,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A sign-in at an identity provider that came to its end, kept so that it is not finished again.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// A sign-in at an identity provider that came to its end, kept so that it is not finished again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "finished_sign_in")]
pub struct Model {
    /// Keyed hash of its state.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    /// When it would be over anyway.
    pub expires_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

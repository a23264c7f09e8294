//! Who a user is at an identity provider.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{IdentityProviderId, UserId},
    place::ByPlace,
};

/// Who a user is at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "external_identity")]
pub struct Model {
    /// The provider.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: IdentityProviderId,
    /// What the provider calls the person; never an e-mail address.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub subject: String,
    /// Who that is here.
    pub user_id: UserId,
    /// Since when.
    pub created_at: DateTimeUtc,
    /// When a session was last opened by it.
    pub last_used_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Where people sign in instead of here.

use sea_orm::entity::prelude::*;

use crate::{
    ids::IdentityProviderId,
    place::ByPlace,
    value::{ProviderSecret, Sealed},
};

/// Where people sign in instead of here.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "identity_provider")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdentityProviderId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Name as shown to people who sign in.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Its issuer, exactly as it calls itself.
    #[sea_orm(column_type = "Text")]
    pub issuer: String,
    /// What it calls us.
    #[sea_orm(column_type = "Text")]
    pub client_id: String,
    /// How we prove to it who we are.
    pub client_secret: Option<Sealed<ProviderSecret>>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Values of `acr` that stand for several factors.
    pub multi_factor_acr: Vec<String>,
    /// False while nobody may sign in there.
    pub active: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

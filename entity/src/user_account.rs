//! A person who signs in to the clinic.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PractitionerId, UserId},
    place::ByPlace,
};

/// A person who signs in to the clinic.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Login, lower case, unique in the clinic.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub display_name: String,
    /// Argon2id, PHC string.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// The clinician this user is.
    pub practitioner_id: Option<PractitionerId>,
    /// False once disabled.
    pub active: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

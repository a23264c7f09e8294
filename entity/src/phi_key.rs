//! The wrapped data key of a patient, or of the clinic itself. Deleting it is the erasure.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// The wrapped data key of a patient, or of the clinic itself. Deleting it is the erasure.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "phi_key")]
pub struct Model {
    /// Patient, or the tenant for data of the clinic itself.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Uuid,
    /// Key version, as in the ciphertext's head.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Data key under the tenant's wrapping key.
    pub wrapped: Vec<u8>,
    /// Commitment to the data key, compared before use.
    pub commitment: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! The address under which a practitioner's calendar is read.

use sea_orm::entity::prelude::*;

use crate::{ids::PractitionerId, place::ByPlace};

/// The address under which a practitioner's calendar is read.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "calendar_feed")]
pub struct Model {
    /// Keyed hash of the secret in the address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    /// Whose calendar.
    pub practitioner_id: PractitionerId,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// User who made it.
    pub created_by: Option<Uuid>,
    /// When it was taken back.
    pub revoked_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

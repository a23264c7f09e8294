//! Next of kin, guardian or other person around a patient.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PatientId, RelatedPersonId},
    place::ByPlace,
    value::{RelatedPersonDetails, Sealed},
};

/// Next of kin, guardian or other person around a patient.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "related_person")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RelatedPersonId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// False once it no longer holds.
    pub active: bool,
    /// True for the legal guardian.
    pub guardian: bool,
    /// True for whom to call.
    pub emergency_contact: bool,
    /// Who it is.
    pub details: Sealed<RelatedPersonDetails>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Blind index of a patient: what can be searched for without opening anything.

use sea_orm::entity::prelude::*;

use crate::{ids::PatientId, place::ByPlace};

/// Blind index of a patient: what can be searched for without opening anything.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "patient_token")]
pub struct Model {
    /// The patient.
    #[sea_orm(primary_key, auto_increment = false)]
    pub patient_id: PatientId,
    /// MRN, NATIONAL_ID, IDENTIFIER, EMAIL, PHONE, BIRTH_DATE or DUPLICATE.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Keyed hash under the tenant's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token: Vec<u8>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

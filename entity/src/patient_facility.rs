//! A branch where a patient is known: by registration, appointment or encounter.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FacilityId, PatientId},
    place::ByPlace,
};

/// A branch where a patient is known. Appointments and encounters note theirs by trigger.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "patient_facility")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub patient_id: PatientId,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub facility_id: FacilityId,
    /// Since when.
    pub since: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

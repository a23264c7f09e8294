//! How sensitive one object is.

use sea_orm::entity::prelude::*;

use crate::{ids::PatientId, place::ByPlace};

/// What kind of object carries a label.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LabelledType {
    /// A patient as a whole.
    Patient,
    /// An appointment.
    Appointment,
    /// An encounter, and what hangs on it.
    Encounter,
    /// An observation.
    Observation,
    /// A condition.
    Condition,
    /// A document, and what was added to it.
    ClinicalDocument,
    /// An allergy.
    Allergy,
    /// A medication as stated.
    MedicationStatement,
    /// An immunisation.
    Immunization,
    /// A procedure.
    Procedure,
    /// What runs in the family.
    FamilyHistory,
    /// A circumstance of life.
    SocialHistory,
    /// A task about a patient.
    Task,
}

/// HL7 v3 Confidentiality.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Confidentiality {
    /// As all health data.
    #[sea_orm(string_value = "N")]
    Normal,
    /// Restricted.
    #[sea_orm(string_value = "R")]
    Restricted,
    /// Very restricted.
    #[sea_orm(string_value = "V")]
    VeryRestricted,
}

/// How sensitive one object is. Without a row: normal.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "sensitivity_label")]
pub struct Model {
    /// The object.
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_id: Uuid,
    /// What it is.
    pub object_type: LabelledType,
    /// Whose.
    pub patient_id: PatientId,
    /// How sensitive.
    pub level: Confidentiality,
    /// Who said so.
    pub labelled_by: Option<Uuid>,
    /// When.
    pub labelled_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

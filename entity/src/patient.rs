//! A person in care.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::PatientId,
    place::ByPlace,
    value::{Contact, Identifiers, Identity, RecordNumber, Sealed},
};

/// Where a patient's record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PatientStatus {
    /// In care.
    #[sea_orm(string_value = "ACTIVE")]
    #[serde(rename = "ACTIVE")]
    Active,
    /// Not in care now.
    #[sea_orm(string_value = "INACTIVE")]
    #[serde(rename = "INACTIVE")]
    Inactive,
    /// Died.
    #[sea_orm(string_value = "DECEASED")]
    #[serde(rename = "DECEASED")]
    Deceased,
    /// Continued in another record.
    #[sea_orm(string_value = "MERGED")]
    #[serde(rename = "MERGED")]
    Merged,
    /// Data destroyed on request.
    #[sea_orm(string_value = "ERASED")]
    #[serde(rename = "ERASED")]
    Erased,
}

/// Sex for administrative purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AdministrativeSex {
    /// Female.
    #[sea_orm(string_value = "FEMALE")]
    #[serde(rename = "FEMALE")]
    Female,
    /// Male.
    #[sea_orm(string_value = "MALE")]
    #[serde(rename = "MALE")]
    Male,
    /// Other.
    #[sea_orm(string_value = "OTHER")]
    #[serde(rename = "OTHER")]
    Other,
    /// Not known.
    #[sea_orm(string_value = "UNKNOWN")]
    #[serde(rename = "UNKNOWN")]
    Unknown,
}

/// A person in care.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "patient")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PatientId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Where the record stands; changes only by a legal transition.
    pub status: PatientStatus,
    /// Sex for administration; never used for reference ranges.
    pub administrative_sex: AdministrativeSex,
    /// The clinic's own number for the patient.
    pub record_number: Sealed<RecordNumber>,
    /// Who it is.
    pub identity: Sealed<Identity>,
    /// Where they are reached.
    pub contact: Sealed<Contact>,
    /// Numbers authorities gave them.
    pub identifiers: Sealed<Identifiers>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

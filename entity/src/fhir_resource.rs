//! A received resource without a model of its own yet, or the rest of a mapped one, sealed.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{FhirResourceId, PatientId},
    place::ByPlace,
    value::{FhirBody, Sealed},
};

/// A received resource without a model of its own yet, or the rest of a mapped one, sealed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "fhir_resource")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FhirResourceId,
    /// When it was received.
    pub created_at: DateTimeUtc,
    /// FHIR type.
    #[sea_orm(column_type = "Text")]
    pub resource_type: String,
    /// Whose.
    pub patient_id: Option<PatientId>,
    /// The row its known parts went to.
    pub mapped_id: Option<Uuid>,
    /// The resource, or its residual.
    pub body: Sealed<FhirBody>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! The chapters of a patient's history.

use std::sync::Arc;

use async_graphql::{Context, Object};
use futures::FutureExt;
use praxis_entity::ids::PatientId;

use super::{
    allergies::{Allergy, AllergyStatus},
    family::{FamilyHistory, FamilyHistoryStatus},
    immunizations::{Immunization, ImmunizationStatus},
    medications::{MedicationStatement, MedicationStatementStatus},
    procedures::{Procedure, ProcedureStatus},
    social::{SocialHistory, SocialHistoryStatus},
    statement::of_patient,
};
use crate::{
    context::Ask,
    error::Nullable,
    page::{Cursors, PageArguments, connection},
    policy::at,
    redaction,
    subject::Subject,
};

connection!(
    /// A page of allergies.
    AllergyConnection, AllergyEdge, Allergy
);
connection!(
    /// A page of medications as stated.
    MedicationStatementConnection, MedicationStatementEdge, MedicationStatement
);
connection!(
    /// A page of immunisations.
    ImmunizationConnection, ImmunizationEdge, Immunization
);
connection!(
    /// A page of procedures.
    ProcedureConnection, ProcedureEdge, Procedure
);
connection!(
    /// A page of family history.
    FamilyHistoryConnection, FamilyHistoryEdge, FamilyHistory
);
connection!(
    /// A page of social history.
    SocialHistoryConnection, SocialHistoryEdge, SocialHistory
);

/// The chapters of a patient's history.
pub(crate) struct PatientHistory {
    patient: PatientId,
    subject: Arc<Subject>,
}

impl PatientHistory {
    pub(crate) fn new(patient: PatientId, subject: &Arc<Subject>) -> Self {
        Self { patient, subject: Arc::clone(subject) }
    }
}

macro_rules! chapters {
    ($($(#[$doc:meta])* $field:ident($coordinate:literal, $entity:ident, $object:ident, $status:ident, $connection:ident, $lists:ident);)*) => {
        /// The chapters of a patient's history.
        #[Object]
        impl PatientHistory {
            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most.")]
                    first: Option<i32>,
                    #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
                    #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
                    #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
                    #[graphql(desc = "In one of these statuses.")] status: Option<Vec<$status>>,
                ) -> Nullable<$connection> {
                    async {
                        let caller = ctx.caller()?;
                        let list = format!("{:?}{status:?}", self.patient);
                        let cursors = Cursors::of(caller, $coordinate, &list).await?;
                        let page = cursors.request(&PageArguments { first, after, last, before })?;
                        if !redaction::allowed(ctx, at!($coordinate), &self.subject).await? {
                            return Ok(None);
                        }
                        let status = status.map(|all| all.into_iter().map(Into::into).collect());
                        let (page, count) = of_patient::<praxis_entity::$entity::Entity, _>(
                            caller,
                            self.patient,
                            status,
                            (page, cursors),
                            |loaders| &loaders.$lists,
                            ($object::position, $object::new),
                        )
                        .await?;
                        Ok(Some($connection::new(page, count)))
                    }
                    .boxed()
                    .await
                    .transpose()
                }
            )*
        }
    };
}

chapters! {
    /// Allergies and intolerances, or the finding that there is none, the latest first. Null where the viewer may not know whether there are any.
    allergies("Patient.allergies", allergy, Allergy, AllergyStatus, AllergyConnection, allergies_of_patients);
    /// Medications as stated, the latest first. Null where the viewer may not know whether there are any.
    medication_statements("Patient.medicationStatements", medication_statement, MedicationStatement, MedicationStatementStatus, MedicationStatementConnection, medications_of_patients);
    /// Immunisations, the latest first. Null where the viewer may not know whether there are any.
    immunizations("Patient.immunizations", immunization, Immunization, ImmunizationStatus, ImmunizationConnection, immunizations_of_patients);
    /// Procedures, the latest first. Null where the viewer may not know whether there are any.
    procedures("Patient.procedures", procedure, Procedure, ProcedureStatus, ProcedureConnection, procedures_of_patients);
    /// What relatives have or had, the latest first. Null where the viewer may not know whether there is anything.
    family_history("Patient.familyHistory", family_history, FamilyHistory, FamilyHistoryStatus, FamilyHistoryConnection, family_histories_of_patients);
    /// How the patient lives, the latest first. Null where the viewer may not know whether there is anything.
    social_history("Patient.socialHistory", social_history, SocialHistory, SocialHistoryStatus, SocialHistoryConnection, social_histories_of_patients);
}

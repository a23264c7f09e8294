//! Vaccines that were given, and those that were not.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::history;
use praxis_entity::{immunization, value::ImmunizationClinical};
use praxis_platform::{Op, Write};

use super::statement::{moment, statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    scalar::PartialDate,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Whether a vaccine was given.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "immunization::ImmunizationStatus")]
pub(crate) enum ImmunizationStatus {
    /// Given.
    Completed,
    /// Not given.
    NotDone,
    /// Recorded by mistake.
    EnteredInError,
}

statement!(
    /// A vaccine that was given, or not given for a reason.
    Immunization("Immunization"), immunization, ImmunizationClinical, ImmunizationStatus, "immunization", {
        /// The vaccine, CVX where known.
        async fn vaccine(&self) -> Phi<ImmunizationClinical, CodeableConcept> {
            Phi::new(at!("Immunization.vaccine"), &self.clinical, |said| Some((&said.vaccine).into()))
        }

        /// When it was given, as precise as it is known.
        async fn given_at(&self) -> Phi<ImmunizationClinical, String> {
            Phi::new(at!("Immunization.givenAt"), &self.clinical, |said| {
                said.given.as_ref().map(|at| at.text.clone())
            })
        }

        /// Number of the lot.
        async fn lot(&self) -> Phi<ImmunizationClinical, String> {
            Phi::new(at!("Immunization.lot"), &self.clinical, |said| said.lot.clone())
        }

        /// Who made it.
        async fn manufacturer(&self) -> Phi<ImmunizationClinical, String> {
            Phi::new(at!("Immunization.manufacturer"), &self.clinical, |said| said.manufacturer.clone())
        }

        /// Until when the lot is good.
        async fn expires(&self) -> Phi<ImmunizationClinical, PartialDate> {
            Phi::new(at!("Immunization.expires"), &self.clinical, |said| said.expires.map(PartialDate))
        }

        /// Where on the body.
        async fn site(&self) -> Phi<ImmunizationClinical, CodeableConcept> {
            Phi::new(at!("Immunization.site"), &self.clinical, |said| said.site.as_ref().map(Into::into))
        }

        /// How it went in.
        async fn route(&self) -> Phi<ImmunizationClinical, CodeableConcept> {
            Phi::new(at!("Immunization.route"), &self.clinical, |said| said.route.as_ref().map(Into::into))
        }

        /// Why it was not given.
        async fn not_given_reason(&self) -> Phi<ImmunizationClinical, CodeableConcept> {
            Phi::new(at!("Immunization.notGivenReason"), &self.clinical, |said| {
                said.not_given_reason.as_ref().map(Into::into)
            })
        }

        /// Remarks.
        async fn notes(&self) -> Phi<ImmunizationClinical, Vec<String>> {
            Phi::new(at!("Immunization.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<ImmunizationClinical, String> {
            Phi::new(at!("Immunization.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// A vaccine; with a reason against it, one that was not given.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ImmunizationRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter.
    encounter_id: Option<ID>,
    /// The vaccine, CVX where known.
    vaccine: CodeableConceptInput,
    /// When it was given, as precise as it is known.
    given_at: Option<PartialDate>,
    /// Number of the lot.
    lot: Option<String>,
    /// Who made it.
    manufacturer: Option<String>,
    /// Until when the lot is good.
    expires: Option<PartialDate>,
    /// Where on the body.
    site: Option<CodeableConceptInput>,
    /// How it went in.
    route: Option<CodeableConceptInput>,
    /// Why it was not given; absent for one that was.
    not_given_reason: Option<CodeableConceptInput>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl ImmunizationRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<immunization::Model> {
        let said = ImmunizationClinical {
            vaccine: self.vaccine.into(),
            given: self.given_at.and_then(moment),
            lot: self.lot,
            manufacturer: self.manufacturer,
            expires: self.expires.map(|date| date.0),
            site: self.site.map(Into::into),
            route: self.route.map(Into::into),
            not_given_reason: self.not_given_reason.map(Into::into),
            notes: self.notes,
            status_reason: None,
        };
        history::record_immunization(op, patient, encounter, said).await
    }
}

statement_mutations!(
    /// Immunisations.
    ImmunizationMutation, Immunization as immunization, immunization,
    record
        /// Records a vaccine that was given, or why one was not.
        ///
        /// Errors: NOT_FOUND, REQUIRED, INVALID, TOO_LONG, LOCKED.
        immunization_record("Mutation.immunizationRecord", ImmunizationRecordInput, ImmunizationRecordPayload),
    steps {},
    mistake immunization_enter_in_error("Mutation.immunizationEnterInError", "immunizationEnterInError", ImmunizationEnterInErrorInput, ImmunizationEnterInErrorPayload),
    advance history::chapter::advance::<immunization::Entity>
);

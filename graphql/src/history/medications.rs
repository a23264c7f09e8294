//! Medications as the patient or a source states them.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::history;
use praxis_entity::{medication_statement, value::MedicationClinical};
use praxis_platform::{Op, Write};

use super::statement::{moment, statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    scalar::PartialDate,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Whether a medication is taken.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "medication_statement::MedicationStatus")]
pub(crate) enum MedicationStatementStatus {
    /// Taken.
    Active,
    /// Paused.
    OnHold,
    /// Taken to the end.
    Completed,
    /// Stopped before its end.
    Stopped,
    /// Never taken.
    NotTaken,
    /// The source did not say.
    Unknown,
    /// Recorded by mistake.
    EnteredInError,
}

statement!(
    /// A medication as the patient or a source states it: what is taken, not what was ordered here.
    MedicationStatement("MedicationStatement"), medication_statement, MedicationClinical, MedicationStatementStatus, "medication_statement", {
        /// The medication.
        async fn code(&self) -> Phi<MedicationClinical, CodeableConcept> {
            Phi::new(at!("MedicationStatement.code"), &self.clinical, |said| Some((&said.code).into()))
        }

        /// How much and how often, in words.
        async fn dosage(&self) -> Phi<MedicationClinical, String> {
            Phi::new(at!("MedicationStatement.dosage"), &self.clinical, |said| said.dosage.clone())
        }

        /// What for.
        async fn reasons(&self) -> Phi<MedicationClinical, Vec<CodeableConcept>> {
            Phi::new(at!("MedicationStatement.reasons"), &self.clinical, |said| {
                Some(said.reasons.iter().map(Into::into).collect())
            })
        }

        /// Since when, as precise as it is known.
        async fn started(&self) -> Phi<MedicationClinical, String> {
            Phi::new(at!("MedicationStatement.started"), &self.clinical, |said| {
                said.started.as_ref().map(|at| at.text.clone())
            })
        }

        /// Until when, as precise as it is known.
        async fn ended(&self) -> Phi<MedicationClinical, String> {
            Phi::new(at!("MedicationStatement.ended"), &self.clinical, |said| {
                said.ended.as_ref().map(|at| at.text.clone())
            })
        }

        /// Who said so: the patient, a relative, another doctor.
        async fn source(&self) -> Phi<MedicationClinical, String> {
            Phi::new(at!("MedicationStatement.source"), &self.clinical, |said| said.source.clone())
        }

        /// Remarks.
        async fn notes(&self) -> Phi<MedicationClinical, Vec<String>> {
            Phi::new(at!("MedicationStatement.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<MedicationClinical, String> {
            Phi::new(at!("MedicationStatement.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// A medication that somebody takes, or took.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct MedicationStatementRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter it was said.
    encounter_id: Option<ID>,
    /// The medication.
    code: CodeableConceptInput,
    /// Whether it is taken now.
    #[graphql(default = true)]
    taken_now: bool,
    /// How much and how often, in words.
    dosage: Option<String>,
    /// What for.
    #[graphql(default)]
    reasons: Vec<CodeableConceptInput>,
    /// Since when, as precise as it is known.
    started: Option<PartialDate>,
    /// Until when, as precise as it is known.
    ended: Option<PartialDate>,
    /// Who said so: the patient, a relative, another doctor.
    source: Option<String>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl MedicationStatementRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<medication_statement::Model> {
        let said = MedicationClinical {
            code: self.code.into(),
            dosage: self.dosage,
            reasons: self.reasons.into_iter().map(Into::into).collect(),
            started: self.started.and_then(moment),
            ended: self.ended.and_then(moment),
            source: self.source,
            notes: self.notes,
            status_reason: None,
        };
        history::record_medication(op, patient, encounter, self.taken_now, said).await
    }
}

statement_mutations!(
    /// Medications as they are stated.
    MedicationMutation, MedicationStatement as medication_statement, medication_statement,
    record
        /// Records which medication a patient takes, or took.
        ///
        /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, LOCKED.
        medication_statement_record("Mutation.medicationStatementRecord", MedicationStatementRecordInput, MedicationStatementRecordPayload),
    steps {
        /// Says that a medication was stopped before its end.
        medication_statement_stop("Mutation.medicationStatementStop", "medicationStatementStop", MedicationStatementStopInput, MedicationStatementStopPayload);
        /// Says that a medication was taken to its end.
        medication_statement_complete("Mutation.medicationStatementComplete", "medicationStatementComplete", MedicationStatementCompleteInput, MedicationStatementCompletePayload);
    },
    mistake medication_statement_enter_in_error("Mutation.medicationStatementEnterInError", "medicationStatementEnterInError", MedicationStatementEnterInErrorInput, MedicationStatementEnterInErrorPayload),
    advance history::chapter::advance::<medication_statement::Entity>
);

//! What relatives of a patient have or had.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use praxis_domain::history;
use praxis_entity::{
    family_history,
    value::{self as stored, FamilyHistoryClinical},
};
use praxis_platform::{Op, Write};

use super::statement::{statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Whether a finding about a relative counts.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "family_history::FamilyHistoryStatus")]
pub(crate) enum FamilyHistoryStatus {
    /// As far as it is known.
    Current,
    /// Recorded by mistake.
    EnteredInError,
}

/// What a relative has or had.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct FamilyCondition {
    /// What it is.
    code: CodeableConcept,
    /// How it ended.
    outcome: Option<CodeableConcept>,
    /// At which age it began.
    onset_age: Option<i32>,
}

statement!(
    /// What a relative of a patient has or had.
    FamilyHistory("FamilyHistory"), family_history, FamilyHistoryClinical, FamilyHistoryStatus, "family_history", {
        /// What the relative is to the patient.
        async fn relationship(&self) -> Phi<FamilyHistoryClinical, CodeableConcept> {
            Phi::new(at!("FamilyHistory.relationship"), &self.clinical, |said| Some((&said.relationship).into()))
        }

        /// What they have or had; empty where nothing is known.
        async fn conditions(&self) -> Phi<FamilyHistoryClinical, Vec<FamilyCondition>> {
            Phi::new(at!("FamilyHistory.conditions"), &self.clinical, |said| {
                let condition = |one: &stored::FamilyCondition| FamilyCondition {
                    code: (&one.code).into(),
                    outcome: one.outcome.as_ref().map(Into::into),
                    onset_age: one.onset_age,
                };
                Some(said.conditions.iter().map(condition).collect())
            })
        }

        /// Whether they died, where it is known.
        async fn deceased(&self) -> Phi<FamilyHistoryClinical, bool> {
            Phi::new(at!("FamilyHistory.deceased"), &self.clinical, |said| said.deceased)
        }

        /// Remarks.
        async fn notes(&self) -> Phi<FamilyHistoryClinical, Vec<String>> {
            Phi::new(at!("FamilyHistory.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<FamilyHistoryClinical, String> {
            Phi::new(at!("FamilyHistory.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// What a relative has or had.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct FamilyConditionInput {
    /// What it is.
    code: CodeableConceptInput,
    /// How it ended.
    outcome: Option<CodeableConceptInput>,
    /// At which age it began.
    onset_age: Option<i32>,
}

/// What a relative of a patient has or had.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct FamilyHistoryRecordInput {
    /// Whose relative.
    patient_id: ID,
    /// In which encounter it was said.
    encounter_id: Option<ID>,
    /// What the relative is to the patient: HL7 v3-RoleCode, such as `MTH`.
    relationship: CodeableConceptInput,
    /// What they have or had.
    #[graphql(default)]
    conditions: Vec<FamilyConditionInput>,
    /// Whether they died.
    deceased: Option<bool>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl FamilyHistoryRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<family_history::Model> {
        let condition = |one: FamilyConditionInput| stored::FamilyCondition {
            code: one.code.into(),
            outcome: one.outcome.map(Into::into),
            onset_age: one.onset_age,
        };
        let said = FamilyHistoryClinical {
            relationship: self.relationship.into(),
            conditions: self.conditions.into_iter().map(condition).collect(),
            deceased: self.deceased,
            notes: self.notes,
            status_reason: None,
        };
        history::record_family_history(op, patient, encounter, said).await
    }
}

statement_mutations!(
    /// Family history.
    FamilyHistoryMutation, FamilyHistory as family_history, family_history,
    record
        /// Records what a relative of a patient has or had.
        ///
        /// Errors: NOT_FOUND, REQUIRED, OUT_OF_RANGE, TOO_LONG, LOCKED.
        family_history_record("Mutation.familyHistoryRecord", FamilyHistoryRecordInput, FamilyHistoryRecordPayload),
    steps {},
    mistake family_history_enter_in_error("Mutation.familyHistoryEnterInError", "familyHistoryEnterInError", FamilyHistoryEnterInErrorInput, FamilyHistoryEnterInErrorPayload),
    advance history::chapter::advance::<family_history::Entity>
);

//! How patients live.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::history;
use praxis_entity::{social_history, value::SocialHistoryClinical};
use praxis_platform::{Op, Write};

use super::statement::{moment, statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    scalar::PartialDate,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Whether an answer counts.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "social_history::SocialHistoryStatus")]
pub(crate) enum SocialHistoryStatus {
    /// As it was said last.
    Current,
    /// Something else was said later.
    Superseded,
    /// Recorded by mistake.
    EnteredInError,
}

statement!(
    /// How a patient lives: an answer to one question.
    SocialHistory("SocialHistory"), social_history, SocialHistoryClinical, SocialHistoryStatus, "social_history", {
        /// What it is about, LOINC where known: `72166-2` tobacco smoking status.
        async fn code(&self) -> Phi<SocialHistoryClinical, CodeableConcept> {
            Phi::new(at!("SocialHistory.code"), &self.clinical, |said| Some((&said.code).into()))
        }

        /// The answer.
        async fn value(&self) -> Phi<SocialHistoryClinical, CodeableConcept> {
            Phi::new(at!("SocialHistory.value"), &self.clinical, |said| said.value.as_ref().map(Into::into))
        }

        /// Since when, as precise as it is known.
        async fn since(&self) -> Phi<SocialHistoryClinical, String> {
            Phi::new(at!("SocialHistory.since"), &self.clinical, |said| {
                said.since.as_ref().map(|at| at.text.clone())
            })
        }

        /// Remarks.
        async fn notes(&self) -> Phi<SocialHistoryClinical, Vec<String>> {
            Phi::new(at!("SocialHistory.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<SocialHistoryClinical, String> {
            Phi::new(at!("SocialHistory.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// How a patient lives.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct SocialHistoryRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter it was said.
    encounter_id: Option<ID>,
    /// What it is about, LOINC where known: `72166-2` tobacco smoking status.
    code: CodeableConceptInput,
    /// The answer.
    value: CodeableConceptInput,
    /// Since when, as precise as it is known.
    since: Option<PartialDate>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl SocialHistoryRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<social_history::Model> {
        let said = SocialHistoryClinical {
            code: self.code.into(),
            value: Some(self.value.into()),
            since: self.since.and_then(moment),
            notes: self.notes,
            status_reason: None,
        };
        history::record_social_history(op, patient, encounter, said).await
    }
}

statement_mutations!(
    /// Social history.
    SocialHistoryMutation, SocialHistory as social_history, social_history,
    record
        /// Records how a patient lives. What was said before to the same is not current any more.
        ///
        /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, LOCKED.
        social_history_record("Mutation.socialHistoryRecord", SocialHistoryRecordInput, SocialHistoryRecordPayload),
    steps {},
    mistake social_history_enter_in_error("Mutation.socialHistoryEnterInError", "socialHistoryEnterInError", SocialHistoryEnterInErrorInput, SocialHistoryEnterInErrorPayload),
    advance history::chapter::advance::<social_history::Entity>
);

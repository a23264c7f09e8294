//! Procedures that were done.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::history;
use praxis_entity::{procedure, value::ProcedureClinical};
use praxis_platform::{Op, Write};

use super::statement::{moment, statement, statement_mutations};
use crate::{
    ids,
    phi::Phi,
    policy::at,
    scalar::PartialDate,
    value::{CodeableConcept, CodeableConceptInput},
};

/// Whether a procedure was done.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "procedure::ProcedureStatus")]
pub(crate) enum ProcedureStatus {
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Ended before it was done.
    Stopped,
    /// Not done.
    NotDone,
    /// The source did not say.
    Unknown,
    /// Recorded by mistake.
    EnteredInError,
}

statement!(
    /// A procedure that was done, here or elsewhere.
    Procedure("Procedure"), procedure, ProcedureClinical, ProcedureStatus, "procedure", {
        /// What was done.
        async fn code(&self) -> Phi<ProcedureClinical, CodeableConcept> {
            Phi::new(at!("Procedure.code"), &self.clinical, |said| Some((&said.code).into()))
        }

        /// When, as precise as it is known.
        async fn performed(&self) -> Phi<ProcedureClinical, String> {
            Phi::new(at!("Procedure.performed"), &self.clinical, |said| {
                said.performed.as_ref().map(|at| at.text.clone())
            })
        }

        /// Until when, as precise as it is known.
        async fn ended(&self) -> Phi<ProcedureClinical, String> {
            Phi::new(at!("Procedure.ended"), &self.clinical, |said| said.ended.as_ref().map(|at| at.text.clone()))
        }

        /// Where on the body.
        async fn body_sites(&self) -> Phi<ProcedureClinical, Vec<CodeableConcept>> {
            Phi::new(at!("Procedure.bodySites"), &self.clinical, |said| {
                Some(said.body_sites.iter().map(Into::into).collect())
            })
        }

        /// What for.
        async fn reasons(&self) -> Phi<ProcedureClinical, Vec<CodeableConcept>> {
            Phi::new(at!("Procedure.reasons"), &self.clinical, |said| {
                Some(said.reasons.iter().map(Into::into).collect())
            })
        }

        /// Remarks.
        async fn notes(&self) -> Phi<ProcedureClinical, Vec<String>> {
            Phi::new(at!("Procedure.notes"), &self.clinical, |said| Some(said.notes.clone()))
        }

        /// Why it stands where it stands, in words.
        async fn status_reason(&self) -> Phi<ProcedureClinical, String> {
            Phi::new(at!("Procedure.statusReason"), &self.clinical, |said| said.status_reason.clone())
        }
    }
);

/// A procedure that was done.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ProcedureRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter it was said.
    encounter_id: Option<ID>,
    /// What was done.
    code: CodeableConceptInput,
    /// When, as precise as it is known.
    performed: Option<PartialDate>,
    /// Where on the body.
    #[graphql(default)]
    body_sites: Vec<CodeableConceptInput>,
    /// What for.
    #[graphql(default)]
    reasons: Vec<CodeableConceptInput>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl ProcedureRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<procedure::Model> {
        let said = ProcedureClinical {
            code: self.code.into(),
            performed: self.performed.and_then(moment),
            ended: None,
            body_sites: self.body_sites.into_iter().map(Into::into).collect(),
            reasons: self.reasons.into_iter().map(Into::into).collect(),
            notes: self.notes,
            status_reason: None,
        };
        history::record_procedure(op, patient, encounter, said).await
    }
}

statement_mutations!(
    /// Procedures.
    ProcedureMutation, Procedure as procedure, procedure,
    record
        /// Records a procedure that was done.
        ///
        /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, LOCKED.
        procedure_record("Mutation.procedureRecord", ProcedureRecordInput, ProcedureRecordPayload),
    steps {},
    mistake procedure_enter_in_error("Mutation.procedureEnterInError", "procedureEnterInError", ProcedureEnterInErrorInput, ProcedureEnterInErrorPayload),
    advance history::chapter::advance::<procedure::Entity>
);

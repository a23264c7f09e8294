//! The problem list.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::history;
use praxis_entity::{
    condition::{self, VerificationStatus},
    value::ConditionClinical,
};
use praxis_platform::{Op, Write};

use super::{
    Condition,
    statement::{moment, statement_mutations},
};
use crate::{ids, scalar::PartialDate, value::CodeableConceptInput};

/// How sure a problem is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemCertainty {
    /// Not yet confirmed.
    Unconfirmed,
    /// Tentative.
    Provisional,
    /// One of several possible.
    Differential,
    /// Confirmed.
    Confirmed,
}

impl From<ProblemCertainty> for VerificationStatus {
    fn from(certainty: ProblemCertainty) -> Self {
        match certainty {
            ProblemCertainty::Unconfirmed => Self::Unconfirmed,
            ProblemCertainty::Provisional => Self::Provisional,
            ProblemCertainty::Differential => Self::Differential,
            ProblemCertainty::Confirmed => Self::Confirmed,
        }
    }
}

/// A problem for the list of a patient.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ProblemRecordInput {
    /// Whose.
    patient_id: ID,
    /// In which encounter it was found.
    encounter_id: Option<ID>,
    /// What it is.
    code: CodeableConceptInput,
    /// How sure it is.
    #[graphql(default_with = "ProblemCertainty::Confirmed")]
    certainty: ProblemCertainty,
    /// How grave it is.
    severity: Option<CodeableConceptInput>,
    /// Where on the body.
    #[graphql(default)]
    body_sites: Vec<CodeableConceptInput>,
    /// When it began, as precise as it is known.
    onset: Option<PartialDate>,
    /// Remarks.
    #[graphql(default)]
    notes: Vec<String>,
}

impl ProblemRecordInput {
    async fn record(
        self,
        op: &Op<Write>,
        (patient, encounter): ids::Chart,
    ) -> praxis_domain::Result<condition::Model> {
        let said = ConditionClinical {
            code: self.code.into(),
            severity: self.severity.map(Into::into),
            body_sites: self.body_sites.into_iter().map(Into::into).collect(),
            onset: self.onset.and_then(moment),
            abatement: None,
            recorded: None,
            notes: self.notes,
        };
        history::record_problem(op, patient, encounter, self.certainty.into(), said).await
    }
}

statement_mutations!(
    /// The problem list.
    ProblemMutation, Condition as condition, condition,
    record
        /// Puts a problem on the list of a patient.
        ///
        /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, LOCKED.
        problem_record("Mutation.problemRecord", ProblemRecordInput, ProblemRecordPayload),
    steps {
        /// Says that a problem subsided.
        problem_remit("Mutation.problemRemit", "problemRemit", ProblemRemitInput, ProblemRemitPayload);
        /// Says that a problem is not present now.
        problem_inactivate("Mutation.problemInactivate", "problemInactivate", ProblemInactivateInput, ProblemInactivatePayload);
        /// Says that a problem is gone.
        problem_resolve("Mutation.problemResolve", "problemResolve", ProblemResolveInput, ProblemResolvePayload);
        /// Says that a problem which was gone came back.
        problem_recur("Mutation.problemRecur", "problemRecur", ProblemRecurInput, ProblemRecurPayload);
        /// Says that a problem which had subsided came back.
        problem_relapse("Mutation.problemRelapse", "problemRelapse", ProblemRelapseInput, ProblemRelapsePayload);
    },
    mistake problem_enter_in_error("Mutation.problemEnterInError", "problemEnterInError", ProblemEnterInErrorInput, ProblemEnterInErrorPayload),
    advance history::advance_problem
);

//! Assessment, plan, and closing.

use async_graphql::{Context, ID, InputObject, Object};
use praxis_domain::consultation;

use super::types::DiagnosisUse;
use crate::{
    context::change, encounters::encounter_payload, error::ApiError, ids, value::CodeableConceptInput,
};

/// Assessment, plan, and closing.
#[derive(Default)]
pub(crate) struct ConsultationMutation;

/// A diagnosis of an encounter.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct DiagnosisInput {
    /// ICD-10-CM code, for example `E11.9`.
    code: String,
    /// The text that the clinician saw or wrote.
    text: Option<String>,
    /// 1 for the one that the encounter is mainly about.
    rank: i32,
    /// What it is for.
    #[graphql(name = "use", default_with = "DiagnosisUse::Discharge")]
    purpose: DiagnosisUse,
    /// The problem on the patient's list that it is, if it is there already.
    condition_id: Option<ID>,
}

impl TryFrom<DiagnosisInput> for consultation::NewDiagnosis {
    type Error = ApiError;

    fn try_from(input: DiagnosisInput) -> Result<Self, ApiError> {
        Ok(Self {
            code: input.code,
            text: input.text,
            rank: input.rank,
            purpose: input.purpose.into(),
            condition: input.condition_id.as_ref().map(ids::parse).transpose()?,
        })
    }
}

/// What the clinician makes of an encounter; what is not given stays.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AssessmentRecordInput {
    /// The encounter.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// In words; becomes the newest version.
    text: Option<String>,
    /// All diagnoses of the encounter as they are now: what is not among them is withdrawn.
    diagnoses: Option<Vec<DiagnosisInput>>,
}

/// What is to be done.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct PlanRecordInput {
    /// The encounter.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// In words; becomes the newest version.
    text: String,
}

/// The end of an encounter.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct EncounterCloseInput {
    /// The encounter.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Where the patient goes.
    disposition: Option<CodeableConceptInput>,
    /// Why it is closed although something is missing. Needs encounter:override-close-gate; goes to the audit log.
    override_reason: Option<String>,
}

encounter_payload! {
    /// The assessed encounter, or why not.
    AssessmentRecordPayload;
    /// The encounter with its plan, or why not.
    PlanRecordPayload;
    /// The closed encounter, or what is missing.
    EncounterClosePayload;
}

#[Object]
impl ConsultationMutation {
    /// Records the assessment of an encounter, with its diagnoses.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, ALREADY_EXISTS, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn assessment_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The assessment.")] input: AssessmentRecordInput,
    ) -> Result<AssessmentRecordPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let diagnoses = input.diagnoses.map(|all| all.into_iter().map(TryInto::try_into).collect());
        let new = consultation::Assessment { text: input.text, diagnoses: diagnoses.transpose()? };
        let assess = async |op: &_| consultation::assess(op, id, version, new).await;
        Ok(change(ctx, "Mutation.assessmentRecord", assess).await?.into())
    }

    /// Records the plan of an encounter.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn plan_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan.")] input: PlanRecordInput,
    ) -> Result<PlanRecordPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let plan = async |op: &_| consultation::plan(op, id, version, &input.text).await;
        Ok(change(ctx, "Mutation.planRecord", plan).await?.into())
    }

    /// Closes an encounter. What is missing is named; with a reason and the permission for it, it is closed all the
    /// same.
    ///
    /// Errors: CLOSE_GATE (with the requirements), REQUIRED, INVALID, TOO_LONG, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter, and how it ends.")] input: EncounterCloseInput,
    ) -> Result<EncounterClosePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let closing = consultation::Closing {
            disposition: input.disposition.map(Into::into),
            override_reason: input.override_reason,
        };
        let close = async |op: &_| consultation::close(op, id, version, closing).await;
        Ok(change(ctx, "Mutation.encounterClose", close).await?.into())
    }
}

//! The condition.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::{PageRequest, Position, history};
use praxis_entity::{
    condition,
    ids::{EncounterId, PatientId},
    value::ConditionClinical,
};

use sea_orm::ActiveEnum;

use crate::{
    allowed::actions,
    context::{Ask, Caller},
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    page::{Cursors, Page, connection, count_under, slice_under},
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::DateTime,
    sensitivity::Confidentiality,
    staff::Practitioner,
    subject::Subject,
    value::CodeableConcept,
};

/// Where a condition belongs.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "condition::ConditionCategory")]
pub(crate) enum ConditionCategory {
    /// On the problem list.
    ProblemListItem,
    /// Diagnosed in one encounter.
    EncounterDiagnosis,
    /// Named by the patient or a carer.
    HealthConcern,
}

/// Whether a condition is present.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "condition::ClinicalStatus")]
pub(crate) enum ClinicalStatus {
    /// Present.
    Active,
    /// Came back.
    Recurrence,
    /// Came back after improvement.
    Relapse,
    /// Not present now.
    Inactive,
    /// Subsided.
    Remission,
    /// Gone.
    Resolved,
}

/// How sure a condition is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "condition::VerificationStatus")]
pub(crate) enum VerificationStatus {
    /// Not yet confirmed.
    Unconfirmed,
    /// Tentative.
    Provisional,
    /// One of several possible.
    Differential,
    /// Confirmed.
    Confirmed,
    /// Ruled out.
    Refuted,
    /// Recorded by mistake.
    EnteredInError,
}

/// A problem or diagnosis.
pub(crate) struct Condition {
    row: condition::Model,
    subject: Arc<Subject>,
    clinical: Arc<Class<ConditionClinical>>,
    past: bool,
}

impl Condition {
    pub(crate) fn new(row: condition::Model) -> Self {
        let subject = Subject::new(row.patient_id, &row);
        let clinical = Class::new("condition", row.id.0, &subject, row.clinical.clone());
        Self { clinical, subject, row, past: false }
    }

    /// As it was known at a moment: nothing can be done with that.
    pub(crate) fn as_known(row: condition::Model) -> Self {
        Self { past: true, ..Self::new(row) }
    }

    pub(crate) fn position(row: &condition::Model) -> Position {
        Position { key: row.recorded_at, id: row.id.0 }
    }
}

/// A problem or diagnosis.
#[Object]
impl Condition {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "Condition", &self.subject, true).await
    }

    /// How sensitive it is: by its own label, or what it hangs on.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on it as it stands: on problems of the list only.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let listed = self.row.category == condition::ConditionCategory::ProblemListItem;
        if self.past
            || !listed
            || self.row.verification_status == condition::VerificationStatus::EnteredInError
        {
            return Ok(Vec::new());
        }
        // What a source gave no status counts as present.
        let status = self.row.clinical_status.unwrap_or(condition::ClinicalStatus::Active);
        actions(ctx.caller()?, "problem", &self.subject, &status.to_value()).await
    }

    /// Whose it is.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// In which encounter; null where the viewer may not know of it.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        async {
            let Some(id) = self.row.encounter_id else { return Ok(None) };
            if !redaction::allowed(ctx, at!("Query.encounter"), &self.subject).await? {
                return Ok(None);
            }
            Ok(ctx.caller()?.loaders().encounters.load(id).await?.map(Encounter::new))
        }
        .await
        .transpose()
    }

    /// Who recorded it.
    async fn recorder(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.recorder_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Where it belongs.
    fn category(&self) -> ConditionCategory {
        self.row.category.into()
    }

    /// Whether it is present.
    fn clinical_status(&self) -> Option<ClinicalStatus> {
        self.row.clinical_status.map(Into::into)
    }

    /// How sure it is.
    fn verification_status(&self) -> VerificationStatus {
        self.row.verification_status.into()
    }

    /// When it was recorded.
    fn recorded_at(&self) -> Option<DateTime> {
        self.row.recorded_at.map(DateTime)
    }

    /// When it ended.
    fn abated_at(&self) -> Option<DateTime> {
        self.row.abated_at.map(DateTime)
    }

    /// What it is.
    fn code(&self) -> Phi<ConditionClinical, CodeableConcept> {
        Phi::new(at!("Condition.code"), &self.clinical, |clinical| Some((&clinical.code).into()))
    }

    /// How grave it is.
    fn severity(&self) -> Phi<ConditionClinical, CodeableConcept> {
        Phi::new(at!("Condition.severity"), &self.clinical, |clinical| {
            clinical.severity.as_ref().map(Into::into)
        })
    }

    /// Where on the body.
    fn body_sites(&self) -> Phi<ConditionClinical, Vec<CodeableConcept>> {
        Phi::new(at!("Condition.bodySites"), &self.clinical, |clinical| {
            Some(clinical.body_sites.iter().map(Into::into).collect())
        })
    }

    /// When it began.
    fn onset_at(&self) -> Phi<ConditionClinical, DateTime> {
        Phi::new(at!("Condition.onsetAt"), &self.clinical, |clinical| {
            clinical.onset.as_ref().map(|onset| DateTime(onset.at))
        })
    }

    /// Remarks.
    fn notes(&self) -> Phi<ConditionClinical, Vec<String>> {
        Phi::new(at!("Condition.notes"), &self.clinical, |clinical| Some(clinical.notes.clone()))
    }
}

connection!(
    /// A page of conditions.
    ConditionConnection, ConditionEdge, Condition
);

impl ConditionConnection {
    /// The conditions of one patient, loaded together with those of its siblings.
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        filter: history::ConditionFilter,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice =
            slice_under(&caller.loaders().conditions_of_patients, arguments, patient, move |patients| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(history::of_patients(&op, &patients, &filter, &page).await?) }
            })
            .await?;
        let (op, arguments) = (caller.reading().clone(), cursors.asked());
        let count = count_under(
            caller,
            |loaders| &loaders.patient_counts,
            arguments,
            patient,
            move |patients, max| {
                let (op, filter) = (op.clone(), filter.clone());
                async move { Ok(history::count_of_patients(&op, &patients, &filter, max).await?) }
            },
        );
        Ok(Self::new(Page::new(slice, cursors, Condition::position, Condition::new), count))
    }

    /// The conditions of one encounter, loaded together with those of its siblings.
    pub(crate) async fn of_encounter(
        caller: &Caller,
        encounter: EncounterId,
        filter: history::ConditionFilter,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice = slice_under(
            &caller.loaders().conditions_of_encounters,
            arguments,
            encounter,
            move |encounters| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(history::of_encounters(&op, &encounters, &filter, &page).await?) }
            },
        )
        .await?;
        let (op, arguments) = (caller.reading().clone(), cursors.asked());
        let count = count_under(
            caller,
            |loaders| &loaders.encounter_counts,
            arguments,
            encounter,
            move |encounters, max| {
                let (op, filter) = (op.clone(), filter.clone());
                async move { Ok(history::count_of_encounters(&op, &encounters, &filter, max).await?) }
            },
        );
        Ok(Self::new(Page::new(slice, cursors, Condition::position, Condition::new), count))
    }
}

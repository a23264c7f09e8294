//! The observation.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{PageRequest, Position, charting};
use praxis_entity::{
    ids::{EncounterId, PatientId},
    observation,
    value::{self as stored, ObservationResult},
};

use sea_orm::ActiveEnum;

use crate::{
    allowed,
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
    value::{CodeableConcept, ObservationValue, ReferenceRange},
};

/// Kind of observation, after HL7 observation-category.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "observation::ObservationCategory")]
pub(crate) enum ObservationCategory {
    /// Vital sign.
    VitalSigns,
    /// Laboratory result.
    Laboratory,
    /// Answer to a questionnaire.
    Survey,
    /// Way of life.
    SocialHistory,
    /// Finding of an examination.
    Exam,
    /// Finding in an image.
    Imaging,
    /// Found during a procedure.
    Procedure,
    /// Found during therapy.
    Therapy,
    /// Bodily activity.
    Activity,
    /// None of these, or not given.
    Other,
}

/// How final an observation is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "observation::ObservationStatus")]
pub(crate) enum ObservationStatus {
    /// No result yet.
    Registered,
    /// May still change.
    Preliminary,
    /// Complete and verified.
    Final,
    /// Changed after it was final.
    Amended,
    /// Put right after it was final.
    Corrected,
    /// Not carried out.
    Cancelled,
    /// Recorded by mistake.
    EnteredInError,
    /// The source did not say.
    Unknown,
}

/// A measurement or finding.
pub(crate) struct Observation {
    row: observation::Model,
    subject: Arc<Subject>,
    result: Arc<Class<ObservationResult>>,
    /// It is shown as it was at a moment: nothing can be done with it.
    past: bool,
}

impl Observation {
    pub(crate) fn new(row: observation::Model) -> Self {
        let subject = Subject::new(row.patient_id, &row);
        let result = Class::new("observation", row.id.0, &subject, row.result.clone());
        Self { row, subject, result, past: false }
    }

    /// As it was known at a moment.
    pub(crate) fn as_known(row: observation::Model) -> Self {
        Self { past: true, ..Self::new(row) }
    }

    pub(crate) fn position(row: &observation::Model) -> Position {
        Position { key: row.effective_at, id: row.id.0 }
    }
}

fn concepts(concepts: &[stored::CodeableConcept]) -> Vec<CodeableConcept> {
    concepts.iter().map(Into::into).collect()
}

/// A measurement or finding.
#[Object]
impl Observation {
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
        redaction::of(ctx.caller()?, "Observation", &self.subject, true).await
    }

    /// How sensitive it is: by its own label, or what it hangs on.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the observation as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        if self.past {
            return Ok(Vec::new());
        }
        allowed::actions(ctx.caller()?, "observation", &self.subject, &self.row.status.to_value()).await
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

    /// Who made it.
    async fn performer(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.performer_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Kind of observation.
    fn category(&self) -> ObservationCategory {
        self.row.category.into()
    }

    /// How final it is.
    fn status(&self) -> ObservationStatus {
        self.row.status.into()
    }

    /// When it was true.
    fn effective_at(&self) -> Option<DateTime> {
        self.row.effective_at.map(DateTime)
    }

    /// When it became known.
    fn issued_at(&self) -> Option<DateTime> {
        self.row.issued_at.map(DateTime)
    }

    /// What was measured or found.
    fn code(&self) -> Phi<ObservationResult, CodeableConcept> {
        Phi::new(at!("Observation.code"), &self.result, |result| Some((&result.code).into()))
    }

    /// The result; null for a composed observation, whose results are its components.
    fn value(&self) -> Phi<ObservationResult, ObservationValue> {
        Phi::new(at!("Observation.value"), &self.result, |result| result.value.as_ref().map(Into::into))
    }

    /// Why there is no result.
    fn absent_reason(&self) -> Phi<ObservationResult, CodeableConcept> {
        Phi::new(at!("Observation.absentReason"), &self.result, |result| {
            result.absent_reason.as_ref().map(Into::into)
        })
    }

    /// High, low, normal and the like.
    fn interpretations(&self) -> Phi<ObservationResult, Vec<CodeableConcept>> {
        Phi::new(at!("Observation.interpretations"), &self.result, |result| {
            Some(concepts(&result.interpretations))
        })
    }

    /// The ranges it was read against.
    fn reference_ranges(&self) -> Phi<ObservationResult, Vec<ReferenceRange>> {
        Phi::new(at!("Observation.referenceRanges"), &self.result, |result| {
            Some(result.reference_ranges.iter().map(Into::into).collect())
        })
    }

    /// Parts of a composed observation, such as systolic and diastolic pressure.
    fn components(&self) -> Phi<ObservationResult, Vec<ObservationComponent>> {
        Phi::new(at!("Observation.components"), &self.result, |result| {
            Some(result.components.iter().map(Into::into).collect())
        })
    }

    /// Where on the body.
    fn body_site(&self) -> Phi<ObservationResult, CodeableConcept> {
        Phi::new(at!("Observation.bodySite"), &self.result, |result| {
            result.body_site.as_ref().map(Into::into)
        })
    }

    /// How it was measured.
    fn method(&self) -> Phi<ObservationResult, CodeableConcept> {
        Phi::new(at!("Observation.method"), &self.result, |result| result.method.as_ref().map(Into::into))
    }

    /// Remarks.
    fn notes(&self) -> Phi<ObservationResult, Vec<String>> {
        Phi::new(at!("Observation.notes"), &self.result, |result| Some(result.notes.clone()))
    }
}

/// One part of a composed observation.
#[derive(SimpleObject)]
pub(crate) struct ObservationComponent {
    /// What was measured.
    code: CodeableConcept,
    /// The result.
    value: Option<ObservationValue>,
    /// Why there is no result.
    absent_reason: Option<CodeableConcept>,
    /// High, low, normal and the like.
    interpretations: Vec<CodeableConcept>,
    /// The ranges it was read against.
    reference_ranges: Vec<ReferenceRange>,
}

impl From<&stored::Component> for ObservationComponent {
    fn from(component: &stored::Component) -> Self {
        Self {
            code: (&component.code).into(),
            value: component.value.as_ref().map(Into::into),
            absent_reason: component.absent_reason.as_ref().map(Into::into),
            interpretations: concepts(&component.interpretations),
            reference_ranges: component.reference_ranges.iter().map(Into::into).collect(),
        }
    }
}

connection!(
    /// A page of observations.
    ObservationConnection, ObservationEdge, Observation
);

impl ObservationConnection {
    /// The observations of one patient, loaded together with those of its siblings.
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        filter: charting::ObservationFilter,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice =
            slice_under(&caller.loaders().observations_of_patients, arguments, patient, move |patients| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(charting::of_patients(&op, &patients, &filter, &page).await?) }
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
                async move { Ok(charting::count_of_patients(&op, &patients, &filter, max).await?) }
            },
        );
        Ok(Self::new(Page::new(slice, cursors, Observation::position, Observation::new), count))
    }

    /// The observations of one encounter, loaded together with those of its siblings.
    pub(crate) async fn of_encounter(
        caller: &Caller,
        encounter: EncounterId,
        filter: charting::ObservationFilter,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice = slice_under(
            &caller.loaders().observations_of_encounters,
            arguments,
            encounter,
            move |encounters| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(charting::of_encounters(&op, &encounters, &filter, &page).await?) }
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
                async move { Ok(charting::count_of_encounters(&op, &encounters, &filter, max).await?) }
            },
        );
        Ok(Self::new(Page::new(slice, cursors, Observation::position, Observation::new), count))
    }
}

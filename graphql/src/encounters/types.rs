//! The encounter.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use futures::FutureExt;
use praxis_domain::{PageRequest, Position, charting, encounters, history};
use praxis_entity::{
    encounter, encounter_note::EncounterNoteKind, encounter_participant, ids::PatientId,
    value::EncounterClinical,
};
use praxis_platform::access::Row;
use sea_orm::ActiveEnum;

use super::timeline::EncounterEventConnection;
use crate::{
    allowed,
    at_once::AtOnce,
    batch::Loader,
    charting::{ObservationConnection, ObservationFilter, VitalSigns},
    clinic::{Facility, Organization},
    consultation::{CloseRequirement, Diagnosis, EncounterNote},
    context::{Ask, Caller},
    documents::EncounterDocuments,
    error::{ApiError, Edge, Nullable},
    history::{ConditionConnection, ConditionFilter},
    ids,
    page::{self, Cursors, Page, PageArguments, connection, count_under, slice_under},
    patients::Patient,
    phi::{Class, Phi},
    policy::{At, at},
    redaction::{self, Redaction},
    scalar::DateTime,
    sensitivity::Confidentiality,
    staff::Practitioner,
    subject::Subject,
    tasks::EncounterTasks,
    value::CodeableConcept,
};

/// Setting of an encounter, after HL7 v3 ActCode.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "encounter::EncounterClass")]
pub(crate) enum EncounterClass {
    /// Outpatient.
    Ambulatory,
    /// Admitted.
    Inpatient,
    /// Emergency department.
    Emergency,
    /// At the patient's home.
    Home,
    /// By video or phone.
    Virtual,
    /// Any other setting.
    Other,
}

/// Where an encounter stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "encounter::EncounterStatus")]
pub(crate) enum EncounterStatus {
    /// Expected.
    Planned,
    /// The patient is here.
    Arrived,
    /// Urgency has been assessed.
    Triaged,
    /// Under way.
    InProgress,
    /// Interrupted.
    OnHold,
    /// Over.
    Closed,
    /// Did not take place.
    Cancelled,
}

/// A visit that took place, is under way or expected.
pub(crate) struct Encounter {
    row: encounter::Model,
    /// The row of today, by which whoever reads is judged.
    judged: Row,
    subject: Arc<Subject>,
    clinical: Option<Arc<Class<EncounterClinical>>>,
    /// The moment as of which it is shown, if not now.
    past: Option<chrono::DateTime<chrono::Utc>>,
}

impl Encounter {
    pub(crate) fn new(row: encounter::Model) -> Self {
        let judged = Row::from(&row);
        Self::of(row, judged, None)
    }

    /// As it was known at a moment; whether the viewer may read it is judged by the row of today.
    pub(crate) fn as_known(
        row: encounter::Model,
        today: &encounter::Model,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Self {
        Self::of(row, Row::from(today), Some(at))
    }

    fn of(row: encounter::Model, judged: Row, past: Option<chrono::DateTime<chrono::Utc>>) -> Self {
        let subject = Subject::new(row.patient_id, judged);
        let sealed = row.clinical.clone();
        let clinical = sealed.map(|clinical| Class::new("encounter", row.id.0, &subject, clinical));
        Self { row, judged, subject, clinical, past }
    }

    pub(crate) fn position(row: &encounter::Model) -> Position {
        Position { key: row.started_at, id: row.id.0 }
    }

    async fn newest(
        &self,
        ctx: &Context<'_>,
        at: &'static At,
        kind: EncounterNoteKind,
    ) -> Result<Option<EncounterNote>, ApiError> {
        if !redaction::allowed(ctx, at, &self.subject).await? {
            return Ok(None);
        }
        let caller = ctx.caller()?;
        let (op, loaders, known) = (caller.reading().clone(), &caller.loaders().current_notes, self.past);
        let fetch = move |visits: Vec<_>| {
            let op = op.clone();
            async move { Ok(encounters::current_notes_of(&op, &visits, known).await?) }
        };
        let loader = loaders.with(format!("{known:?}"), || Loader::new(fetch));
        let current = loader.load(self.row.id).await?.unwrap_or_default();
        match current.into_iter().find(|row| row.kind == kind) {
            Some(row) => EncounterNote::of(caller, row, &self.judged).await,
            None => Ok(None),
        }
    }
}

/// A visit that took place, is under way or expected.
#[Object]
impl Encounter {
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
        redaction::of(ctx.caller()?, "Encounter", &self.subject, self.clinical.is_some()).await
    }

    /// How sensitive it is: by its own label, or what it hangs on.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Whose encounter it is.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// Who is responsible.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<AtOnce<Practitioner>> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            let found = ctx.caller()?.loaders().practitioners.load(id).await?;
            Ok(found.map(Practitioner::new).map(AtOnce))
        }
        .await
        .or_hidden()
    }

    /// Everybody of the staff who took part.
    async fn participants(&self, ctx: &Context<'_>) -> Nullable<Vec<EncounterParticipant>> {
        async {
            let rows = ctx.caller()?.loaders().participants.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(|row| EncounterParticipant { row }).collect()))
        }
        .await
        .or_hidden()
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async {
            let Some(id) = self.row.facility_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().facilities.load(id).await?.map(Facility::new))
        }
        .await
        .or_hidden()
    }

    /// The other organisation that provided it, if one did.
    async fn service_provider(&self, ctx: &Context<'_>) -> Nullable<Organization> {
        async {
            let Some(id) = self.row.organization_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().organizations.load(id).await?.map(Organization::new))
        }
        .await
        .or_hidden()
    }

    /// Setting.
    fn class(&self) -> EncounterClass {
        self.row.class.into()
    }

    /// Where it stands.
    fn status(&self) -> EncounterStatus {
        self.row.status.into()
    }

    /// When it is expected.
    fn planned_for(&self) -> Option<DateTime> {
        self.row.planned_for.map(DateTime)
    }

    /// When it began.
    fn started_at(&self) -> Option<DateTime> {
        self.row.started_at.map(DateTime)
    }

    /// When it ended.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// When it was closed, if that was done here.
    fn closed_at(&self) -> Option<DateTime> {
        self.row.closed_at.map(DateTime)
    }

    /// Names of the mutations that the viewer may run on the encounter as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        if self.past.is_some() {
            return Ok(Vec::new());
        }
        let status = self.row.status.to_value();
        allowed::actions(ctx.caller()?, "encounter", &self.subject, &status).await
    }

    /// What is missing before it can be closed; empty when nothing is, or when it is over.
    async fn close_requirements(&self, ctx: &Context<'_>) -> Nullable<Vec<CloseRequirement>> {
        async {
            if self.past.is_some() {
                return Ok(Some(Vec::new()));
            }
            if !redaction::allowed_of(ctx, at!("Encounter.closeRequirements"), &self.subject).await? {
                return Ok(None);
            }
            let loaders = ctx.caller()?.loaders();
            let missing = loaders.close_requirements.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(missing.into_iter().map(CloseRequirement::new).collect()))
        }
        .await
        .transpose()
    }

    /// What the clinician makes of it, in its newest version.
    async fn assessment(&self, ctx: &Context<'_>) -> Nullable<EncounterNote> {
        self.newest(ctx, at!("Encounter.assessment"), EncounterNoteKind::Assessment).boxed().await.transpose()
    }

    /// What is to be done, in its newest version.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<EncounterNote> {
        self.newest(ctx, at!("Encounter.plan"), EncounterNoteKind::Plan).boxed().await.transpose()
    }

    /// Everything that was written in it, every version, the newest first: assessments, plans, and reasons.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 25 when it is not given, 100 at the most.")] first: Option<i32>,
    ) -> Nullable<Vec<EncounterNote>> {
        async {
            let first = page::first(first)?;
            if !redaction::allowed(ctx, at!("Encounter.notes"), &self.subject).await? {
                return Ok(None);
            }
            let caller = ctx.caller()?;
            let (op, loaders) = (caller.reading().clone(), &caller.loaders().notes_of_encounters);
            let known = self.past;
            let fetch = move |visits: Vec<_>| {
                let op = op.clone();
                async move { Ok(encounters::notes_of(&op, &visits, known, first).await?) }
            };
            let rows = slice_under(loaders, format!("{known:?}{first}"), self.row.id, fetch).await?.rows;
            let mut notes = Vec::with_capacity(rows.len());
            for row in rows {
                notes.extend(EncounterNote::of(caller, row, &self.judged).await?);
            }
            Ok(Some(notes))
        }
        .boxed()
        .await
        .transpose()
    }

    /// What it came to, by rank. Null in a chart as of a moment, which lists conditions itself, and where the viewer may not know whether there is anything.
    async fn diagnoses(&self, ctx: &Context<'_>) -> Nullable<Vec<Diagnosis>> {
        async {
            if self.past.is_some()
                || !redaction::allowed(ctx, at!("Encounter.diagnoses"), &self.subject).await?
            {
                return Ok(None);
            }
            let rows = ctx.caller()?.loaders().diagnoses.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(Diagnosis::new).collect()))
        }
        .await
        .transpose()
    }

    /// Rounds of vital signs, the latest first. Null in a chart as of a moment, which lists observations itself, and where the viewer may not know whether there are any.
    async fn vital_signs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 25 when it is not given, 100 at the most.")] first: Option<i32>,
    ) -> Nullable<Vec<VitalSigns>> {
        async {
            let first = page::first(first)?;
            if self.past.is_some()
                || !redaction::allowed(ctx, at!("Encounter.vitalSigns"), &self.subject).await?
            {
                return Ok(None);
            }
            let caller = ctx.caller()?;
            let (op, loaders) = (caller.reading().clone(), &caller.loaders().vital_signs);
            let fetch = move |visits: Vec<_>| {
                let op = op.clone();
                async move { Ok(charting::vitals_of(&op, &visits, first).await?) }
            };
            let rounds = slice_under(loaders, first.to_string(), self.row.id, fetch).await?.rows;
            Ok(Some(rounds.into_iter().map(VitalSigns::new).collect()))
        }
        .await
        .transpose()
    }

    /// What kind of encounter it is, as coded.
    fn types(&self) -> Phi<EncounterClinical, Vec<CodeableConcept>> {
        Phi::optional(at!("Encounter.types"), self.clinical.as_ref(), |clinical| {
            Some(clinical.types.iter().map(Into::into).collect())
        })
    }

    /// Why the patient came.
    fn reasons(&self) -> Phi<EncounterClinical, Vec<CodeableConcept>> {
        Phi::optional(at!("Encounter.reasons"), self.clinical.as_ref(), |clinical| {
            Some(clinical.reasons.iter().map(Into::into).collect())
        })
    }

    /// Where the patient went afterwards.
    fn discharge_disposition(&self) -> Phi<EncounterClinical, CodeableConcept> {
        Phi::optional(at!("Encounter.dischargeDisposition"), self.clinical.as_ref(), |clinical| {
            clinical.discharge_disposition.as_ref().map(Into::into)
        })
    }

    /// What happened in this encounter, in the order in which it happened; in a chart as of a moment, until then.
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<EncounterEventConnection, ApiError> {
        async {
            let caller = ctx.caller()?;
            let list = format!("{:?}{:?}", self.row.id, self.past);
            let cursors = Cursors::of(caller, "Encounter.timeline", &list).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            let rights = self.subject.rights(caller).await?;
            EncounterEventConnection::of_encounter(caller, self.row.id, &rights, self.past, page, cursors)
                .await
        }
        .boxed()
        .await
    }

    /// Measurements and findings of this encounter, the latest first. Null where the viewer may not know whether there are any.
    async fn observations(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which observations.")] filter: Option<ObservationFilter>,
    ) -> Nullable<ObservationConnection> {
        async {
            let asked = page::text_of(filter.as_ref());
            let filter: charting::ObservationFilter =
                filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
            let cursors =
                Cursors::under(ctx.caller()?, "Encounter.observations", self.row.id, &asked).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if self.past.is_some()
                || !redaction::allowed(ctx, at!("Encounter.observations"), &self.subject).await?
            {
                return Ok(None);
            }
            ObservationConnection::of_encounter(ctx.caller()?, self.row.id, filter, page, cursors)
                .await
                .map(Some)
        }
        .boxed()
        .await
        .transpose()
    }

    /// What is written in the encounter.
    #[graphql(flatten)]
    fn written(&self, _ctx: &Context<'_>) -> EncounterDocuments {
        EncounterDocuments::new(self.row.id, &self.subject)
    }

    /// What is to be done in the encounter.
    #[graphql(flatten)]
    fn to_do(&self, _ctx: &Context<'_>) -> EncounterTasks {
        EncounterTasks::new(self.row.id, &self.subject)
    }

    /// Problems and diagnoses of this encounter, the latest first. Null where the viewer may not know whether there are any.
    async fn conditions(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which conditions.")] filter: Option<ConditionFilter>,
    ) -> Nullable<ConditionConnection> {
        async {
            let asked = page::text_of(filter.as_ref());
            let filter: history::ConditionFilter =
                filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
            let cursors = Cursors::under(ctx.caller()?, "Encounter.conditions", self.row.id, &asked).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if self.past.is_some()
                || !redaction::allowed(ctx, at!("Encounter.conditions"), &self.subject).await?
            {
                return Ok(None);
            }
            ConditionConnection::of_encounter(ctx.caller()?, self.row.id, filter, page, cursors)
                .await
                .map(Some)
        }
        .boxed()
        .await
        .transpose()
    }
}

/// Somebody of the staff who took part in an encounter.
pub(crate) struct EncounterParticipant {
    row: encounter_participant::Model,
}

/// Somebody of the staff who took part in an encounter.
#[Object]
impl EncounterParticipant {
    /// Who.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            Ok(ctx
                .caller()?
                .loaders()
                .practitioners
                .load(self.row.practitioner_id)
                .await?
                .map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// As what, HL7 v3 ParticipationType: ATND, CON, PPRF, PART.
    fn role(&self) -> &str {
        &self.row.role
    }

    /// Since when, where that is known.
    fn starts_at(&self) -> Option<DateTime> {
        self.row.starts_at.map(DateTime)
    }

    /// Until when.
    fn ends_at(&self) -> Option<DateTime> {
        self.row.ends_at.map(DateTime)
    }
}

connection!(
    /// A page of encounters.
    EncounterConnection, EncounterEdge, Encounter
);

impl EncounterConnection {
    /// The same with the clinicians of its rows at hand where they are asked for.
    pub(crate) async fn with_practitioners(self, ctx: &Context<'_>) -> Result<Self, ApiError> {
        page::bring_practitioners(
            ctx,
            self.page.rows.iter().filter_map(|(_, node)| node.row.practitioner_id),
        )
        .await?;
        Ok(self)
    }

    /// The encounters of one patient, loaded together with those of its siblings.
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        filter: encounters::EncounterFilter,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice =
            slice_under(&caller.loaders().encounters_of_patients, arguments, patient, move |patients| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(encounters::of_patients(&op, &patients, &filter, &page).await?) }
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
                async move { Ok(encounters::count_of_patients(&op, &patients, &filter, max).await?) }
            },
        );
        Ok(Self::new(Page::new(slice, cursors, Encounter::position, Encounter::new), count))
    }
}

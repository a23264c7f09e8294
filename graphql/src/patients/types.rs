//! The patient.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use futures::FutureExt;
use praxis_domain::{Position, charting, encounters, history, known};
use praxis_entity::{
    patient,
    value::{Contact, ContactSystem, Identifiers, Identity, RecordNumber},
};
use sea_orm::ActiveEnum;

use super::RelatedPerson;
use crate::{
    allowed,
    audit::{AccessLogConnection, DisclosureConnection},
    care_team::CareTeamMember,
    chart::Chart,
    charting::{ObservationConnection, ObservationFilter},
    consent::Consent,
    context::Ask,
    documents::PatientDocuments,
    encounters::{EncounterConnection, EncounterFilter},
    error::{ApiError, Edge, Nullable},
    history::{ConditionConnection, ConditionFilter, PatientHistory},
    ids,
    notifications::{ChannelConsent, NotificationProfile},
    page::{self, Cursors, Page, PageArguments, connection, nothing},
    phi::{self, Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::{DateTime, EmailAddress, PartialDate, PhoneNumber},
    scheduling::{AppointmentConnection, AppointmentFilter, AppointmentOrder},
    sensitivity::Confidentiality,
    subject::Subject,
    tasks::PatientTasks,
    value::{Address, CodeableConcept, ContactPoint, HumanName, Identifier},
};

/// Where a patient's record stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "patient::PatientStatus")]
pub(crate) enum PatientStatus {
    /// In care.
    Active,
    /// Not in care now.
    Inactive,
    /// Died.
    Deceased,
    /// Continued in another record.
    Merged,
    /// Data destroyed on request.
    Erased,
}

/// Sex for administrative purposes; never used for reference ranges.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "patient::AdministrativeSex")]
pub(crate) enum AdministrativeSex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Other.
    Other,
    /// Not known.
    Unknown,
}

/// A person in care.
pub(crate) struct Patient {
    row: patient::Model,
    subject: Arc<Subject>,
    record_number: Arc<Class<RecordNumber>>,
    identity: Arc<Class<Identity>>,
    contact: Arc<Class<Contact>>,
    identifiers: Arc<Class<Identifiers>>,
}

impl Patient {
    pub(crate) fn new(row: patient::Model) -> Self {
        let (id, subject) = (row.id.0, Subject::new(row.id, &row));
        Self {
            record_number: Class::new("patient", id, &subject, row.record_number.clone()),
            identity: Class::new("patient", id, &subject, row.identity.clone()),
            contact: Class::new("patient", id, &subject, row.contact.clone()),
            identifiers: Class::new("patient", id, &subject, row.identifiers.clone()),
            subject,
            row,
        }
    }

    pub(crate) fn position(row: &patient::Model) -> Position {
        Position { key: None, id: row.id.0 }
    }
}

/// The point of a channel to use first.
fn preferred(contact: &Contact, system: ContactSystem) -> Option<String> {
    let mut points = contact.points.iter().filter(|point| point.system == system);
    let first = points.clone().next();
    points.find(|point| point.preferred).or(first).map(|point| point.value.clone())
}

/// A person in care.
#[Object]
impl Patient {
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
        redaction::of(ctx.caller()?, "Patient", &self.subject, true).await
    }

    /// Medical record number: the clinic's own number for the patient.
    async fn mrn(&self, ctx: &Context<'_>) -> Result<String, ApiError> {
        phi::required(ctx.caller()?, at!("Patient.mrn"), &self.record_number, |record| record.mrn.clone())
            .await
    }

    /// The name to use.
    fn name(&self) -> Phi<Identity, HumanName> {
        Phi::new(at!("Patient.name"), &self.identity, |identity| identity.names.first().map(Into::into))
    }

    /// All names, the one to use first.
    fn names(&self) -> Phi<Identity, Vec<HumanName>> {
        Phi::new(at!("Patient.names"), &self.identity, |identity| {
            Some(identity.names.iter().map(Into::into).collect())
        })
    }

    /// Birth date, as precise as it is known.
    fn birth_date(&self) -> Phi<Identity, PartialDate> {
        Phi::new(at!("Patient.birthDate"), &self.identity, |identity| Some(PartialDate(identity.birth_date)))
    }

    /// Age in whole years. Asks for what birthDate asks for: whoever reads it day by day knows the birthday. Null
    /// once deceased.
    fn age(&self, ctx: &Context<'_>) -> Nullable<Phi<Identity, i32>> {
        let today = match ctx.caller() {
            Ok(caller) => caller.reading().now().date_naive(),
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(Phi::new(at!("Patient.age"), &self.identity, move |identity| {
            let age = identity.birth_date.age_on(today).filter(|_| identity.deceased.is_none())?;
            i32::try_from(age).ok()
        })))
    }

    /// Sex for administrative purposes.
    fn administrative_sex(&self) -> AdministrativeSex {
        self.row.administrative_sex.into()
    }

    /// When the patient died, as precise as it is known.
    fn deceased_at(&self) -> Phi<Identity, String> {
        Phi::new(at!("Patient.deceasedAt"), &self.identity, |identity| {
            identity.deceased.as_ref().map(|at| at.text.clone())
        })
    }

    /// Marital status.
    fn marital_status(&self) -> Phi<Identity, CodeableConcept> {
        Phi::new(at!("Patient.maritalStatus"), &self.identity, |identity| {
            identity.marital_status.as_ref().map(Into::into)
        })
    }

    /// Languages the patient speaks, preferred first.
    fn languages(&self) -> Phi<Identity, Vec<CodeableConcept>> {
        Phi::new(at!("Patient.languages"), &self.identity, |identity| {
            Some(identity.languages.iter().map(Into::into).collect())
        })
    }

    /// The e-mail address to use.
    fn email(&self) -> Phi<Contact, EmailAddress> {
        Phi::new(at!("Patient.email"), &self.contact, |contact| {
            preferred(contact, ContactSystem::Email).map(EmailAddress)
        })
    }

    /// The telephone number to use.
    fn phone(&self) -> Phi<Contact, PhoneNumber> {
        Phi::new(at!("Patient.phone"), &self.contact, |contact| {
            preferred(contact, ContactSystem::Phone).map(PhoneNumber)
        })
    }

    /// All ways to reach the patient.
    fn contact_points(&self) -> Phi<Contact, Vec<ContactPoint>> {
        Phi::new(at!("Patient.contactPoints"), &self.contact, |contact| {
            Some(contact.points.iter().map(Into::into).collect())
        })
    }

    /// Postal addresses.
    fn addresses(&self) -> Phi<Contact, Vec<Address>> {
        Phi::new(at!("Patient.addresses"), &self.contact, |contact| {
            Some(contact.addresses.iter().map(Into::into).collect())
        })
    }

    /// National number of the clinic's country.
    fn national_id(&self) -> Phi<Identifiers, String> {
        Phi::new(at!("Patient.nationalId"), &self.identifiers, |identifiers| identifiers.national_id.clone())
    }

    /// Other numbers that authorities gave the patient.
    fn identifiers(&self) -> Phi<Identifiers, Vec<Identifier>> {
        Phi::new(at!("Patient.identifiers"), &self.identifiers, |identifiers| {
            Some(identifiers.others.iter().map(Into::into).collect())
        })
    }

    /// Where the record stands.
    fn status(&self) -> PatientStatus {
        self.row.status.into()
    }

    /// Next of kin, guardians and others around the patient.
    async fn related_persons(&self, ctx: &Context<'_>) -> Nullable<Vec<RelatedPerson>> {
        async {
            let rows = ctx.caller()?.loaders().related_persons.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(RelatedPerson::new).collect()))
        }
        .await
        .or_hidden()
    }

    /// Appointments; empty, with a redaction, where the viewer may not read them.
    async fn appointments(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which appointments.")] filter: Option<AppointmentFilter>,
        #[graphql(desc = "Order; the latest start first when absent. One entry at the most.")]
        order_by: Option<Vec<AppointmentOrder>>,
    ) -> Result<AppointmentConnection, ApiError> {
        async {
            let order = AppointmentOrder::one(order_by, true)?;
            let asked = format!("{}{order:?}", page::text_of(filter.as_ref()));
            let filter = AppointmentFilter::or_all(filter)?;
            let cursors = Cursors::under(ctx.caller()?, "Patient.appointments", self.row.id, &asked).await?;
            if !redaction::allowed_list(ctx, at!("Patient.appointments"), &self.subject).await? {
                return Ok(AppointmentConnection::new(Page::empty(cursors), nothing()));
            }
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            AppointmentConnection::of_patient(ctx.caller()?, self.row.id, filter, order, page, cursors)
                .await?
                .with_practitioners(ctx)
                .await
        }
        .boxed()
        .await
    }

    /// Who opened or changed this chart, or tried to, the latest first; empty, with a redaction, where the
    /// viewer may not know.
    async fn access_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<AccessLogConnection, ApiError> {
        async {
            let cursors =
                Cursors::of(ctx.caller()?, "Patient.accessLog", &format!("{:?}", self.row.id)).await?;
            if !redaction::allowed_list(ctx, at!("Patient.accessLog"), &self.subject).await? {
                return Ok(AccessLogConnection::new(Page::empty(cursors), nothing()));
            }
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            AccessLogConnection::of_patient(ctx.caller()?, self.row.id, page, cursors).await
        }
        .boxed()
        .await
    }

    /// To whom outside this patient's data were given, the latest first; empty, with a redaction, where the
    /// viewer may not know.
    async fn disclosures(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(
            default,
            desc = "Only those that HIPAA 164.528 makes the clinic account for: not treatment, payment, operations or what the patient allowed."
        )]
        accountable_only: bool,
    ) -> Result<DisclosureConnection, ApiError> {
        async {
            let arguments = format!("{:?}{accountable_only}", self.row.id);
            let cursors = Cursors::of(ctx.caller()?, "Patient.disclosures", &arguments).await?;
            if !redaction::allowed_list(ctx, at!("Patient.disclosures"), &self.subject).await? {
                return Ok(DisclosureConnection::new(Page::empty(cursors), nothing()));
            }
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            DisclosureConnection::of_patient(ctx.caller()?, self.row.id, accountable_only, page, cursors)
                .await
        }
        .boxed()
        .await
    }

    /// Encounters, the latest first; empty, with a redaction, where the viewer may not read them.
    async fn encounters(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which encounters.")] filter: Option<EncounterFilter>,
    ) -> Result<EncounterConnection, ApiError> {
        async {
            let asked = page::text_of(filter.as_ref());
            let filter: encounters::EncounterFilter =
                filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
            let cursors = Cursors::under(ctx.caller()?, "Patient.encounters", self.row.id, &asked).await?;
            if !redaction::allowed_list(ctx, at!("Patient.encounters"), &self.subject).await? {
                return Ok(EncounterConnection::new(Page::empty(cursors), nothing()));
            }
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            EncounterConnection::of_patient(ctx.caller()?, self.row.id, filter, page, cursors)
                .await?
                .with_practitioners(ctx)
                .await
        }
        .boxed()
        .await
    }

    /// Measurements and findings, the latest first. Null where the viewer may not know whether there are any.
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
            let cursors = Cursors::under(ctx.caller()?, "Patient.observations", self.row.id, &asked).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Patient.observations"), &self.subject).await? {
                return Ok(None);
            }
            ObservationConnection::of_patient(ctx.caller()?, self.row.id, filter, page, cursors)
                .await
                .map(Some)
        }
        .boxed()
        .await
        .transpose()
    }

    /// Problems and diagnoses, the latest first. Null where the viewer may not know whether there are any.
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
            let cursors = Cursors::under(ctx.caller()?, "Patient.conditions", self.row.id, &asked).await?;
            let page = cursors.request(&PageArguments { first, after, last, before })?;
            if !redaction::allowed(ctx, at!("Patient.conditions"), &self.subject).await? {
                return Ok(None);
            }
            ConditionConnection::of_patient(ctx.caller()?, self.row.id, filter, page, cursors).await.map(Some)
        }
        .boxed()
        .await
        .transpose()
    }

    /// The chapters of the patient's history.
    #[graphql(flatten)]
    fn history(&self, _ctx: &Context<'_>) -> PatientHistory {
        PatientHistory::new(self.row.id, &self.subject)
    }

    /// What is written about the patient.
    #[graphql(flatten)]
    fn written(&self, _ctx: &Context<'_>) -> PatientDocuments {
        PatientDocuments::new(self.row.id, &self.subject)
    }

    /// What is to be done about the patient.
    #[graphql(flatten)]
    fn to_do(&self, _ctx: &Context<'_>) -> PatientTasks {
        PatientTasks::new(self.row.id, &self.subject)
    }

    /// The chart as it was known at a moment: what had been recorded by then, as it stood then, under the access rules
    /// of today. The audit log notes the moment.
    ///
    /// An object in it has the id that it has today: clients that keep objects by their ids must not mix the two.
    async fn chart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The moment; not in the future.")] as_of: DateTime,
    ) -> Nullable<Chart> {
        async {
            let caller = ctx.caller()?;
            let at = known::moment(caller.reading(), as_of.0)?;
            if !redaction::allowed(ctx, at!("Patient.chart"), &self.subject).await? {
                return Ok(None);
            }
            caller.note_looked_back(self.row.id, at);
            Ok(Some(Chart::new(self.row.id, &self.subject, at)))
        }
        .await
        .transpose()
    }

    /// Who cares for the patient, and who did. Null where the viewer may not read it.
    async fn care_team(&self, ctx: &Context<'_>) -> Nullable<Vec<CareTeamMember>> {
        async {
            if !redaction::allowed(ctx, at!("Patient.careTeam"), &self.subject).await? {
                return Ok(None);
            }
            let rows = ctx.caller()?.loaders().care_teams.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(CareTeamMember::new).collect()))
        }
        .await
        .transpose()
    }

    /// What the patient allows and forbids, also what was taken back. Null where the viewer may not read it.
    async fn consents(&self, ctx: &Context<'_>) -> Nullable<Vec<Consent>> {
        async {
            if !redaction::allowed(ctx, at!("Patient.consents"), &self.subject).await? {
                return Ok(None);
            }
            let rows = ctx.caller()?.loaders().consents.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(Consent::new).collect()))
        }
        .await
        .transpose()
    }

    /// By which channels the patient agreed to be written to. Null where the viewer may not read it.
    async fn channel_consents(&self, ctx: &Context<'_>) -> Nullable<Vec<ChannelConsent>> {
        async {
            if !redaction::allowed(ctx, at!("Patient.channelConsents"), &self.subject).await? {
                return Ok(None);
            }
            let rows = ctx.caller()?.loaders().channel_consents.load(self.row.id).await?.unwrap_or_default();
            Ok(Some(rows.into_iter().map(Into::into).collect()))
        }
        .await
        .transpose()
    }

    /// In which language the patient is spoken to, and when they are left in peace; null where nothing was said, or
    /// the viewer may not read it.
    async fn notification_profile(&self, ctx: &Context<'_>) -> Nullable<NotificationProfile> {
        async {
            if !redaction::allowed(ctx, at!("Patient.notificationProfile"), &self.subject).await? {
                return Ok(None);
            }
            Ok(ctx.caller()?.loaders().notification_profiles.load(self.row.id).await?.map(Into::into))
        }
        .await
        .transpose()
    }

    /// How sensitive the record as a whole is.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with this patient's record: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the patient as the record stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        allowed::actions(ctx.caller()?, "patient", &self.subject, &self.row.status.to_value()).await
    }
}

connection!(
    /// A page of patients.
    PatientConnection, PatientEdge, Patient
);

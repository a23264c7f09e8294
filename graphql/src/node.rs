//! Any object by its id.

use async_graphql::{Context, ID, Interface, Object};
use praxis_entity::ids::AnyId;

use crate::{
    charting::Observation,
    clinic::{Device, Facility, Organization, Room, VisitKind},
    context::{Ask, Caller},
    encounters::Encounter,
    error::{ApiError, Code, Nullable},
    history::Condition,
    identity::{Invitation, User},
    patients::{Patient, RelatedPerson},
    policy::{Access, Rule, open},
    scalar::DateTime,
    scheduling::{Appointment, AppointmentSeries, QueueToken, WaitlistEntry},
    staff::Practitioner,
};

pub(crate) const POLICY: &[Rule] = &[open("Query", Access::SignedIn, &["node", "nodes"])];

/// Anything with an id of its own.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "Opaque, typed, unique over all tenants, for example `pat_01jd3k5n8re6ktp1rb6z9q4x2m`."
))]
pub(crate) enum Node {
    /// A person in care.
    Patient(Patient),
    /// Next of kin, guardian or other person around a patient.
    RelatedPerson(RelatedPerson),
    /// A booked visit.
    Appointment(Appointment),
    /// Visits that recur.
    AppointmentSeries(AppointmentSeries),
    /// Somebody who waits for a time.
    WaitlistEntry(WaitlistEntry),
    /// A place in a walk-in queue.
    QueueToken(QueueToken),
    /// A bookable device.
    Device(Device),
    /// A visit that took place or is under way.
    Encounter(Encounter),
    /// A measurement or finding.
    Observation(Observation),
    /// A problem or diagnosis.
    Condition(Condition),
    /// A clinician.
    Practitioner(Practitioner),
    /// A branch of the clinic.
    Facility(Facility),
    /// A bookable room.
    Room(Room),
    /// A kind of visit.
    VisitKind(VisitKind),
    /// Another organisation.
    Organization(Organization),
    /// A person who signs in.
    User(User),
    /// Somebody asked to join.
    Invitation(Invitation),
}

/// Anything that is changed over time, and refuses to be changed blindly.
#[derive(Interface)]
#[expect(clippy::duplicated_attributes, reason = "two fields of the interface have the same type")]
#[graphql(
    field(name = "version", ty = "i32", desc = "Grows by one on each write; send it back as `ifVersion`."),
    field(name = "created_at", ty = "DateTime", desc = "When it was made."),
    field(name = "updated_at", ty = "DateTime", desc = "When it last changed.")
)]
pub(crate) enum Versioned {
    /// A person in care.
    Patient(Patient),
    /// Next of kin, guardian or other person around a patient.
    RelatedPerson(RelatedPerson),
    /// A booked visit.
    Appointment(Appointment),
    /// Visits that recur.
    AppointmentSeries(AppointmentSeries),
    /// Somebody who waits for a time.
    WaitlistEntry(WaitlistEntry),
    /// A place in a walk-in queue.
    QueueToken(QueueToken),
    /// A bookable device.
    Device(Device),
    /// A visit that took place or is under way.
    Encounter(Encounter),
    /// A measurement or finding.
    Observation(Observation),
    /// A problem or diagnosis.
    Condition(Condition),
    /// A clinician.
    Practitioner(Practitioner),
    /// A branch of the clinic.
    Facility(Facility),
    /// A person who signs in.
    User(User),
    /// Somebody asked to join.
    Invitation(Invitation),
}

/// Anything of which parts may be kept back from the viewer.
#[derive(Interface)]
#[graphql(field(
    name = "redactions",
    ty = "Result<Vec<crate::redaction::Redaction>, ApiError>",
    desc = "Fields that came back null for a reason other than 'no value'."
))]
pub(crate) enum Redactable {
    /// A person in care.
    Patient(Patient),
    /// Next of kin, guardian or other person around a patient.
    RelatedPerson(RelatedPerson),
    /// A booked visit.
    Appointment(Appointment),
    /// A visit that took place or is under way.
    Encounter(Encounter),
    /// A measurement or finding.
    Observation(Observation),
    /// A problem or diagnosis.
    Condition(Condition),
}

/// Any object by its id.
#[derive(Default)]
pub(crate) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object of an id; null when it does not exist or the viewer may not know of it.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the object.")] id: ID) -> Nullable<Node> {
        async {
            ctx.read("Query.node")?;
            match id.as_str().parse() {
                Ok(id) => find(ctx.caller()?, id).await,
                Err(_) => Err(malformed()),
            }
        }
        .await
        .transpose()
    }

    /// The objects of several ids, in their order; null where one does not exist.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the objects, 100 at the most.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, ApiError> {
        ctx.read("Query.nodes")?;
        if ids.len() > 100 {
            return Err(ApiError::new(Code::BadUserInput, "nodes takes 100 ids at the most."));
        }
        let caller = ctx.caller()?;
        let ids = ids
            .iter()
            .map(|id| id.as_str().parse().map_err(|_| malformed()))
            .collect::<Result<Vec<AnyId>, _>>()?;
        futures::future::try_join_all(ids.into_iter().map(|id| find(caller, id))).await
    }
}

fn malformed() -> ApiError {
    ApiError::new(Code::BadUserInput, "This is not an id.")
}

/// The object of an id, through the loader of its kind. What the viewer may not read is not found.
pub(crate) async fn find(caller: &Caller, id: AnyId) -> Result<Option<Node>, ApiError> {
    let loaders = caller.loaders();
    let found = match id {
        AnyId::PatientId(id) => {
            loaders.patients.load(id).await.map(|row| row.map(|row| Node::Patient(Patient::new(row))))
        }
        AnyId::RelatedPersonId(id) => loaders
            .related_persons_by_id
            .load(id)
            .await
            .map(|row| row.map(|row| Node::RelatedPerson(RelatedPerson::new(row)))),
        AnyId::AppointmentId(id) => loaders
            .appointments
            .load(id)
            .await
            .map(|row| row.map(|row| Node::Appointment(Appointment::new(row)))),
        AnyId::AppointmentSeriesId(id) => loaders
            .series
            .load(id)
            .await
            .map(|row| row.map(|row| Node::AppointmentSeries(AppointmentSeries::new(row)))),
        AnyId::WaitlistEntryId(id) => loaders
            .waitlist_entries
            .load(id)
            .await
            .map(|row| row.map(|row| Node::WaitlistEntry(WaitlistEntry::new(row)))),
        AnyId::QueueTokenId(id) => loaders
            .queue_tokens
            .load(id)
            .await
            .map(|row| row.map(|row| Node::QueueToken(QueueToken::new(row)))),
        AnyId::DeviceId(id) => {
            loaders.devices.load(id).await.map(|row| row.map(|row| Node::Device(Device::new(row))))
        }
        AnyId::EncounterId(id) => {
            loaders.encounters.load(id).await.map(|row| row.map(|row| Node::Encounter(Encounter::new(row))))
        }
        AnyId::ObservationId(id) => loaders
            .observations
            .load(id)
            .await
            .map(|row| row.map(|row| Node::Observation(Observation::new(row)))),
        AnyId::ConditionId(id) => {
            loaders.conditions.load(id).await.map(|row| row.map(|row| Node::Condition(Condition::new(row))))
        }
        AnyId::PractitionerId(id) => loaders
            .practitioners
            .load(id)
            .await
            .map(|row| row.map(|row| Node::Practitioner(Practitioner::new(row)))),
        AnyId::FacilityId(id) => {
            loaders.facilities.load(id).await.map(|row| row.map(|row| Node::Facility(Facility::new(row))))
        }
        AnyId::RoomId(id) => {
            loaders.rooms.load(id).await.map(|row| row.map(|row| Node::Room(Room::new(row))))
        }
        AnyId::VisitTypeId(id) => {
            loaders.visit_types.load(id).await.map(|row| row.map(|row| Node::VisitKind(VisitKind::new(row))))
        }
        AnyId::OrganizationId(id) => loaders
            .organizations
            .load(id)
            .await
            .map(|row| row.map(|row| Node::Organization(Organization::new(row)))),
        AnyId::UserId(id) => {
            loaders.users.load(id).await.map(|row| row.map(|row| Node::User(User::new(row))))
        }
        AnyId::InvitationId(id) => {
            let now = caller.reading().now();
            let shown = |row| Node::Invitation(Invitation::new(row, now));
            loaders.invitations.load(id).await.map(|row| row.map(shown))
        }
        _ => Ok(None),
    };
    match found {
        // Lacking the permission answers exactly like not existing: no oracle.
        Err(error) if error.code() == Code::Forbidden => Ok(None),
        other => other,
    }
}

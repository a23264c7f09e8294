//! The loaders of one request: each row and key is fetched once, siblings in one statement.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use praxis_domain::{
    Slice, audit, care_team, charting, clinic, consent, encounters, history, identity, patients, scheduling,
    staff, transitions,
};
use praxis_entity::{
    appointment, appointment_series, audit_entry, care_team_member, condition, consent_directive, device,
    disclosure, encounter, encounter_participant, facility,
    ids::{
        AppointmentId, AppointmentSeriesId, AuditEntryId, ConditionId, DeviceId, EncounterId, FacilityId,
        InvitationId, ObservationId, OrganizationId, PatientId, PractitionerId, QueueTokenId,
        RelatedPersonId, RoleId, RoomId, SpecialtyId, UserId, VisitTypeId, WaitlistEntryId,
    },
    invitation, membership, observation, organization, patient, practitioner, queue_token, related_person,
    role, room, specialty, user_account, visit_type, waitlist_entry,
};
use praxis_platform::{Op, Read, access::Standing, audit::proof::Proof, vault::DataKey};
use uuid::Uuid;

use crate::{
    batch::{self, Loader},
    error::ApiError,
};

/// Everything that is loaded in batches.
pub(crate) struct Loaders {
    pub(crate) keys: Loader<Uuid, Arc<DataKey>>,
    pub(crate) patients: Loader<PatientId, patient::Model>,
    pub(crate) standings: Loader<PatientId, Arc<Standing>>,
    pub(crate) machines: Loader<&'static str, Arc<transitions::Machine>>,
    pub(crate) care_teams: Loader<PatientId, Vec<care_team_member::Model>>,
    pub(crate) consents: Loader<PatientId, Vec<consent_directive::Model>>,
    pub(crate) related_persons_by_id: Loader<RelatedPersonId, related_person::Model>,
    pub(crate) related_persons: Loader<PatientId, Vec<related_person::Model>>,
    pub(crate) appointments: Loader<AppointmentId, appointment::Model>,
    pub(crate) devices_of_appointments: Loader<AppointmentId, Vec<device::Model>>,
    pub(crate) series: Loader<AppointmentSeriesId, appointment_series::Model>,
    pub(crate) appointments_of_series: Loader<AppointmentSeriesId, Vec<appointment::Model>>,
    pub(crate) waitlist_entries: Loader<WaitlistEntryId, waitlist_entry::Model>,
    pub(crate) queue_tokens: Loader<QueueTokenId, queue_token::Model>,
    pub(crate) encounters: Loader<EncounterId, encounter::Model>,
    pub(crate) encounters_of_appointments: Loader<AppointmentId, encounter::Model>,
    pub(crate) participants: Loader<EncounterId, Vec<encounter_participant::Model>>,
    pub(crate) observations: Loader<ObservationId, observation::Model>,
    pub(crate) conditions: Loader<ConditionId, condition::Model>,
    pub(crate) practitioners: Loader<PractitionerId, practitioner::Model>,
    pub(crate) facilities: Loader<FacilityId, facility::Model>,
    pub(crate) rooms: Loader<RoomId, room::Model>,
    pub(crate) devices: Loader<DeviceId, device::Model>,
    pub(crate) visit_types: Loader<VisitTypeId, visit_type::Model>,
    pub(crate) specialties: Loader<SpecialtyId, specialty::Model>,
    pub(crate) organizations: Loader<OrganizationId, organization::Model>,
    pub(crate) users: Loader<UserId, user_account::Model>,
    pub(crate) roles: Loader<RoleId, role::Model>,
    pub(crate) roles_of_users: Loader<UserId, Vec<(membership::Model, role::Model)>>,
    pub(crate) invitations: Loader<InvitationId, invitation::Model>,
    pub(crate) availability: Loader<PractitionerId, Vec<praxis_entity::availability_rule::Model>>,
    pub(crate) appointments_of_patients: batch::Loaders<PatientId, Slice<appointment::Model>>,
    pub(crate) encounters_of_patients: batch::Loaders<PatientId, Slice<encounter::Model>>,
    pub(crate) observations_of_patients: batch::Loaders<PatientId, Slice<observation::Model>>,
    pub(crate) observations_of_encounters: batch::Loaders<EncounterId, Slice<observation::Model>>,
    pub(crate) conditions_of_patients: batch::Loaders<PatientId, Slice<condition::Model>>,
    pub(crate) conditions_of_encounters: batch::Loaders<EncounterId, Slice<condition::Model>>,
    pub(crate) access_logs_of_patients: batch::Loaders<PatientId, Slice<audit_entry::Model>>,
    pub(crate) disclosures_of_patients: batch::Loaders<PatientId, Slice<disclosure::Model>>,
    pub(crate) actor_names: Loader<Uuid, String>,
    pub(crate) proofs: Loader<AuditEntryId, Proof>,
    pub(crate) patient_counts: batch::Loaders<PatientId, i64>,
    pub(crate) encounter_counts: batch::Loaders<EncounterId, i64>,
}

/// A loader of rows by id.
macro_rules! by_id {
    ($op:expr, $fetch:path, $id:expr) => {{
        let op = $op.clone();
        Loader::new(move |ids: Vec<_>| {
            let op = op.clone();
            async move { Ok(keyed($fetch(&op, &ids).await?, $id)) }
        })
    }};
}

/// A loader over a domain function that already answers by key.
macro_rules! by_key {
    ($op:expr, $fetch:path) => {{
        let op = $op.clone();
        Loader::new(move |ids: Vec<_>| {
            let op = op.clone();
            async move { Ok($fetch(&op, &ids).await?) }
        })
    }};
}

impl Loaders {
    pub(crate) fn new(op: &Op<Read>) -> Self {
        Self {
            keys: {
                let op = op.clone();
                Loader::new(move |subjects: Vec<Uuid>| {
                    let op = op.clone();
                    async move { op.data_keys(&subjects).await.map_err(ApiError::from) }
                })
            },
            patients: by_id!(op, patients::by_ids, |row| row.id),
            standings: {
                let op = op.clone();
                Loader::new(move |patients: Vec<PatientId>| {
                    let op = op.clone();
                    async move { op.standings(&patients).await.map_err(ApiError::from) }
                })
            },
            machines: by_key!(op, transitions::machines),
            care_teams: by_key!(op, care_team::of_patients),
            consents: by_key!(op, consent::of_patients),
            related_persons_by_id: by_id!(op, patients::related_persons_by_ids, |row| row.id),
            related_persons: by_key!(op, patients::related_persons_of),
            appointments: by_id!(op, scheduling::by_ids, |row| row.id),
            devices_of_appointments: by_key!(op, scheduling::devices_of),
            series: by_id!(op, scheduling::series_by_ids, |row| row.id),
            appointments_of_series: by_key!(op, scheduling::appointments_of_series),
            waitlist_entries: by_id!(op, scheduling::waitlist_by_ids, |row| row.id),
            queue_tokens: by_id!(op, scheduling::tokens_by_ids, |row| row.id),
            encounters: by_id!(op, encounters::by_ids, |row| row.id),
            encounters_of_appointments: by_key!(op, encounters::by_appointments),
            participants: by_key!(op, encounters::participants_of),
            observations: by_id!(op, charting::by_ids, |row| row.id),
            conditions: by_id!(op, history::by_ids, |row| row.id),
            practitioners: by_id!(op, staff::practitioners_by_ids, |row| row.id),
            facilities: by_id!(op, clinic::facilities_by_ids, |row| row.id),
            rooms: by_id!(op, clinic::rooms_by_ids, |row| row.id),
            devices: by_id!(op, clinic::devices_by_ids, |row| row.id),
            visit_types: by_id!(op, clinic::visit_types_by_ids, |row| row.id),
            specialties: by_id!(op, clinic::specialties_by_ids, |row| row.id),
            organizations: by_id!(op, clinic::organizations_by_ids, |row| row.id),
            users: by_id!(op, identity::users_by_ids, |row| row.id),
            roles: by_id!(op, identity::roles_by_ids, |row| row.id),
            roles_of_users: by_key!(op, identity::roles_of),
            invitations: by_id!(op, identity::invitations_by_ids, |row| row.id),
            availability: by_key!(op, staff::availability_of),
            appointments_of_patients: batch::Loaders::default(),
            encounters_of_patients: batch::Loaders::default(),
            observations_of_patients: batch::Loaders::default(),
            observations_of_encounters: batch::Loaders::default(),
            conditions_of_patients: batch::Loaders::default(),
            conditions_of_encounters: batch::Loaders::default(),
            access_logs_of_patients: batch::Loaders::default(),
            disclosures_of_patients: batch::Loaders::default(),
            actor_names: by_key!(op, audit::actor_names),
            proofs: by_key!(op, audit::proofs_of),
            patient_counts: batch::Loaders::default(),
            encounter_counts: batch::Loaders::default(),
        }
    }
}

fn keyed<K: Eq + Hash, M>(rows: Vec<M>, key: fn(&M) -> K) -> HashMap<K, M> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

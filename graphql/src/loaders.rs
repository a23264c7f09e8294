//! The loaders of one request: each row and key is fetched once, siblings in one statement.

use std::{
    collections::HashMap,
    hash::Hash,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use praxis_domain::{
    Missing, Slice, alerts, audit, care_team, charting, clinic, consent, consultation, documents, encounters,
    history, identity, notifications, patients, providers, rules, scheduling, staff, tasks, transitions,
    workflows,
};
use praxis_entity::ids;
use praxis_entity::{
    alert, allergy, appointment, appointment_series, audit_change, audit_entry, care_team_member,
    channel_consent, clinical_document, condition, consent_directive, device, disclosure, document_signature,
    document_version, encounter, encounter_diagnosis, encounter_note, encounter_participant, event, facility,
    family_history,
    ids::{
        AlertId, AppointmentId, AppointmentSeriesId, AuditEntryId, ConditionId, DeviceId, DocumentId,
        EncounterId, FacilityId, InvitationId, NoteTemplateId, ObservationId, OrganizationId, PatientId,
        PractitionerId, QueueTokenId, RelatedPersonId, RoleId, RoomId, RuleId, SpecialtyId, TaskId, UserId,
        VisitTypeId, WaitlistEntryId, WorkflowDefinitionId, WorkflowInstanceId,
    },
    immunization, invitation, medication_statement, membership, note_template, observation, organization,
    patient, practitioner, procedure, queue_token, related_person, role, room, rule, rule_test_case,
    social_history, specialty, task, user_account, visit_type, waitlist_entry, workflow_definition,
    workflow_instance, workflow_step,
};
use praxis_platform::{Op, Read, access::Standing, audit::proof::Proof, vault::DataKey};
use uuid::Uuid;

use crate::{
    batch::{self, Loader},
    error::ApiError,
};

/// Everything that is loaded in batches.
pub(crate) struct Loaders {
    pub(crate) keys: Late<Uuid, Arc<DataKey>>,
    pub(crate) patients: Late<PatientId, patient::Model>,
    pub(crate) standings: Late<PatientId, Arc<Standing>>,
    pub(crate) machines: Late<&'static str, Arc<transitions::Machine>>,
    pub(crate) care_teams: Late<PatientId, Vec<care_team_member::Model>>,
    pub(crate) consents: Late<PatientId, Vec<consent_directive::Model>>,
    pub(crate) channel_consents: Late<PatientId, Vec<channel_consent::Model>>,
    pub(crate) notification_profiles: Late<PatientId, notifications::Profile>,
    pub(crate) related_persons_by_id: Late<RelatedPersonId, related_person::Model>,
    pub(crate) related_persons: Late<PatientId, Vec<related_person::Model>>,
    pub(crate) appointments: Late<AppointmentId, appointment::Model>,
    pub(crate) devices_of_appointments: Late<AppointmentId, Vec<device::Model>>,
    pub(crate) series: Late<AppointmentSeriesId, appointment_series::Model>,
    pub(crate) appointments_of_series: Late<AppointmentSeriesId, Vec<appointment::Model>>,
    pub(crate) waitlist_entries: Late<WaitlistEntryId, waitlist_entry::Model>,
    pub(crate) queue_tokens: Late<QueueTokenId, queue_token::Model>,
    pub(crate) encounters: Late<EncounterId, encounter::Model>,
    pub(crate) encounters_of_appointments: Late<AppointmentId, encounter::Model>,
    pub(crate) participants: Late<EncounterId, Vec<encounter_participant::Model>>,
    pub(crate) current_notes: batch::Loaders<EncounterId, Vec<encounter_note::Model>>,
    pub(crate) notes_of_encounters: batch::Loaders<EncounterId, Slice<encounter_note::Model>>,
    pub(crate) diagnoses: Late<EncounterId, Vec<encounter_diagnosis::Model>>,
    pub(crate) vital_signs: batch::Loaders<EncounterId, Slice<charting::VitalSigns>>,
    pub(crate) close_requirements: Late<EncounterId, Vec<Missing>>,
    pub(crate) observations: Late<ObservationId, observation::Model>,
    pub(crate) conditions: Late<ConditionId, condition::Model>,
    pub(crate) allergies: Late<ids::AllergyId, allergy::Model>,
    pub(crate) medications: Late<ids::MedicationStatementId, medication_statement::Model>,
    pub(crate) immunizations: Late<ids::ImmunizationId, immunization::Model>,
    pub(crate) procedures: Late<ids::ProcedureId, procedure::Model>,
    pub(crate) family_histories: Late<ids::FamilyHistoryId, family_history::Model>,
    pub(crate) social_histories: Late<ids::SocialHistoryId, social_history::Model>,
    pub(crate) documents: Late<DocumentId, clinical_document::Model>,
    pub(crate) addenda: Late<DocumentId, Vec<clinical_document::Model>>,
    pub(crate) document_versions: Late<DocumentId, Vec<document_version::Model>>,
    pub(crate) document_signatures: Late<DocumentId, Vec<document_signature::Model>>,
    pub(crate) document_templates: Late<NoteTemplateId, note_template::Model>,
    pub(crate) practitioners: Late<PractitionerId, Arc<practitioner::Model>>,
    pub(crate) facilities: Late<FacilityId, facility::Model>,
    pub(crate) rooms: Late<RoomId, room::Model>,
    pub(crate) devices: Late<DeviceId, device::Model>,
    pub(crate) visit_types: Late<VisitTypeId, visit_type::Model>,
    pub(crate) specialties: Late<SpecialtyId, specialty::Model>,
    pub(crate) organizations: Late<OrganizationId, organization::Model>,
    pub(crate) users: Late<UserId, user_account::Model>,
    pub(crate) roles: Late<RoleId, role::Model>,
    pub(crate) roles_of_users: Late<UserId, Vec<(membership::Model, role::Model)>>,
    pub(crate) identities_of_users: Late<UserId, Vec<providers::Linked>>,
    pub(crate) tasks: Late<TaskId, task::Model>,
    pub(crate) tasks_of_instances: Late<WorkflowInstanceId, Vec<task::Model>>,
    pub(crate) workflow_definitions: Late<WorkflowDefinitionId, workflow_definition::Model>,
    pub(crate) workflow_steps: Late<WorkflowDefinitionId, Vec<workflow_step::Model>>,
    pub(crate) workflow_instances: Late<WorkflowInstanceId, workflow_instance::Model>,
    pub(crate) rules: Late<RuleId, rule::Model>,
    pub(crate) rule_cases: Late<RuleId, Vec<rule_test_case::Model>>,
    pub(crate) alerts: Late<AlertId, alert::Model>,
    pub(crate) invitations: Late<InvitationId, invitation::Model>,
    pub(crate) availability: Late<PractitionerId, Vec<praxis_entity::availability_rule::Model>>,
    pub(crate) appointments_of_patients: batch::Loaders<PatientId, Slice<appointment::Model>>,
    pub(crate) encounters_of_patients: batch::Loaders<PatientId, Slice<encounter::Model>>,
    pub(crate) observations_of_patients: batch::Loaders<PatientId, Slice<observation::Model>>,
    pub(crate) observations_of_encounters: batch::Loaders<EncounterId, Slice<observation::Model>>,
    pub(crate) conditions_of_patients: batch::Loaders<PatientId, Slice<condition::Model>>,
    pub(crate) conditions_of_encounters: batch::Loaders<EncounterId, Slice<condition::Model>>,
    pub(crate) allergies_of_patients: batch::Loaders<PatientId, Slice<allergy::Model>>,
    pub(crate) medications_of_patients: batch::Loaders<PatientId, Slice<medication_statement::Model>>,
    pub(crate) immunizations_of_patients: batch::Loaders<PatientId, Slice<immunization::Model>>,
    pub(crate) procedures_of_patients: batch::Loaders<PatientId, Slice<procedure::Model>>,
    pub(crate) family_histories_of_patients: batch::Loaders<PatientId, Slice<family_history::Model>>,
    pub(crate) social_histories_of_patients: batch::Loaders<PatientId, Slice<social_history::Model>>,
    pub(crate) documents_of_patients: batch::Loaders<PatientId, Slice<clinical_document::Model>>,
    pub(crate) document_versions_of_patients: batch::Loaders<PatientId, Slice<document_version::Model>>,
    pub(crate) whole_charts: batch::Loaders<PatientId, bool>,
    pub(crate) documents_of_encounters: batch::Loaders<EncounterId, Slice<clinical_document::Model>>,
    pub(crate) tasks_of_patients: batch::Loaders<PatientId, Slice<task::Model>>,
    pub(crate) tasks_of_encounters: batch::Loaders<EncounterId, Slice<task::Model>>,
    pub(crate) access_logs_of_patients: batch::Loaders<PatientId, Slice<audit_entry::Model>>,
    pub(crate) disclosures_of_patients: batch::Loaders<PatientId, Slice<disclosure::Model>>,
    pub(crate) actor_names: Late<Uuid, String>,
    pub(crate) proofs: Late<AuditEntryId, Proof>,
    pub(crate) changes: Late<AuditEntryId, audit_change::Model>,
    pub(crate) timelines: batch::Loaders<EncounterId, Slice<event::Model>>,
    pub(crate) patient_counts: batch::Loaders<PatientId, i64>,
    pub(crate) encounter_counts: batch::Loaders<EncounterId, i64>,
}

/// A loader that is made when it is first asked: a request asks few of all there are.
pub(crate) struct Late<K, V> {
    op: Op<Read>,
    make: fn(Op<Read>) -> Loader<K, V>,
    made: OnceLock<Loader<K, V>>,
}

impl<K, V> Late<K, V> {
    fn new(op: &Op<Read>, make: fn(Op<Read>) -> Loader<K, V>) -> Self {
        Self { op: op.clone(), make, made: OnceLock::new() }
    }
}

impl<K, V> Deref for Late<K, V> {
    type Target = Loader<K, V>;

    fn deref(&self) -> &Loader<K, V> {
        self.made.get_or_init(|| (self.make)(self.op.clone()))
    }
}

/// A loader of rows by id.
macro_rules! by_id {
    ($op:expr, $fetch:path, $id:expr) => {
        Late::new($op, |op| {
            Loader::new(move |ids: Vec<_>| {
                let op = op.clone();
                async move { Ok(keyed($fetch(&op, &ids).await?, $id)) }
            })
        })
    };
}

/// A loader over a domain function that already answers by key.
macro_rules! by_key {
    ($op:expr, $fetch:path) => {
        Late::new($op, |op| {
            Loader::new(move |ids: Vec<_>| {
                let op = op.clone();
                async move { Ok($fetch(&op, &ids).await?) }
            })
        })
    };
}

impl Loaders {
    pub(crate) fn new(op: &Op<Read>) -> Self {
        Self {
            keys: Late::new(op, |op| {
                Loader::new(move |subjects: Vec<Uuid>| {
                    let op = op.clone();
                    async move { op.data_keys(&subjects).await.map_err(ApiError::from) }
                })
            }),
            patients: by_id!(op, patients::by_ids_with_standing, |row| row.id),
            standings: Late::new(op, |op| {
                Loader::new(move |patients: Vec<PatientId>| {
                    let op = op.clone();
                    async move { op.standings_once(&patients).await.map_err(ApiError::from) }
                })
            }),
            machines: by_key!(op, transitions::machines),
            care_teams: by_key!(op, care_team::of_patients),
            consents: by_key!(op, consent::of_patients),
            channel_consents: by_key!(op, notifications::consents_of),
            notification_profiles: by_key!(op, notifications::profiles_of),
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
            current_notes: batch::Loaders::default(),
            notes_of_encounters: batch::Loaders::default(),
            diagnoses: by_key!(op, consultation::diagnoses_of),
            vital_signs: batch::Loaders::default(),
            close_requirements: by_key!(op, consultation::requirements_of),
            observations: by_id!(op, charting::by_ids, |row| row.id),
            conditions: by_id!(op, history::by_ids, |row| row.id),
            allergies: by_id!(op, history::chapter::by_ids::<allergy::Entity, _>, |row| row.id),
            medications: by_id!(op, history::chapter::by_ids::<medication_statement::Entity, _>, |row| row
                .id),
            immunizations: by_id!(op, history::chapter::by_ids::<immunization::Entity, _>, |row| row.id),
            procedures: by_id!(op, history::chapter::by_ids::<procedure::Entity, _>, |row| row.id),
            family_histories: by_id!(op, history::chapter::by_ids::<family_history::Entity, _>, |row| row.id),
            social_histories: by_id!(op, history::chapter::by_ids::<social_history::Entity, _>, |row| row.id),
            documents: by_id!(op, documents::by_ids, |row| row.id),
            addenda: by_key!(op, documents::addenda_of),
            document_versions: by_key!(op, documents::versions_of),
            document_signatures: by_key!(op, documents::signatures_of),
            document_templates: by_id!(op, documents::templates::by_ids, |row| row.id),
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
            identities_of_users: by_key!(op, providers::identities_of),
            tasks: by_id!(op, tasks::by_ids, |row| row.id),
            tasks_of_instances: by_key!(op, workflows::tasks_of),
            workflow_definitions: by_id!(op, workflows::definitions_by_ids, |row| row.id),
            workflow_steps: by_key!(op, workflows::steps_of),
            workflow_instances: by_id!(op, workflows::instances_by_ids, |row| row.id),
            rules: by_id!(op, rules::by_ids, |row| row.id),
            rule_cases: by_key!(op, rules::cases_of),
            alerts: by_id!(op, alerts::by_ids, |row| row.id),
            invitations: by_id!(op, identity::invitations_by_ids, |row| row.id),
            availability: by_key!(op, staff::availability_of),
            appointments_of_patients: batch::Loaders::default(),
            encounters_of_patients: batch::Loaders::default(),
            observations_of_patients: batch::Loaders::default(),
            observations_of_encounters: batch::Loaders::default(),
            conditions_of_patients: batch::Loaders::default(),
            conditions_of_encounters: batch::Loaders::default(),
            allergies_of_patients: batch::Loaders::default(),
            medications_of_patients: batch::Loaders::default(),
            immunizations_of_patients: batch::Loaders::default(),
            procedures_of_patients: batch::Loaders::default(),
            family_histories_of_patients: batch::Loaders::default(),
            social_histories_of_patients: batch::Loaders::default(),
            documents_of_patients: batch::Loaders::default(),
            document_versions_of_patients: batch::Loaders::default(),
            whole_charts: batch::Loaders::default(),
            documents_of_encounters: batch::Loaders::default(),
            tasks_of_patients: batch::Loaders::default(),
            tasks_of_encounters: batch::Loaders::default(),
            access_logs_of_patients: batch::Loaders::default(),
            disclosures_of_patients: batch::Loaders::default(),
            actor_names: by_key!(op, audit::actor_names),
            proofs: by_key!(op, audit::proofs_of),
            changes: by_id!(op, audit::changes_of, |change: &audit_change::Model| change.entry_id),
            timelines: batch::Loaders::default(),
            patient_counts: batch::Loaders::default(),
            encounter_counts: batch::Loaders::default(),
        }
    }
}

/// Rows by their keys, shared where the loader shares them.
fn keyed<K: Eq + Hash, M: Into<V>, V>(rows: Vec<M>, key: fn(&M) -> K) -> HashMap<K, V> {
    rows.into_iter().map(|row| (key(&row), row.into())).collect()
}

//! `@idempotent(key:)` and the `Idempotency-Key` header.
//!
//! Every mutation honours them, because [`change`](crate::context::change) is the only way of one.

use async_graphql::{Context, CustomDirective, Directive, Value};
use praxis_domain::{
    Error, alerts, audit, break_glass, care_team, charting, clinic, consent, documents, encounters, history,
    identity, notifications, patients, policies, providers, roles, rules, scheduling, second_factors,
    sensitivity, sessions, staff, tasks, workflows,
};
use praxis_entity::{
    alert, alert_rule, allergy, appointment, appointment_series, availability_exception, care_team_member,
    clinical_document, condition, consent_directive, device, disclosure, encounter, facility, family_history,
    field_policy, identity_provider,
    ids::{
        AlertId, AllergyId, AppointmentId, AppointmentSeriesId, AvailabilityExceptionId, BreakGlassId,
        CareTeamMemberId, ConditionId, ConsentId, DeviceId, DisclosureId, DocumentId, EncounterId,
        FacilityId, FamilyHistoryId, FieldPolicyId, IdentityProviderId, ImmunizationId, InvitationId,
        MedicationStatementId, MembershipId, NoteTemplateId, NotificationId, NotificationTemplateId,
        ObservationId, PasskeyId, PatientId, PractitionerId, ProcedureId, PushDeviceId, QueueTokenId,
        RelatedPersonId, RoleId, RoomId, RuleId, SecurityAlertId, SessionId, SocialHistoryId, TaskId, UserId,
        VisitTypeId, WaitlistEntryId, WorkflowDefinitionId, WorkflowInstanceId,
    },
    immunization, invitation, medication_statement, note_template, notification, notification_template,
    observation, passkey, patient, practitioner, procedure, push_device, queue_token, related_person, role,
    room, rule, security_alert,
    sensitivity_label::Confidentiality,
    session, social_history, task, user_account, visit_policy, visit_type, waitlist_entry,
    workflow_definition, workflow_instance,
};
use praxis_platform::{Op, Write};
use sea_orm::ActiveEnum;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::Ask,
    error::{ApiError, Code},
    second_factors::{Left, RecoveryCodes, Told},
    sign_in::Identities,
};

/// Mutations that refuse to run without a key.
pub(crate) const REQUIRED: [&str; 3] = ["appointmentBook", "appointmentHold", "appointmentSeriesBook"];

struct Idempotent;

impl CustomDirective for Idempotent {}

/// Makes a retried mutation field return the first result for 24 hours.
#[Directive(location = "Field", name = "idempotent")]
pub(crate) fn idempotent(
    #[graphql(desc = "Chosen by the client, 1 to 200 characters; the same for each retry.")] key: String,
) -> impl CustomDirective {
    // The key is read where the mutation runs; here it only has to be known.
    let _ = key;
    Idempotent
}

/// The client's key for the mutation field that is being resolved.
///
/// The header counts when the operation has exactly one mutation field.
pub(crate) fn given_key(ctx: &Context<'_>) -> Result<Option<String>, ApiError> {
    let directives =
        ctx.field().directives().map_err(|error| ApiError::new(Code::BadUserInput, error.message))?;
    let from_directive = directives
        .iter()
        .find(|directive| directive.name.node == "idempotent")
        .and_then(|directive| directive.get_argument("key"))
        .and_then(|value| match &value.node {
            Value::String(key) => Some(key.clone()),
            _ => None,
        });
    if from_directive.is_some() {
        return Ok(from_directive);
    }
    let header = ctx.caller()?.idempotency_key().map(str::to_owned);
    let fields = ctx.query_env.operation.node.selection_set.node.items.len();
    if header.is_some() && fields > 1 {
        let message =
            "The Idempotency-Key header needs an operation with one mutation; use @idempotent(key:) on each.";
        return Err(ApiError::new(Code::BadUserInput, message));
    }
    Ok(header)
}

/// The arguments of the mutation field as one text: the same whether they were written out or given
/// as variables, and in whatever order.
pub(crate) fn given_input(ctx: &Context<'_>) -> Result<String, ApiError> {
    let arguments =
        ctx.field().arguments().map_err(|error| ApiError::new(Code::BadUserInput, error.message))?;
    let mut arguments = Value::Object(arguments.into_iter().collect());
    sort(&mut arguments);
    arguments
        .into_json()
        .map(|json| json.to_string())
        .map_err(|error| ApiError::new(Code::BadUserInput, error.to_string()))
}

fn sort(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.sort_unstable_keys();
            fields.values_mut().for_each(sort);
        }
        Value::List(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

/// What a mutation leads to, and how a retry finds it again.
pub(crate) trait Replay: Sized + Send {
    /// What is stored with the key: ids and codes, never PHI or a secret.
    type Outcome: Serialize + DeserializeOwned + Send;
    /// The outcome of the first run.
    fn outcome(&self) -> Self::Outcome;
    /// What the outcome stands for, as it is now.
    fn recall(
        op: &Op<Write>,
        outcome: Self::Outcome,
    ) -> impl Future<Output = Result<Option<Self>, Error>> + Send;
}

/// Rows that are found again by their id.
macro_rules! replay_by_id {
    ($($row:ty, $id:ty, $by_ids:path;)*) => {
        $(impl Replay for $row {
            type Outcome = $id;

            fn outcome(&self) -> $id {
                self.id
            }

            async fn recall(
                op: &Op<Write>,
                id: $id,
            ) -> Result<Option<Self>, Error> {
                Ok($by_ids(op, &[id]).await?.pop())
            }
        })*
    };
}

/// Outcomes that say all there is to say.
macro_rules! replay_itself {
    ($($outcome:ty),*) => {
        $(impl Replay for $outcome {
            type Outcome = Self;

            fn outcome(&self) -> Self {
                self.clone()
            }

            async fn recall(
                _: &Op<Write>,
                outcome: Self,
            ) -> Result<Option<Self>, Error> {
                Ok(Some(outcome))
            }
        })*
    };
}

replay_by_id! {
    appointment::Model, AppointmentId, scheduling::by_ids;
    appointment_series::Model, AppointmentSeriesId, scheduling::series_by_ids;
    availability_exception::Model, AvailabilityExceptionId, scheduling::exceptions_by_ids;
    device::Model, DeviceId, clinic::devices_by_ids;
    queue_token::Model, QueueTokenId, scheduling::tokens_by_ids;
    visit_type::Model, VisitTypeId, clinic::visit_types_by_ids;
    waitlist_entry::Model, WaitlistEntryId, scheduling::waitlist_by_ids;
    praxis_entity::break_glass::Model, BreakGlassId, break_glass::by_ids;
    care_team_member::Model, CareTeamMemberId, care_team::by_ids;
    consent_directive::Model, ConsentId, consent::by_ids;
    disclosure::Model, DisclosureId, audit::disclosures_by_ids;
    allergy::Model, AllergyId, history::chapter::by_ids::<allergy::Entity, _>;
    medication_statement::Model, MedicationStatementId, history::chapter::by_ids::<medication_statement::Entity, _>;
    immunization::Model, ImmunizationId, history::chapter::by_ids::<immunization::Entity, _>;
    procedure::Model, ProcedureId, history::chapter::by_ids::<procedure::Entity, _>;
    family_history::Model, FamilyHistoryId, history::chapter::by_ids::<family_history::Entity, _>;
    social_history::Model, SocialHistoryId, history::chapter::by_ids::<social_history::Entity, _>;
    condition::Model, ConditionId, history::by_ids;
    observation::Model, ObservationId, charting::by_ids;
    clinical_document::Model, DocumentId, documents::by_ids;
    note_template::Model, NoteTemplateId, documents::templates::by_ids;
    encounter::Model, EncounterId, encounters::by_ids;
    facility::Model, FacilityId, clinic::facilities_by_ids;
    identity_provider::Model, IdentityProviderId, providers::by_ids;
    invitation::Model, InvitationId, identity::invitations_by_ids;
    field_policy::Model, FieldPolicyId, policies::by_ids;
    notification::Model, NotificationId, notifications::deliveries_by_ids;
    notification_template::Model, NotificationTemplateId, notifications::templates_by_ids;
    patient::Model, PatientId, patients::by_ids;
    practitioner::Model, PractitionerId, staff::practitioners_by_ids;
    push_device::Model, PushDeviceId, notifications::devices_by_ids;
    roles::Held, MembershipId, roles::held_by_ids;
    roles::Role, RoleId, roles::by_ids;
    room::Model, RoomId, clinic::rooms_by_ids;
    session::Model, SessionId, sessions::by_ids;
    security_alert::Model, SecurityAlertId, audit::alerts_by_ids;
    task::Model, TaskId, tasks::by_ids;
    alert::Model, AlertId, alerts::by_ids;
    rule::Model, RuleId, rules::by_ids;
    workflow_definition::Model, WorkflowDefinitionId, workflows::definitions_by_ids;
    workflow_instance::Model, WorkflowInstanceId, workflows::instances_by_ids;
    user_account::Model, UserId, identity::users_by_ids;
}

replay_itself! {
    AvailabilityExceptionId, FieldPolicyId, IdentityProviderId, PatientId, PractitionerId,
    notifications::Preference, notifications::Profile, sessions::SessionPolicy, u64, ()
}

impl Replay for patients::Registered {
    type Outcome = (PatientId, Vec<PatientId>);

    fn outcome(&self) -> Self::Outcome {
        (self.patient.id, self.duplicate_candidates.clone())
    }

    async fn recall(
        op: &Op<Write>,
        (id, duplicate_candidates): Self::Outcome,
    ) -> Result<Option<Self>, Error> {
        let found = patients::by_ids(op, &[id]).await?.pop();
        Ok(found.map(|patient| Self { patient, duplicate_candidates }))
    }
}

impl Replay for alert_rule::Model {
    type Outcome = String;

    fn outcome(&self) -> String {
        self.kind.clone()
    }

    async fn recall(op: &Op<Write>, kind: String) -> Result<Option<Self>, Error> {
        Ok(audit::alert_rules(op).await?.into_iter().find(|rule| rule.kind == kind))
    }
}

impl Replay for visit_policy::Model {
    type Outcome = String;

    fn outcome(&self) -> String {
        self.class.clone()
    }

    async fn recall(op: &Op<Write>, class: String) -> Result<Option<Self>, Error> {
        Ok(encounters::policies(op).await?.into_iter().find(|policy| policy.class == class))
    }
}

impl Replay for charting::VitalSigns {
    type Outcome = (EncounterId, uuid::Uuid);

    fn outcome(&self) -> Self::Outcome {
        (self.encounter.id, self.id)
    }

    async fn recall(op: &Op<Write>, (encounter, id): Self::Outcome) -> Result<Option<Self>, Error> {
        charting::round_of(op, encounter, id).await
    }
}

impl Replay for related_person::Model {
    type Outcome = (PatientId, RelatedPersonId);

    fn outcome(&self) -> Self::Outcome {
        (self.patient_id, self.id)
    }

    async fn recall(op: &Op<Write>, (patient, id): Self::Outcome) -> Result<Option<Self>, Error> {
        let rows = patients::related_persons_of(op, &[patient]).await?.remove(&patient).unwrap_or_default();
        Ok(rows.into_iter().find(|row| row.id == id))
    }
}

impl Replay for sensitivity::Labelled {
    type Outcome = (String, PatientId, String);

    fn outcome(&self) -> Self::Outcome {
        (self.id.to_string(), self.patient, self.level.to_value())
    }

    async fn recall(_: &Op<Write>, (id, patient, level): Self::Outcome) -> Result<Option<Self>, Error> {
        let level = Confidentiality::try_from_value(&level).ok();
        Ok(id.parse().ok().zip(level).map(|(id, level)| Self { id, patient, level }))
    }
}

impl Replay for passkey::Model {
    type Outcome = PasskeyId;

    fn outcome(&self) -> PasskeyId {
        self.id
    }

    async fn recall(op: &Op<Write>, id: PasskeyId) -> Result<Option<Self>, Error> {
        second_factors::own_passkey(op, id).await
    }
}

impl Replay for role::Model {
    type Outcome = String;

    fn outcome(&self) -> String {
        self.code.clone()
    }

    async fn recall(op: &Op<Write>, code: String) -> Result<Option<Self>, Error> {
        second_factors::role_by_code(op, &code).await
    }
}

/// The secret is not kept with the key; as long as the app is not confirmed, it can be told again.
impl Replay for second_factors::TotpEnrolment {
    type Outcome = ();

    fn outcome(&self) {}

    async fn recall(op: &Op<Write>, (): ()) -> Result<Option<Self>, Error> {
        second_factors::totp_enrolment(op).await
    }
}

/// Recovery codes are told once: a retry gets none.
impl Replay for RecoveryCodes {
    type Outcome = ();

    fn outcome(&self) {}

    async fn recall(_: &Op<Write>, (): ()) -> Result<Option<Self>, Error> {
        Ok(Some(Self(Vec::new())))
    }
}

impl<T: Replay> Replay for Told<T> {
    type Outcome = T::Outcome;

    fn outcome(&self) -> T::Outcome {
        self.value.outcome()
    }

    async fn recall(op: &Op<Write>, outcome: T::Outcome) -> Result<Option<Self>, Error> {
        let value = T::recall(op, outcome).await?;
        Ok(value.map(|value| Self { value, codes: RecoveryCodes(Vec::new()) }))
    }
}

impl Replay for Left {
    type Outcome = ();

    fn outcome(&self) {}

    async fn recall(op: &Op<Write>, (): ()) -> Result<Option<Self>, Error> {
        second_factors::second_factors(op).await.map(|left| Some(Self(left)))
    }
}

impl Replay for Identities {
    type Outcome = ();

    fn outcome(&self) {}

    async fn recall(op: &Op<Write>, (): ()) -> Result<Option<Self>, Error> {
        providers::own_identities(op).await.map(|left| Some(Self(left)))
    }
}

/// What the passkey is to sign is kept, which is sealed and no secret; the rest is put together anew.
impl Replay for second_factors::PasskeyCreation {
    type Outcome = String;

    fn outcome(&self) -> String {
        self.challenge.clone()
    }

    async fn recall(op: &Op<Write>, challenge: String) -> Result<Option<Self>, Error> {
        second_factors::passkey_register_again(op, &challenge).await.map(Some)
    }
}

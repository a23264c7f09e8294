//! What happens in the clinic, in the past tense: one line for each kind.
//!
//! [`happened`] writes an event into the transaction of the act itself, together with a job for each
//! [reaction](crate::reaction) to it. An event holds ids and codes, never PHI; it never changes. The timeline of an
//! encounter is its events, and whoever watches live is shown the same rows.

mod told;
mod wanted;

pub use wanted::Wanted;

use told::Told;

use std::{any::Any, collections::BTreeSet, sync::LazyLock};

use chrono::{DateTime, Utc};
use praxis_entity::{
    event,
    ids::{
        AlertId, AllergyId, AnyId, AppointmentId, ConditionId, DocumentId, EncounterId, EventId,
        FamilyHistoryId, ImmunizationId, MedicationStatementId, ObservationId, PatientId, PractitionerId,
        ProcedureId, RuleId, SocialHistoryId, TaskId, TypedId, WaitlistEntryId, WorkflowInstanceId,
    },
    rule::AlertSeverity,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Rights},
    events,
    events::NewEvent,
    jobs::{self, NewJob},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{Result, error::capitals, reaction::reactions};

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident { $subject:ident: $subject_type:ty $(, $field:ident: $type:ty)* $(,)? };)*) => {
        /// Something that happened. The first field of each is what it happened to.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "body", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
        pub enum Event {
            $(
                $(#[doc = $doc])+
                #[expect(missing_docs, reason = "what a field is, its type says")]
                $name { $subject: $subject_type $(, $field: $type)* },
            )*
        }

        impl Event {
            const KINDS: &'static [(&'static str, &'static str, Permission)] =
                &[$((stringify!($name), concat!($($doc),+), <$subject_type as Told>::READ)),*];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)*
                }
            }

            /// The object it happened to.
            pub fn subject(&self) -> AnyId {
                match self {
                    $(Self::$name { $subject, .. } => <$subject_type as TypedId>::any(*$subject),)*
                }
            }

            fn fields(&self) -> Vec<&dyn Any> {
                match self {
                    $(Self::$name { $subject $(, $field)* } => vec![$subject $(, $field)*],)*
                }
            }
        }
    };
}

events! {
    // Patients.
    /// A person was registered as a patient.
    PatientRegistered { patient: PatientId };
    /// A patient was taken over from another system.
    PatientImported { patient: PatientId };

    // Scheduling.
    /// A visit was booked.
    AppointmentBooked { appointment: AppointmentId, patient: PatientId };
    /// A visit was moved to another time, practitioner or room.
    AppointmentRescheduled { appointment: AppointmentId, patient: PatientId };
    /// A visit was moved from one practitioner to another.
    AppointmentReassigned {
        appointment: AppointmentId, patient: PatientId, before: PractitionerId, practitioner: PractitionerId,
    };
    /// The patient confirmed that they will come.
    AppointmentConfirmed { appointment: AppointmentId, patient: PatientId };
    /// The patient arrived for a booked visit.
    AppointmentCheckedIn { appointment: AppointmentId, patient: PatientId };
    /// A booked visit began.
    AppointmentStarted { appointment: AppointmentId, patient: PatientId };
    /// A booked visit took place.
    AppointmentCompleted { appointment: AppointmentId, patient: PatientId };
    /// A visit was called off.
    AppointmentCancelled { appointment: AppointmentId, patient: PatientId };
    /// The patient did not come.
    AppointmentMissed { appointment: AppointmentId, patient: PatientId };
    /// A time is held for somebody who has yet to say yes.
    AppointmentHeld { appointment: AppointmentId, patient: PatientId };
    /// A time that was held is wanted no longer.
    AppointmentHoldReleased { appointment: AppointmentId, patient: PatientId };
    /// Nobody said yes in time.
    AppointmentHoldExpired { appointment: AppointmentId, patient: PatientId };
    /// The patient is at the clinic.
    AppointmentArrived { appointment: AppointmentId, patient: PatientId };
    /// The patient was shown to a room.
    AppointmentRoomed { appointment: AppointmentId, patient: PatientId };
    /// The patient came after all.
    AppointmentReinstated { appointment: AppointmentId, patient: PatientId };
    /// The appointment should never have been booked.
    AppointmentEnteredInError { appointment: AppointmentId, patient: PatientId };
    /// It is time to remind the patient of a visit, which stands as it did when the reminder was made.
    AppointmentReminderDue { appointment: AppointmentId, patient: PatientId, starts_at: DateTime<Utc> };
    /// A time was offered to somebody on the waiting list.
    WaitlistOffered { waitlist_entry: WaitlistEntryId, appointment: AppointmentId, patient: PatientId };

    // Encounters.
    /// A visit was taken over from elsewhere, or recorded after the fact.
    EncounterRecorded { encounter: EncounterId, patient: PatientId };

    // Tasks and workflows.
    /// Somebody was asked to do something.
    TaskCreated { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task was given to somebody else.
    TaskAssigned { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// Somebody took a task on.
    TaskClaimed { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// Somebody began with a task.
    TaskStarted { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task has to wait.
    TaskHeld { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task goes on.
    TaskResumed { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task was done.
    TaskCompleted { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task was tried, and not possible.
    TaskFailed { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task was turned down.
    TaskRejected { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task was called off.
    TaskCancelled { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A task is late; level 1 is for whoever does it, 2 and 3 for those who lead.
    TaskEscalated { task: TaskId, patient: Option<PatientId>, encounter: Option<EncounterId>, level: i16 };
    /// A workflow was started.
    WorkflowStarted { instance: WorkflowInstanceId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// All of a workflow is done.
    WorkflowCompleted { instance: WorkflowInstanceId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A step of a workflow was turned down, called off or not possible.
    WorkflowFailed { instance: WorkflowInstanceId, patient: Option<PatientId>, encounter: Option<EncounterId> };
    /// A workflow was called off.
    WorkflowCancelled { instance: WorkflowInstanceId, patient: Option<PatientId>, encounter: Option<EncounterId> };

    // Rules and alerts.
    /// An edition of a rule was put into use.
    RuleActivated { rule: RuleId };
    /// An edition of a rule was taken out of use.
    RuleRetired { rule: RuleId };
    /// A rule said something about a patient.
    AlertRaised { alert: AlertId, patient: PatientId, encounter: Option<EncounterId>, severity: AlertSeverity };
    /// Somebody has seen an alert.
    AlertAcknowledged { alert: AlertId, patient: PatientId, encounter: Option<EncounterId> };
    /// An alert was dealt with.
    AlertResolved { alert: AlertId, patient: PatientId, encounter: Option<EncounterId> };
    /// Somebody went against an alert.
    AlertOverridden { alert: AlertId, patient: PatientId, encounter: Option<EncounterId> };
    /// The time of an alert ran out.
    AlertExpired { alert: AlertId, patient: PatientId, encounter: Option<EncounterId> };
    // Documents.
    /// A clinical document was begun.
    DocumentDrafted { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// A clinical document was signed, and counts.
    DocumentSigned { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// A clinical document was signed by somebody whose documents are cosigned.
    DocumentAwaitsCosignature { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// A clinical document was signed anew with other content.
    DocumentAmended { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// Something was added to a clinical document.
    DocumentAddendumSigned { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// A draft was given up.
    DocumentDiscarded { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };
    /// A clinical document turned out to be a mistake.
    DocumentEnteredInError { document: DocumentId, patient: PatientId, encounter: Option<EncounterId> };

    // History.
    /// A problem was put on the list.
    ProblemRecorded { condition: ConditionId, patient: PatientId, encounter: Option<EncounterId> };
    /// A problem goes on in another way: resolved, come back, a mistake.
    ProblemChanged { condition: ConditionId, patient: PatientId, encounter: Option<EncounterId> };
    /// An allergy was recorded, or that there is none.
    AllergyRecorded { allergy: AllergyId, patient: PatientId, encounter: Option<EncounterId> };
    /// An allergy stands in another way.
    AllergyChanged { allergy: AllergyId, patient: PatientId, encounter: Option<EncounterId> };
    /// A medication was stated.
    MedicationStated { medication: MedicationStatementId, patient: PatientId, encounter: Option<EncounterId> };
    /// A medication is taken in another way, or no more.
    MedicationChanged { medication: MedicationStatementId, patient: PatientId, encounter: Option<EncounterId> };
    /// A vaccine was given, or not given.
    ImmunizationRecorded { immunization: ImmunizationId, patient: PatientId, encounter: Option<EncounterId> };
    /// The record of a vaccine stands in another way.
    ImmunizationChanged { immunization: ImmunizationId, patient: PatientId, encounter: Option<EncounterId> };
    /// A procedure was recorded.
    ProcedureRecorded { procedure: ProcedureId, patient: PatientId, encounter: Option<EncounterId> };
    /// The record of a procedure stands in another way.
    ProcedureChanged { procedure: ProcedureId, patient: PatientId, encounter: Option<EncounterId> };
    /// What a relative has or had was recorded.
    FamilyHistoryRecorded { family_history: FamilyHistoryId, patient: PatientId, encounter: Option<EncounterId> };
    /// What was recorded of a relative stands in another way.
    FamilyHistoryChanged { family_history: FamilyHistoryId, patient: PatientId, encounter: Option<EncounterId> };
    /// How the patient lives was recorded.
    SocialHistoryRecorded { social_history: SocialHistoryId, patient: PatientId, encounter: Option<EncounterId> };
    /// What was recorded of how the patient lives stands in another way.
    SocialHistoryChanged { social_history: SocialHistoryId, patient: PatientId, encounter: Option<EncounterId> };
    /// A visit was planned.
    EncounterPlanned { encounter: EncounterId, patient: PatientId };
    /// The patient arrived.
    EncounterCheckedIn { encounter: EncounterId, patient: PatientId };
    /// Urgency was assessed.
    EncounterTriaged { encounter: EncounterId, patient: PatientId };
    /// The consultation began.
    EncounterStarted { encounter: EncounterId, patient: PatientId };
    /// The consultation was interrupted.
    EncounterHeld { encounter: EncounterId, patient: PatientId };
    /// The consultation went on.
    EncounterResumed { encounter: EncounterId, patient: PatientId };
    /// The visit was closed, through the gate or past it.
    EncounterClosed { encounter: EncounterId, patient: PatientId, overridden: bool };
    /// A closed visit was opened again.
    EncounterReopened { encounter: EncounterId, patient: PatientId };
    /// The visit does not take place.
    EncounterCancelled { encounter: EncounterId, patient: PatientId };
    /// Somebody of the staff takes part from now on.
    EncounterJoined { encounter: EncounterId, patient: PatientId, practitioner: PractitionerId };
    /// Somebody of the staff takes part no more.
    EncounterLeft { encounter: EncounterId, patient: PatientId, practitioner: PractitionerId };
    /// Vital signs were recorded.
    VitalsRecorded { encounter: EncounterId, patient: PatientId };
    /// A measurement or finding was recorded by mistake, and counts no more.
    ObservationEnteredInError { observation: ObservationId, patient: PatientId, encounter: Option<EncounterId> };
    /// An assessment, or diagnoses, were recorded.
    AssessmentRecorded { encounter: EncounterId, patient: PatientId };
    /// A plan was recorded.
    PlanRecorded { encounter: EncounterId, patient: PatientId };
}

/// An event as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Id.
    pub id: EventId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it; absent where the system or an operator did.
    pub actor: Option<Uuid>,
    /// Its number among the events of its encounter, from one and without a gap.
    pub encounter_seq: Option<i32>,
    /// What happened.
    pub event: Event,
}

impl Event {
    /// All kinds: their codes, and what they mean.
    pub fn kinds() -> impl Iterator<Item = (String, &'static str)> {
        Self::KINDS.iter().map(|(name, meaning, _)| (capitals(name), meaning.trim()))
    }

    /// Kinds of which somebody with these rights is not told: what they happen to is closed to them.
    pub fn withheld(rights: &Rights) -> BTreeSet<&'static str> {
        static READING: LazyLock<Vec<(String, Permission)>> = LazyLock::new(|| {
            let reading = |(name, _, read): &(&str, _, Permission)| {
                let kind = capitals(name);
                let read = told::finer(&kind).unwrap_or(*read);
                (kind, read)
            };
            Event::KINDS.iter().map(reading).collect()
        });
        READING.iter().filter(|(_, read)| !rights.may(*read)).map(|(kind, _)| kind.as_str()).collect()
    }

    /// The code of its kind: `APPOINTMENT_BOOKED`.
    pub fn kind(&self) -> String {
        capitals(self.name())
    }

    /// Whether it names somebody or something.
    pub fn names<T: Copy + Eq + 'static>(&self, id: T) -> bool {
        self.fields().into_iter().filter_map(held).any(|named: T| named == id)
    }

    /// Whom it concerns.
    pub fn patient(&self) -> Option<PatientId> {
        self.first()
    }

    /// In which encounter.
    pub fn encounter(&self) -> Option<EncounterId> {
        self.first()
    }

    fn first<T: Copy + 'static>(&self) -> Option<T> {
        self.fields().into_iter().find_map(held)
    }

    fn written(&self, id: EventId) -> Result<NewEvent> {
        let written = serde_json::to_value(self).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(NewEvent {
            id,
            kind: self.kind(),
            patient: self.patient(),
            encounter: self.encounter(),
            subject: self.subject().uuid(),
            body: written.get("body").cloned().unwrap_or_default(),
        })
    }
}

/// What a field holds, if it is of this type.
fn held<T: Copy + 'static>(field: &dyn Any) -> Option<T> {
    field.downcast_ref::<T>().copied().or_else(|| field.downcast_ref::<Option<T>>().copied().flatten())
}

impl Recorded {
    /// Reads what is stored; fails for a kind that a newer build wrote.
    pub fn read(row: event::Model) -> Result<Self> {
        let event = serde_json::from_value(json!({ "kind": row.kind, "body": row.body }))
            .map_err(|_| Failure::Inconsistent { table: "event", column: "body", row: row.id.0 })?;
        let event::Model { id, at, actor_id: actor, encounter_seq, .. } = row;
        Ok(Self { id, at, actor, encounter_seq, event })
    }
}

/// Writes down what happened, and what is to follow from it, in the operation's transaction.
pub async fn happened(op: &Op<Write>, event: Event) -> Result<()> {
    all_happened(op, vec![event]).await
}

/// The same for many events at once, in their order.
pub async fn all_happened(op: &Op<Write>, happened: Vec<Event>) -> Result<()> {
    if happened.is_empty() {
        return Ok(());
    }
    let (mut rows, mut follow) = (Vec::with_capacity(happened.len()), Vec::new());
    for event in happened {
        let id = EventId(op.new_id());
        rows.push(event.written(id)?);
        follow.extend(reactions(&event).iter().map(|reaction| NewJob {
            name: reaction.name().to_owned(),
            event: Some(id),
            payload: None,
            dedupe_key: None,
            run_at: op.now(),
        }));
    }
    events::record(op, rows).await?;
    jobs::enqueue(op, follow).await?;
    Ok(())
}

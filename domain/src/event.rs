//! What happens in the clinic, in the past tense: one line for each kind.
//!
//! [`happened`] writes an event into the transaction of the act itself, together with a job for each
//! [reaction](crate::reaction) to it. An event holds ids and codes, never PHI; it never changes. The timeline of an
//! encounter is its events, and whoever watches live is shown the same rows.

use std::any::Any;

use chrono::{DateTime, Utc};
use praxis_entity::{
    event,
    ids::{AnyId, AppointmentId, EncounterId, EventId, PatientId, TypedId, WaitlistEntryId},
};
use praxis_platform::{
    Failure, Op, Write, events,
    events::NewEvent,
    jobs::{self, NewJob},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{Result, reaction::reactions};

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
            /// All kinds: their codes and what they mean.
            pub const KINDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),+))),*];

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
    /// Whom it concerns.
    pub fn patient(&self) -> Option<PatientId> {
        self.first()
    }

    /// In which encounter.
    pub fn encounter(&self) -> Option<EncounterId> {
        self.first()
    }

    fn first<T: Copy + 'static>(&self) -> Option<T> {
        let of = |field: &dyn Any| {
            field
                .downcast_ref::<T>()
                .copied()
                .or_else(|| field.downcast_ref::<Option<T>>().copied().flatten())
        };
        self.fields().into_iter().find_map(of)
    }

    fn written(&self, id: EventId) -> Result<NewEvent> {
        let written = serde_json::to_value(self).map_err(|error| Failure::Internal(error.to_string()))?;
        let kind = written.get("kind").and_then(Json::as_str).unwrap_or_default().to_owned();
        Ok(NewEvent {
            id,
            kind,
            patient: self.patient(),
            encounter: self.encounter(),
            subject: self.subject().uuid(),
            body: written.get("body").cloned().unwrap_or_default(),
        })
    }
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

//! What follows from an event: one exhaustive match says which reactions there are, another what each does.
//!
//! A reaction runs in a worker, in a transaction of its own together with the end of its job: its effects happen
//! once for each event. It runs as the system, some time later and in no order: it looks at how things stand now,
//! and does nothing when there is nothing left to do. What leaves the house (mail, SMS, push) it writes down as rows
//! with a key of their own; those are sent at least once.

use praxis_platform::{Op, Write};

use crate::{
    Result, encounters,
    error::capitals,
    event::{Event, Recorded},
};

macro_rules! reactions {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {
        /// Something that follows from an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reaction {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Reaction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

reactions! {
    // Encounters.
    /// The visit of an appointment is there, and the patient has arrived.
    ReceivePatient;
}

impl Reaction {
    /// The stored form: `OFFER_FREED_TIME`.
    pub fn name(self) -> String {
        capitals(&format!("{self:?}"))
    }

    /// The reaction of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reaction| reaction.name() == name)
    }
}

/// What follows from an event. No `_`: whoever adds an event decides.
pub fn reactions(event: &Event) -> &'static [Reaction] {
    match event {
        // Patients.
        Event::PatientRegistered { .. } | Event::PatientImported { .. } => &[],

        // Scheduling.
        Event::AppointmentBooked { .. }
        | Event::AppointmentRescheduled { .. }
        | Event::AppointmentConfirmed { .. }
        | Event::AppointmentStarted { .. }
        | Event::AppointmentCompleted { .. }
        | Event::AppointmentCancelled { .. }
        | Event::AppointmentMissed { .. } => &[],

        Event::AppointmentCheckedIn { .. } => &[Reaction::ReceivePatient],

        // Encounters.
        Event::EncounterRecorded { .. }
        | Event::EncounterPlanned { .. }
        | Event::EncounterCheckedIn { .. }
        | Event::EncounterTriaged { .. }
        | Event::EncounterStarted { .. }
        | Event::EncounterHeld { .. }
        | Event::EncounterResumed { .. }
        | Event::EncounterClosed { .. }
        | Event::EncounterReopened { .. }
        | Event::EncounterCancelled { .. }
        | Event::EncounterJoined { .. }
        | Event::EncounterLeft { .. }
        | Event::VitalsRecorded { .. }
        | Event::AssessmentRecorded { .. }
        | Event::PlanRecorded { .. } => &[],
    }
}

/// Does what follows. A line each: `Reaction::OfferFreedTime => scheduling::react::offer(op, recorded).await`.
pub async fn react(op: &Op<Write>, reaction: Reaction, recorded: &Recorded) -> Result<()> {
    match reaction {
        Reaction::ReceivePatient => encounters::react::receive(op, recorded).await,
    }
}

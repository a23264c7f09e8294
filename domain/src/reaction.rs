//! What follows from an event: one exhaustive match says which reactions there are, another what each does.
//!
//! A reaction runs in a worker, in a transaction of its own together with the end of its job: its effects happen
//! once for each event. It runs as the system, some time later and in no order: it looks at how things stand now,
//! and does nothing when there is nothing left to do. What leaves the house (mail, SMS, push) it writes down as rows
//! with a key of their own; those are sent at least once.

use praxis_platform::{Op, Write};

use crate::{
    Result,
    error::capitals,
    event::{Event, Recorded},
    scheduling,
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
    // Scheduling.
    /// A time that became free is offered to whoever waits for one.
    OfferFreedTime;
    /// Whoever had an offer that ran out is in line again.
    EndOffer;
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
        | Event::AppointmentCheckedIn { .. }
        | Event::AppointmentStarted { .. }
        | Event::AppointmentCompleted { .. }
        | Event::AppointmentMissed { .. }
        | Event::AppointmentHeld { .. }
        | Event::AppointmentArrived { .. }
        | Event::AppointmentRoomed { .. }
        | Event::AppointmentReinstated { .. }
        | Event::AppointmentEnteredInError { .. }
        | Event::AppointmentReminderDue { .. }
        | Event::WaitlistOffered { .. } => &[],
        Event::AppointmentCancelled { .. } => &[Reaction::OfferFreedTime],
        Event::AppointmentHoldReleased { .. } | Event::AppointmentHoldExpired { .. } => {
            &[Reaction::OfferFreedTime, Reaction::EndOffer]
        }

        // Encounters.
        Event::EncounterRecorded { .. } => &[],
    }
}

/// Does what follows. A line each: `Reaction::OfferFreedTime => scheduling::react::offer(op, recorded).await`.
pub async fn react(op: &Op<Write>, reaction: Reaction, recorded: &Recorded) -> Result<()> {
    match reaction {
        // Scheduling.
        Reaction::OfferFreedTime => scheduling::react::offer_freed_time(op, recorded).await,
        Reaction::EndOffer => scheduling::react::end_offer(op, recorded).await,
    }
}

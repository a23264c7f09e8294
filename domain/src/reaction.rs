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
    notifications, rules, scheduling, tasks, workflows,
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

    // Encounters.
    /// The visit of an appointment is there, and the patient has arrived.
    ReceivePatient;
    /// The visit of an appointment that was called off or struck while its patient was here does not take place.
    EndVisit;

    // Tasks, workflows and rules.
    /// Calls off the tasks of a visit that was called off.
    CancelTasksOfVisit;
    /// Opens the next steps of a workflow, or ends it.
    AdvanceWorkflow;
    /// Asks the rules about vital signs.
    CheckVitals;

    // Notifications.
    /// Patient and clinician are told that a visit was booked.
    TellOfBooking;
    /// They are told that it was moved, and no more of its old time.
    TellOfMove;
    /// They are told that it was called off, and reminded no more.
    TellOfCancellation;
    /// The patient is reminded of it.
    TellOfReminder;
    /// Whoever waits for a time learns that one is held for them.
    TellOfOffer;
    /// Whoever is asked for a task learns of it, and those who lead where it is late.
    TellOfTask;
    /// Whoever has to do with a visit learns of an alert, until somebody replied.
    TellOfAlert;
    /// Whoever may cosign learns of a document that waits for it, until it does not.
    TellOfDocument;
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
        Event::AppointmentBooked { .. } => &[Reaction::TellOfBooking],
        Event::AppointmentRescheduled { .. } => &[Reaction::TellOfMove],
        Event::AppointmentCancelled { .. } | Event::AppointmentEnteredInError { .. } => {
            &[Reaction::OfferFreedTime, Reaction::TellOfCancellation, Reaction::EndVisit]
        }
        Event::AppointmentHoldReleased { .. } | Event::AppointmentHoldExpired { .. } => {
            &[Reaction::OfferFreedTime, Reaction::EndOffer]
        }
        Event::AppointmentCheckedIn { .. } => &[Reaction::ReceivePatient],
        Event::AppointmentReminderDue { .. } => &[Reaction::TellOfReminder],
        Event::AppointmentReassigned { .. }
        | Event::AppointmentConfirmed { .. }
        | Event::AppointmentStarted { .. }
        | Event::AppointmentCompleted { .. }
        | Event::AppointmentMissed { .. }
        | Event::AppointmentHeld { .. }
        | Event::AppointmentArrived { .. }
        | Event::AppointmentRoomed { .. }
        | Event::AppointmentReinstated { .. } => &[],
        // Who had an offer that was let go of needs no notice: what was not sent by then finds that it is over.
        Event::WaitlistOffered { .. } => &[Reaction::TellOfOffer],

        // Encounters.
        Event::EncounterCancelled { .. } => &[Reaction::CancelTasksOfVisit],
        Event::VitalsRecorded { .. } => &[Reaction::CheckVitals],
        Event::EncounterRecorded { .. }
        | Event::EncounterPlanned { .. }
        | Event::EncounterCheckedIn { .. }
        | Event::EncounterTriaged { .. }
        | Event::EncounterStarted { .. }
        | Event::EncounterHeld { .. }
        | Event::EncounterResumed { .. }
        | Event::EncounterClosed { .. }
        | Event::EncounterReopened { .. }
        | Event::EncounterJoined { .. }
        | Event::EncounterLeft { .. }
        | Event::ObservationEnteredInError { .. }
        | Event::AssessmentRecorded { .. }
        | Event::PlanRecorded { .. } => &[],

        // Tasks and workflows.
        Event::TaskCreated { .. } | Event::TaskAssigned { .. } | Event::TaskEscalated { .. } => {
            &[Reaction::TellOfTask]
        }
        Event::TaskClaimed { .. }
        | Event::TaskStarted { .. }
        | Event::TaskHeld { .. }
        | Event::TaskResumed { .. } => &[],
        Event::TaskCompleted { .. }
        | Event::TaskFailed { .. }
        | Event::TaskRejected { .. }
        | Event::TaskCancelled { .. } => &[Reaction::AdvanceWorkflow, Reaction::TellOfTask],
        Event::WorkflowStarted { .. }
        | Event::WorkflowCompleted { .. }
        | Event::WorkflowFailed { .. }
        | Event::WorkflowCancelled { .. } => &[],

        // Rules and alerts.
        Event::RuleActivated { .. } | Event::RuleRetired { .. } => &[],
        Event::AlertRaised { .. }
        | Event::AlertAcknowledged { .. }
        | Event::AlertResolved { .. }
        | Event::AlertOverridden { .. }
        | Event::AlertExpired { .. } => &[Reaction::TellOfAlert],

        // Documents.
        Event::DocumentSigned { .. }
        | Event::DocumentAwaitsCosignature { .. }
        | Event::DocumentAmended { .. }
        | Event::DocumentAddendumSigned { .. }
        | Event::DocumentEnteredInError { .. } => &[Reaction::TellOfDocument],
        Event::DocumentDrafted { .. } | Event::DocumentDiscarded { .. } => &[],

        // History.
        Event::ProblemRecorded { .. }
        | Event::ProblemChanged { .. }
        | Event::AllergyRecorded { .. }
        | Event::AllergyChanged { .. }
        | Event::MedicationStated { .. }
        | Event::MedicationChanged { .. }
        | Event::ImmunizationRecorded { .. }
        | Event::ImmunizationChanged { .. }
        | Event::ProcedureRecorded { .. }
        | Event::ProcedureChanged { .. }
        | Event::FamilyHistoryRecorded { .. }
        | Event::FamilyHistoryChanged { .. }
        | Event::SocialHistoryRecorded { .. }
        | Event::SocialHistoryChanged { .. } => &[],
    }
}

/// Does what follows. A line each: `Reaction::OfferFreedTime => scheduling::react::offer(op, recorded).await`.
pub async fn react(op: &Op<Write>, reaction: Reaction, recorded: &Recorded) -> Result<()> {
    match reaction {
        // Scheduling.
        Reaction::OfferFreedTime => scheduling::react::offer_freed_time(op, recorded).await,
        Reaction::EndOffer => scheduling::react::end_offer(op, recorded).await,

        // Encounters.
        Reaction::ReceivePatient => encounters::react::receive(op, recorded).await,
        Reaction::EndVisit => encounters::react::end(op, recorded).await,

        // Tasks, workflows and rules.
        Reaction::CancelTasksOfVisit => tasks::react::visit_cancelled(op, recorded).await,
        Reaction::AdvanceWorkflow => workflows::task_ended(op, recorded).await,
        Reaction::CheckVitals => rules::on_vitals(op, recorded).await,

        // Notifications.
        Reaction::TellOfBooking
        | Reaction::TellOfMove
        | Reaction::TellOfCancellation
        | Reaction::TellOfReminder
        | Reaction::TellOfOffer => notifications::react::appointment_changed(op, recorded).await,
        Reaction::TellOfTask => notifications::react::task_changed(op, recorded).await,
        Reaction::TellOfAlert => notifications::react::alert_changed(op, recorded).await,
        Reaction::TellOfDocument => notifications::react::document_changed(op, recorded).await,
    }
}

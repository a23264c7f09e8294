//! What is asked about encounters.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::{StatusSet, encounters};
use praxis_entity::encounter;

use super::types::{EncounterClass, EncounterStatus};
use crate::{
    error::ApiError,
    ids,
    patients::{DateTimeFilter, ExactFilter, too_deep},
    scalar::DateTime,
    value::CodeableConceptInput,
};

/// Which statuses.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct EncounterStatusFilter {
    /// This one.
    eq: Option<EncounterStatus>,
    /// One of these.
    #[graphql(name = "in")]
    any: Option<Vec<EncounterStatus>>,
    /// None of these.
    not_in: Option<Vec<EncounterStatus>>,
}

impl From<EncounterStatusFilter> for StatusSet<encounter::EncounterStatus> {
    fn from(filter: EncounterStatusFilter) -> Self {
        let all = |statuses: Vec<EncounterStatus>| statuses.into_iter().map(Into::into).collect::<Vec<_>>();
        let eq: Option<encounter::EncounterStatus> = filter.eq.map(Into::into);
        let eq_any = match (eq, filter.any.map(all)) {
            (Some(eq), Some(any)) => Some(any.into_iter().filter(|status| *status == eq).collect()),
            (Some(eq), None) => Some(vec![eq]),
            (None, any) => any,
        };
        Self { eq_any, not_any: filter.not_in.map(all) }
    }
}

/// Which encounters. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct EncounterFilter {
    /// All of these hold.
    and: Option<Vec<EncounterFilter>>,
    /// One of these holds.
    or: Option<Vec<EncounterFilter>>,
    /// This does not hold.
    not: Option<Box<EncounterFilter>>,
    /// Where it stands.
    status: Option<EncounterStatusFilter>,
    /// In one of these settings.
    class: Option<Vec<EncounterClass>>,
    /// When it began.
    started_at: Option<DateTimeFilter>,
    /// When the record was made.
    created_at: Option<DateTimeFilter>,
    /// Type or reason, as `system|code`. Needs encounter.clinical:read.
    code: Option<ExactFilter>,
}

impl EncounterFilter {
    fn convert(self, depth: usize) -> Result<encounters::EncounterFilter, ApiError> {
        if depth == 0 {
            return Err(too_deep());
        }
        let all = |filters: Option<Vec<Self>>| {
            filters
                .unwrap_or_default()
                .into_iter()
                .map(|filter| filter.convert(depth - 1))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(encounters::EncounterFilter {
            and: all(self.and)?,
            or: all(self.or)?,
            not: self.not.map(|filter| filter.convert(depth - 1).map(Box::new)).transpose()?,
            status: self.status.map(Into::into).unwrap_or_default(),
            class: self.class.map(|classes| classes.into_iter().map(Into::into).collect()),
            started_at: self.started_at.unwrap_or_default().into(),
            created_at: self.created_at.unwrap_or_default().into(),
            code: self.code.and_then(ExactFilter::values),
        })
    }
}

impl TryFrom<EncounterFilter> for encounters::EncounterFilter {
    type Error = ApiError;

    fn try_from(filter: EncounterFilter) -> Result<Self, ApiError> {
        filter.convert(5)
    }
}

/// A visit to be planned.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct EncounterCreateInput {
    /// Whose; may be left out where an appointment is given.
    patient_id: Option<ID>,
    /// The appointment that it comes of; what is not given is taken from there.
    appointment_id: Option<ID>,
    /// Who is responsible.
    practitioner_id: Option<ID>,
    /// At which branch.
    facility_id: Option<ID>,
    /// Setting; AMBULATORY when neither it nor an appointment is given.
    class: Option<EncounterClass>,
    /// When it is expected.
    planned_for: Option<DateTime>,
    /// Why the patient comes.
    #[graphql(default)]
    reasons: Vec<CodeableConceptInput>,
}

impl TryFrom<EncounterCreateInput> for encounters::PlanEncounter {
    type Error = ApiError;

    fn try_from(input: EncounterCreateInput) -> Result<Self, ApiError> {
        Ok(Self {
            patient: input.patient_id.as_ref().map(ids::parse).transpose()?,
            appointment: input.appointment_id.as_ref().map(ids::parse).transpose()?,
            practitioner: input.practitioner_id.as_ref().map(ids::parse).transpose()?,
            facility: input.facility_id.as_ref().map(ids::parse).transpose()?,
            class: input.class.map(Into::into),
            planned_for: input.planned_for.map(|at| at.0),
            reasons: input.reasons.into_iter().map(Into::into).collect(),
        })
    }
}

macro_rules! step_inputs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* };)*) => {
        $(
            $(#[$doc])*
            #[derive(InputObject, Debug, Clone)]
            pub(crate) struct $name {
                /// The encounter.
                pub(crate) id: ID,
                /// The version that was read.
                pub(crate) if_version: i32,
                $($(#[$field_doc])* pub(crate) $field: $type,)*
            }
        )*
    };
}

step_inputs! {
    /// The patient has arrived.
    EncounterCheckInInput {};
    /// Urgency was assessed.
    EncounterTriageInput {};
    /// The consultation begins.
    EncounterStartInput {};
    /// The consultation is interrupted.
    EncounterHoldInput {
        /// Why.
        reason: Option<String>
    };
    /// The consultation goes on.
    EncounterResumeInput {};
    /// The visit does not take place.
    EncounterCancelInput {
        /// Why.
        reason: String
    };
    /// The visit is opened again.
    EncounterReopenInput {
        /// Why.
        reason: String
    };
    /// Somebody takes part.
    EncounterParticipantAddInput {
        /// Who.
        practitioner_id: ID,
        /// As what.
        role: ParticipantRole
    };
    /// Somebody takes part no more.
    EncounterParticipantEndInput {
        /// Who.
        practitioner_id: ID,
        /// As what.
        role: ParticipantRole
    };
}

/// As what somebody takes part in a visit, HL7 v3 ParticipationType.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParticipantRole {
    /// Responsible for it (ATND).
    Attending,
    /// Asked for advice (CON).
    Consultant,
    /// Sent the patient (REF).
    Referrer,
    /// Does it (PPRF).
    PrimaryPerformer,
    /// Helps with it (SPRF).
    SecondaryPerformer,
    /// Takes part otherwise (PART).
    Participant,
}

impl ParticipantRole {
    /// The stored form.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Attending => "ATND",
            Self::Consultant => "CON",
            Self::Referrer => "REF",
            Self::PrimaryPerformer => "PPRF",
            Self::SecondaryPerformer => "SPRF",
            Self::Participant => "PART",
        }
    }
}

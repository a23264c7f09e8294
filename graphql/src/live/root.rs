//! What can be watched. Each field names the events it is about; the rest is the same for all.

use async_graphql::{Context, ID, Object};
use praxis_domain::event::Wanted;

use super::{
    inputs::EventFilter,
    source::{Source, deliver},
    types::EventObject,
};
use crate::{error::ApiError, ids};

/// What happens, as it happens. An event comes once it is committed, in the order of all events, to whoever may know of
/// what it happened to at that moment.
pub(crate) struct Subscription;

#[Object]
impl Subscription {
    /// Events of the clinic.
    fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events; all when absent.")] filter: Option<EventFilter>,
        #[graphql(
            desc = "Id of an event that was seen: begins behind it, with what happened since. With what happens from now on when absent."
        )]
        after_event_id: Option<ID>,
        #[graphql(desc = "Ends after so many events, 1 to 1,000; goes on when absent.")] limit: Option<i32>,
    ) -> Result<EventObject, ApiError> {
        let source = || Source::new(filter.unwrap_or_default().wanted()?, after_event_id.as_ref(), limit);
        deliver(ctx, "Subscription.events", source)
    }

    /// Events that concern a patient.
    fn patient_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the patient.")] patient_id: ID,
        #[graphql(desc = "Id of an event that was seen: begins behind it.")] after_event_id: Option<ID>,
        #[graphql(desc = "Ends after so many events, 1 to 1,000; goes on when absent.")] limit: Option<i32>,
    ) -> Result<EventObject, ApiError> {
        let source = || {
            let wanted = Wanted { patient: Some(ids::parse(&patient_id)?), ..Wanted::default() };
            Source::new(wanted, after_event_id.as_ref(), limit)
        };
        deliver(ctx, "Subscription.patientEvents", source)
    }

    /// Events of an encounter.
    fn encounter_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the encounter.")] encounter_id: ID,
        #[graphql(desc = "Id of an event that was seen: begins behind it.")] after_event_id: Option<ID>,
        #[graphql(desc = "Ends after so many events, 1 to 1,000; goes on when absent.")] limit: Option<i32>,
    ) -> Result<EventObject, ApiError> {
        let source = || {
            let wanted = Wanted { encounter: Some(ids::parse(&encounter_id)?), ..Wanted::default() };
            Source::new(wanted, after_event_id.as_ref(), limit)
        };
        deliver(ctx, "Subscription.encounterEvents", source)
    }

    /// What happens to appointments: an agenda that keeps itself up to date.
    fn appointment_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this practitioner, also where a visit is moved away from them.")]
        practitioner_id: Option<ID>,
        #[graphql(desc = "Only at this branch.")] facility_id: Option<ID>,
        #[graphql(desc = "Id of an event that was seen: begins behind it.")] after_event_id: Option<ID>,
        #[graphql(desc = "Ends after so many events, 1 to 1,000; goes on when absent.")] limit: Option<i32>,
    ) -> Result<EventObject, ApiError> {
        let source = || {
            let practitioner = practitioner_id.as_ref().map(ids::parse).transpose()?;
            let facility = facility_id.as_ref().map(ids::parse).transpose()?;
            let wanted = Wanted::of_kinds("APPOINTMENT_");
            Ok(Source { practitioner, facility, ..Source::new(wanted, after_event_id.as_ref(), limit)? })
        };
        deliver(ctx, "Subscription.appointmentEvents", source)
    }
}

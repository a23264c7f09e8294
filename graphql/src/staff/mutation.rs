//! Registering clinicians and their hours.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::staff;
use praxis_entity::ids::PractitionerId;
use praxis_platform::{Op, Write};

use super::types::{Practitioner, Weekday};
use crate::{
    context::{Ask, change},
    error::ApiError,
    ids,
    payload::UserError,
    scalar::{Date, LocalTime},
    value::IdentifierInput,
};

/// Registering clinicians and their hours.
#[derive(Default)]
pub(crate) struct StaffMutation;

/// A new clinician.
#[derive(InputObject)]
pub(crate) struct PractitionerRegisterInput {
    /// Family name.
    family: String,
    /// Given names.
    #[graphql(default)]
    given: Vec<String>,
    /// Title.
    prefix: Option<String>,
    /// Code of the specialty.
    specialty: Option<String>,
    /// Numbers by which they are known elsewhere, such as the NPI.
    #[graphql(default)]
    identifiers: Vec<IdentifierInput>,
    /// True when patients can be booked with them.
    #[graphql(default = true)]
    bookable: bool,
}

/// The new clinician, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct PractitionerRegisterPayload {
    /// The new clinician.
    practitioner: Option<Practitioner>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Hours of one day of the week.
#[derive(InputObject)]
pub(crate) struct WeeklyHoursInput {
    /// Day of the week.
    weekday: Weekday,
    /// First minute, wall clock of the branch.
    starts_local: LocalTime,
    /// End, wall clock of the branch.
    ends_local: LocalTime,
    /// First day; today when absent.
    valid_from: Option<Date>,
    /// Last day; open when absent.
    valid_until: Option<Date>,
}

/// A clinician's hours at a branch; replaces those that are stored for it.
#[derive(InputObject)]
pub(crate) struct AvailabilitySetInput {
    /// Whose hours.
    practitioner_id: ID,
    /// At which branch.
    facility_id: ID,
    /// The hours.
    hours: Vec<WeeklyHoursInput>,
}

/// The clinician with the new hours, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct AvailabilitySetPayload {
    /// The clinician.
    practitioner: Option<Practitioner>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl StaffMutation {
    /// Registers a clinician.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, ALREADY_EXISTS.
    async fn practitioner_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clinician.")] input: PractitionerRegisterInput,
    ) -> Result<PractitionerRegisterPayload, ApiError> {
        let new = staff::RegisterPractitioner {
            family: input.family,
            given: input.given,
            prefix: input.prefix,
            specialty: input.specialty.map(|code| code.replace('\0', "")),
            identifiers: input.identifiers.into_iter().map(IdentifierInput::pair).collect(),
            bookable: input.bookable,
        };
        let register = async |op: &_| staff::register_practitioner(op, new).await;
        let (row, user_errors) = change(ctx, "Mutation.practitionerRegister", register).await?.split();
        Ok(PractitionerRegisterPayload { practitioner: row.map(Practitioner::new), user_errors })
    }

    /// Sets the hours at which a clinician sees patients at a branch.
    ///
    /// Errors: INVALID, OUT_OF_RANGE, NOT_FOUND.
    async fn availability_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hours.")] input: AvailabilitySetInput,
    ) -> Result<AvailabilitySetPayload, ApiError> {
        let (practitioner, facility): (PractitionerId, _) =
            (ids::parse(&input.practitioner_id)?, ids::parse(&input.facility_id)?);
        let set = async |op: &Op<Write>| {
            let today = op.now().date_naive();
            let rules = input
                .hours
                .into_iter()
                .map(|hours| staff::WeeklyRule {
                    weekday: hours.weekday.number(),
                    starts_local: hours.starts_local.0,
                    ends_local: hours.ends_local.0,
                    valid_from: hours.valid_from.map_or(today, |day| day.0),
                    valid_until: hours.valid_until.map(|day| day.0),
                })
                .collect();
            staff::set_availability(op, practitioner, facility, rules).await.map(|_| practitioner)
        };
        let (practitioner, user_errors) = change(ctx, "Mutation.availabilitySet", set).await?.split();
        let practitioner = match practitioner {
            Some(id) => ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new),
            None => None,
        };
        Ok(AvailabilitySetPayload { practitioner, user_errors })
    }
}

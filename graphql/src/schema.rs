//! The roots, merged from the domains.

use async_graphql::{EmptySubscription, MergedObject, Schema};

use crate::{
    api::{Api, UnreadableSchema, hardened},
    charting::ObservationQuery,
    clinic::{ClinicMutation, ClinicQuery},
    encounters::EncounterQuery,
    history::ConditionQuery,
    idempotency::idempotent,
    limits::Limits,
    node::{NodeQuery, Redactable, Versioned},
    patients::{PatientMutation, PatientQuery},
    scheduling::{AppointmentMutation, AppointmentQuery},
    staff::{StaffMutation, StaffQuery},
    viewer::ViewerQuery,
};

/// What can be read.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    NodeQuery,
    ViewerQuery,
    ClinicQuery,
    StaffQuery,
    PatientQuery,
    AppointmentQuery,
    EncounterQuery,
    ObservationQuery,
    ConditionQuery,
);

/// What can be done.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(ClinicMutation, StaffMutation, PatientMutation, AppointmentMutation);

/// The schema of the API.
pub(crate) type PraxisSchema = Schema<Query, Mutation, EmptySubscription>;

/// Builds the API within limits.
pub fn build(limits: Limits) -> Result<Api, UnreadableSchema> {
    let builder = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<Versioned>()
        .register_output_type::<Redactable>()
        .directive(idempotent);
    Api::new(hardened(builder).finish(), limits)
}

//! The roots, merged from the domains.

use async_graphql::{EmptySubscription, MergedObject, Schema, SchemaBuilder};

use crate::{
    api::{Api, Engine, UnreadableSchema},
    audit::{AlertMutation, AlertQuery, AuditQuery, DisclosureMutation},
    break_glass::{BreakGlassMutation, BreakGlassQuery},
    care_team::CareTeamMutation,
    charting::ObservationQuery,
    clinic::{ClinicMutation, ClinicQuery, PlanningMutation},
    consent::ConsentMutation,
    encounters::EncounterQuery,
    field_policies::{FieldPolicyMutation, FieldPolicyQuery},
    history::ConditionQuery,
    idempotency::idempotent,
    identity::{IdentityMutation, IdentityQuery},
    limits::Limits,
    node::{NodeQuery, Redactable, Versioned},
    operations::{OperationMutation, OperationQuery},
    patients::{PatientMutation, PatientQuery},
    roles::{RoleMutation, RoleQuery},
    scheduling::{
        AppointmentMutation, AppointmentQuery, ExceptionMutation, ExceptionQuery, FeedMutation,
        QueueMutation, QueueQuery, SeriesMutation, SeriesQuery, SlotQuery, VisitStepMutation,
        WaitlistMutation, WaitlistQuery,
    },
    second_factors::SecondFactorMutation,
    sensitivity::SensitivityMutation,
    sign_in::{SignInMutation, SignInQuery},
    staff::{StaffMutation, StaffQuery},
    viewer::ViewerQuery,
    withhold::withheld,
};

/// What can be read.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    NodeQuery,
    ViewerQuery,
    ClinicQuery,
    StaffQuery,
    IdentityQuery,
    PatientQuery,
    AppointmentQuery,
    SlotQuery,
    SeriesQuery,
    WaitlistQuery,
    QueueQuery,
    ExceptionQuery,
    EncounterQuery,
    ObservationQuery,
    ConditionQuery,
    BreakGlassQuery,
    RoleQuery,
    FieldPolicyQuery,
    SignInQuery,
    AuditQuery,
    AlertQuery,
    OperationQuery,
);

/// What can be done.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    ClinicMutation,
    StaffMutation,
    IdentityMutation,
    PatientMutation,
    AppointmentMutation,
    VisitStepMutation,
    SeriesMutation,
    WaitlistMutation,
    QueueMutation,
    ExceptionMutation,
    FeedMutation,
    PlanningMutation,
    BreakGlassMutation,
    RoleMutation,
    CareTeamMutation,
    ConsentMutation,
    SensitivityMutation,
    FieldPolicyMutation,
    SignInMutation,
    DisclosureMutation,
    AlertMutation,
    OperationMutation,
    SecondFactorMutation,
);

/// Builds the API within limits.
pub fn build(limits: Limits) -> Result<Api, UnreadableSchema> {
    Ok(Api::new(Engine::new(schema, limits)?))
}

fn schema() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<Versioned>()
        .register_output_type::<Redactable>()
        .directive(idempotent)
        .directive(withheld)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_policy_and_every_policy_a_field() {
        let (open, dead) = build(Limits::default()).unwrap().policy_gaps();
        assert!(open.is_empty(), "fields that nobody decided about: {open:#?}");
        assert!(dead.is_empty(), "policies without a field: {dead:#?}");
    }

    #[test]
    fn the_published_schema_names_the_policy_of_each_guarded_field() {
        let sdl = build(Limits::default()).unwrap().sdl();
        let missing: Vec<_> = crate::policy::coordinates()
            .into_iter()
            .filter(|coordinate| matches!(coordinate.access, crate::policy::Access::Needs(_)))
            .collect();
        assert_eq!(sdl.matches(" @auth(requires: [\"").count(), missing.len());
        if let Ok(path) = std::env::var("PRAXIS_PRINT_SDL") {
            std::fs::write(path, sdl).unwrap();
        }
    }
}

//! The roots, merged from the domains.

use async_graphql::{MergedObject, Schema, SchemaBuilder};

use crate::{
    alerts::{ClinicalAlertMutation, ClinicalAlertQuery},
    api::{Api, Engine, UnreadableSchema},
    audit::{AlertMutation, AlertQuery, AuditQuery, DisclosureMutation},
    break_glass::{BreakGlassMutation, BreakGlassQuery},
    care_team::CareTeamMutation,
    charting::{ObservationQuery, VitalsMutation},
    clinic::{ClinicMutation, ClinicQuery, PlanningMutation},
    consent::ConsentMutation,
    consultation::ConsultationMutation,
    documents::{DocumentMutation, DocumentQuery, DocumentTemplateMutation},
    encounters::{EncounterMutation, EncounterQuery, VisitPolicyMutation, VisitPolicyQuery},
    field_policies::{FieldPolicyMutation, FieldPolicyQuery},
    history::{
        AllergyMutation, ConditionQuery, FamilyHistoryMutation, HistoryQuery, ImmunizationMutation,
        MedicationMutation, ProblemMutation, ProcedureMutation, SocialHistoryMutation,
    },
    idempotency::idempotent,
    identity::{IdentityMutation, IdentityQuery},
    limits::Limits,
    live::Published,
    node::{NodeQuery, Redactable, Versioned},
    notifications::{NotificationMutation, NotificationQuery},
    operations::{OperationMutation, OperationQuery},
    patients::{PatientMutation, PatientQuery},
    roles::{RoleMutation, RoleQuery},
    rules::{RuleMutation, RuleQuery},
    scheduling::{
        AppointmentMutation, AppointmentQuery, ExceptionMutation, ExceptionQuery, FeedMutation,
        QueueMutation, QueueQuery, SeriesMutation, SeriesQuery, SlotQuery, VisitStepMutation,
        WaitlistMutation, WaitlistQuery,
    },
    second_factors::SecondFactorMutation,
    sensitivity::SensitivityMutation,
    sign_in::{SignInMutation, SignInQuery},
    staff::{StaffMutation, StaffQuery},
    statistics::StatisticsQuery,
    tasks::{TaskMutation, TaskQuery},
    viewer::ViewerQuery,
    withhold::withheld,
    workflows::{WorkflowMutation, WorkflowQuery},
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
    VisitPolicyQuery,
    ObservationQuery,
    ConditionQuery,
    DocumentQuery,
    HistoryQuery,
    BreakGlassQuery,
    RoleQuery,
    FieldPolicyQuery,
    SignInQuery,
    AuditQuery,
    AlertQuery,
    OperationQuery,
    TaskQuery,
    WorkflowQuery,
    RuleQuery,
    ClinicalAlertQuery,
    NotificationQuery,
    StatisticsQuery,
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
    DocumentMutation,
    ProblemMutation,
    AllergyMutation,
    MedicationMutation,
    ImmunizationMutation,
    ProcedureMutation,
    FamilyHistoryMutation,
    SocialHistoryMutation,
    DocumentTemplateMutation,
    EncounterMutation,
    VisitPolicyMutation,
    VitalsMutation,
    ConsultationMutation,
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
    TaskMutation,
    WorkflowMutation,
    RuleMutation,
    ClinicalAlertMutation,
    NotificationMutation,
);

/// Builds the API within limits.
pub fn build(limits: Limits) -> Result<Api, UnreadableSchema> {
    let (engine, described) = Engine::new(schema, limits)?;
    Ok(Api::new(engine, &described))
}

fn schema() -> SchemaBuilder<Query, Mutation, Published> {
    Schema::build(Query::default(), Mutation::default(), Published)
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

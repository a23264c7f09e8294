//! Who is told that something happened: whoever may read what it happened to.

use praxis_entity::ids::{
    AlertId, AllergyId, AppointmentId, ConditionId, DocumentId, EncounterId, FamilyHistoryId, ImmunizationId,
    MedicationStatementId, ObservationId, PatientId, ProcedureId, RuleId, SocialHistoryId, TaskId,
    WaitlistEntryId, WorkflowInstanceId,
};
use praxis_platform::access::Permission;

/// Something that events happen to.
pub(super) trait Told {
    /// Permission to read it.
    const READ: Permission;
}

macro_rules! told {
    ($($id:ty => $read:ident;)*) => {
        $(impl Told for $id {
            const READ: Permission = Permission::$read;
        })*
    };
}

told! {
    AlertId => ALERT_READ;
    AllergyId => ALLERGY_READ;
    AppointmentId => APPOINTMENT_READ;
    ConditionId => CONDITION_READ;
    DocumentId => DOCUMENT_READ;
    EncounterId => ENCOUNTER_READ;
    FamilyHistoryId => HISTORY_READ;
    ImmunizationId => IMMUNIZATION_READ;
    MedicationStatementId => MEDICATION_READ;
    ObservationId => OBSERVATION_READ;
    PatientId => PATIENT_READ;
    ProcedureId => HISTORY_READ;
    RuleId => RULE_READ;
    SocialHistoryId => HISTORY_READ;
    TaskId => TASK_READ;
    WaitlistEntryId => APPOINTMENT_READ;
    WorkflowInstanceId => TASK_READ;
}

/// Permission to know of a kind that says more than that its object changed.
pub(super) fn finer(kind: &str) -> Option<Permission> {
    match kind {
        "VITALS_RECORDED" => Some(Permission::OBSERVATION_READ),
        "ASSESSMENT_RECORDED" | "PLAN_RECORDED" => Some(Permission::ENCOUNTER_CLINICAL_READ),
        _ => None,
    }
}

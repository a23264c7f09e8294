//! The schema of one tenant.

crate::sql_steps! {
    Foundation = "m0001_foundation";
    Access = "m0002_access";
    Clinic = "m0003_clinic";
    Patients = "m0004_patients";
    Scheduling = "m0005_scheduling";
    Encounters = "m0006_encounters";
    Observations = "m0007_observations";
    Conditions = "m0008_conditions";
    Imports = "m0009_imports";
    Sessions = "m0010_sessions";
    Mail = "m0011_mail";
    Factors = "m0012_factors";
    AccessConditions = "m0013_access_conditions";
    BreakGlass = "m0014_break_glass";
    Operations = "m0015_operations";
    AuditTree = "m0016_audit_tree";
    KeyRotation = "m0017_key_rotation";
    Retention = "m0018_retention";
    Events = "m0019_events";
    Booking = "m0020_booking";
    VisitFlow = "m0021_visit_flow";
    ClinicalDocuments = "m0022_clinical_documents";
    Histories = "m0023_histories";
    Tasks = "m0024_tasks";
    Rules = "m0025_rules";
    Notifications = "m0026_notifications";
    WholeVisit = "m0027_whole_visit";
    LabelsAndSteps = "m0028_labels_and_steps";
    Corrections = "m0029_corrections";
    AuditUnwatched = "m0030_audit_unwatched";
    ProblemsWithoutStatus = "m0031_problems_without_status";
    ChartVersions = "m0032_chart_versions";
    ExternalIdentities = "m0033_external_identities";
    Statistics = "m0034_statistics";
}

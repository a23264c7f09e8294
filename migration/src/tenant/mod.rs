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
}

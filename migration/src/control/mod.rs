//! The control schema: which clinics there are, and where. No PHI.

crate::sql_steps! {
    Tenants = "m0001_tenants";
    Runs = "m0002_migration_runs";
    Operators = "m0003_operators";
    Operations = "m0004_operations";
    KeyRotation = "m0005_key_rotation";
    Ready = "m0006_ready";
    Planned = "m0007_planned";
    TenantOperations = "m0009_operations";
}

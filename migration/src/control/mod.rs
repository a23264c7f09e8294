//! The control schema: which clinics there are, and where. No PHI.

crate::sql_steps! {
    "m0001_tenants"
    "m0002_migration_runs"
    "m0003_operators"
    "m0004_operations"
    "m0005_key_rotation"
    "m0006_ready"
    "m0007_planned"
    "m0008_version_window"
    "m0009_operations"
    "m0010_warm_pool"
    "m0011_operator_sessions"
    "m0012_quotas"
    "m0013_cells"
    "m0014_moves"
    "m0015_warm_templates"
}

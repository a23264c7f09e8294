//! Which clinic, and the only way to its data.
//!
//! A tenant is a Postgres schema, a role without login and a key. Its SQL runs only on a lease
//! that is bound to it by type: [`Pool`] itself runs no query, [`TenantDb`] is made from a
//! [`Tenant`], and a `Tenant` comes only from the [`Directory`] or from provisioning.

mod bootstrap;
mod control;
mod db;
mod directory;
mod host;
mod lease;
mod pool;
mod probe;
mod provision;
mod ready;
mod seed;
mod state;
mod tenant;
mod transaction;

pub use bootstrap::{
    Hardening, InstallationError, bootstrap, check_hardening, ensure_login_role, installation_key, installed,
    set_passwords,
};
pub use control::{Control, Installation, connect_admin};
pub use db::TenantDb;
pub use directory::{Directory, Freshness};
pub use host::{Host, Resolution};
pub use pool::{Pool, PoolLimits};
pub use probe::{InstallationFacts, ServerFacts, probe};
pub use provision::{NewTenant, ProvisionError, SNAPSHOT, is_slug, next_shard, provision, snapshot_version};
pub use ready::{Queue, Woken};
pub use seed::apply_template;
pub use state::Standing;
pub use tenant::{RateOverride, SchemaName, Tenant};
pub use transaction::TenantTransaction;

//! Which clinic, and the only way to its data.
//!
//! A tenant is a Postgres schema, a role without login and a key. Its SQL runs only on a lease
//! that is bound to it by type: [`Pool`] itself runs no query, [`TenantDb`] is made from a
//! [`Tenant`], and a `Tenant` comes only from the [`Directory`] or from provisioning.

mod bootstrap;
mod cells;
mod control;
mod db;
mod directory;
mod hints;
mod homes;
mod host;
mod lease;
mod pool;
mod presence;
mod probe;
mod provision;
mod ready;
mod seats;
pub mod seed;
mod site;
mod snapshot;
mod state;
mod statement_class;
mod tenant;
mod transaction;
mod turns;
mod warm;

pub use bootstrap::{
    CellRefused, Hardening, InstallationError, bootstrap, bootstrap_cell, cell_name, check_hardening,
    ensure_cell_login_role, ensure_login_role, installation_key, installed, set_cell_passwords,
    set_passwords, shards_of,
};
pub use cells::{CellUnknown, Cells, InvalidCell, MAIN, is_cell_name};
pub use control::{Control, Installation, connect_admin};
pub use db::TenantDb;
pub use directory::{Directory, Freshness};
pub(crate) use homes::is_moving;
pub use host::{Host, Resolution};
pub use pool::{Pool, PoolLimits};
pub use probe::{InstallationFacts, ServerFacts, probe};
pub use provision::{NewTenant, ProvisionError, is_slug, prepare, provision, provision_in};
pub use ready::{Queue, Woken};
pub use site::{next_shard, take_turn};
pub use snapshot::{SNAPSHOT, snapshot_oldest_build, snapshot_served_from, snapshot_sql, snapshot_version};
pub use state::Standing;
pub use statement_class::{StatementClass, StatementTimes};
pub use tenant::{RateOverride, SchemaName, Tenant};
pub use transaction::TenantTransaction;
pub use warm::{Filled, PoolOf, WarmPool, fill_pool, warm_pool};

//! The name search of each clinic, in memory and nowhere else.
//!
//! No index of single names is stored: whoever holds a dump could match it against public name
//! frequencies. The index is built from opened names at first use, kept up by what changed since,
//! and dropped when memory is short. `domain::patients` fills it.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use praxis_entity::ids::TenantId;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{tenancy::Tenant, vault::NameIndex};

/// The names of one clinic.
#[derive(Default)]
pub struct TenantNames {
    /// The index.
    pub index: NameIndex,
    /// Patients changed up to here, by the database's clock, are in it.
    pub seen_until: Option<DateTime<Utc>>,
    /// Versions taken in that a look at recent changes will show once more.
    pub recent: HashMap<Uuid, i32>,
}

/// The names of all clinics that searched lately.
pub struct NameIndexes {
    tenants: Cache<(TenantId, i64), Arc<Mutex<TenantNames>>>,
}

impl NameIndexes {
    /// Room for so many clinics; the least recently searched goes first.
    pub fn new(clinics: u64) -> Self {
        Self { tenants: Cache::new(clinics) }
    }

    /// The names of a clinic, empty at first. After its keys or its data were exchanged they are read anew.
    pub fn of(&self, tenant: &Tenant) -> Arc<Mutex<TenantNames>> {
        self.tenants.get_with((tenant.id, tenant.key_epoch), Arc::default)
    }
}

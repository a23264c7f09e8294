//! One operation: whose data, who asks, and everything that must happen around it.
//!
//! Every domain function takes an `Op` first. It is made only by an [`OpFactory`], and that only
//! from a tenant and an actor: no tenant, no database, by type. A read operation leases its
//! connection at the first statement and is shared by all loaders of a request; a write operation is
//! one transaction, and commits only together with its audit entries.

mod factory;
mod patient;
mod write;

use std::{
    collections::{BTreeSet, HashMap},
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use praxis_entity::{
    ids::PatientId,
    value::{PhiClass, Sealed},
};
use sea_orm::{Condition, DatabaseConnection};
use uuid::Uuid;

use crate::{
    Failure,
    access::{self, AccessMark, Actor, FieldPolicies, Permission, Table},
    audit::{self, Disclosures, Entry},
    factor::webauthn::Site,
    names::TenantNames,
    tenancy::{Queue, Tenant, TenantDb, TenantTransaction},
    vault::{DataKey, IndexField, Place, TenantKey, VaultError},
};

pub use factory::{OpFactory, Origin, Platform, RequestInfo};
pub use write::Savepoint;

/// Marks an operation that reads.
#[derive(Debug, Clone, Copy)]
pub struct Read;
/// Marks an operation that writes: one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Write;

struct Inner {
    // Dropped in this order: the transaction first, which dooms an unfinished connection.
    transaction: Mutex<Option<TenantTransaction>>,
    db: TenantDb,
    platform: Arc<Platform>,
    tenant: Arc<Tenant>,
    origin: Arc<Origin>,
    policies: Arc<FieldPolicies>,
    disclosures: Disclosures,
    entries: Mutex<Vec<Entry>>,
    wakes: Mutex<BTreeSet<(Queue, DateTime<Utc>)>>,
    announced: AtomicBool,
    /// How the actor stands to patients, as far as a reading operation found out.
    standings: Mutex<HashMap<PatientId, Arc<access::Standing>>>,
}

/// One operation of one actor at one tenant.
pub struct Op<Mode>(Arc<Inner>, PhantomData<Mode>);

impl Clone for Op<Read> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<Mode> Op<Mode> {
    /// The tenant's database, for SeaORM.
    pub fn db(&self) -> &TenantDb {
        &self.0.db
    }

    /// The tenant.
    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.0.tenant
    }

    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.0.origin.actor
    }

    /// Where the request came from and what for.
    pub fn request(&self) -> &RequestInfo {
        &self.0.origin.request
    }

    /// Where passkeys are made and used; `None` where no request came in.
    pub fn site(&self) -> Option<Site> {
        self.0.origin.request.authority.as_deref().and_then(Site::of)
    }

    /// The current instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.origin.clock.now()
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> Uuid {
        self.0.origin.clock.new_id()
    }

    /// Refuses unless the actor holds the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Failure> {
        self.actor().require(permission)
    }

    /// Refuses unless the actor showed a second factor a short while ago.
    pub fn require_step_up(&self) -> Result<(), Failure> {
        self.actor().require_step_up(self.now())
    }

    /// The condition under which a row of a table lets the actor do this: to be added to every list, count, search
    /// and filter.
    pub fn permitted(&self, permission: Permission, table: Table) -> Condition {
        access::permitted(self.actor(), permission, table, self.now())
    }

    /// The condition under which the actor may read a field of a row, the clinic's own policies included. Refused
    /// where that is of no row at all. To be added to every filter, search and lookup by the field, or it would be
    /// an oracle.
    pub fn readable(
        &self,
        coordinate: &str,
        permission: Permission,
        table: Table,
    ) -> Result<Condition, Failure> {
        self.require(permission)?;
        let mut readable = Condition::all().add(self.permitted(permission, table));
        for extra in self.0.policies.extra(coordinate) {
            let asked = extra.permission.ok_or(Failure::Forbidden(permission))?;
            self.require(asked)?;
            if access::class::ON_RECORD.contains(asked) {
                readable = readable.add(self.permitted(asked, table));
            }
            if let Some(relation) = extra.condition {
                readable =
                    readable.add(access::related(self.actor(), relation, permission, table, self.now()));
            }
        }
        Ok(readable)
    }

    /// How the actor stands to patients, fetched as one batch. Unknown patients are absent.
    pub async fn standings(
        &self,
        patients: &[PatientId],
    ) -> Result<HashMap<PatientId, Arc<access::Standing>>, Failure> {
        access::Standing::load(&self.0.db, self.actor(), patients, self.now()).await
    }

    /// The control schema, for reading what holds for all clinics.
    pub fn control(&self) -> &DatabaseConnection {
        self.0.platform.pool.control().orm()
    }

    /// The clinic's name search.
    pub fn names(&self) -> Arc<tokio::sync::Mutex<TenantNames>> {
        self.0.platform.names.of(&self.0.tenant)
    }

    /// The tenant's key.
    pub async fn tenant_key(&self) -> Result<Arc<TenantKey>, Failure> {
        self.0.platform.keyring.tenant(&self.0.tenant).await
    }

    /// The keyed token by which a value is looked up; `None` when nothing is left of the value.
    pub async fn token(&self, field: IndexField, value: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.tenant_key().await?.token(field, value).map(|token| token.to_vec()))
    }

    /// The data keys of the subjects, fetched as one batch. Erased subjects are absent.
    pub async fn data_keys(&self, subjects: &[Uuid]) -> Result<HashMap<Uuid, Arc<DataKey>>, Failure> {
        self.0.platform.keyring.data(&self.0.tenant, &self.0.db, subjects).await
    }

    /// The data key of one subject.
    pub async fn data_key(&self, subject: Uuid) -> Result<Arc<DataKey>, Failure> {
        self.data_keys(&[subject]).await?.remove(&subject).ok_or(Failure::KeyUnavailable)
    }

    /// Where a value of a row lives.
    pub fn place(&self, table: &'static str, row: Uuid, subject: Uuid) -> Place {
        Place { tenant: self.0.tenant.uuid(), table, row, subject }
    }

    /// Opens a value for somebody to read, and notes the disclosure.
    pub async fn disclose<T: PhiClass>(
        &self,
        key: &DataKey,
        place: &Place,
        sealed: &Sealed<T>,
    ) -> Result<T, Failure> {
        let value = self.open_unseen(key, place, sealed).await?;
        self.0.disclosures.note(place.subject, T::CLASS);
        Ok(value)
    }

    /// Opens a value that nobody gets to see: to change one part of it, or to build a search index.
    ///
    /// A key that was rotated since it was fetched is fetched anew.
    pub async fn open_unseen<T: PhiClass>(
        &self,
        key: &DataKey,
        place: &Place,
        sealed: &Sealed<T>,
    ) -> Result<T, Failure> {
        let opened = match key.open(place, sealed) {
            Err(VaultError::UnknownVersion(version)) => {
                let Inner { platform, tenant, db, .. } = &*self.0;
                // On the heap: hardly one value of a million comes to it, and every sealed field would have room for it.
                match platform.keyring.data_with(tenant, db, place.subject, version).boxed().await? {
                    Some(key) => key.open(place, sealed),
                    None => Err(VaultError::UnknownVersion(version)),
                }
            }
            other => other,
        };
        opened.map_err(|error| {
            tracing::error!(tenant = %self.0.tenant.id, table = place.table, row = %place.row, class = T::CLASS, error = %error, "a sealed value could not be opened");
            Failure::Inconsistent { table: place.table, column: T::CLASS, row: place.row }
        })
    }

    /// Gives the connection back before a wait, unless a transaction is open on it.
    pub async fn rest(&self) {
        let reading = self.0.transaction.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if reading {
            self.0.db.release().await;
        }
    }

    /// How many statements ran so far.
    pub fn statements(&self) -> u32 {
        self.0.db.statements()
    }
}

impl Op<Read> {
    /// Writes down what was disclosed, as one entry. To be called before the answer leaves.
    pub async fn write_disclosures(&self) -> Result<(), Failure> {
        self.record_all(self.disclosed().into_iter().collect()).await
    }

    /// The entry of what was disclosed since the last call, to be written before the answer leaves.
    pub fn disclosed(&self) -> Option<Entry> {
        let (patients, classes) = self.0.disclosures.take()?;
        Some(Entry { patients, classes, ..Entry::done("disclose") })
    }

    /// Writes down something that happened outside any transaction, such as a denied attempt.
    pub async fn record(&self, entry: Entry) -> Result<(), Failure> {
        self.record_all(vec![entry]).await
    }

    /// The same for several things, with one statement.
    pub async fn record_all(&self, entries: Vec<Entry>) -> Result<(), Failure> {
        if entries.is_empty() { Ok(()) } else { self.write_down(None, entries).await.map(|_| ()) }
    }

    /// The same if nothing changed of what the actor may do since the mark was seen: false, and nothing written, where
    /// something did. Then nothing of what was read may be answered. Without entries it only looks.
    pub async fn record_under(&self, mark: AccessMark, entries: Vec<Entry>) -> Result<bool, Failure> {
        if entries.is_empty() {
            return mark.holds_at(&self.0.db).await;
        }
        self.write_down(Some(mark), entries).await
    }

    async fn write_down(&self, mark: Option<AccessMark>, entries: Vec<Entry>) -> Result<bool, Failure> {
        let Inner { platform, tenant, db, origin, .. } = &*self.0;
        let written = count(&entries);
        // Without its key the clinic's log goes on, and says of these entries that they are unproven.
        let key = self.tenant_key().await.ok();
        let lines = audit::read_lines(origin, key.as_deref(), entries)?;
        let held = platform.readings.write(db, mark, lines).await?;
        if held {
            platform.backlog.note(tenant.id, written);
        }
        Ok(held)
    }

    /// Gives the connection back early.
    pub async fn release(&self) {
        self.0.db.release().await;
    }
}

fn count(entries: &[Entry]) -> u32 {
    u32::try_from(entries.len()).unwrap_or(u32::MAX)
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.disclosures.pending() {
            // Nothing may have been answered; the reader of the log should know all the same.
            tracing::error!(tenant = %self.tenant.id, "an operation ended without writing down what it disclosed");
        }
    }
}

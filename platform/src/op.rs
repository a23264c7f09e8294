//! One operation: whose data, who asks, and everything that must happen around it.
//!
//! Every domain function takes an `Op` first. It is made only by an [`OpFactory`], and that only
//! from a tenant and an actor: no tenant, no database, by type. A read operation leases its
//! connection at the first statement and is shared by all loaders of a request; a write operation is
//! one transaction, and commits only together with its audit entries.

use std::{
    collections::{BTreeSet, HashMap},
    marker::PhantomData,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{AuditEntryId, PatientId},
    job,
    value::{AuditChange, PhiClass, Sealed},
};
use sea_orm::{
    Condition, ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionSession,
    TransactionTrait,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Failure,
    access::{self, Actor, FieldPolicies, Permission, Table},
    audit::{self, Backlog, Batch, Change, Disclosures, Entry, Head, Waiting},
    bell::Bell,
    clock::SharedClock,
    factor::webauthn::Site,
    keyring::Keyring,
    names::{NameIndexes, TenantNames},
    tenancy::{Pool, Queue, Standing, Tenant, TenantDb, TenantTransaction},
    vault::{DataKey, IndexField, Place, TenantKey, VaultError, crypto},
};

/// Marks an operation that reads.
#[derive(Debug, Clone, Copy)]
pub struct Read;
/// Marks an operation that writes: one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Write;

/// Where a request came from and what for.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Request id, as the client sees it.
    pub id: Option<Uuid>,
    /// Address it came from.
    pub source_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The host it was sent to, with its port: what passkeys are bound to.
    pub authority: Option<String>,
    /// Hash of the operation's text, once it is known.
    pub operation_hash: Arc<OnceLock<String>>,
    /// Name of the operation, once it is known; of a nameless one, the fields it asks for.
    pub operation_name: Arc<OnceLock<String>>,
    /// Purpose of use, HL7 v3: TREAT unless said otherwise.
    pub purpose: &'static str,
}

impl Default for RequestInfo {
    fn default() -> Self {
        Self {
            id: None,
            source_address: None,
            user_agent: None,
            authority: None,
            operation_hash: Arc::default(),
            operation_name: Arc::default(),
            purpose: "TREAT",
        }
    }
}

/// Who asks, when and from where: what every audit entry says.
pub struct Origin {
    /// Who.
    pub actor: Arc<Actor>,
    /// Where from.
    pub request: RequestInfo,
    /// When, and new ids.
    pub clock: SharedClock,
}

/// What all operations of a server share.
pub struct Platform {
    /// Connections.
    pub pool: Pool,
    /// Keys at hand.
    pub keyring: Keyring,
    /// Time and ids.
    pub clock: SharedClock,
    /// Name search.
    pub names: NameIndexes,
    /// Which clinics have entries to be sealed.
    pub backlog: Backlog,
    /// Tells of what was committed here.
    pub bell: Bell,
}

/// Makes operations for one actor at one tenant.
#[derive(Clone)]
pub struct OpFactory {
    platform: Arc<Platform>,
    tenant: Arc<Tenant>,
    origin: Arc<Origin>,
    policies: Arc<FieldPolicies>,
    writable: bool,
}

impl OpFactory {
    /// A factory for the actor at the tenant. `writable` is false when the directory is stale.
    pub fn new(
        platform: Arc<Platform>,
        tenant: Arc<Tenant>,
        actor: Arc<Actor>,
        request: RequestInfo,
        writable: bool,
    ) -> Self {
        let origin = Arc::new(Origin { actor, request, clock: Arc::clone(&platform.clock) });
        Self { platform, tenant, origin, policies: Arc::default(), writable }
    }

    /// The same under what the clinic asks for before fields are read.
    #[must_use]
    pub fn under(self, policies: Arc<FieldPolicies>) -> Self {
        Self { policies, ..self }
    }

    /// The tenant.
    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// The actor.
    pub fn actor(&self) -> &Arc<Actor> {
        &self.origin.actor
    }

    /// Where the request came from.
    pub fn request(&self) -> &RequestInfo {
        &self.origin.request
    }

    /// Says which operation all of this belongs to; every audit entry names it.
    pub fn note_operation(&self, text: &str) {
        let hash = || data_encoding::HEXLOWER.encode(&crypto::sha256(text.as_bytes()));
        self.origin.request.operation_hash.get_or_init(hash);
    }

    /// Names the operation, if it has no name yet.
    pub fn name_operation(&self, name: impl FnOnce() -> String) {
        self.origin.request.operation_name.get_or_init(name);
    }

    /// Counts an attempt of somebody who is not known.
    pub fn count_stranger(&self, action: &'static str) {
        self.platform.backlog.count_stranger(self.tenant.id, action);
    }

    /// Counts attempts again that could not be written down.
    pub fn give_back(&self, waiting: &Waiting) {
        self.platform.backlog.give_back(self.tenant.id, &waiting.strangers);
    }

    /// An operation that reads.
    pub fn read(&self) -> Op<Read> {
        Op(Arc::new(self.inner()), PhantomData)
    }

    /// An operation that writes: begins its transaction.
    pub async fn write(&self) -> Result<Op<Write>, Failure> {
        if self.origin.actor.view_as.is_some() {
            return Err(Failure::ViewOnly);
        }
        if self.tenant.standing() != Standing::Served || !self.writable {
            return Err(Failure::TenantLocked);
        }
        self.write_always().await
    }

    /// A write that a lock does not stop: sign-in, sign-out, audit.
    #[expect(clippy::disallowed_methods, reason = "the one place where a tenant's transaction begins")]
    pub async fn write_always(&self) -> Result<Op<Write>, Failure> {
        let mut inner = self.inner();
        inner.transaction = Mutex::new(Some(inner.db.begin().await?));
        Ok(Op(Arc::new(inner), PhantomData))
    }

    fn inner(&self) -> Inner {
        Inner {
            db: TenantDb::new(self.platform.pool.clone(), Arc::clone(&self.tenant)),
            transaction: Mutex::new(None),
            platform: Arc::clone(&self.platform),
            tenant: Arc::clone(&self.tenant),
            origin: Arc::clone(&self.origin),
            policies: Arc::clone(&self.policies),
            disclosures: Disclosures::default(),
            entries: Mutex::new(Vec::new()),
            wakes: Mutex::default(),
            announced: AtomicBool::new(false),
        }
    }
}

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
}

/// One operation of one actor at one tenant.
pub struct Op<Mode>(Arc<Inner>, PhantomData<Mode>);

/// A place in a transaction to go back to.
#[derive(Debug)]
pub struct Savepoint {
    entries: usize,
}

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
        self.0.platform.names.of(self.0.tenant.id)
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
                match platform.keyring.data_with(tenant, db, place.subject, version).await? {
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

    async fn write_entries(&self, entries: Vec<Entry>) -> Result<u32, Failure> {
        let written = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        // Without its key the clinic's log goes on, and says of these entries that they are unproven.
        let key = self.tenant_key().await.ok();
        audit::write(&self.0.db, &self.0.origin, key.as_deref(), entries).await?;
        Ok(written)
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
        if entries.is_empty() {
            return Ok(());
        }
        let written = self.write_entries(entries).await?;
        self.0.platform.backlog.note(self.0.tenant.id, written);
        Ok(())
    }

    /// Gives the connection back early.
    pub async fn release(&self) {
        self.0.db.release().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.disclosures.pending() {
            // Nothing may have been answered; the reader of the log should know all the same.
            tracing::error!(tenant = %self.tenant.id, "an operation ended without writing down what it disclosed");
        }
    }
}

impl Op<Write> {
    /// Makes the data key of a new patient.
    pub async fn create_data_key(&self, subject: Uuid) -> Result<Arc<DataKey>, Failure> {
        self.0.platform.keyring.create(&self.0.tenant, &self.0.db, subject).await
    }

    /// The data key of the clinic's own data; made at first use.
    pub async fn clinic_key(&self) -> Result<Arc<DataKey>, Failure> {
        let subject = self.0.tenant.uuid();
        match self.data_keys(&[subject]).await?.remove(&subject) {
            Some(key) => Ok(key),
            None => self.create_data_key(subject).await,
        }
    }

    /// Seals a value for its place.
    pub fn seal<T: PhiClass>(&self, key: &DataKey, place: &Place, value: &T) -> Result<Sealed<T>, Failure> {
        Ok(key.seal(place, value)?)
    }

    /// The entry with what was changed: sealed under the key of whom it concerns, and committed to.
    pub fn changed<T: Serialize>(
        &self,
        entry: Entry,
        (subject, key): (Uuid, &DataKey),
        before: &T,
        after: &T,
    ) -> Result<Entry, Failure> {
        let unwritable = |error: serde_json::Error| Failure::Internal(error.to_string());
        let change = AuditChange {
            salt: data_encoding::HEXLOWER.encode(&crypto::random::<32>()?),
            before: serde_json::to_value(before).map_err(unwritable)?,
            after: serde_json::to_value(after).map_err(unwritable)?,
        };
        let hash = crypto::sha256(&serde_json::to_vec(&change).map_err(unwritable)?);
        let id = AuditEntryId(self.new_id());
        let sealed = self.seal(key, &self.place("audit_change", id.0, subject), &change)?;
        Ok(Entry { id: Some(id), change: Some(Change { subject, hash, sealed }), ..entry })
    }

    /// The same for what is the clinic's own, sealed under the clinic's key.
    pub async fn changed_here<T: Serialize>(
        &self,
        entry: Entry,
        before: &T,
        after: &T,
    ) -> Result<Entry, Failure> {
        let key = self.clinic_key().await?;
        self.changed(entry, (self.0.tenant.uuid(), &*key), before, after)
    }

    /// Notes what this operation does; written with the commit.
    pub fn record(&self, entry: Entry) {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Says that there will be work of a kind at an instant; told to the workers with the commit.
    pub fn wake(&self, queue: Queue, at: DateTime<Utc>) {
        self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner).insert((queue, at));
    }

    /// Says that something happened; told to those who wait for it once it is committed.
    pub(crate) fn announce(&self) {
        self.0.announced.store(true, Ordering::Relaxed);
    }

    /// Marks where to go back to, if what comes next fails.
    pub async fn savepoint(&self) -> Result<Savepoint, Failure> {
        self.run("SAVEPOINT attempt").await?;
        let entries = self.0.entries.lock().unwrap_or_else(PoisonError::into_inner).len();
        Ok(Savepoint { entries })
    }

    /// Takes back what was written and recorded since. Work that was told of may turn out to be none.
    pub async fn back_to(&self, savepoint: Savepoint) -> Result<(), Failure> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner).truncate(savepoint.entries);
        self.run("ROLLBACK TO SAVEPOINT attempt").await
    }

    async fn run(&self, command: &'static str) -> Result<(), Failure> {
        self.0.db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, command, [])).await?;
        Ok(())
    }

    /// Writes the audit entries and commits. A write that recorded nothing is refused.
    pub async fn commit(self) -> Result<(), Failure> {
        if self.is_unrecorded() {
            return Err(Failure::Internal("a write without an audit entry".to_owned()));
        }
        self.commit_whole().await
    }

    /// Commits what a job did together with its end. What it did is recorded like any write; where it found nothing
    /// to do there is nothing to record but that it looked, which its own row says.
    pub(crate) async fn commit_job(self, _: &job::Model) -> Result<(), Failure> {
        self.commit_whole().await
    }

    fn is_unrecorded(&self) -> bool {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    async fn commit_whole(self) -> Result<(), Failure> {
        let entries = std::mem::take(&mut *self.0.entries.lock().unwrap_or_else(PoisonError::into_inner));
        let wakes = std::mem::take(&mut *self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner));
        self.write_wakes(&wakes).await?;
        let written = if entries.is_empty() { 0 } else { self.write_entries(entries).await? };
        let (platform, tenant) = (Arc::clone(&self.0.platform), self.0.tenant.id);
        let (announced, now) = (self.0.announced.load(Ordering::Relaxed), self.now());
        self.finish(true).await?;
        if written > 0 {
            platform.backlog.note(tenant, written);
        }
        if announced {
            platform.bell.events(tenant);
        }
        let due: BTreeSet<_> =
            wakes.into_iter().filter(|(_, at)| *at <= now).map(|(queue, _)| queue).collect();
        due.into_iter().for_each(|queue| platform.bell.work(queue));
        Ok(())
    }

    /// Each instant gets a hint of its own: whoever looks at one may leave what is due at another.
    async fn write_wakes(&self, wakes: &BTreeSet<(Queue, DateTime<Utc>)>) -> Result<(), Failure> {
        if wakes.is_empty() {
            return Ok(());
        }
        let (queues, instants): (Vec<_>, Vec<_>) =
            wakes.iter().map(|(queue, at)| (queue.code().to_owned(), *at)).unzip();
        let wake = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT count(cell.wake(queue, at)) FROM unnest($1::text[], $2::timestamptz[]) AS w (queue, at)",
            [queues.into(), instants.into()],
        );
        self.0.db.query_one_raw(wake).await?;
        Ok(())
    }

    /// Commits what was sealed, together with what was found out on the way. Only sealing itself
    /// may commit without an entry of its own; it would never come to an end otherwise.
    pub async fn commit_sealed(self, batch: &Batch) -> Result<(), Failure> {
        let (platform, tenant) = (Arc::clone(&self.0.platform), self.0.tenant.id);
        if self.is_unrecorded() {
            self.finish(true).await?
        } else {
            self.commit().await?
        }
        platform.backlog.heads().remember(tenant, &batch.head);
        Ok(())
    }

    /// Where the clinic's log ended when this server saw it last.
    pub(crate) fn head(&self) -> Option<Head> {
        self.0.platform.backlog.heads().of(self.0.tenant.id)
    }

    /// Takes everything back. Dropping the operation does the same at the price of its connection.
    pub async fn rollback(self) -> Result<(), Failure> {
        self.finish(false).await
    }

    async fn finish(self, commit: bool) -> Result<(), Failure> {
        let transaction = self
            .0
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(|| Failure::Internal("no transaction".to_owned()))?;
        if commit {
            transaction.commit().await?
        } else {
            transaction.rollback().await?
        }
        self.0.db.release().await;
        Ok(())
    }
}

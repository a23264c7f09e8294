//! What only an operation that writes can do: seal, tell of what changed, and commit together with its entries.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::AuditEntryId,
    job,
    value::{AuditChange, PhiClass, Sealed},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionSession};
use serde::Serialize;
use uuid::Uuid;

use super::{Op, Write, count};
use crate::{
    Failure,
    audit::{self, Batch, Change, Entry, Head},
    tenancy::Queue,
    vault::{DataKey, Place, crypto},
};

/// A place in a transaction to go back to.
#[derive(Debug)]
pub struct Savepoint {
    entries: usize,
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

    async fn write_entries(&self, entries: Vec<Entry>) -> Result<u32, Failure> {
        let written = count(&entries);
        // Without its key the clinic's log goes on, and says of these entries that they are unproven.
        let key = self.tenant_key().await.ok();
        audit::write(&self.0.db, &self.0.origin, key.as_deref(), entries).await?;
        Ok(written)
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

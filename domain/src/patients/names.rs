//! The search by name: fills the index in memory and keeps it up.
//!
//! Made for reading: a write that searches would show others what it may yet take back.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::PatientId,
    patient,
    value::{Identity, Sealed},
};
use praxis_platform::{Failure, Op, names::TenantNames};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

use super::record;
use crate::page::any_of;

/// Names opened at a time.
const CHUNK: usize = 1_000;

/// A change is stamped when its transaction begins, and seen when it ends.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// Patients by the beginnings of their names, by family and given name, at most `limit`.
pub(super) async fn search<M>(op: &Op<M>, text: &str, limit: usize) -> Result<Vec<PatientId>, Failure> {
    // Whoever holds the names needs a connection; those who wait for them must not keep theirs.
    op.rest().await;
    let names = op.names();
    let mut names = names.lock().await;
    let changes = changed_since(op, names.seen_until).await?;
    catch_up(op, &mut names, changes).await?;
    Ok(names.index.search(text, limit).into_iter().map(PatientId).collect())
}

/// What changed lately.
struct Changes {
    /// The database's time.
    read_at: DateTime<Utc>,
    versions: HashMap<Uuid, i32>,
}

/// Takes in what changed. Interrupted, the next search goes on from there.
async fn catch_up<M>(op: &Op<M>, names: &mut TenantNames, changes: Changes) -> Result<(), Failure> {
    let mut stale: Vec<Uuid> = changes
        .versions
        .iter()
        .filter(|(id, version)| names.recent.get(id) != Some(version))
        .map(|(id, _)| *id)
        .collect();
    stale.sort_unstable();
    for chunk in stale.chunks(CHUNK) {
        take_in(op, names, chunk).await?;
    }
    names.recent.retain(|id, _| changes.versions.contains_key(id));
    names.seen_until = Some(changes.read_at);
    Ok(())
}

/// All that changed a little before `since` or later.
async fn changed_since<M>(op: &Op<M>, since: Option<DateTime<Utc>>) -> Result<Changes, Failure> {
    let since = since.and_then(|since| since.checked_sub_signed(OVERLAP)).unwrap_or(DateTime::UNIX_EPOCH);
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT now() AS read_at, p.id, p.version FROM (SELECT 1) one LEFT JOIN patient p ON p.updated_at >= $1",
        [since.into()],
    );
    let mut changes = Changes { read_at: since, versions: HashMap::new() };
    for row in op.db().query_all_raw(statement).await? {
        changes.read_at = row.try_get("", "read_at")?;
        if let Some(id) = row.try_get::<Option<Uuid>>("", "id")? {
            changes.versions.insert(id, row.try_get("", "version")?);
        }
    }
    Ok(changes)
}

async fn take_in<M>(op: &Op<M>, names: &mut TenantNames, ids: &[Uuid]) -> Result<(), Failure> {
    let keys = op.data_keys(ids).await?;
    let rows: Vec<(PatientId, i32, Sealed<Identity>)> = patient::Entity::find()
        .select_only()
        .columns([patient::Column::Id, patient::Column::Version, patient::Column::Identity])
        .filter(any_of(patient::Column::Id, ids.to_vec()))
        .into_tuple()
        .all(op.db())
        .await?;
    for (id, version, sealed) in rows {
        // One unreadable record, logged where it is opened, must not end the search for all others.
        let identity = match keys.get(&id.0) {
            Some(key) => op.open_unseen(key, &record::place(op, id), &sealed).await.ok(),
            None => None,
        };
        match identity {
            Some(identity) => {
                let parts: Vec<&str> = identity
                    .names
                    .iter()
                    .flat_map(|name| name.given.iter().chain([&name.family]).map(String::as_str))
                    .collect();
                names.index.upsert(id.0, &parts, &sort_key(&identity));
            }
            None => names.index.remove(id.0),
        }
        names.recent.insert(id.0, version);
    }
    Ok(())
}

fn sort_key(identity: &Identity) -> String {
    identity
        .names
        .first()
        .map_or_else(String::new, |name| format!("{} {}", name.family, name.given.join(" ")))
}

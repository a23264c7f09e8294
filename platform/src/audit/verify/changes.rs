//! Before and after of changes, compared with what their entries commit to.

use std::{collections::HashMap, sync::Arc};

use praxis_entity::{audit_change, ids::AuditEntryId, value::AuditChange};
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::Line;
use crate::{
    Failure, Op,
    vault::{DataKey, crypto},
};

/// What changes replaced, which entries commit to: each must be there, and the same, unless the key
/// of whom it concerns was destroyed.
pub(super) async fn wrong<Mode>(
    op: &Op<Mode>,
    lines: &[Line],
) -> Result<Vec<(u64, AuditEntryId, String)>, Failure> {
    let entries = lines.iter().filter_map(|line| Some((line.leaf.seq.cast_unsigned(), line.entry.as_ref()?)));
    let committed: Vec<_> = entries.filter(|(_, entry)| entry.change_hash.is_some()).collect();
    if committed.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = committed.iter().map(|(_, entry)| entry.id.0).collect();
    let rows = audit_change::Entity::find().filter(Expr::cust_with_values("entry_id = ANY($1)", [ids]));
    let rows: HashMap<_, _> =
        rows.all(op.db()).await?.into_iter().map(|change| (change.entry_id, change)).collect();
    let mut subjects: Vec<_> = rows.values().map(|change| change.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let keys = openable(op, &subjects).await?;
    let mut wrong = Vec::new();
    for (seq, entry) in committed {
        let id = entry.id;
        let Some(row) = rows.get(&id) else {
            wrong.push((seq, id, format!("what entry {seq} ({id}) changed was deleted")));
            continue;
        };
        // Somebody else's destroyed key would explain that it does not open.
        if row.subject != op.tenant().uuid() && !entry.patients.contains(&row.subject) {
            wrong.push((seq, id, format!("what entry {seq} ({id}) changed is said to be of somebody else")));
            continue;
        }
        let Some(key) = keys.get(&row.subject) else { continue };
        let Some(key) = key else {
            wrong.push((seq, id, format!("what entry {seq} ({id}) changed is under a key that was spoilt")));
            continue;
        };
        let place = op.place("audit_change", id.0, row.subject);
        let same = match op.open_unseen::<AuditChange>(key, &place, &row.sealed).await {
            Ok(change) => serde_json::to_vec(&change)
                .is_ok_and(|json| entry.change_hash.as_deref() == Some(&crypto::sha256(&json))),
            Err(Failure::Inconsistent { .. }) => false,
            Err(failure) => return Err(failure),
        };
        if !same {
            wrong.push((seq, id, format!("what entry {seq} ({id}) changed is not what it committed to")));
        }
    }
    Ok(wrong)
}

/// The keys of the subjects, as far as they open: `None` where one was spoilt. Destroyed ones are absent.
async fn openable<Mode>(
    op: &Op<Mode>,
    subjects: &[Uuid],
) -> Result<HashMap<Uuid, Option<Arc<DataKey>>>, Failure> {
    match op.data_keys(subjects).await {
        Ok(keys) => Ok(keys.into_iter().map(|(subject, key)| (subject, Some(key))).collect()),
        // One by one, so that the others are compared all the same.
        Err(Failure::Inconsistent { .. }) => {
            let mut keys = HashMap::with_capacity(subjects.len());
            for subject in subjects {
                match op.data_keys(&[*subject]).await {
                    Ok(found) => keys.extend(found.into_iter().map(|(subject, key)| (subject, Some(key)))),
                    Err(Failure::Inconsistent { .. }) => drop(keys.insert(*subject, None)),
                    Err(failure) => return Err(failure),
                }
            }
            Ok(keys)
        }
        Err(failure) => Err(failure),
    }
}

//! What a change replaced, as the log keeps it: sealed, and committed to by its entry.

use praxis_entity::{audit_change, audit_entry, ids::AuditEntryId, value::AuditChange};
use praxis_platform::{Failure, Op, Read, access::Permission, vault::crypto};
use sea_orm::{EntityTrait, QueryFilter};

use crate::{Result, page::any_of};

/// Before and after of changes, by the ids of their entries; an entry that changed nothing has none.
pub async fn changes_of(op: &Op<Read>, entries: &[AuditEntryId]) -> Result<Vec<audit_change::Model>> {
    op.require(Permission::AUDIT_CHANGE_READ)?;
    let changes = audit_change::Entity::find()
        .filter(any_of(audit_change::Column::EntryId, entries.iter().map(|entry| entry.0).collect()));
    Ok(changes.all(op.db()).await?)
}

/// Proves that a change is the one that its entry was written with.
///
/// # Errors
/// [`Failure::IntegrityFailed`] if somebody put another in its place.
pub fn verify_change(entry: &audit_entry::Model, change: &AuditChange) -> std::result::Result<(), Failure> {
    let bytes = serde_json::to_vec(change).map_err(|error| Failure::Internal(error.to_string()))?;
    if entry.change_hash.as_deref() == Some(crypto::sha256(&bytes).as_slice()) {
        return Ok(());
    }
    Err(Failure::IntegrityFailed { table: "audit_change", row: entry.id.0 })
}

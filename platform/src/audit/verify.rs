//! Verifying the log: every line is made again from its entry, and the tree from the lines.
//!
//! What was edited no longer fits its leaf; what was deleted, inserted or exchanged breaks the row of
//! numbers or the chain; what was written by anybody but the server has no authentication code; and
//! a history rewritten as a whole differs from the checkpoints, the log's own or older ones that an
//! auditor kept apart. Each finding names the first entry that it concerns.

mod changes;
mod walk;

use std::{collections::HashMap, ops::Range};

use praxis_entity::{audit_entry, audit_leaf, ids::AuditEntryId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::Serialize;

pub use self::walk::Walk;
use super::{line, seal::BEFORE_ALL, tree::Hash};
use crate::{Failure, Op};

/// Leaves read with one statement.
const PAGE: u64 = 5_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The entry is not what was sealed.
    Altered,
    /// The entry is gone.
    Deleted,
    /// Numbers are missing: leaves were removed.
    Missing,
    /// The entry was not written by the server.
    Forged,
    /// The entry was never put into the tree, or waits to be for too long.
    Unsealed,
    /// What a change replaced is gone, or is not what was committed to.
    Change,
    /// Entries are in the tree, and under no signed checkpoint.
    Unsigned,
    /// The tree differs from a signed checkpoint.
    Rewritten,
    /// A checkpoint covers more than there is.
    Cut,
    /// A checkpoint is not signed by the log's key.
    BadCheckpoint,
}

/// Something that is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub fault: Fault,
    /// The first entry it concerns, by its place in the log.
    pub seq: Option<u64>,
    /// The same by its id, where it still has one.
    pub entry: Option<AuditEntryId>,
    /// In words.
    pub text: String,
}

/// A state to compare with: a name for it, and the signed note.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Where it comes from.
    pub name: String,
    /// The note.
    pub note: String,
}

/// A line of the log as it is stored, with the place it has.
pub struct Line {
    /// Its place.
    pub leaf: audit_leaf::Model,
    /// The entry, if it is still there.
    pub entry: Option<audit_entry::Model>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads a page of the log between two places. `previous` is the hash of the line before.
pub async fn lines<Mode>(
    op: &Op<Mode>,
    places: Range<u64>,
    mut previous: Hash,
) -> Result<Vec<Line>, Failure> {
    // What is beyond the largest number that the column holds is nowhere.
    let Ok(from) = i64::try_from(places.start) else { return Ok(Vec::new()) };
    let to = i64::try_from(places.end.saturating_sub(1)).unwrap_or(i64::MAX);
    let leaves = audit_leaf::Entity::find()
        .filter(audit_leaf::Column::Seq.between(from, to))
        .order_by_asc(audit_leaf::Column::Seq)
        .limit(PAGE)
        .all(op.db())
        .await?;
    let ids: Vec<_> = leaves.iter().map(|leaf| leaf.entry_id.0).collect();
    let entries = audit_entry::Entity::find().filter(Expr::cust_with_values("id = ANY($1)", [ids]));
    let mut entries: HashMap<_, _> =
        entries.all(op.db()).await?.into_iter().map(|entry| (entry.id, entry)).collect();
    let lines = leaves.into_iter().map(|leaf| {
        let entry = entries.remove(&leaf.entry_id);
        let bytes = entry
            .as_ref()
            .map(|entry| line::line(entry, leaf.seq.cast_unsigned(), &previous))
            .unwrap_or_default();
        previous = leaf.line_hash.as_slice().try_into().unwrap_or(BEFORE_ALL);
        Line { leaf, entry, bytes }
    });
    Ok(lines.collect())
}

/// What verifying found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Entries in the tree.
    pub entries: u64,
    /// Entries that wait to be sealed.
    pub waiting: usize,
    /// Checkpoints compared with.
    pub checkpoints: u64,
    /// The first bad entry: its place in the log, or its id where it has none.
    pub first_bad: Option<String>,
    /// What is wrong, in the order of the log.
    pub findings: Vec<Finding>,
}

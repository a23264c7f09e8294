//! Proofs that an entry is in the log, as C2SP `tlog-proof` texts: verified without a database.

use std::collections::{BTreeSet, HashMap};

use data_encoding::BASE64;
use praxis_entity::{audit_entry, audit_leaf, ids::AuditEntryId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement, sea_query::Expr,
};

use super::{
    line,
    note::{Checkpoint, NoteError, Verifier},
    seal::{BEFORE_ALL, newest},
    tree::{self, Hash, Subtree},
};
use crate::{Failure, Op};

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// A proof that a line is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Place of the entry.
    pub index: u64,
    /// Hash of its line.
    pub leaf: Hash,
    /// SHA-256 of the line before it.
    pub previous: Hash,
    /// The proof.
    pub text: String,
}

#[derive(FromQueryResult)]
struct Stored {
    level: i32,
    position: i64,
    hash: Vec<u8>,
}

/// Proofs for the entries that are sealed, against the newest checkpoint; five statements at most.
pub async fn prove(
    db: &impl ConnectionTrait,
    entries: &[AuditEntryId],
) -> Result<HashMap<AuditEntryId, Proof>, Failure> {
    let Some(checkpoint) = newest(db).await? else { return Ok(HashMap::new()) };
    let size = checkpoint.size.cast_unsigned();
    let ids: Vec<_> = entries.iter().map(|id| id.0).collect();
    let leaves = audit_leaf::Entity::find()
        .filter(Expr::cust_with_values("entry_id = ANY($1)", [ids]))
        .filter(audit_leaf::Column::Seq.lt(checkpoint.size))
        .all(db)
        .await?;
    let before: Vec<i64> = leaves.iter().map(|leaf| leaf.seq - 1).collect();
    let before =
        audit_leaf::Entity::find().filter(Expr::cust_with_values("seq = ANY($1)", [before])).all(db).await?;
    let before: HashMap<_, _> = before.into_iter().map(|leaf| (leaf.seq, leaf.line_hash)).collect();
    let hashes = kept(db, leaves.iter().flat_map(|leaf| tree::path(leaf.seq.cast_unsigned(), size))).await?;
    leaves
        .into_iter()
        .map(|leaf| {
            let inconsistent =
                || Failure::Inconsistent { table: "audit_leaf", column: "leaf_hash", row: leaf.entry_id.0 };
            let index = leaf.seq.cast_unsigned();
            let siblings = tree::path(index, size)
                .iter()
                .map(|parts| {
                    let roots: Option<Vec<Hash>> = parts.iter().map(|part| root(&hashes, *part)).collect();
                    roots.and_then(|roots| tree::fold(&roots)).ok_or_else(inconsistent)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let hash = leaf.leaf_hash.as_slice().try_into().map_err(|_| inconsistent())?;
            let previous = before.get(&(leaf.seq - 1)).and_then(|hash| hash.as_slice().try_into().ok());
            let previous = previous.unwrap_or(BEFORE_ALL);
            let text = write(index, &siblings, &checkpoint.note);
            Ok((leaf.entry_id, Proof { index, leaf: hash, previous, text }))
        })
        .collect()
}

/// The line at a place of the log; `None` when its entry is gone.
pub async fn line_at<Mode>(op: &Op<Mode>, index: u64) -> Result<Option<Vec<u8>>, Failure> {
    let before = match index.checked_sub(1) {
        None => BEFORE_ALL,
        Some(before) => {
            let leaf = audit_leaf::Entity::find_by_id(before.cast_signed()).one(op.db()).await?;
            leaf.and_then(|leaf| leaf.line_hash.try_into().ok()).unwrap_or(BEFORE_ALL)
        }
    };
    let Some(leaf) = audit_leaf::Entity::find_by_id(index.cast_signed()).one(op.db()).await? else {
        return Ok(None);
    };
    let entry = audit_entry::Entity::find_by_id(leaf.entry_id).one(op.db()).await?;
    Ok(entry.map(|entry| line::line(&entry, index, &before)))
}

/// The kept hashes that some subtrees are made of.
async fn kept(
    db: &impl ConnectionTrait,
    paths: impl Iterator<Item = Vec<Subtree>>,
) -> Result<HashMap<Subtree, Hash>, Failure> {
    let ranges: BTreeSet<_> = paths
        .flatten()
        .map(|subtree| {
            let (level, positions) = tree::kept_below(subtree);
            (level, positions.start, positions.end)
        })
        .collect();
    let mut hashes = HashMap::new();
    for (source, ranges) in [
        (
            "SELECT 0 AS level, l.seq AS position, l.leaf_hash AS hash FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS r (level, low, high) JOIN audit_leaf l ON l.seq >= r.low AND l.seq < r.high",
            ranges.iter().filter(|range| range.0 == 0).collect::<Vec<_>>(),
        ),
        (
            "SELECT r.level, n.position, n.hash FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS r (level, low, high) JOIN audit_node n ON n.level = r.level AND n.position >= r.low AND n.position < r.high",
            ranges.iter().filter(|range| range.0 > 0).collect::<Vec<_>>(),
        ),
    ] {
        if ranges.is_empty() {
            continue;
        }
        let levels: Vec<i32> = ranges.iter().map(|range| range.0.cast_signed()).collect();
        let lows: Vec<i64> = ranges.iter().map(|range| range.1.cast_signed()).collect();
        let highs: Vec<i64> = ranges.iter().map(|range| range.2.cast_signed()).collect();
        let values = [levels.into(), lows.into(), highs.into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), source, values);
        for row in db.query_all_raw(statement).await? {
            let row = Stored::from_query_result(&row, "")?;
            if let Ok(hash) = row.hash.try_into() {
                let subtree =
                    Subtree { level: row.level.cast_unsigned(), position: row.position.cast_unsigned() };
                hashes.insert(subtree, hash);
            }
        }
    }
    Ok(hashes)
}

fn root(hashes: &HashMap<Subtree, Hash>, subtree: Subtree) -> Option<Hash> {
    let (level, positions) = tree::kept_below(subtree);
    let below: Option<Vec<Hash>> =
        positions.map(|position| hashes.get(&Subtree { level, position }).copied()).collect();
    tree::root_of(below?)
}

fn write(index: u64, siblings: &[Hash], checkpoint: &str) -> String {
    let mut text = format!("{HEAD}\nindex {index}\n");
    for sibling in siblings {
        text.push_str(&BASE64.encode(sibling));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not in the form of a proof.
    #[error("the proof is malformed")]
    Malformed,
    /// Its checkpoint is not the log's.
    #[error("the proof's checkpoint is {0}")]
    Checkpoint(#[from] NoteError),
    /// The hashes do not lead from the line to the root.
    #[error("the line is not in the log that the checkpoint describes")]
    NotIncluded,
}

/// Verifies that a leaf is in the log: needs the log's verifier key and nothing else.
pub fn verify(verifier: &Verifier, leaf: Hash, proof: &str) -> Result<(u64, Checkpoint), ProofError> {
    let (head, note) = proof.split_once("\n\n").ok_or(ProofError::Malformed)?;
    let mut lines = head.lines().skip_while(|line| *line == HEAD);
    let mut next = lines.next().ok_or(ProofError::Malformed)?;
    if next.starts_with("extra ") {
        next = lines.next().ok_or(ProofError::Malformed)?;
    }
    let index: u64 = next
        .strip_prefix("index ")
        .and_then(|digits| digits.parse().ok())
        .filter(|_| head.starts_with(HEAD))
        .ok_or(ProofError::Malformed)?;
    let siblings = lines
        .map(|line| BASE64.decode(line.as_bytes()).ok()?.try_into().ok())
        .collect::<Option<Vec<Hash>>>()
        .ok_or(ProofError::Malformed)?;
    let checkpoint = verifier.open(note)?;
    if tree::includes(&checkpoint.root, checkpoint.size, index, leaf, &siblings) {
        Ok((index, checkpoint))
    } else {
        Err(ProofError::NotIncluded)
    }
}

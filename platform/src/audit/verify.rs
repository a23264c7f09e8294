//! Verifying the log: every line is made again from its entry, and the tree from the lines.
//!
//! What was edited no longer fits its leaf; what was deleted, inserted or exchanged breaks the row of
//! numbers or the chain; what was written by anybody but the server has no authentication code; and
//! a history rewritten as a whole differs from the checkpoints, the log's own or older ones that an
//! auditor kept apart. Each finding names the first entry that it concerns.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use praxis_entity::{audit_checkpoint, audit_entry, audit_leaf, audit_node, ids::AuditEntryId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::Serialize;

use super::{
    line,
    note::Verifier,
    seal::BEFORE_ALL,
    tree::{Edge, Hash, Subtree, leaf_hash},
};
use crate::{
    Failure, Op,
    vault::{TenantKey, crypto},
};

/// Leaves read with one statement.
const PAGE: u64 = 5_000;
/// More findings help nobody.
const MOST: usize = 100;

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
    /// The entry was never put into the tree.
    Unsealed,
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

/// Reads the log from a place on. `previous` is the hash of the line before.
pub async fn lines<Mode>(op: &Op<Mode>, from: u64, mut previous: Hash) -> Result<Vec<Line>, Failure> {
    let leaves = audit_leaf::Entity::find()
        .filter(audit_leaf::Column::Seq.gte(from.cast_signed()))
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

/// Walks along the log, as far as it goes at each call.
pub struct Walk {
    verifier: Verifier,
    key: std::sync::Arc<TenantKey>,
    edge: Edge,
    previous: Hash,
    /// Checkpoints not reached yet, by size.
    ahead: BTreeMap<u64, Vec<(String, Hash)>>,
    /// The largest size at which everything was as signed.
    good: u64,
    taken: i64,
    checkpoints: u64,
    findings: Vec<Finding>,
}

impl Walk {
    /// Begins at the first entry. `kept` are checkpoints from outside of the database.
    pub fn new(verifier: Verifier, key: std::sync::Arc<TenantKey>, kept: Vec<Kept>) -> Self {
        let mut walk = Self {
            verifier,
            key,
            edge: Edge::default(),
            previous: BEFORE_ALL,
            ahead: BTreeMap::new(),
            good: 0,
            taken: 0,
            checkpoints: 0,
            findings: Vec::new(),
        };
        kept.into_iter().for_each(|kept| walk.expect(kept, None));
        walk
    }

    fn found(&mut self, fault: Fault, seq: Option<u64>, entry: Option<AuditEntryId>, text: String) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { fault, seq, entry, text });
        }
    }

    fn expect(&mut self, kept: Kept, size: Option<u64>) {
        self.checkpoints += 1;
        match self.verifier.open(&kept.note) {
            Ok(checkpoint) if size.is_none_or(|size| size == checkpoint.size) => {
                self.ahead.entry(checkpoint.size).or_default().push((kept.name, checkpoint.root));
            }
            Ok(_) => {
                self.found(Fault::BadCheckpoint, size, None, format!("{} is of another size", kept.name))
            }
            Err(error) => self.found(Fault::BadCheckpoint, size, None, format!("{} is {error}", kept.name)),
        }
    }

    /// How many entries were seen.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// What is wrong up to the end of the log as it is now, where nothing is expected to change.
    pub fn take_faults(&mut self) -> Vec<Finding> {
        self.cut();
        std::mem::take(&mut self.findings)
    }

    fn cut(&mut self) {
        let size = self.size();
        for (covered, kept) in std::mem::take(&mut self.ahead) {
            for (name, _) in kept {
                let text =
                    format!("{name} covers {covered} entries, but only {size} are there: the tail was cut");
                self.found(Fault::Cut, Some(size), None, text);
            }
        }
    }

    /// Goes on to the end of the log as it is now.
    pub async fn advance<Mode>(&mut self, op: &Op<Mode>) -> Result<(), Failure> {
        let stored = audit_checkpoint::Entity::find()
            .filter(audit_checkpoint::Column::Size.gt(self.taken))
            .order_by_asc(audit_checkpoint::Column::Size)
            .all(op.db())
            .await?;
        // Leaves of a batch and its checkpoint appear together: what was read before is all there.
        for checkpoint in stored {
            self.taken = checkpoint.size;
            let size = checkpoint.size.cast_unsigned();
            self.expect(Kept { name: format!("checkpoint {size}"), note: checkpoint.note }, Some(size));
        }
        let mut nodes = Vec::new();
        loop {
            let lines = lines(op, self.size(), self.previous).await?;
            if lines.is_empty() {
                break;
            }
            lines.into_iter().for_each(|line| self.step(line, &mut nodes));
        }
        self.compare_nodes(op, nodes).await
    }

    fn step(&mut self, line: Line, nodes: &mut Vec<(Subtree, Hash)>) {
        let Line { leaf, entry, bytes } = line;
        let (seq, expected, id) = (leaf.seq.cast_unsigned(), self.size(), leaf.entry_id);
        if seq > expected {
            self.found(
                Fault::Missing,
                Some(expected),
                None,
                format!("entries {expected} to {} are missing", seq - 1),
            );
            // The tree can't be the one that was signed; from here on only the lines are compared.
            while self.size() < seq {
                self.edge.push(Hash::default(), |_, _| ());
            }
        }
        let hash = crypto::sha256(&bytes);
        match entry {
            None => {
                self.found(Fault::Deleted, Some(seq), Some(id), format!("entry {seq} ({id}) was deleted"))
            }
            Some(_) if leaf.line_hash != hash || leaf.leaf_hash != leaf_hash(&bytes) => self.found(
                Fault::Altered,
                Some(seq),
                Some(id),
                format!("entry {seq} ({id}) is not what was sealed"),
            ),
            Some(entry) if !leaf.genuine || !line::is_genuine(&self.key, &entry) => self.found(
                Fault::Forged,
                Some(seq),
                Some(id),
                format!("entry {seq} ({id}) was not written by the server"),
            ),
            Some(_) => {}
        }
        self.previous = leaf.line_hash.as_slice().try_into().unwrap_or(BEFORE_ALL);
        let leaf = leaf.leaf_hash.as_slice().try_into().unwrap_or_default();
        self.edge.push(leaf, |subtree, hash| nodes.push((subtree, hash)));
        self.compare();
    }

    fn compare(&mut self) {
        let size = self.size();
        let Some(signed) = self.ahead.remove(&size) else { return };
        let root = self.edge.root();
        for (name, signed) in signed {
            if signed == root {
                self.good = size;
            } else if !self.knows_better(self.good..size) {
                let text = format!(
                    "the log differs from {name}: the first entry that was replaced lies between {} and {}",
                    self.good,
                    size - 1
                );
                self.found(Fault::Rewritten, Some(self.good), None, text);
            }
        }
    }

    /// Whether something more exact was found already than a range.
    fn knows_better(&self, range: Range<u64>) -> bool {
        self.findings.iter().any(|finding| finding.seq.is_some_and(|seq| range.contains(&seq)))
    }

    /// Proofs are made of the kept nodes: they must be those of the tree.
    async fn compare_nodes<Mode>(
        &mut self,
        op: &Op<Mode>,
        nodes: Vec<(Subtree, Hash)>,
    ) -> Result<(), Failure> {
        if nodes.is_empty() {
            return Ok(());
        }
        let stored: HashMap<_, _> = audit_node::Entity::find()
            .all(op.db())
            .await?
            .into_iter()
            .map(|node| ((node.level, node.position), node.hash))
            .collect();
        for (Subtree { level, position }, hash) in nodes {
            let at = (i16::try_from(level).unwrap_or(i16::MAX), position.cast_signed());
            let first = position << level;
            let wrong = stored.get(&at).is_none_or(|stored| *stored != hash);
            if wrong && !self.knows_better(0..first + (1 << level)) {
                let text =
                    format!("the subtree of {} entries from {first} on is not as sealed", 1_u64 << level);
                self.found(Fault::Rewritten, Some(first), None, text);
            }
        }
        Ok(())
    }

    /// Judges the end of the log: what checkpoints cover beyond it, and what never got into it.
    pub async fn finish<Mode>(mut self, op: &Op<Mode>) -> Result<Verified, Failure> {
        self.cut();
        let size = self.size();
        let outside = audit_entry::Entity::find()
            .filter(Expr::cust("NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = audit_entry.id)"))
            .order_by_asc(audit_entry::Column::Id)
            .limit(PAGE)
            .all(op.db())
            .await?;
        let waiting = Expr::cust(
            "NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = audit_entry.id) AND id NOT IN (SELECT entry_id FROM audit_pending)",
        );
        let lost = audit_entry::Entity::find().filter(waiting).limit(PAGE).all(op.db()).await?;
        for entry in &outside {
            if !line::is_genuine(&self.key, entry) {
                let text = format!("{}, not sealed yet, was not written by the server", entry.id);
                self.found(Fault::Forged, None, Some(entry.id), text);
            }
        }
        for entry in &lost {
            let text = format!("{} is not in the tree and does not wait to be", entry.id);
            self.found(Fault::Unsealed, None, Some(entry.id), text);
        }
        // Placed ones first: what comes first in the log is what to look at first.
        self.findings.sort_by_key(|finding| (finding.seq.is_none(), finding.seq));
        Ok(Verified {
            first_bad: self.findings.first().map(|finding| {
                finding.seq.map_or_else(
                    || finding.entry.map(|id| id.to_string()).unwrap_or_default(),
                    |seq| seq.to_string(),
                )
            }),
            entries: size,
            waiting: outside.len() - lost.len(),
            checkpoints: self.checkpoints,
            findings: self.findings,
        })
    }
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

//! The walk along a log, from its first entry to its end as it is now, and on from there.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use chrono::TimeDelta;
use praxis_entity::{audit_checkpoint, audit_entry, audit_leaf, audit_node, ids::AuditEntryId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::Expr,
};

use super::{Fault, Finding, Kept, Line, PAGE, Verified, changes, lines};
use crate::{
    Failure, Op,
    audit::{
        line,
        note::Verifier,
        seal::BEFORE_ALL,
        tree::{Edge, Hash, Subtree, leaf_hash},
    },
    vault::{TenantKey, crypto},
};

/// More findings help nobody.
const MOST: usize = 100;
/// Entries are sealed within seconds, or within the hour that the slow round over all clinics takes.
const OVERDUE: TimeDelta = TimeDelta::minutes(90);

/// A signed state that was not reached yet.
struct Ahead {
    name: String,
    note: String,
    root: Hash,
    /// What a stored one says of the last line. Nobody signed it, and servers go on from it.
    line: Option<Vec<u8>>,
}

/// Walks along the log, as far as it goes at each call.
pub struct Walk {
    verifier: Verifier,
    key: Arc<TenantKey>,
    edge: Edge,
    /// The place of the next entry; that of the tree, unless leaves are missing.
    next: u64,
    previous: Hash,
    /// Checkpoints not reached yet, by size.
    ahead: BTreeMap<u64, Vec<Ahead>>,
    /// The largest size at which everything was as signed.
    good: u64,
    /// The largest size that a checkpoint was compared at.
    covered: u64,
    /// The largest stored checkpoint that the log's key signed.
    taken: Option<(u64, String)>,
    /// The last stored checkpoint that the tree was the same as.
    signed: Option<(u64, String)>,
    checkpoints: u64,
    nodes: Vec<(Subtree, Hash)>,
    findings: Vec<Finding>,
}

impl Walk {
    /// Begins at the first entry. `kept` are checkpoints from outside of the database.
    pub fn new(verifier: Verifier, key: Arc<TenantKey>, kept: Vec<Kept>) -> Self {
        let mut walk = Self {
            verifier,
            key,
            edge: Edge::default(),
            next: 0,
            previous: BEFORE_ALL,
            ahead: BTreeMap::new(),
            good: 0,
            covered: 0,
            taken: None,
            signed: None,
            checkpoints: 0,
            nodes: Vec::new(),
            findings: Vec::new(),
        };
        for kept in kept {
            walk.expect(kept, None);
        }
        walk
    }

    fn found(&mut self, fault: Fault, seq: Option<u64>, entry: Option<AuditEntryId>, text: String) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { fault, seq, entry, text });
        }
    }

    /// Takes a checkpoint to compare with, and says what it covers, if it is good. A stored one comes with
    /// the size and the last line that its row has beside the note.
    fn expect(&mut self, kept: Kept, stored: Option<(u64, Vec<u8>)>) -> Option<u64> {
        self.checkpoints += 1;
        let (size, line) = stored.unzip();
        let Kept { name, note } = kept;
        match self.verifier.open(&note) {
            Ok(checkpoint) if size.is_none_or(|size| size == checkpoint.size) => {
                let ahead = Ahead { name, note, root: checkpoint.root, line };
                self.ahead.entry(checkpoint.size).or_default().push(ahead);
                Some(checkpoint.size)
            }
            Ok(_) => {
                self.found(Fault::BadCheckpoint, size, None, format!("{name} is of another size"));
                None
            }
            Err(error) => {
                self.found(Fault::BadCheckpoint, size, None, format!("{name} is {error}"));
                None
            }
        }
    }

    /// How many entries were seen.
    pub fn size(&self) -> u64 {
        self.next
    }

    /// The stored checkpoint of exactly what was seen, if everything was as it says.
    pub fn signed(&self) -> Option<&str> {
        self.signed.as_ref().filter(|(size, _)| *size == self.next).map(|(_, note)| note.as_str())
    }

    /// What is wrong up to the end of the log as it was at the last look.
    pub fn take_faults(&mut self) -> Vec<Finding> {
        self.judge_end();
        std::mem::take(&mut self.findings)
    }

    /// What checkpoints cover beyond the end, and what is at the end under none.
    fn judge_end(&mut self) {
        let size = self.size();
        let beyond = self.ahead.split_off(&size.saturating_add(1));
        for (covered, ahead) in beyond {
            for Ahead { name, .. } in ahead {
                let text =
                    format!("{name} covers {covered} entries, but only {size} are there: the tail was cut");
                self.found(Fault::Cut, Some(size), None, text);
            }
        }
        let covered = self.covered;
        if size > covered && !self.knows_better(covered..size.saturating_add(1)) {
            let text = format!("entries {covered} to {} are under no signed checkpoint", size - 1);
            self.found(Fault::Unsigned, Some(covered), None, text);
        }
    }

    /// Goes on to the end of the log as it is now.
    pub async fn advance<Mode>(&mut self, op: &Op<Mode>) -> Result<(), Failure> {
        // Leaves of a batch and its checkpoint appear together. So, in this order: what is there now has
        // its checkpoint in the next answer, and all that those cover is there afterwards.
        let last = audit_leaf::Entity::find().order_by_desc(audit_leaf::Column::Seq).one(op.db()).await?;
        let there = last.map_or(0, |leaf| leaf.seq.cast_unsigned().saturating_add(1));
        if there < self.next {
            let text = format!("only {there} entries are there, where {} were: the tail was cut", self.next);
            self.found(Fault::Cut, Some(there), None, text);
        }
        self.take_checkpoints(op).await?;
        let end = self.taken.as_ref().map_or(there, |(size, _)| there.max(*size));
        while self.next < end {
            let lines = lines(op, self.next..end, self.previous).await?;
            if lines.is_empty() {
                break;
            }
            let changes = changes::wrong(op, &lines).await?;
            lines.into_iter().for_each(|line| self.step(line));
            for (seq, id, text) in changes {
                self.found(Fault::Change, Some(seq), Some(id), text);
            }
        }
        self.compare_nodes(op).await
    }

    async fn take_checkpoints<Mode>(&mut self, op: &Op<Mode>) -> Result<(), Failure> {
        let seen = self.taken.clone();
        let from = seen.as_ref().map_or(0, |(size, _)| size.cast_signed());
        let mut stored = audit_checkpoint::Entity::find()
            .filter(audit_checkpoint::Column::Size.gte(from))
            .order_by_asc(audit_checkpoint::Column::Size)
            .all(op.db())
            .await?;
        if let Some((size, note)) = seen {
            // A history that is written anew between two looks is signed anew as well.
            let first = stored.first().is_some_and(|first| first.size == from).then(|| stored.remove(0));
            if first.is_none_or(|first| first.note != note) {
                let text = format!("checkpoint {size} is gone, or another one than it was");
                self.found(Fault::Rewritten, Some(size), None, text);
            }
        }
        for checkpoint in stored {
            let size = checkpoint.size.cast_unsigned();
            let kept = Kept { name: format!("checkpoint {size}"), note: checkpoint.note.clone() };
            if self.expect(kept, Some((size, checkpoint.line_hash))).is_some() {
                self.taken = Some((size, checkpoint.note));
            }
        }
        Ok(())
    }

    fn step(&mut self, line: Line) {
        let Line { leaf, entry, bytes } = line;
        let (seq, expected, id) = (leaf.seq.cast_unsigned(), self.next, leaf.entry_id);
        if seq > expected {
            // The tree can't be the one that was signed; from here on only the lines are compared.
            let text = format!("entries {expected} to {} are missing", seq - 1);
            self.found(Fault::Missing, Some(expected), None, text);
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
        if self.edge.size() == seq {
            let (leaf, nodes) = (leaf.leaf_hash.as_slice().try_into().unwrap_or_default(), &mut self.nodes);
            self.edge.push(leaf, |subtree, hash| nodes.push((subtree, hash)));
        }
        self.next = seq.saturating_add(1);
        self.compare();
    }

    fn compare(&mut self) {
        let size = self.size();
        let Some(signed) = self.ahead.remove(&size) else { return };
        self.covered = size;
        // Where leaves are missing there is no tree to compare, and what is wrong was found.
        if self.edge.size() != size {
            return;
        }
        let root = self.edge.root();
        for Ahead { name, note, root: signed, line } in signed {
            if signed == root {
                if line.as_ref().is_some_and(|line| *line != self.previous)
                    && !self.knows_better(self.good..size)
                {
                    let text = format!("{name} goes on from another line than its last");
                    self.found(Fault::BadCheckpoint, Some(size - 1), None, text);
                }
                self.good = size;
                if line.is_some() {
                    self.signed = Some((size, note));
                }
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
    async fn compare_nodes<Mode>(&mut self, op: &Op<Mode>) -> Result<(), Failure> {
        if self.nodes.is_empty() {
            return Ok(());
        }
        let stored: HashMap<_, _> = audit_node::Entity::find()
            .all(op.db())
            .await?
            .into_iter()
            .map(|node| ((node.level, node.position), node.hash))
            .collect();
        for (Subtree { level, position }, hash) in std::mem::take(&mut self.nodes) {
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
        self.judge_end();
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
        let overdue = op.now() - OVERDUE;
        let forgotten = outside.iter().filter(|entry| entry.at < overdue);
        for entry in forgotten.filter(|entry| !lost.iter().any(|lost| lost.id == entry.id)) {
            let text = format!("{} has been waiting to be sealed since {}", entry.id, entry.at);
            self.found(Fault::Unsealed, None, Some(entry.id), text);
        }
        for id in deleted_while_waiting(op).await? {
            let text = format!("{id} was deleted before it was sealed");
            self.found(Fault::Deleted, None, Some(id), text);
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

/// Entries that wait to be sealed and are not there.
async fn deleted_while_waiting<Mode>(op: &Op<Mode>) -> Result<Vec<AuditEntryId>, Failure> {
    let sql = "SELECT p.entry_id FROM audit_pending p \
        WHERE NOT EXISTS (SELECT FROM audit_entry e WHERE e.id = p.entry_id) ORDER BY p.entry_id LIMIT 100";
    let rows = op
        .db()
        .query_all_raw(Statement::from_sql_and_values(op.db().get_database_backend(), sql, []))
        .await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0).map(AuditEntryId)).collect::<Result<_, _>>()?)
}

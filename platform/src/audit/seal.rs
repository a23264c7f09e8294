//! Sealing: entries get their numbers, become leaves of the tree, and the tree is signed.
//!
//! An entry becomes visible when its transaction commits, in no order; so it waits in
//! `audit_pending`, which triggers fill and empty, until one transaction gives it a number and signs.
//! No entry is skipped, none is numbered twice, and a server killed half way leaves nothing. A batch
//! builds on the last checkpoint and verifies its signature first: a state that somebody else wrote
//! is not built upon.

use praxis_entity::{audit_checkpoint, audit_entry, audit_leaf, audit_node, audit_sealer};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::{
    line,
    note::Signer,
    tree::{Edge, Hash, leaf_hash},
};
use crate::{
    Failure, Op, Write,
    tenancy::Tenant,
    vault::{TenantKey, crypto},
};

/// The most entries that one checkpoint adds.
pub const BATCH: u64 = 1_000;

/// The `prev` of the first line.
pub const BEFORE_ALL: Hash = [0; 32];

/// What was sealed.
#[derive(Debug)]
pub struct Batch {
    /// The entries, in the order of their numbers.
    pub entries: Vec<audit_entry::Model>,
    /// Those among them that the server did not write.
    pub forged: Vec<audit_entry::Model>,
    /// Size of the tree with them.
    pub size: u64,
    /// More may be waiting.
    pub full: bool,
}

/// Signs the log of a clinic. The log's name follows from the clinic's id and never changes.
pub fn signer(tenant: &Tenant, key: &TenantKey) -> Result<Signer, Failure> {
    let seed = crypto::mac(key.audit_seed(), &[b"praxis audit checkpoint"]);
    Ok(Signer::new(&format!("praxis/audit/{}", tenant.id), &seed)?)
}

/// Seals what waits, up to a batch. `None` when nothing does, or another server is at it.
pub async fn seal(op: &Op<Write>) -> Result<Option<Batch>, Failure> {
    let lock = audit_sealer::Entity::find()
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(op.db())
        .await?;
    if lock.is_none() {
        return Ok(None);
    }
    let entries = audit_entry::Entity::find()
        .filter(Expr::cust("id IN (SELECT entry_id FROM audit_pending ORDER BY entry_id LIMIT 1000)"))
        .order_by_asc(audit_entry::Column::Id)
        .limit(BATCH)
        .all(op.db())
        .await?;
    if entries.is_empty() {
        return Ok(None);
    }
    let key = op.tenant_key().await?;
    let signer = signer(op.tenant(), &key)?;
    let (mut edge, mut previous) = last(op, &signer).await?;
    let (mut leaves, mut nodes, mut forged) = (Vec::with_capacity(entries.len()), Vec::new(), Vec::new());
    for entry in &entries {
        let line = line::line(entry, edge.size(), &previous);
        let leaf = leaf_hash(&line);
        let genuine = line::is_genuine(&key, entry);
        if !genuine {
            forged.push(entry.clone());
        }
        previous = crypto::sha256(&line);
        leaves.push(audit_leaf::ActiveModel {
            seq: Set(edge.size().cast_signed()),
            entry_id: Set(entry.id),
            leaf_hash: Set(leaf.to_vec()),
            line_hash: Set(previous.to_vec()),
            genuine: Set(genuine),
        });
        edge.push(leaf, |subtree, hash| {
            nodes.push(audit_node::ActiveModel {
                level: Set(i16::try_from(subtree.level).unwrap_or(i16::MAX)),
                position: Set(subtree.position.cast_signed()),
                hash: Set(hash.to_vec()),
            });
        });
    }
    audit_leaf::Entity::insert_many(leaves).exec_without_returning(op.db()).await?;
    if !nodes.is_empty() {
        audit_node::Entity::insert_many(nodes).exec_without_returning(op.db()).await?;
    }
    audit_checkpoint::Entity::insert(audit_checkpoint::ActiveModel {
        size: Set(edge.size().cast_signed()),
        at: Set(op.now()),
        edge: Set(edge.bytes()),
        line_hash: Set(previous.to_vec()),
        note: Set(signer.sign(edge.size(), edge.root())),
    })
    .exec_without_returning(op.db())
    .await?;
    let full = entries.len() as u64 >= BATCH;
    Ok(Some(Batch { entries, forged, size: edge.size(), full }))
}

/// The newest checkpoint of a log.
pub async fn newest(db: &impl sea_orm::ConnectionTrait) -> Result<Option<audit_checkpoint::Model>, Failure> {
    let newest = audit_checkpoint::Entity::find().order_by_desc(audit_checkpoint::Column::Size);
    Ok(newest.one(db).await?)
}

/// Where the last batch ended, if its checkpoint is ours and says the same.
async fn last(op: &Op<Write>, signer: &Signer) -> Result<(Edge, Hash), Failure> {
    let Some(stored) = newest(op.db()).await? else { return Ok((Edge::default(), BEFORE_ALL)) };
    let taken_up = || {
        let checkpoint = signer.verifier().open(&stored.note).ok()?;
        let edge = Edge::restore(stored.size.cast_unsigned(), &stored.edge)?;
        let line_hash = stored.line_hash.as_slice().try_into().ok()?;
        (checkpoint.size == edge.size() && checkpoint.root == edge.root()).then_some((edge, line_hash))
    };
    taken_up().ok_or_else(|| {
        tracing::error!(tenant = %op.tenant().id, size = stored.size, "the last checkpoint of the audit log is not ours; it is not built upon");
        Failure::Inconsistent { table: "audit_checkpoint", column: "note", row: op.tenant().uuid() }
    })
}

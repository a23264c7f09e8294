//! Sealing: entries get their numbers, become leaves of the tree, and the tree is signed.
//!
//! An entry becomes visible when its transaction commits, in no order; so it waits in
//! `audit_pending`, which triggers fill and empty, until one transaction gives it a number and signs.
//! No entry is skipped, none is numbered twice, and a server killed half way leaves nothing. A batch
//! builds on the last checkpoint, and only where its signature is good, its last line is an entry that
//! is in the tree, and it goes on from what this server saw before ([`Heads`](super::Heads)): a state
//! that somebody else wrote is not built upon.

use praxis_entity::{audit_checkpoint, audit_entry, audit_leaf, audit_node, audit_sealer};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, Order,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Statement,
    sea_query::{Expr, LockBehavior, LockType, Query},
};

use super::{
    heads::Head,
    line,
    note::Signer,
    proof,
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

/// Leaves read with one statement, and the most that others sealed without a step of its own.
const PAGE: u64 = 5_000;

/// What was sealed.
#[derive(Debug)]
pub struct Batch {
    /// The entries, in the order of their numbers; none where the server only caught up with others.
    pub entries: Vec<audit_entry::Model>,
    /// Those among them that the server did not write.
    pub forged: Vec<audit_entry::Model>,
    /// The end of the log with them.
    pub head: Head,
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
    let (entries, waiting) = waiting(op).await?;
    if (entries.len() as u64) < BATCH && waiting != Some(entries.len()) {
        tell_of_deleted(op).await?;
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let key = op.tenant_key().await?;
    let signer = signer(op.tenant(), &key)?;
    let head = last(op, &signer).await?;
    // Catching up with what others sealed may take long. It is a step of its own, which adds nothing: once it is
    // remembered it need not be done again, whatever becomes of the next step.
    if op.head().is_some_and(|known| head.edge.size().saturating_sub(known.edge.size()) > PAGE) {
        return Ok(Some(Batch { entries: Vec::new(), forged: Vec::new(), head, full: true }));
    }
    let Head { mut edge, line: mut previous } = head;
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
    Ok(Some(Batch { entries, forged, head: Head { edge, line: previous }, full }))
}

/// Entries that wait, up to a batch, and how many wait in all, if one does. One that was deleted waits for ever, and must not
/// keep others from being sealed.
async fn waiting(op: &Op<Write>) -> Result<(Vec<audit_entry::Model>, Option<usize>), Failure> {
    // Each is fetched by its id, which the offset leaves Postgres no choice about: the queue is empty whenever its statistics
    // are made, and a plan made by those reads the whole log for a handful of entries.
    let mut entry = audit_entry::Entity::find().filter(Expr::cust("audit_entry.id = audit_pending.entry_id"));
    QuerySelect::query(&mut entry).offset(0);
    let mut found = Query::select();
    found
        .expr(Expr::cust("entry.*"))
        .expr_as(Expr::cust("(SELECT count(*) FROM audit_pending)"), "waiting")
        .from("audit_pending")
        .join_lateral(
            JoinType::InnerJoin,
            entry.into_query(),
            "entry",
            Condition::all().add(Expr::cust("true")),
        )
        .order_by(("audit_pending", "entry_id"), Order::Asc)
        .limit(BATCH);
    let found = op.db().query_all(&found).await?;
    let found: Vec<Waiting> =
        found.iter().map(|row| Waiting::from_query_result(row, "")).collect::<Result<_, _>>()?;
    let waiting = found.first().and_then(|Waiting(_, waiting)| usize::try_from(*waiting).ok());
    Ok((found.into_iter().map(|Waiting(entry, _)| entry).collect(), waiting))
}

struct Waiting(audit_entry::Model, i64);

impl FromQueryResult for Waiting {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(audit_entry::Model::from_query_result(row, prefix)?, row.try_get(prefix, "waiting")?))
    }
}

/// The newest checkpoint of a log.
pub async fn newest(db: &impl sea_orm::ConnectionTrait) -> Result<Option<audit_checkpoint::Model>, Failure> {
    let newest = audit_checkpoint::Entity::find().order_by_desc(audit_checkpoint::Column::Size);
    Ok(newest.one(db).await?)
}

/// Where the last batch ended, if its checkpoint is ours and goes on from what was seen before.
async fn last(op: &Op<Write>, signer: &Signer) -> Result<Head, Failure> {
    let known = op.head();
    let Some(stored) = newest(op.db()).await? else {
        return if known.is_none() {
            Ok(Head::default())
        } else {
            Err(refused(op, "all checkpoints are gone"))
        };
    };
    let restored = || {
        let checkpoint = signer.verifier().open(&stored.note).ok()?;
        let edge = Edge::restore(stored.size.cast_unsigned(), &stored.edge)?;
        let line = stored.line_hash.as_slice().try_into().ok()?;
        (checkpoint.size == edge.size() && checkpoint.root == edge.root()).then_some(Head { edge, line })
    };
    let head = restored().ok_or_else(|| refused(op, "the last checkpoint is not ours"))?;
    match known {
        Some(known) if known == head => return Ok(head),
        Some(known) if known.edge.size() >= head.edge.size() => {
            return Err(refused(op, "the log is not what it was: entries were taken out of it"));
        }
        Some(known) if !grew(op, known.edge.clone(), &head.edge).await? => {
            return Err(refused(op, "the log is not what it was: it does not go on from there"));
        }
        _ => {}
    }
    if ends_with(op, signer, &head).await? {
        Ok(head)
    } else {
        Err(refused(op, "the last line is not the one that was signed"))
    }
}

fn refused(op: &Op<Write>, reason: &'static str) -> Failure {
    tracing::error!(tenant = %op.tenant().id, problem = reason, "the audit log was changed by somebody else; it is not built upon");
    Failure::IntegrityFailed { table: "audit_checkpoint", row: op.tenant().uuid() }
}

/// Whether the leaves that came since lead from one tree to the other, which is signed.
async fn grew(op: &Op<Write>, mut edge: Edge, signed: &Edge) -> Result<bool, Failure> {
    while edge.size() < signed.size() {
        let leaves = audit_leaf::Entity::find()
            .filter(audit_leaf::Column::Seq.gte(edge.size().cast_signed()))
            .filter(audit_leaf::Column::Seq.lt(signed.size().cast_signed()))
            .order_by_asc(audit_leaf::Column::Seq)
            .limit(PAGE)
            .all(op.db())
            .await?;
        if leaves.is_empty() {
            return Ok(false);
        }
        for leaf in leaves {
            edge.push(leaf.leaf_hash.try_into().unwrap_or_default(), |_, _| ());
        }
    }
    Ok(edge == *signed)
}

/// Whether the hash of the last line, which nobody signed, is that of the last entry in the tree.
async fn ends_with(op: &Op<Write>, signer: &Signer, head: &Head) -> Result<bool, Failure> {
    let Some(index) = head.edge.size().checked_sub(1) else { return Ok(true) };
    let Some(leaf) = audit_leaf::Entity::find_by_id(index.cast_signed()).one(op.db()).await? else {
        return Ok(false);
    };
    let Some(line) = proof::line_at(op, index).await? else { return Ok(false) };
    // A proof can't be put together from what was taken apart.
    let proved = match proof::prove(op.db(), &[leaf.entry_id]).await {
        Ok(mut proofs) => proofs.remove(&leaf.entry_id),
        Err(Failure::Inconsistent { .. }) => None,
        Err(failure) => return Err(failure),
    };
    let Some(proved) = proved else { return Ok(false) };
    let included = proof::verify(signer.verifier(), leaf_hash(&line), &proved.text);
    Ok(crypto::sha256(&line) == head.line && included.is_ok_and(|(at, _)| at == index))
}

/// Entries were deleted before they were sealed: nothing can be done, and it must not go unnoticed.
async fn tell_of_deleted(op: &Op<Write>) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM audit_pending p \
        LEFT JOIN LATERAL (SELECT e.id FROM audit_entry e WHERE e.id = p.entry_id OFFSET 0) e ON true WHERE e.id IS NULL";
    let count = Statement::from_sql_and_values(op.db().get_database_backend(), sql, []);
    let row = op.db().query_one_raw(count).await?;
    let deleted: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    if deleted > 0 {
        tracing::error!(tenant = %op.tenant().id, count = deleted, "entries of the audit log were deleted before they were sealed");
    }
    Ok(())
}

//! A retried mutation gets the first answer, and changes nothing.
//!
//! The key is stored in the same transaction as the change. A second request with the same key waits
//! for the first to commit, then finds its outcome. What is stored are ids and codes, never PHI; the
//! input is kept only as a keyed hash.

use chrono::TimeDelta;
use praxis_entity::idempotency_key::{self, Column};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DbBackend, EntityTrait, Statement,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Failure, Op, Write, vault::IndexField};

const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// So many at a time, and none that a request is about to use anew.
const PAST: &str = "DELETE FROM idempotency_key WHERE (actor_id, operation, key_hash) IN \
    (SELECT actor_id, operation, key_hash FROM idempotency_key WHERE expires_at < $1 LIMIT 10000 FOR UPDATE SKIP LOCKED)";

/// Forgets keys whose time is over; how many.
pub async fn forget(op: &Op<Write>) -> Result<u64, Failure> {
    let forget = Statement::from_sql_and_values(DbBackend::Postgres, PAST, [op.now().into()]);
    Ok(op.db().execute_raw(forget).await?.rows_affected())
}

/// A client's key for one mutation and its input.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    operation: String,
    key_hash: Vec<u8>,
    request_hash: Vec<u8>,
}

/// Whether the mutation is to be run.
#[derive(Debug)]
pub enum Claim<T> {
    /// It is the first time: run it, then [`IdempotencyKey::settle`].
    New,
    /// It ran before, with this outcome.
    Replay(T),
}

impl IdempotencyKey {
    /// The key as the tenant stores it.
    ///
    /// `input` is any stable text of the input; only its keyed hash is kept.
    pub async fn new<Mode>(op: &Op<Mode>, operation: &str, key: &str, input: &str) -> Result<Self, Failure> {
        if key.is_empty() || key.len() > 200 {
            return Err(Failure::BadInput("an idempotency key has 1 to 200 characters".to_owned()));
        }
        let hash = async |label: &str, text: &str| {
            op.token(IndexField::Idempotency, &format!("{label}:{text}"))
                .await?
                .ok_or(Failure::KeyUnavailable)
        };
        let operation = operation.to_owned();
        Ok(Self { operation, key_hash: hash("key", key).await?, request_hash: hash("input", input).await? })
    }

    /// Claims the key in the operation's transaction, or finds what it led to.
    pub async fn claim<T: DeserializeOwned>(&self, op: &Op<Write>) -> Result<Claim<T>, Failure> {
        let owner = op.actor().key_owner();
        let row = idempotency_key::ActiveModel {
            actor_id: Set(owner),
            operation: Set(self.operation.clone()),
            key_hash: Set(self.key_hash.clone()),
            request_hash: Set(self.request_hash.clone()),
            outcome: Set(serde_json::Value::Null),
            created_at: Set(op.now()),
            expires_at: Set(op.now() + KEPT_FOR),
        };
        // Waits here while another transaction holds the same key; takes over one that has expired.
        let inserted = idempotency_key::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([Column::ActorId, Column::Operation, Column::KeyHash])
                    .update_columns([
                        Column::RequestHash,
                        Column::Outcome,
                        Column::CreatedAt,
                        Column::ExpiresAt,
                    ])
                    .action_and_where(Expr::col((idempotency_key::Entity, Column::ExpiresAt)).lte(op.now()))
                    .to_owned(),
            )
            .exec_without_returning(op.db())
            .await?;
        if inserted == 1 {
            return Ok(Claim::New);
        }
        let stored =
            idempotency_key::Entity::find_by_id((owner, self.operation.clone(), self.key_hash.clone()))
                .one(op.db())
                .await?
                .ok_or_else(|| Failure::Internal("an idempotency key vanished".to_owned()))?;
        if stored.request_hash != self.request_hash {
            return Err(Failure::IdempotencyConflict);
        }
        serde_json::from_value(stored.outcome)
            .map(Claim::Replay)
            .map_err(|_| Failure::Internal("an idempotency outcome is malformed".to_owned()))
    }

    /// Stores the outcome with the change.
    pub async fn settle<T: Serialize>(&self, op: &Op<Write>, outcome: &T) -> Result<(), Failure> {
        let outcome = serde_json::to_value(outcome).map_err(|error| Failure::Internal(error.to_string()))?;
        idempotency_key::Entity::update(idempotency_key::ActiveModel {
            actor_id: Set(op.actor().key_owner()),
            operation: Set(self.operation.clone()),
            key_hash: Set(self.key_hash.clone()),
            outcome: Set(outcome),
            ..Default::default()
        })
        .exec(op.db())
        .await?;
        Ok(())
    }
}

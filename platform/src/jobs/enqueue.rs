//! Writing jobs down, to be done once the transaction is committed.

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{EventId, JobId},
    job::{ActiveModel, Entity, JobStatus},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::OnConflict};
use serde_json::Value as Json;

use crate::{Failure, Op, Write, audit::Entry, tenancy::Queue};

/// Rows of one statement.
const CHUNK: usize = 1_000;

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The reaction, or the kind of work.
    pub name: String,
    /// The event it follows from, if it is a reaction.
    pub event: Option<EventId>,
    /// Ids and codes that the work needs; never PHI.
    pub payload: Option<Json>,
    /// Work of the same name and key is not written twice. Reactions have none.
    pub dedupe_key: Option<String>,
    /// When it is due.
    pub run_at: DateTime<Utc>,
}

/// Writes jobs down in the operation's transaction; returns how many were not there yet.
pub async fn enqueue(op: &Op<Write>, new: Vec<NewJob>) -> Result<u64, Failure> {
    let rows: Vec<ActiveModel> = new.into_iter().map(|new| row(op, new)).collect();
    let mut written = 0;
    for chunk in rows.chunks(CHUNK) {
        written += Entity::insert_many(chunk.to_vec())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(op.db())
            .await?;
    }
    Ok(written)
}

fn row(op: &Op<Write>, new: NewJob) -> ActiveModel {
    op.wake(Queue::Jobs, new.run_at);
    ActiveModel {
        id: Set(JobId(op.new_id())),
        created_at: Set(op.now()),
        name: Set(new.name),
        event_id: Set(new.event),
        payload: Set(new.payload),
        dedupe_key: Set(new.dedupe_key),
        status: Set(JobStatus::Queued),
        run_at: Set(new.run_at),
        attempts: Set(0),
        finished_at: Set(None),
        last_error: Set(None),
    }
}

/// So many jobs are forgotten at once: no transaction takes long.
pub const FORGOTTEN_AT_ONCE: u64 = 10_000;

const FORGET: &str = "DELETE FROM job WHERE id IN (SELECT id FROM job \
    WHERE status IN ('DONE', 'DISCARDED') AND finished_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Forgets jobs that were done or discarded before an instant, at most [`FORGOTTEN_AT_ONCE`]; returns how many.
pub async fn forget_finished(op: &Op<Write>, before: DateTime<Utc>) -> Result<u64, Failure> {
    let values = [before.into(), FORGOTTEN_AT_ONCE.cast_signed().into()];
    let forget = Statement::from_sql_and_values(DbBackend::Postgres, FORGET, values);
    let forgotten = op.db().execute_raw(forget).await?.rows_affected();
    if forgotten > 0 {
        let times = i32::try_from(forgotten).unwrap_or(i32::MAX);
        op.record(Entry { times, ..Entry::done("job.forget") });
    }
    Ok(forgotten)
}

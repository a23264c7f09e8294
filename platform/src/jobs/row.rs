//! The rows of jobs that are being done: claimed for one worker at a time.
//!
//! Claiming counts the attempt and sets its lease in one statement, together with the hint that lets another worker
//! look once the lease has ended. The number of the attempt is what its end is written against: a worker that
//! outlived its lease takes back what it did.

use chrono::{DateTime, Utc};
use praxis_entity::job::{self, ActiveModel, Column, Entity, JobStatus};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    Statement, Value,
};

use crate::{Failure, Op, Write, literal::Literal, tenancy::Queue};

const CLAIM: &str = "WITH due AS (
        SELECT id, run_at FROM job WHERE status IN ('QUEUED', 'RUNNING') AND run_at <= $1
        ORDER BY run_at, id FOR UPDATE SKIP LOCKED LIMIT $4),
    claimed AS (
        UPDATE job SET status = 'RUNNING', attempts = job.attempts + 1, run_at = $2 FROM due WHERE job.id = due.id
        RETURNING job.id, created_at, name, event_id, payload, dedupe_key, status, due.run_at, attempts,
            finished_at, last_error)
    SELECT claimed.*, (SELECT cell.wake($3, $2)) AS woken FROM claimed";

const PUT_BACK: &str = "WITH put AS (
        UPDATE job SET status = 'QUEUED', attempts = $3, run_at = $4, last_error = coalesce($5, last_error)
        WHERE id = $1 AND attempts = $2 AND status = 'RUNNING' RETURNING id)
    SELECT cell.wake($6, $4) AS woken FROM put";

/// Jobs that are due, each with when it was; nobody else gets them until the lease ends.
pub(super) async fn claim<M>(
    op: &Op<M>,
    lease_ends: DateTime<Utc>,
    most: usize,
) -> Result<Vec<job::Model>, Failure> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values: [Value; 4] = [op.now().into(), lease_ends.into(), Queue::Jobs.code().into(), most.into()];
    let rows = op.db().query_all_raw(statement(CLAIM, values)).await?;
    let mut jobs =
        rows.iter().map(|row| job::Model::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_unstable_by_key(|job| job.id);
    Ok(jobs)
}

/// Another attempt at another time.
pub(super) async fn postpone<M>(
    op: &Op<M>,
    job: &job::Model,
    until: DateTime<Utc>,
    why: &str,
) -> Result<(), Failure> {
    put_back(op, job, job.attempts, until, Some(why)).await
}

/// The attempt was not made.
pub(super) async fn hand_back<M>(op: &Op<M>, job: &job::Model) -> Result<(), Failure> {
    put_back(op, job, job.attempts - 1, op.now(), None).await
}

/// A job that recurs waits for its next time. Whether it was still this worker's.
pub(super) async fn recur<M>(
    op: &Op<M>,
    job: &job::Model,
    next: DateTime<Utc>,
    why: Option<&str>,
) -> Result<bool, Failure> {
    let values = put_back_values(job, 0, next, why);
    Ok(op.db().query_one_raw(statement(PUT_BACK, values)).await?.is_some())
}

async fn put_back<M>(
    op: &Op<M>,
    job: &job::Model,
    attempts: i32,
    until: DateTime<Utc>,
    why: Option<&str>,
) -> Result<(), Failure> {
    let values = put_back_values(job, attempts, until, why);
    op.db().query_one_raw(statement(PUT_BACK, values)).await?;
    Ok(())
}

fn put_back_values(job: &job::Model, attempts: i32, until: DateTime<Utc>, why: Option<&str>) -> [Value; 6] {
    let why: Option<String> = why.map(str::to_owned);
    [
        job.id.0.into(),
        job.attempts.into(),
        attempts.into(),
        until.into(),
        why.into(),
        Queue::Jobs.code().into(),
    ]
}

/// Ends a job for good. Whether it was still this worker's.
pub(super) async fn end(
    op: &Op<Write>,
    job: &job::Model,
    status: JobStatus,
    why: Option<&str>,
) -> Result<bool, Failure> {
    let change = ActiveModel {
        status: Set(status),
        finished_at: Set(Some(op.now())),
        last_error: Set(why.map(str::to_owned).or_else(|| job.last_error.clone())),
        ..Default::default()
    };
    let ended = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(job.id))
        .filter(Column::Attempts.eq(job.attempts))
        .filter(Column::Status.is(JobStatus::Running))
        .exec(op.db())
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Lets somebody look again.
pub(super) async fn wake<M>(op: &Op<M>, at: DateTime<Utc>) -> Result<(), Failure> {
    let values: [Value; 2] = [Queue::Jobs.code().into(), at.into()];
    op.db().query_one_raw(statement("SELECT cell.wake($1, $2)", values)).await?;
    Ok(())
}

/// A tenant's recurring jobs of these names are written down.
pub(super) async fn note_planned(op: &Op<Write>, names: &[String]) -> Result<(), Failure> {
    let note = statement("SELECT cell.note_planned($1)", [names.to_vec().into()]);
    op.db().query_one_raw(note).await?;
    Ok(())
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

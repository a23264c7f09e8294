//! Jobs as operators see them: what waits, what was given up, and what is to become of it.

use praxis_entity::{
    ids::JobId,
    job::{self, Column, Entity, JobStatus},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{Failure, Op, Write, access::Permission, audit::Entry, literal::Literal, tenancy::Queue};

/// The key of work that recurs: its one row waits for its next time again and again.
pub const RECURRING: &str = "RECURRING";

/// The most that is listed.
const MOST: u64 = 1_000;

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this status; all but DONE and DISCARDED when absent.
    pub status: Option<JobStatus>,
    /// Of this name.
    pub name: Option<String>,
}

/// Jobs, those that are due first first.
pub async fn list<M>(op: &Op<M>, which: &JobFilter) -> Result<Vec<job::Model>, Failure> {
    op.require(Permission::SETTINGS_READ)?;
    let mut jobs = Entity::find().order_by_asc(Column::RunAt).order_by_asc(Column::Id).limit(MOST);
    jobs = match which.status {
        Some(status) => jobs.filter(Column::Status.is(status)),
        None => jobs.filter(Column::Status.is_none_of(&[JobStatus::Done, JobStatus::Discarded])),
    };
    if let Some(name) = &which.name {
        jobs = jobs.filter(Column::Name.eq(name));
    }
    Ok(jobs.all(op.db()).await?)
}

/// One job.
pub async fn by_id<M>(op: &Op<M>, id: JobId) -> Result<Option<job::Model>, Failure> {
    op.require(Permission::SETTINGS_READ)?;
    Ok(Entity::find_by_id(id).one(op.db()).await?)
}

/// Lets one dead job, or all of them, be tried anew; returns how many.
pub async fn retry(op: &Op<Write>, which: Option<JobId>) -> Result<u64, Failure> {
    op.require(Permission::SETTINGS_MANAGE)?;
    let mut update = Entity::update_many()
        .col_expr(Column::Status, Expr::value("QUEUED"))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::RunAt, Expr::value(op.now()))
        .col_expr(Column::FinishedAt, Expr::null().cast_as("timestamptz"))
        .filter(Column::Status.is(JobStatus::Dead));
    if let Some(id) = which {
        update = update.filter(Column::Id.eq(id));
    }
    let revived = update.exec(op.db()).await?.rows_affected;
    op.wake(Queue::Jobs, op.now());
    op.record(entry("job.retry", which));
    Ok(revived)
}

/// Decides that one dead job, all of them, or one that waits is not to be done; returns how many.
///
/// What recurs is refused: its row is how it comes again, and nobody would plan it anew.
pub async fn discard(op: &Op<Write>, which: Option<JobId>) -> Result<u64, Failure> {
    op.require(Permission::SETTINGS_MANAGE)?;
    if let Some(id) = which {
        let job = Entity::find_by_id(id).one(op.db()).await?;
        if job.is_some_and(|job| job.dedupe_key.as_deref() == Some(RECURRING)) {
            let reason = "this work recurs and can't be discarded: it would never be done again";
            return Err(Failure::BadInput(reason.to_owned()));
        }
    }
    let done_once = Condition::any().add(Column::DedupeKey.is_null()).add(Column::DedupeKey.ne(RECURRING));
    let update = Entity::update_many()
        .col_expr(Column::Status, Expr::value("DISCARDED"))
        .col_expr(Column::FinishedAt, Expr::value(op.now()))
        .filter(done_once);
    let update = match which {
        Some(id) => update
            .filter(Column::Id.eq(id))
            .filter(Column::Status.is_one_of(&[JobStatus::Dead, JobStatus::Queued])),
        None => update.filter(Column::Status.is(JobStatus::Dead)),
    };
    let discarded = update.exec(op.db()).await?.rows_affected;
    op.record(entry("job.discard", which));
    Ok(discarded)
}

fn entry(action: &'static str, which: Option<JobId>) -> Entry {
    let entry = Entry::done(action);
    match which {
        Some(id) => entry.on("Job", id.0, 0),
        None => entry,
    }
}

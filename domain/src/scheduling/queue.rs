//! Queues of those who walk in: numbers given out, called, served and skipped.
//!
//! Numbers begin at 1 each day of the branch, one by one and without a gap: a number that was given out twice would
//! call two people at once.

use chrono::NaiveDate;
use praxis_entity::{
    facility,
    ids::{FacilityId, PatientId, QueueTokenId},
    queue_token::{self, ActiveModel, Column, Entity, QueueStatus},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry, literal::Literal};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{LockBehavior, LockType},
};

use super::reserve::judge_patient;
use crate::{
    Detail, Result, Violation, ViolationCode, clinic::text, error::Violations, page::any_of,
    transitions::step_here,
};

/// The most tokens of a queue and day that are told of at once.
const MOST: u64 = 500;

/// Gives out the next number.
pub async fn issue_token(
    op: &Op<Write>,
    facility: FacilityId,
    queue: &str,
    patient: Option<PatientId>,
) -> Result<queue_token::Model> {
    op.actor().require_at(Permission::QUEUE_MANAGE, facility)?;
    let mut found = Violations::default();
    let queue = name(&mut found, queue);
    if let Some(patient) = patient {
        judge_patient(op, patient, &mut found).await?;
    }
    let day = today(op, facility, &mut found).await?;
    found.check()?;
    let row = ActiveModel {
        id: Set(QueueTokenId(op.new_id())),
        facility_id: Set(facility),
        number: Set(next_number(op, facility, &queue, day).await?),
        queue: Set(queue),
        day: Set(day),
        patient_id: Set(patient),
        status: Set(QueueStatus::Waiting),
        ..Default::default()
    };
    let issued = Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(about(Entry::done("queue.issue"), &issued));
    Ok(issued)
}

/// Calls the next number of a queue; `None` of nobody when nobody waits.
pub async fn call_next(
    op: &Op<Write>,
    facility: FacilityId,
    queue: &str,
    desk: Option<&str>,
) -> Result<queue_token::Model> {
    op.actor().require_at(Permission::QUEUE_MANAGE, facility)?;
    let mut found = Violations::default();
    let queue = name(&mut found, queue);
    let desk = text::optional_line(&mut found, &["desk"], desk, 40);
    let day = today(op, facility, &mut found).await?;
    found.check()?;
    // Two desks that call at once call two numbers.
    let next = Entity::find()
        .filter(Column::FacilityId.eq(facility))
        .filter(Column::Queue.eq(queue))
        .filter(Column::Day.eq(day))
        .filter(Column::Status.is(QueueStatus::Waiting))
        .order_by_asc(Column::Number)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked);
    let Some(next) = next.one(op.db()).await? else {
        return Err(Violation::at(ViolationCode::NotFound, &["queue"], "Nobody is waiting.").into());
    };
    call(op, next, desk).await
}

/// What is done with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStep {
    /// Its number is called, or called again.
    Call,
    /// Its holder was seen to.
    Serve,
    /// Nobody came.
    Skip,
}

impl QueueStep {
    const fn mutation(self) -> &'static str {
        match self {
            Self::Call => "queueTokenCall",
            Self::Serve => "queueTokenServe",
            Self::Skip => "queueTokenSkip",
        }
    }
}

/// Calls, serves or skips one token.
pub async fn step_token(
    op: &Op<Write>,
    id: QueueTokenId,
    if_version: i32,
    step: QueueStep,
    desk: Option<&str>,
) -> Result<queue_token::Model> {
    op.require(Permission::QUEUE_MANAGE)?;
    let mut found = Violations::default();
    let desk = text::optional_line(&mut found, &["desk"], desk, 40);
    found.check()?;
    let stored = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    op.actor().require_at(Permission::QUEUE_MANAGE, stored.facility_id)?;
    if stored.version != if_version {
        let message = "Somebody else changed this token meanwhile.";
        return Err(Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message)
            .with(Detail::Version { current: stored.version })
            .into());
    }
    let status: QueueStatus = step_here(op, "queue_token", step.mutation(), &stored.status).await?;
    let change = ActiveModel { id: Set(id), ..Default::default() };
    let (change, action) = match step {
        QueueStep::Call => return call(op, stored, desk).await,
        QueueStep::Serve => {
            (ActiveModel { status: Set(status), served_at: Set(Some(op.now())), ..change }, "queue.serve")
        }
        QueueStep::Skip => (ActiveModel { status: Set(status), ..change }, "queue.skip"),
    };
    let changed = Entity::update(change).exec(op.db()).await?;
    op.record(about(Entry::done(action), &changed));
    Ok(changed)
}

async fn call(op: &Op<Write>, token: queue_token::Model, desk: Option<String>) -> Result<queue_token::Model> {
    let change = ActiveModel {
        id: Set(token.id),
        status: Set(QueueStatus::Called),
        desk: Set(desk),
        called_at: Set(Some(op.now())),
        ..Default::default()
    };
    let called = Entity::update(change).exec(op.db()).await?;
    op.record(about(Entry::done("queue.call"), &called));
    Ok(called)
}

/// The tokens of a queue on a day, today when absent, by number.
pub async fn queue_tokens<M>(
    op: &Op<M>,
    facility: FacilityId,
    queue: &str,
    day: Option<NaiveDate>,
) -> Result<Vec<queue_token::Model>> {
    op.actor().require_at(Permission::QUEUE_MANAGE, facility)?;
    let mut found = Violations::default();
    let queue = name(&mut found, queue);
    let today = today(op, facility, &mut found).await?;
    found.check()?;
    let tokens = Entity::find()
        .filter(Column::FacilityId.eq(facility))
        .filter(Column::Queue.eq(queue))
        .filter(Column::Day.eq(day.unwrap_or(today)))
        .order_by_asc(Column::Number)
        .limit(MOST);
    Ok(tokens.all(op.db()).await?)
}

/// The tokens with these ids.
pub async fn tokens_by_ids<M>(op: &Op<M>, ids: &[QueueTokenId]) -> Result<Vec<queue_token::Model>> {
    op.require(Permission::QUEUE_MANAGE)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    let tokens = Entity::find().filter(wanted).all(op.db()).await?;
    let here = |token: &queue_token::Model| {
        op.actor().require_at(Permission::QUEUE_MANAGE, token.facility_id).is_ok()
    };
    Ok(tokens.into_iter().filter(here).collect())
}

fn name(found: &mut Violations, queue: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if queue.len() > 20
        || !queue.starts_with(|first: char| first.is_ascii_uppercase())
        || !queue.bytes().all(is_name)
    {
        found.add(ViolationCode::Invalid, &["queue"], "A queue is named by up to 20 capitals, as WALK_IN.");
    }
    queue.to_owned()
}

async fn today<M>(op: &Op<M>, facility: FacilityId, found: &mut Violations) -> Result<NaiveDate> {
    let facility = facility::Entity::find_by_id(facility).one(op.db()).await?.filter(|branch| branch.active);
    if facility.is_none() {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    let zone = facility.and_then(|branch| branch.time_zone.parse().ok()).unwrap_or(chrono_tz::UTC);
    Ok(op.now().with_timezone(&zone).date_naive())
}

/// The next number of a queue today. Whoever asks at the same time waits, so no number is lost or given twice.
async fn next_number(op: &Op<Write>, facility: FacilityId, queue: &str, day: NaiveDate) -> Result<i32> {
    let name = format!("queue:{}:{queue}:{day}", facility.0);
    let next = "INSERT INTO counter (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counter.n + 1 RETURNING n::integer AS n";
    let next = Statement::from_sql_and_values(DbBackend::Postgres, next, [name.into()]);
    let row = op.db().query_one_raw(next).await?.ok_or(Failure::NotFound)?;
    Ok(row.try_get("", "n")?)
}

fn about(entry: Entry, token: &queue_token::Model) -> Entry {
    let entry = entry.on("QueueToken", token.id.0, token.version);
    match token.patient_id {
        Some(patient) => entry.of(patient.0),
        None => entry,
    }
}

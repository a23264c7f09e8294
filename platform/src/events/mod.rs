//! What happened: rows that are written with the act itself and never change.
//!
//! An event becomes visible when its transaction commits, and a transaction that began earlier may commit later: so
//! neither ids nor times tell a reader where to go on. Events get their place among all others after the commit,
//! one caller at a time, and readers go by places. What an event means, the domains know.

mod tail;

pub use tail::{Follower, Tails};

use praxis_entity::{
    event::{ActiveModel, Column, Entity, Model},
    ids::{EncounterId, EventId, PatientId},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{Failure, Op, Write};

/// Rows of one statement.
const CHUNK: usize = 1_000;

/// Something that happened, to be written down.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: String,
    /// Whom it concerns.
    pub patient: Option<PatientId>,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// The object it happened to.
    pub subject: Uuid,
    /// Ids and codes; never PHI.
    pub body: Json,
}

/// Writes events down in the operation's transaction.
pub async fn record(op: &Op<Write>, new: Vec<NewEvent>) -> Result<(), Failure> {
    let rows: Vec<ActiveModel> = new.into_iter().map(|new| row(op, new)).collect();
    for chunk in rows.chunks(CHUNK) {
        Entity::insert_many(chunk.to_vec()).exec_without_returning(op.db()).await?;
    }
    op.announce();
    Ok(())
}

fn row(op: &Op<Write>, new: NewEvent) -> ActiveModel {
    ActiveModel {
        id: Set(new.id),
        kind: Set(new.kind),
        at: Set(op.now()),
        actor_id: Set(op.actor().id()),
        patient_id: Set(new.patient),
        encounter_id: Set(new.encounter),
        encounter_seq: NotSet,
        subject_id: Set(new.subject),
        body: Set(new.body),
        position: NotSet,
    }
}

/// One event.
pub async fn by_id<M>(op: &Op<M>, id: EventId) -> Result<Option<Model>, Failure> {
    Ok(Entity::find_by_id(id).one(op.db()).await?)
}

/// Gives a place to every event that was committed before this call.
pub async fn order<M>(op: &Op<M>) -> Result<(), Failure> {
    let order = || Statement::from_sql_and_values(DbBackend::Postgres, "SELECT order_events() AS placed", []);
    while op.db().query_one_raw(order()).await?.map(|row| row.try_get::<i32>("", "placed")).transpose()?
        > Some(0)
    {}
    Ok(())
}

/// The last place that was given.
pub async fn last_position<M>(op: &Op<M>) -> Result<i64, Failure> {
    let last = Entity::find()
        .select_only()
        .column_as(Column::Position.max(), "last")
        .into_tuple::<Option<i64>>()
        .one(op.db())
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

/// Events behind a place that fulfil a condition, in their order.
pub async fn after<M>(op: &Op<M>, position: i64, which: Condition, most: u64) -> Result<Vec<Model>, Failure> {
    let rows = Entity::find()
        .filter(Column::Position.gt(position))
        .filter(which)
        .order_by_asc(Column::Position)
        .limit(most);
    Ok(rows.all(op.db()).await?)
}

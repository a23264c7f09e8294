//! A chart as it was known at a moment: what had been recorded by then, as it stood then.
//!
//! It is the time of recording that counts, never the time of which a record tells: what was found out later is absent,
//! and what was changed later is shown as it was. Who may read is judged by the rules of today, on the rows of today:
//! what somebody may not read now, they may not read as of then.
//!
//! The database keeps what it overwrites (`chart_version`), and answers for each table with a function of the patient
//! and the moment.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use praxis_entity::{
    clinical_document, condition, document_version, encounter, ids::PatientId, observation, place::ByPlace,
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, Statement,
    sea_query::{Condition, Expr, ExprTrait, Query},
};
use uuid::Uuid;

use crate::{
    PageRequest, Result, Slice, Violation, ViolationCode,
    history::chapter::Chapter,
    page::{Ordering, count_under_as_of, list_under_as_of},
};

/// A table of which it is known what it held.
pub trait Known: EntityTrait<Model: ByPlace> {
    /// Permission to read its rows.
    const READ: Permission;
    /// Column of the patient.
    const PATIENT: Self::Column;
    /// The order of its list.
    const ORDER: Ordering<Self::Column>;

    /// The condition that the actor may read a row now.
    fn readable<M>(op: &Op<M>) -> Condition;
}

/// The rows whose counterpart of today may be read.
fn today<E: EntityTrait, O: EntityTrait, M>(
    op: &Op<M>,
    permission: Permission,
    table: Table,
    column: E::Column,
    id: O::Column,
) -> Condition {
    let mut may = Query::select();
    may.column((O::default(), id)).from(O::default()).cond_where(op.permitted(permission, table));
    Condition::all().add(Expr::col((E::default(), column)).in_subquery(may))
}

impl<C: Chapter> Known for C {
    const READ: Permission = C::READ;
    const PATIENT: Self::Column = C::PATIENT;
    const ORDER: Ordering<Self::Column> =
        Ordering { column: Some(C::RECORDED_AT), id: C::ID, descending: true };

    fn readable<M>(op: &Op<M>) -> Condition {
        today::<C, C, M>(op, C::READ, C::TABLE, C::ID, C::ID)
    }
}

macro_rules! known {
    ($entity:ident, $time:ident, $read:ident, $table:ident) => {
        impl Known for $entity::Entity {
            const READ: Permission = Permission::$read;
            const PATIENT: Self::Column = $entity::Column::PatientId;
            const ORDER: Ordering<Self::Column> =
                Ordering { column: Some($entity::Column::$time), id: $entity::Column::Id, descending: true };

            fn readable<M>(op: &Op<M>) -> Condition {
                let id = $entity::Column::Id;
                today::<Self, Self, M>(op, Self::READ, Table::$table, id, id)
            }
        }
    };
}
known!(condition, RecordedAt, CONDITION_READ, Condition);
known!(observation, EffectiveAt, OBSERVATION_READ, Observation);
known!(encounter, StartedAt, ENCOUNTER_READ, Encounter);

/// Of each document, the version that counted.
impl Known for document_version::Entity {
    const READ: Permission = Permission::DOCUMENT_READ;
    const PATIENT: Self::Column = document_version::Column::PatientId;
    const ORDER: Ordering<Self::Column> = Ordering {
        column: Some(document_version::Column::AuthoredAt),
        id: document_version::Column::Id,
        descending: true,
    };

    fn readable<M>(op: &Op<M>) -> Condition {
        let (of, id) = (document_version::Column::DocumentId, clinical_document::Column::Id);
        today::<Self, clinical_document::Entity, M>(op, Self::READ, Table::ClinicalDocument, of, id)
    }
}

/// Refuses a moment that lies ahead: nobody knows what will be known.
pub fn moment<M>(op: &Op<M>, at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if at > op.now() {
        return Err(Violation::at(ViolationCode::Invalid, &["asOf"], "The moment lies in the future.").into());
    }
    Ok(at)
}

/// A page of what was known of each patient at a moment.
pub async fn of_patients<E: Known, M>(
    op: &Op<M>,
    at: DateTime<Utc>,
    patients: &[PatientId],
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<E::Model>>> {
    op.require(E::READ)?;
    let (wanted, at) = (E::readable(op), Some(at));
    Ok(list_under_as_of::<E, _>(op.db(), patients, E::PATIENT, wanted, &E::ORDER, page, at).await?)
}

/// How much was known of each patient at a moment, at most `max`.
pub async fn count_of_patients<E: Known, M>(
    op: &Op<M>,
    at: DateTime<Utc>,
    patients: &[PatientId],
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(E::READ)?;
    Ok(count_under_as_of::<E, _>(op.db(), patients, E::PATIENT, E::readable(op), max, Some(at)).await?)
}

/// The patients of whom everything that was recorded by the moment is known as it stood then. Of the others something
/// was changed later, but before the clinic kept what it overwrites.
pub async fn whole<M>(op: &Op<M>, at: DateTime<Utc>, patients: &[PatientId]) -> Result<HashSet<PatientId>> {
    op.require(Permission::PATIENT_READ)?;
    let patients: Vec<Uuid> = patients.iter().map(|id| id.0).collect();
    let sql = "SELECT p AS id FROM unnest($1::uuid[]) AS p WHERE chart_is_whole(p, $2)";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [patients.into(), at.into()]);
    let rows = op.db().query_all_raw(statement).await?;
    let ids = rows.iter().map(|row| Ok(PatientId(row.try_get("", "id")?)));
    Ok(ids.collect::<std::result::Result<_, sea_orm::DbErr>>()?)
}

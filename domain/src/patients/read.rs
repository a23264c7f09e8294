//! Patients, one or many at a time.

use std::collections::HashMap;

use praxis_entity::{ids::PatientId, patient};
use praxis_platform::{
    Op, Read,
    access::{Permission, Row, Table},
};
use sea_orm::{Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect};

use super::{PatientFilter, search, token::Kind};
use crate::{
    PageRequest, Result, Slice,
    page::{self, Ordering, any_of},
};

const BY_REGISTRATION: Ordering<patient::Column> =
    Ordering { column: None, id: patient::Column::Id, descending: false };

/// By what one patient is looked up.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Id.
    Id(PatientId),
    /// Record number.
    Mrn(String),
    /// National number.
    NationalId(String),
}

/// Patients by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[PatientId]) -> Result<Vec<patient::Model>> {
    op.require(Permission::PATIENT_READ)?;
    let ids = any_of(patient::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(patient::Entity::find().filter(ids).filter(seen(op)).all(op.db()).await?)
}

/// The same with what decides about them, in one statement: how the actor stands to them is at hand from then on.
pub async fn by_ids_with_standing(op: &Op<Read>, ids: &[PatientId]) -> Result<Vec<patient::Model>> {
    op.require(Permission::PATIENT_READ)?;
    let ids = any_of(patient::Column::Id, ids.iter().map(|id| id.0).collect());
    let mut found = patient::Entity::find().filter(ids);
    op.bring_facts(QuerySelect::query(&mut found));
    let mut seen = Vec::new();
    for row in op.db().query_all(QuerySelect::query(&mut found)).await? {
        let row = op.patient_with_facts(&row)?;
        let standing = op.standing_at_hand(row.id);
        if standing.is_some_and(|it| it.on(op.actor(), &Row::from(&row)).may(Permission::PATIENT_READ)) {
            seen.push(row);
        }
    }
    Ok(seen)
}

/// The patient with a number, if there is one.
pub async fn find<M>(op: &Op<M>, lookup: &Lookup) -> Result<Option<patient::Model>> {
    op.require(Permission::PATIENT_READ)?;
    let (kind, number, open) = match lookup {
        Lookup::Id(id) => {
            return Ok(patient::Entity::find_by_id(*id).filter(seen(op)).one(op.db()).await?);
        }
        Lookup::Mrn(number) => {
            let open = op.readable("Patient.mrn", Permission::PATIENT_READ, Table::Patient)?;
            (Kind::Mrn, number, open)
        }
        Lookup::NationalId(number) => {
            let identifiers = Permission::PATIENT_IDENTIFIERS_READ;
            (Kind::NationalId, number, op.readable("Patient.nationalId", identifiers, Table::Patient)?)
        }
    };
    let holder = open.add(kind.condition(&*op.tenant_key().await?, &[number])).add(seen(op));
    Ok(patient::Entity::find().filter(holder).one(op.db()).await?)
}

/// One page of patients: in the order of registration, or as the search ranks them. How the actor stands to them comes along.
pub async fn list(
    op: &Op<Read>,
    filter: &PatientFilter,
    search: Option<&str>,
    page: &PageRequest,
) -> Result<Slice<patient::Model>> {
    op.require(Permission::PATIENT_READ)?;
    let condition = filter.condition(op).await?.add(seen(op));
    let Some(text) = typed(search) else {
        let (more, read) =
            (|rows: &mut _| op.bring_facts(rows), |row: &QueryResult| op.patient_with_facts(row));
        let listed =
            page::list_with::<patient::Entity, _>(op.db(), condition, &BY_REGISTRATION, page, more, read);
        return Ok(listed.await?);
    };
    let Slice { rows: ids, has_next, has_previous } = search::find(op, text, condition).await?.page(page)?;
    let rows = by_ids_with_standing(op, &ids).await?;
    let mut rows: HashMap<PatientId, patient::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(Slice { rows: ids.iter().filter_map(|id| rows.remove(id)).collect(), has_next, has_previous })
}

/// How many patients the list has, at most `max`; a search looks at no more than 1,000.
pub async fn count<M>(op: &Op<M>, filter: &PatientFilter, search: Option<&str>, max: u64) -> Result<i64> {
    op.require(Permission::PATIENT_READ)?;
    let condition = filter.condition(op).await?.add(seen(op));
    let Some(text) = typed(search) else {
        return Ok(page::count::<patient::Entity>(op.db(), condition, max).await?);
    };
    let found = search::find(op, text, condition).await?.len();
    Ok(i64::try_from(Ord::min(found as u64, max)).unwrap_or(i64::MAX))
}

fn typed(search: Option<&str>) -> Option<&str> {
    search.map(str::trim).filter(|text| !text.is_empty())
}

/// The patients whom the actor may know of.
pub(super) fn seen<M>(op: &Op<M>) -> Condition {
    op.permitted(Permission::PATIENT_READ, Table::Patient)
}

//! The timeline of a visit: its events, in the order in which they happened.

use std::collections::HashMap;

use praxis_entity::{
    event::{self, Column},
    ids::EncounterId,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::Condition;

use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, count_under, list_under},
};

const OLDEST_FIRST: Ordering<Column> =
    Ordering { column: Some(Column::At), id: Column::Id, descending: false };

/// A page of the events of each visit, the oldest first. Whoever gets them was shown the visit.
pub async fn timeline_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<event::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, Condition::all());
    Ok(list_under::<event::Entity, _>(op.db(), encounters, parent, all, &OLDEST_FIRST, page).await?)
}

/// How many events each visit has, at most `max`.
pub async fn count_of_timelines<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, Condition::all());
    Ok(count_under::<event::Entity, _>(op.db(), encounters, parent, all, max).await?)
}

//! The timeline of a visit: its events, in the order in which they happened.

use std::collections::{BTreeSet, HashMap};

use praxis_entity::{
    event::{self, Column},
    ids::EncounterId,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, Condition};

use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, count_under, list_under},
};

const OLDEST_FIRST: Ordering<Column> =
    Ordering { column: Some(Column::At), id: Column::Id, descending: false };

/// A page of the events of each visit, the oldest first. Whoever gets them was shown the visit; of what they may not
/// read of it, the kinds in `withheld`, nothing is told.
pub async fn timeline_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    withheld: &BTreeSet<String>,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<event::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, told(withheld));
    Ok(list_under::<event::Entity, _>(op.db(), encounters, parent, all, &OLDEST_FIRST, page).await?)
}

/// How many events each visit has, at most `max`.
pub async fn count_of_timelines<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    withheld: &BTreeSet<String>,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, told(withheld));
    Ok(count_under::<event::Entity, _>(op.db(), encounters, parent, all, max).await?)
}

fn told(withheld: &BTreeSet<String>) -> Condition {
    let named = (!withheld.is_empty()).then(|| Column::Kind.is_not_in(withheld));
    Condition::all().add_option(named)
}

//! The timeline of a visit: its events, in the order in which they happened.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use praxis_entity::{
    event::{self, Column},
    ids::EncounterId,
};
use praxis_platform::{
    Op,
    access::{Permission, PermissionSet, Rights, class::CONTENT},
};
use sea_orm::{ColumnTrait, Condition, sea_query::Expr};

use crate::{
    PageRequest, Result, Slice,
    event::Event,
    page::{Ordering, count_under, list_under},
};

const OLDEST_FIRST: Ordering<Column> =
    Ordering { column: Some(Column::At), id: Column::Id, descending: false };

/// A page of the events of each visit, the oldest first, up to a moment if one is given. Whoever gets them was shown the
/// visit; of what they may not read of it, the kinds in `withheld` and what a label takes from them, nothing is told.
pub async fn timeline_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    withheld: &BTreeSet<&'static str>,
    until: Option<DateTime<Utc>>,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<event::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, told(op, withheld, until));
    Ok(list_under::<event::Entity, _>(op.db(), encounters, parent, all, &OLDEST_FIRST, page).await?)
}

/// How many events each visit has, at most `max`.
pub async fn count_of_timelines<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    withheld: &BTreeSet<&'static str>,
    until: Option<DateTime<Utc>>,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let (parent, all) = (Column::EncounterId, told(op, withheld, until));
    Ok(count_under::<event::Entity, _>(op.db(), encounters, parent, all, max).await?)
}

fn told<M>(op: &Op<M>, withheld: &BTreeSet<&'static str>, until: Option<DateTime<Utc>>) -> Condition {
    let named = (!withheld.is_empty()).then(|| Column::Kind.is_not_in(withheld.iter().copied()));
    let then = until.map(|moment| Column::At.lte(moment));
    let trusted = op.actor().may(Permission::PATIENT_RESTRICTED_READ);
    Condition::all().add_option(named).add_option(then).add_option((!trusted).then(unlabelled))
}

/// What an event happened to carries no label that takes it away. The label of the visit itself is judged with it.
fn unlabelled() -> Expr {
    let content = Event::withheld(&Rights::unbound(PermissionSet::all().without(CONTENT)));
    let sql = "NOT EXISTS (SELECT FROM sensitivity_label l WHERE l.object_id = event.subject_id \
        AND l.object_id <> event.encounter_id AND (l.level = 'V' OR l.level = 'R' AND event.kind = ANY($1)))";
    Expr::cust_with_values(sql, [content.into_iter().map(str::to_owned).collect::<Vec<_>>()])
}

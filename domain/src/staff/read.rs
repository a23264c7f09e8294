//! Clinicians, their numbers and their working hours, read in batches.

use std::{collections::HashMap, hash::Hash};

use praxis_entity::{availability_rule, ids::PractitionerId, practitioner, practitioner_identifier};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use crate::{
    PageRequest, Result, Slice,
    page::{self, Ordering, any_of},
    rows::all,
};

/// Which clinicians are wanted.
#[derive(Debug, Clone, Default)]
pub struct PractitionerFilter {
    /// Still with the clinic, or not.
    pub active: Option<bool>,
    /// Bookable, or not.
    pub bookable: Option<bool>,
    /// Part of the name as shown, whatever its case and accents.
    pub search: Option<String>,
}

impl PractitionerFilter {
    fn condition(&self) -> Condition {
        let search = self.search.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Condition::all()
            .add_option(self.active.map(|active| practitioner::Column::Active.eq(active)))
            .add_option(self.bookable.map(|bookable| practitioner::Column::Bookable.eq(bookable)))
            .add_option(search.map(|text| {
                // The same text as `display_name`. A staff directory is small enough to be read through.
                let shown = "array_to_string(array_remove(prefix || given || family, ''), ' ')";
                Expr::cust_with_values(
                    format!("strpos({}, {}) > 0", folded(shown), folded("$1")),
                    [text.to_owned()],
                )
            }))
    }
}

/// A text without case and accents, as SQL.
fn folded(text: &str) -> String {
    format!(r"lower(regexp_replace(normalize({text}, NFD), '[\u0300-\u036f]+', '', 'g'))")
}

/// The clinicians with these ids.
pub async fn practitioners_by_ids<M>(op: &Op<M>, ids: &[PractitionerId]) -> Result<Vec<practitioner::Model>> {
    op.require(Permission::STAFF_READ)?;
    let wanted = any_of(practitioner::Column::Id, uuids(ids));
    Ok(all(op.db(), practitioner::Entity::find().filter(wanted)).await?)
}

/// A page of clinicians, in the order in which they were registered.
pub async fn practitioners<M>(
    op: &Op<M>,
    filter: &PractitionerFilter,
    page: &PageRequest,
) -> Result<Slice<practitioner::Model>> {
    op.require(Permission::STAFF_READ)?;
    let order = Ordering { column: None, id: practitioner::Column::Id, descending: false };
    Ok(page::list::<practitioner::Entity>(op.db(), filter.condition(), &order, page).await?)
}

/// How many clinicians there are, at most `max`.
pub async fn count_practitioners<M>(op: &Op<M>, filter: &PractitionerFilter, max: u64) -> Result<i64> {
    op.require(Permission::STAFF_READ)?;
    Ok(page::count::<practitioner::Entity>(op.db(), filter.condition(), max).await?)
}

/// The numbers of the clinicians.
pub async fn identifiers_of<M>(
    op: &Op<M>,
    ids: &[PractitionerId],
) -> Result<HashMap<PractitionerId, Vec<practitioner_identifier::Model>>> {
    op.require(Permission::STAFF_READ)?;
    let rows = practitioner_identifier::Entity::find()
        .filter(any_of(practitioner_identifier::Column::PractitionerId, uuids(ids)))
        .order_by_asc(practitioner_identifier::Column::System)
        .order_by_asc(practitioner_identifier::Column::Value)
        .all(op.db())
        .await?;
    Ok(grouped(rows, |row| row.practitioner_id))
}

/// The working hours of the clinicians, through the week.
pub async fn availability_of<M>(
    op: &Op<M>,
    ids: &[PractitionerId],
) -> Result<HashMap<PractitionerId, Vec<availability_rule::Model>>> {
    op.require(Permission::SCHEDULE_READ)?;
    Ok(grouped(rules_of(op, ids).await?, |row| row.practitioner_id))
}

/// The same, asked by a rule rather than a person.
pub(crate) async fn rules_of<M>(op: &Op<M>, ids: &[PractitionerId]) -> Result<Vec<availability_rule::Model>> {
    let rules = availability_rule::Entity::find()
        .filter(any_of(availability_rule::Column::PractitionerId, uuids(ids)))
        .order_by_asc(availability_rule::Column::Weekday)
        .order_by_asc(availability_rule::Column::StartsLocal)
        .order_by_asc(availability_rule::Column::Id);
    Ok(rules.all(op.db()).await?)
}

fn uuids(ids: &[PractitionerId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.0).collect()
}

fn grouped<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

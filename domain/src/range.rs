//! Filters that several lists share: a range of time, and a choice among statuses.

use chrono::{DateTime, Utc};
use praxis_platform::literal::Literal;
use sea_orm::{ActiveEnum, ColumnTrait, Condition, Value, sea_query::Expr};

/// How deeply `and`, `or` and `not` of a filter may nest.
pub const MAX_FILTER_DEPTH: usize = 8;

/// A range of time; bounds that are absent do not limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// Later than.
    pub gt: Option<DateTime<Utc>>,
    /// At or later than.
    pub gte: Option<DateTime<Utc>>,
    /// Earlier than.
    pub lt: Option<DateTime<Utc>>,
    /// At or earlier than.
    pub lte: Option<DateTime<Utc>>,
    /// Exactly at.
    pub eq: Option<DateTime<Utc>>,
}

impl TimeRange {
    /// The condition that a column lies in the range.
    pub fn condition<C: ColumnTrait>(&self, column: C) -> Condition {
        Condition::all()
            .add_option(self.gt.map(|bound| column.gt(bound)))
            .add_option(self.gte.map(|bound| column.gte(bound)))
            .add_option(self.lt.map(|bound| column.lt(bound)))
            .add_option(self.lte.map(|bound| column.lte(bound)))
            .add_option(self.eq.map(|bound| column.eq(bound)))
    }
}

/// A choice among statuses, by what is wanted, what is not, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet<T> {
    /// One of these. An empty list matches nothing.
    pub eq_any: Option<Vec<T>>,
    /// None of these.
    pub not_any: Option<Vec<T>>,
}

impl<T> Default for StatusSet<T> {
    fn default() -> Self {
        Self { eq_any: None, not_any: None }
    }
}

impl<T: ActiveEnum + PartialEq> StatusSet<T> {
    /// The condition that a column holds one of the wanted statuses.
    pub fn condition<C: ColumnTrait>(&self, column: C) -> Condition {
        Condition::all()
            .add_option(self.eq_any.as_deref().map(|wanted| column.is_one_of(wanted)))
            .add_option(self.not_any.as_deref().map(|unwanted| column.is_none_of(unwanted)))
    }
}

/// The condition that a column holds one of the values, where a choice was made at all.
pub(crate) fn one_of<C: ColumnTrait, T: Clone + Into<Value>>(
    column: C,
    wanted: Option<&[T]>,
) -> Option<Expr> {
    wanted.map(|wanted| column.is_in(wanted.iter().cloned()))
}

/// What does not match, including what is unknown: a row without a start is not "after noon".
pub(crate) fn without(condition: Condition) -> Expr {
    Expr::cust_with_expr("($1) IS NOT TRUE", condition)
}

#[cfg(test)]
mod tests {
    use praxis_entity::encounter::{Column, EncounterStatus, Entity};
    use sea_orm::{DbBackend, EntityTrait, QueryFilter, QueryTrait};

    use super::*;

    fn sql(condition: Condition) -> String {
        let all = Entity::find().filter(condition).build(DbBackend::Postgres).to_string();
        all.split_once(" WHERE ").map_or_else(String::new, |(_, clause)| clause.replace("\"encounter\".", ""))
    }

    #[test]
    fn only_given_bounds_limit() {
        let noon = "2026-03-01T12:00:00Z".parse().ok();
        assert_eq!(sql(TimeRange::default().condition(Column::StartedAt)), "TRUE");
        let range = TimeRange { gte: noon, lt: noon, ..TimeRange::default() };
        let clause = sql(range.condition(Column::StartedAt));
        assert!(clause.starts_with(r#""started_at" >= '2026-03-01 12:00:00"#), "{clause}");
        assert!(clause.contains(r#" AND "started_at" < '2026-03-01 12:00:00"#), "{clause}");
    }

    #[test]
    fn an_empty_choice_matches_nothing_and_an_absent_one_everything() {
        let set = |eq_any: Option<Vec<EncounterStatus>>| {
            StatusSet { eq_any, not_any: None }.condition(Column::Status)
        };
        assert_eq!(sql(set(None)), "TRUE");
        assert_eq!(sql(set(Some(Vec::new()))), "FALSE");
        assert_eq!(sql(set(Some(vec![EncounterStatus::OnHold]))), r#""status" IN ('ON_HOLD')"#);
        let either = Condition::any().add(set(None)).add(set(Some(Vec::new())));
        assert_eq!(sql(Condition::all().add(either)), "TRUE OR FALSE");
    }

    #[test]
    fn without_counts_the_unknown_as_no_match() {
        let range = TimeRange { gt: "2026-03-01T12:00:00Z".parse().ok(), ..TimeRange::default() };
        let clause = sql(Condition::all().add(without(range.condition(Column::StartedAt))));
        assert!(clause.starts_with(r#"("started_at" > '"#) && clause.ends_with(") IS NOT TRUE"), "{clause}");
    }
}

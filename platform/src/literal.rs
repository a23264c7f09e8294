//! Statuses and kinds, written into a statement instead of being sent along.
//!
//! A statement's plan is kept for all values that are sent along, so it knows none of them, and can't use an index that
//! holds only some rows: what is open, due, waiting. What is one of a few names therefore stands in the text; there
//! are as many texts as there are choices, always in the same order. See `docs/decisions/0051-plans-are-kept.md`.

use sea_orm::{
    ActiveEnum, ColumnTrait,
    sea_query::{Expr, ExprTrait, Value},
};

/// Compares a column with names of its enumeration.
pub trait Literal: ColumnTrait {
    /// It holds this.
    fn is<E: ActiveEnum>(&self, one: E) -> Expr {
        Expr::col(self.as_column_ref()).eq(written(&one))
    }

    /// It holds something else.
    fn is_not<E: ActiveEnum>(&self, one: E) -> Expr {
        Expr::col(self.as_column_ref()).ne(written(&one))
    }

    /// It holds one of these; of none, nothing does.
    fn is_one_of<E: ActiveEnum + PartialEq>(&self, some: &[E]) -> Expr {
        if some.is_empty() {
            return Expr::Constant(false.into());
        }
        Expr::col(self.as_column_ref()).is_in(all_of(some))
    }

    /// It holds none of these; of none, everything does.
    fn is_none_of<E: ActiveEnum + PartialEq>(&self, some: &[E]) -> Expr {
        if some.is_empty() {
            return Expr::Constant(true.into());
        }
        Expr::col(self.as_column_ref()).is_not_in(all_of(some))
    }
}

impl<C: ColumnTrait> Literal for C {}

fn written<E: ActiveEnum>(one: &E) -> Expr {
    let value: Value = one.to_value().into();
    Expr::Constant(value)
}

fn all_of<E: ActiveEnum + PartialEq>(some: &[E]) -> Vec<Expr> {
    E::iter().filter(|one| some.contains(one)).map(|one| written(&one)).collect()
}

#[cfg(test)]
mod tests {
    use praxis_entity::job::{Column, Entity, JobStatus};
    use sea_orm::{DbBackend, EntityTrait, QueryFilter, QueryTrait};

    use super::*;

    #[test]
    fn names_stand_in_the_text_in_one_order_and_nothing_is_sent_along() {
        let asked = |condition: Expr| {
            let statement = Entity::find().filter(condition).build(DbBackend::Postgres);
            assert!(statement.values.is_none_or(|values| values.0.is_empty()));
            statement.sql.split_once(" WHERE ").unwrap().1.to_owned()
        };
        assert_eq!(asked(Column::Status.is(JobStatus::Queued)), r#""job"."status" = 'QUEUED'"#);
        let either = r#""job"."status" IN ('QUEUED', 'RUNNING')"#;
        assert_eq!(asked(Column::Status.is_one_of(&[JobStatus::Queued, JobStatus::Running])), either);
        assert_eq!(asked(Column::Status.is_one_of(&[JobStatus::Running, JobStatus::Queued])), either);
        assert_eq!(asked(Column::Status.is_one_of::<JobStatus>(&[])), "FALSE");
        assert_eq!(asked(Column::Status.is_none_of::<JobStatus>(&[])), "TRUE");
    }
}

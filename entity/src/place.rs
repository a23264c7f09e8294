//! Rows read by the place of their columns.
//!
//! `SeaORM` looks each column up by its name, and makes a text of it for each null that it finds. A page of a hundred rows
//! is thousands of columns.

pub use praxis_entity_derive::ByPlace;
use sea_orm::{DbErr, QueryResult, RuntimeErr, TryGetable, sqlx};
use sqlx::{Row, ValueRef};

/// A row whose columns come in the order of its fields, as every statement here asks for them.
pub trait ByPlace: Sized {
    /// The row whose first column is at this place.
    fn at(row: &QueryResult, first: usize) -> Result<Self, DbErr>;
}

/// The value at a place.
pub(crate) fn value<T: TryGetable>(row: &QueryResult, place: usize) -> Result<T, DbErr> {
    row.try_get_by_index(place)
}

/// The value at a place, if there is one.
pub(crate) fn nullable<T: TryGetable>(row: &QueryResult, place: usize) -> Result<Option<T>, DbErr> {
    let is_null = match row.try_as_pg_row() {
        Some(row) => row
            .try_get_raw(place)
            .map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?
            .is_null(),
        None => return value(row, place),
    };
    if is_null { Ok(None) } else { value(row, place).map(Some) }
}

//! Pages of a list, one list or many at once, in one statement.
//!
//! A page starts after a position, never at an offset, so rows that come and go do not shift it.
//! For a list under many parents (the appointments of twenty patients) each parent gets its own page
//! through a lateral join: one statement, whatever the number of parents.

use std::{collections::HashMap, hash::Hash};

use chrono::{DateTime, Utc};
use praxis_entity::{ids::TypedId, place::ByPlace};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Iterable, Order, QueryResult,
    sea_query::{Alias, Asterisk, Expr, ExprTrait, Func, JoinType, NullOrdering, Query, SelectStatement},
};
use uuid::Uuid;

/// The largest page.
pub const MAX_PAGE: u32 = 100;

/// A place in an ordered list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The row's value in the ordering column; absent where the list is ordered by id alone, or the value is null.
    pub key: Option<DateTime<Utc>>,
    /// The row.
    pub id: Uuid,
}

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// How many rows.
    pub size: u32,
    /// From the end instead of from the beginning.
    pub backward: bool,
    /// Only rows after this one.
    pub after: Option<Position>,
    /// Only rows before this one.
    pub before: Option<Position>,
}

impl PageRequest {
    /// The first rows.
    pub fn first(size: u32) -> Self {
        Self { size, backward: false, after: None, before: None }
    }
}

/// One page.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// The rows, in list order.
    pub rows: Vec<T>,
    /// Rows follow.
    pub has_next: bool,
    /// Rows precede.
    pub has_previous: bool,
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }
}

impl<T> Slice<T> {
    /// Cuts a page from rows that were fetched in the direction of the page, one more than its size.
    pub fn cut(mut rows: Vec<T>, page: &PageRequest) -> Self {
        let more = rows.len() > page.size as usize;
        rows.truncate(page.size as usize);
        if page.backward {
            rows.reverse();
            Self { rows, has_previous: more, has_next: page.before.is_some() }
        } else {
            Self { rows, has_next: more, has_previous: page.after.is_some() }
        }
    }
}

/// How a list is ordered: by a time, then by id.
#[derive(Debug, Clone, Copy)]
pub struct Ordering<C> {
    /// The ordering column; `None` orders by id alone.
    pub column: Option<C>,
    /// The id column.
    pub id: C,
    /// Newest first.
    pub descending: bool,
}

/// The condition that keeps rows beyond a position.
fn beyond<C: ColumnTrait>(order: &Ordering<C>, position: &Position, forward: bool) -> Condition {
    // Nulls come last in either direction, so that a page can cross into them.
    let ascending = order.descending != forward;
    let id_beyond = if ascending { order.id.gt(position.id) } else { order.id.lt(position.id) };
    let Some(column) = order.column else { return Condition::all().add(id_beyond) };
    match position.key {
        Some(key) => {
            let beyond_key = if ascending { column.gt(key) } else { column.lt(key) };
            let tied = Condition::all().add(column.eq(key)).add(id_beyond);
            let any = Condition::any().add(beyond_key).add(tied);
            if forward { any.add(column.is_null()) } else { any }
        }
        None => {
            let tied = Condition::all().add(column.is_null()).add(id_beyond);
            if forward { tied } else { Condition::any().add(tied).add(column.is_not_null()) }
        }
    }
}

/// From where rows are read: the table, or, under a parent who is a patient, what it was known to hold at a moment.
fn source<E: EntityTrait>(statement: &mut SelectStatement, at: Option<DateTime<Utc>>) {
    match at {
        None => statement.from(E::default()),
        Some(at) => {
            let known = Alias::new(format!("{}_as_of", E::default().table_name()));
            let patient = Expr::col((Alias::new("parent"), Alias::new("parent")));
            statement.from_function(Func::cust(known).arg(patient).arg(Expr::val(at)), E::default())
        }
    };
}

fn columns<E: EntityTrait>() -> SelectStatement {
    let mut statement = Query::select();
    statement.columns(E::Column::iter().map(|column| (E::default(), column)));
    statement
}

/// Puts rows into the order in which the page is read.
fn in_order<E: EntityTrait>(
    statement: &mut SelectStatement,
    order: &Ordering<E::Column>,
    page: &PageRequest,
) {
    let direction = if order.descending != page.backward { Order::Desc } else { Order::Asc };
    let nulls = if page.backward { NullOrdering::First } else { NullOrdering::Last };
    if let Some(column) = order.column {
        statement.order_by_with_nulls((E::default(), column), direction.clone(), nulls);
    }
    statement.order_by((E::default(), order.id), direction);
}

/// Leaves out the rows that lie outside of the page's edges.
fn within<C: ColumnTrait>(statement: &mut SelectStatement, order: &Ordering<C>, page: &PageRequest) {
    if let Some(after) = &page.after {
        statement.cond_where(beyond(order, after, true));
    }
    if let Some(before) = &page.before {
        statement.cond_where(beyond(order, before, false));
    }
}

/// One row more than the page has: it tells whether others follow.
fn enough(page: &PageRequest) -> u64 {
    u64::from(Ord::min(page.size, MAX_PAGE)) + 1
}

/// One page of a list.
pub async fn list<E: EntityTrait<Model: ByPlace>>(
    db: &impl ConnectionTrait,
    filter: Condition,
    order: &Ordering<E::Column>,
    page: &PageRequest,
) -> Result<Slice<E::Model>, DbErr> {
    let model = |row: &QueryResult| E::Model::at(row, 0);
    list_with::<E, _>(db, filter, order, page, |_| (), model).await
}

/// The same where `more` adds columns that `read` makes use of.
pub(crate) async fn list_with<E: EntityTrait, T>(
    db: &impl ConnectionTrait,
    filter: Condition,
    order: &Ordering<E::Column>,
    page: &PageRequest,
    more: impl FnOnce(&mut SelectStatement),
    read: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<Slice<T>, DbErr> {
    let mut statement = columns::<E>();
    more(&mut statement);
    statement.from(E::default()).cond_where(filter).limit(enough(page));
    within(&mut statement, order, page);
    in_order::<E>(&mut statement, order, page);
    let rows = db.query_all(&statement).await?;
    Ok(Slice::cut(rows.iter().map(read).collect::<Result<_, _>>()?, page))
}

/// One page of the list under each parent, in one statement.
pub async fn list_under<E: EntityTrait<Model: ByPlace>, P: TypedId + Hash>(
    db: &impl ConnectionTrait,
    parents: &[P],
    parent_column: E::Column,
    filter: Condition,
    order: &Ordering<E::Column>,
    page: &PageRequest,
) -> Result<HashMap<P, Slice<E::Model>>, DbErr> {
    list_under_as_of::<E, P>(db, parents, parent_column, filter, order, page, None).await
}

/// The same of what was known at a moment, if one is given. The parents are then patients.
pub(crate) async fn list_under_as_of<E: EntityTrait<Model: ByPlace>, P: TypedId + Hash>(
    db: &impl ConnectionTrait,
    parents: &[P],
    parent_column: E::Column,
    filter: Condition,
    order: &Ordering<E::Column>,
    page: &PageRequest,
    at: Option<DateTime<Utc>>,
) -> Result<HashMap<P, Slice<E::Model>>, DbErr> {
    let (parent, rows) = (Alias::new("parent"), Alias::new("rows"));
    // What the reader may see is asked of one row after the other until the page is full. Postgres would ask it of
    // all rows of a parent of whom it expects few; it does not look past an OFFSET.
    let mut ordered = columns::<E>();
    source::<E>(&mut ordered, at);
    ordered
        .and_where(Expr::col((E::default(), parent_column)).equals((parent.clone(), Alias::new("parent"))))
        .offset(0);
    within(&mut ordered, order, page);
    in_order::<E>(&mut ordered, order, page);
    let mut inner = columns::<E>();
    inner
        .from_subquery(ordered, Alias::new(E::default().table_name()))
        .cond_where(filter)
        .limit(enough(page));
    in_order::<E>(&mut inner, order, page);
    let ids: Vec<Uuid> = parents.iter().map(|parent| parent.uuid()).collect();
    let mut outer = Query::select();
    outer
        .expr_as(Expr::col((parent.clone(), Alias::new("parent"))), Alias::new("parent_id"))
        .column((rows.clone(), Asterisk))
        .from_function(Func::cust(Alias::new("unnest")).arg(Expr::val(ids)), parent.clone())
        .join_lateral(JoinType::InnerJoin, inner, rows, Condition::all().add(Expr::cust("true")));
    let mut found: HashMap<P, Vec<E::Model>> = HashMap::with_capacity(parents.len());
    for row in db.query_all(&outer).await? {
        found.entry(P::from_uuid(parent_of(&row)?)).or_default().push(E::Model::at(&row, 1)?);
    }
    Ok(parents
        .iter()
        .map(|parent| (*parent, Slice::cut(found.remove(parent).unwrap_or_default(), page)))
        .collect())
}

/// How many rows of the list each parent has, at most `max`.
pub async fn count_under<E: EntityTrait, P: TypedId + Hash>(
    db: &impl ConnectionTrait,
    parents: &[P],
    parent_column: E::Column,
    filter: Condition,
    max: u64,
) -> Result<HashMap<P, i64>, DbErr> {
    count_under_as_of::<E, P>(db, parents, parent_column, filter, max, None).await
}

/// The same of what was known at a moment, if one is given. The parents are then patients.
pub(crate) async fn count_under_as_of<E: EntityTrait, P: TypedId + Hash>(
    db: &impl ConnectionTrait,
    parents: &[P],
    parent_column: E::Column,
    filter: Condition,
    max: u64,
    at: Option<DateTime<Utc>>,
) -> Result<HashMap<P, i64>, DbErr> {
    let (parent, rows) = (Alias::new("parent"), Alias::new("rows"));
    let mut capped = Query::select();
    capped.expr(Expr::cust("1"));
    source::<E>(&mut capped, at);
    capped
        .cond_where(filter)
        .and_where(Expr::col((E::default(), parent_column)).equals((parent.clone(), Alias::new("parent"))))
        .limit(max);
    let mut counted = Query::select();
    counted.expr_as(Expr::cust("count(*)"), Alias::new("n")).from_subquery(capped, Alias::new("capped"));
    let ids: Vec<Uuid> = parents.iter().map(|parent| parent.uuid()).collect();
    let mut outer = Query::select();
    outer
        .expr_as(Expr::col((parent.clone(), Alias::new("parent"))), Alias::new("parent_id"))
        .column((rows.clone(), Alias::new("n")))
        .from_function(Func::cust(Alias::new("unnest")).arg(Expr::val(ids)), parent)
        .join_lateral(JoinType::InnerJoin, counted, rows, Condition::all().add(Expr::cust("true")));
    db.query_all(&outer)
        .await?
        .iter()
        .map(|row| Ok((P::from_uuid(parent_of(row)?), row.try_get("", "n")?)))
        .collect()
}

/// How many rows the list has, at most `max`.
pub async fn count<E: EntityTrait>(
    db: &impl ConnectionTrait,
    filter: Condition,
    max: u64,
) -> Result<i64, DbErr> {
    let mut capped = Query::select();
    capped.expr(Expr::cust("1")).from(E::default()).cond_where(filter).limit(max);
    let mut counted = Query::select();
    counted.expr_as(Expr::cust("count(*)"), Alias::new("n")).from_subquery(capped, Alias::new("capped"));
    db.query_one(&counted).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

fn parent_of(row: &QueryResult) -> Result<Uuid, DbErr> {
    row.try_get("", "parent_id")
}

/// `column = ANY($1)`: one statement text, however many values.
pub fn any_of<C: ColumnTrait>(column: C, values: Vec<Uuid>) -> Expr {
    Expr::col(column.as_column_ref()).eq(Func::cust(Alias::new("ANY")).arg(Expr::val(values)))
}

//! Pages of lists.

use async_graphql::{Error, Object, OutputType, SimpleObject};
use data_encoding::BASE64URL_NOPAD;

use crate::{
    error::bad_input,
    operations::Operation,
    people::OperatorEvent,
    runs::{MigrationRun, MigrationRunItem},
    tenants::{Tenant, TenantEvent},
};

const DEFAULT: i32 = 25;
const MOST: i32 = 100;

/// What a field costs whose page has so many rows.
pub(crate) fn cost(first: Option<i32>, child: usize) -> usize {
    usize::try_from(first.unwrap_or(DEFAULT).clamp(1, MOST)).unwrap_or(1) * child
}

/// Where a page lies in its list.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct PageInfo {
    /// More follows after `endCursor`.
    has_next_page: bool,
    /// The page is not the first.
    has_previous_page: bool,
    /// Cursor of the first row of the page.
    start_cursor: Option<String>,
    /// Cursor of the last row of the page.
    end_cursor: Option<String>,
}

/// Which page is asked for.
pub(crate) struct Paging {
    first: i64,
    after: Option<String>,
}

impl Paging {
    /// So many rows, 25 unless said otherwise, after a cursor.
    pub(crate) fn of(first: Option<i32>, after: Option<String>) -> Result<Self, Error> {
        let first = first.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&first) {
            return Err(bad_input("A page has from 1 to 100 rows."));
        }
        let open = |cursor: String| {
            let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
            let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            place.filter(|place| !place.contains('\0')).ok_or_else(foreign)
        };
        Ok(Self { first: first.into(), after: after.map(open).transpose()? })
    }

    /// How many rows are read: one more than are shown, to see whether there are more.
    pub(crate) fn limit(&self) -> i64 {
        self.first + 1
    }

    /// The place after which the page begins.
    pub(crate) fn after<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
        self.after.as_deref().map(|place| read(place).ok_or_else(foreign)).transpose()
    }

    /// The page of rows that were read, each with its place.
    pub(crate) fn page<T>(self, rows: impl IntoIterator<Item = (String, T)>) -> Connection<T> {
        let mut rows: Vec<_> =
            rows.into_iter().map(|(place, node)| (BASE64URL_NOPAD.encode(place.as_bytes()), node)).collect();
        let size = usize::try_from(self.first).unwrap_or(usize::MAX);
        let has_next_page = rows.len() > size;
        rows.truncate(size);
        let cursor = |row: Option<&(String, T)>| row.map(|(cursor, _)| cursor.clone());
        let page_info = PageInfo {
            has_next_page,
            has_previous_page: self.after.is_some(),
            start_cursor: cursor(rows.first()),
            end_cursor: cursor(rows.last()),
        };
        Connection { rows, page_info }
    }
}

fn foreign() -> Error {
    bad_input("This cursor does not belong to this list.")
}

/// A page.
pub(crate) struct Connection<T> {
    pub(crate) rows: Vec<(String, T)>,
    pub(crate) page_info: PageInfo,
}

/// A row of a page.
#[derive(SimpleObject)]
#[graphql(concrete(name = "TenantEdge", params(Tenant)))]
#[graphql(concrete(name = "TenantEventEdge", params(TenantEvent)))]
#[graphql(concrete(name = "OperationEdge", params(Operation)))]
#[graphql(concrete(name = "OperatorEventEdge", params(OperatorEvent)))]
#[graphql(concrete(name = "MigrationRunEdge", params(MigrationRun)))]
#[graphql(concrete(name = "MigrationRunItemEdge", params(MigrationRunItem)))]
pub(crate) struct Edge<T: OutputType> {
    /// Where it lies.
    cursor: String,
    /// What it is.
    node: T,
}

impl<T: OutputType + Clone> Connection<T> {
    pub(crate) fn edges_of(&self) -> Vec<Edge<T>> {
        let edge = |(cursor, node): &(String, T)| Edge { cursor: cursor.clone(), node: node.clone() };
        self.rows.iter().map(edge).collect()
    }

    pub(crate) fn nodes_of(&self) -> Vec<&T> {
        self.rows.iter().map(|(_, node)| node).collect()
    }
}

/// A page of a list.
#[Object(
    concrete(name = "TenantEventConnection", params(TenantEvent)),
    concrete(name = "OperationConnection", params(Operation)),
    concrete(name = "OperatorEventConnection", params(OperatorEvent)),
    concrete(name = "MigrationRunConnection", params(MigrationRun)),
    concrete(name = "MigrationRunItemConnection", params(MigrationRunItem))
)]
impl<T: OutputType + Clone> Connection<T>
where
    Edge<T>: OutputType,
{
    /// Its rows, each with its cursor.
    async fn edges(&self) -> Vec<Edge<T>> {
        self.edges_of()
    }

    /// Its rows.
    async fn nodes(&self) -> Vec<&T> {
        self.nodes_of()
    }

    /// Where it lies in its list.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }
}

//! Pages of lists.

use async_graphql::{Error, SimpleObject};

use crate::plane::coded;

const DEFAULT: i32 = 25;
const MOST: i32 = 200;

/// Where a page lies in its list.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct PageInfo {
    /// More follows after `endCursor`.
    pub(crate) has_next_page: bool,
    /// Cursor of the last row of the page.
    pub(crate) end_cursor: Option<String>,
}

/// How many rows a page has, 25 unless said otherwise.
pub(crate) fn size(first: Option<i32>) -> Result<i64, Error> {
    let first = first.unwrap_or(DEFAULT);
    if (1..=MOST).contains(&first) {
        Ok(i64::from(first))
    } else {
        Err(coded("A page has from 1 to 200 rows.", "BAD_USER_INPUT"))
    }
}

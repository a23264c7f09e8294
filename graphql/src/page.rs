//! Relay connections with sealed cursors.
//!
//! A cursor is sealed with the tenant's key, together with the list it belongs to: it says nothing to
//! whoever sees it in a URL or log, and opens neither for another tenant nor for another filter.

use std::{
    collections::HashMap,
    fmt::{Debug, Display},
    hash::Hash,
    sync::Arc,
};

use async_graphql::{Context, SimpleObject};
use chrono::DateTime;
use praxis_domain::{PageRequest, Position, Slice, page::MAX_PAGE};
use praxis_entity::ids::PractitionerId;
use praxis_platform::vault::{TenantKey, crypto};
use uuid::Uuid;

use crate::{
    batch::{self, Loader},
    context::{Ask, Caller},
    error::{ApiError, Code},
    loaders::Loaders,
    policy::{Rule, inherited},
};

pub(crate) const POLICY: &[Rule] =
    &[inherited("PageInfo", &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"])];

const DEFAULT_PAGE: u32 = 25;

/// Where a page lies in its list.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct PageInfo {
    /// More follows after `endCursor`.
    has_next_page: bool,
    /// More precedes `startCursor`.
    has_previous_page: bool,
    /// Cursor of the first row of the page.
    start_cursor: Option<String>,
    /// Cursor of the last row of the page.
    end_cursor: Option<String>,
}

/// The paging arguments of a connection, as given.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageArguments {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

/// Seals the positions of one list.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: Arc<TenantKey>,
    list: [u8; crypto::KEY_LEN],
    asked: Arc<str>,
}

impl Cursors {
    /// The cursors of the list that `arguments` (filter and order, in any stable text) describe.
    pub(crate) async fn of(caller: &Caller, list: &str, arguments: &str) -> Result<Self, ApiError> {
        let key = caller.reading().tenant_key().await?;
        let asked = format!("{list}\n{arguments}");
        Ok(Self { key, list: crypto::sha256(asked.as_bytes()), asked: asked.into() })
    }

    /// The same of a list that each of several parents has.
    pub(crate) async fn under(
        caller: &Caller,
        list: &str,
        parent: impl Debug,
        arguments: &str,
    ) -> Result<Self, ApiError> {
        let key = caller.reading().tenant_key().await?;
        let asked = format!("{list}\n{arguments}");
        let list = crypto::sha256(format!("{asked}\n{parent:?}").as_bytes());
        Ok(Self { key, list, asked: asked.into() })
    }

    /// The list and what it was asked by, the same for all parents.
    pub(crate) fn asked(&self) -> Arc<str> {
        Arc::clone(&self.asked)
    }

    /// Seals a position.
    pub(crate) fn seal(&self, position: &Position) -> Result<String, ApiError> {
        let mut bytes = Vec::with_capacity(25);
        match position.key {
            Some(key) => {
                bytes.push(1);
                bytes.extend_from_slice(&key.timestamp_micros().to_be_bytes());
            }
            None => bytes.push(0),
        }
        bytes.extend_from_slice(position.id.as_bytes());
        self.key.seal_cursor(&self.list, &bytes).map_err(ApiError::internal)
    }

    fn open(&self, cursor: &str) -> Result<Position, ApiError> {
        let refused = || ApiError::new(Code::BadUserInput, "This cursor does not belong to this list.");
        let bytes = self.key.open_cursor(&self.list, cursor).map_err(|_| refused())?;
        let (key, id) = match bytes.split_first() {
            Some((1, rest)) => {
                let (micros, id) = rest.split_first_chunk::<8>().ok_or_else(refused)?;
                (Some(DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).ok_or_else(refused)?), id)
            }
            Some((0, id)) => (None, id),
            _ => return Err(refused()),
        };
        Ok(Position { key, id: Uuid::from_slice(id).map_err(|_| refused())? })
    }

    /// The page that the arguments ask for. What lies out of range is refused, never clamped.
    pub(crate) fn request(&self, arguments: &PageArguments) -> Result<PageRequest, ApiError> {
        let (size, backward) = match (arguments.first, arguments.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::new(Code::BadUserInput, "Give first or last, not both."));
            }
            (Some(first), None) => (size("first", first)?, false),
            (None, Some(last)) => (size("last", last)?, true),
            (None, None) => (DEFAULT_PAGE, false),
        };
        let open = |cursor: &Option<String>| cursor.as_deref().map(|cursor| self.open(cursor)).transpose();
        Ok(PageRequest { size, backward, after: open(&arguments.after)?, before: open(&arguments.before)? })
    }
}

fn size(name: &str, value: i32) -> Result<u32, ApiError> {
    u32::try_from(value).ok().filter(|size| *size <= MAX_PAGE).ok_or_else(|| {
        ApiError::new(Code::BadUserInput, format!("{name} must lie between 0 and {MAX_PAGE}."))
    })
}

/// The text of a filter for cursors and loaders: nothing where none was given, as mostly.
pub(crate) fn text_of(filter: Option<&impl Debug>) -> String {
    filter.map(|filter| format!("{filter:?}")).unwrap_or_default()
}

/// How many rows are wanted of a list that is only read from its beginning.
pub(crate) fn first(asked: Option<i32>) -> Result<u32, ApiError> {
    asked.map_or(Ok(DEFAULT_PAGE), |asked| size("first", asked))
}

/// A page of rows on its way to becoming a connection.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<(Position, T)>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) cursors: Cursors,
}

impl<T> Page<T> {
    /// Wraps a slice of rows.
    pub(crate) fn new<M>(
        slice: Slice<M>,
        cursors: Cursors,
        position: fn(&M) -> Position,
        wrap: impl Fn(M) -> T,
    ) -> Self {
        Self {
            has_next: slice.has_next,
            has_previous: slice.has_previous,
            rows: slice.rows.into_iter().map(|row| (position(&row), wrap(row))).collect(),
            cursors,
        }
    }

    /// An empty page, for a list that was kept back.
    pub(crate) fn empty(cursors: Cursors) -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false, cursors }
    }

    pub(crate) fn info(&self) -> Result<PageInfo, ApiError> {
        let seal =
            |row: Option<&(Position, T)>| row.map(|(position, _)| self.cursors.seal(position)).transpose();
        Ok(PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: seal(self.rows.first())?,
            end_cursor: seal(self.rows.last())?,
        })
    }
}

/// How the total of a list is counted, when somebody asks for it.
pub(crate) type Count =
    Box<dyn Fn(u64) -> futures::future::BoxFuture<'static, Result<i64, ApiError>> + Send + Sync>;

/// The most that `totalCount` counts.
pub(crate) const MAX_COUNT: u64 = 10_000;

/// A total of nothing, for a list that was kept back.
pub(crate) fn nothing() -> Count {
    Box::new(|_| Box::pin(async { Ok(0) }))
}

/// Declares the connection and edge types of a node type.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $edge:ident, $node:ty) => {
        $(#[$doc])*
        pub(crate) struct $connection {
            page: $crate::page::Page<$node>,
            count: $crate::page::Count,
        }

        impl $connection {
            pub(crate) fn new(page: $crate::page::Page<$node>, count: $crate::page::Count) -> Self {
                Self { page, count }
            }
        }

        $(#[$doc])*
        #[async_graphql::Object]
        impl $connection {
            /// Rows with their cursors.
            fn edges(&self) -> Vec<$edge<'_>> {
                self.page.rows.iter().map(|(position, node)| $edge { position, node, cursors: &self.page.cursors }).collect()
            }

            /// Rows alone.
            fn nodes(&self) -> Vec<$crate::at_once::AtOnce<&$node>> {
                self.page.rows.iter().map(|(_, node)| $crate::at_once::AtOnce(node)).collect()
            }

            /// Where the page lies in the list.
            fn page_info(&self) -> Result<$crate::page::PageInfo, $crate::error::ApiError> {
                self.page.info()
            }

            /// Rows the viewer may see, counted up to `max`.
            async fn total_count(
                &self,
                #[graphql(default = 10000, desc = "Stop counting here; 10,000 at the most.")] max: i32,
            ) -> $crate::error::Nullable<i64> {
                let max = match u64::try_from(max) {
                    Ok(max) if max <= $crate::page::MAX_COUNT => max,
                    _ => {
                        let message = "max must lie between 0 and 10000.";
                        return Some(Err($crate::error::ApiError::new($crate::error::Code::BadUserInput, message)));
                    }
                };
                Some((self.count)(max).await)
            }
        }

        /// A row with its place in the list.
        pub(crate) struct $edge<'a> {
            position: &'a praxis_domain::Position,
            node: &'a $node,
            cursors: &'a $crate::page::Cursors,
        }

        /// A row with its place in the list.
        #[async_graphql::Object]
        impl $edge<'_> {
            /// Opaque place in the list, for `after` and `before`.
            fn cursor(&self) -> Result<String, $crate::error::ApiError> {
                self.cursors.seal(self.position)
            }

            /// The row.
            fn node(&self) -> $crate::at_once::AtOnce<&$node> {
                $crate::at_once::AtOnce(self.node)
            }
        }
    };
}
pub(crate) use connection;

/// Has practitioners at hand where the connection that is being resolved is asked for them, so that no row has to wait
/// for its own.
pub(crate) async fn bring_practitioners(
    ctx: &Context<'_>,
    of_rows: impl Iterator<Item = PractitionerId>,
) -> Result<(), ApiError> {
    if asks_rows(ctx, "practitioner") {
        // Whoever may not know them, or finds the database away, is told where the field is.
        let _ = ctx.caller()?.loaders().practitioners.bring(of_rows).await;
    }
    Ok(())
}

/// Whether a field is asked of the rows of the connection that is being resolved.
fn asks_rows(ctx: &Context<'_>, field: &str) -> bool {
    let asked = ctx.look_ahead();
    asked.field("nodes").field(field).exists() || asked.field("edges").field("node").field(field).exists()
}

/// One parent's page of a list, loaded together with those of its siblings.
pub(crate) async fn slice_under<P, M, R>(
    loaders: &batch::Loaders<P, Slice<M>>,
    arguments: String,
    parent: P,
    fetch: impl Fn(Vec<P>) -> R + Send + Sync + 'static,
) -> Result<Slice<M>, ApiError>
where
    P: Copy + Eq + Hash + Send + Sync + 'static,
    M: Clone + Send + Sync + 'static,
    R: Future<Output = Result<HashMap<P, Slice<M>>, ApiError>> + Send + 'static,
{
    let loader = loaders.with(arguments, || Loader::new(fetch));
    Ok(loader.load(parent).await?.unwrap_or_default())
}

/// How one parent's list is counted, together with those of its siblings.
pub(crate) fn count_under<P, R>(
    caller: &Caller,
    loaders: fn(&Loaders) -> &batch::Loaders<P, i64>,
    arguments: impl Display + Send + Sync + 'static,
    parent: P,
    fetch: impl Fn(Vec<P>, u64) -> R + Clone + Send + Sync + 'static,
) -> Count
where
    P: Copy + Eq + Hash + Send + Sync + 'static,
    R: Future<Output = Result<HashMap<P, i64>, ApiError>> + Send + 'static,
{
    let caller = caller.clone();
    Box::new(move |max| {
        let fetch = fetch.clone();
        let loader = loaders(caller.loaders())
            .with(format!("{arguments} {max}"), || Loader::new(move |parents| fetch(parents, max)));
        Box::pin(async move { Ok(loader.load(parent).await?.unwrap_or_default()) })
    })
}

//! Public ids: opaque, typed, and refused before any SQL when they are of another kind.

use async_graphql::ID;
use praxis_entity::ids::TypedId;

use crate::error::{ApiError, Code};

/// Reads an id of one kind.
pub(crate) fn parse<I: TypedId + std::str::FromStr>(id: &ID) -> Result<I, ApiError> {
    id.as_str().parse().map_err(|_| {
        ApiError::new(Code::BadUserInput, format!("This is not an id that begins with {}_.", I::PREFIX))
    })
}

/// Reads ids of one kind.
pub(crate) fn parse_all<I: TypedId + std::str::FromStr>(ids: &[ID]) -> Result<Vec<I>, ApiError> {
    ids.iter().map(parse).collect()
}

/// Writes an id.
pub(crate) fn show(id: impl TypedId) -> ID {
    ID(id.to_string())
}

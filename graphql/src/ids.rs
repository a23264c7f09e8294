//! Public ids: opaque, typed, and refused before any SQL when they are of another kind.

use async_graphql::ID;
use praxis_entity::ids::{EncounterId, PatientId, TypedId};

use crate::error::{ApiError, Code};

/// Reads an id of one kind.
pub(crate) fn parse<I: TypedId + std::str::FromStr>(id: &ID) -> Result<I, ApiError> {
    id.as_str().parse().map_err(|_| {
        ApiError::new(Code::BadUserInput, format!("This is not an id that begins with {}_.", I::PREFIX))
    })
}

/// In whose chart, and in which encounter, something is recorded.
pub(crate) type Chart = (PatientId, Option<EncounterId>);

/// Reads in whose chart, and in which encounter, something is recorded.
pub(crate) fn chart(patient: &ID, encounter: Option<&ID>) -> Result<Chart, ApiError> {
    Ok((parse(patient)?, encounter.map(parse).transpose()?))
}

/// Reads ids of one kind.
pub(crate) fn parse_all<I: TypedId + std::str::FromStr>(ids: &[ID]) -> Result<Vec<I>, ApiError> {
    ids.iter().map(parse).collect()
}

/// Writes an id.
pub(crate) fn show(id: impl TypedId) -> ID {
    ID(id.to_string())
}

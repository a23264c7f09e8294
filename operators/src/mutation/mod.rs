//! What operators can do. Each asks for a right, and what can't be taken back for the password as well.
//!
//! Clinics are named by their id: a subdomain changes and is given away, and what is sent twice or late would reach another
//! clinic than was meant.

mod life;
mod limits;
mod place;
mod user_error;
mod work;

use async_graphql::{Error, ID, InputObject, MergedObject, SimpleObject};
use praxis_fleet::{
    registry,
    tenant::{Changed, LifeError},
};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use self::{
    life::LifeMutation, limits::LimitsMutation, place::PlaceMutation, user_error::OperatorUserError,
    work::WorkMutation,
};
use crate::{error::database, tenants::Tenant};

/// What operators can do.
#[derive(MergedObject)]
pub(crate) struct Mutation(LifeMutation, PlaceMutation, LimitsMutation, WorkMutation);

impl Mutation {
    pub(crate) const fn new() -> Self {
        Self(LifeMutation, PlaceMutation, LimitsMutation, WorkMutation)
    }
}

/// A clinic.
#[derive(InputObject)]
pub(crate) struct TenantInput {
    /// Its id.
    id: ID,
}

/// What became of a clinic.
#[derive(SimpleObject)]
pub(crate) struct TenantPayload {
    /// The clinic as it is now.
    tenant: Option<Tenant>,
    /// Whether anything changed.
    changed: bool,
    /// Why nothing was done.
    user_errors: Vec<OperatorUserError>,
}

impl TenantPayload {
    async fn of(
        admin: &mut PgConnection,
        clinic: Uuid,
        changed: Result<bool, LifeError>,
        field: &str,
    ) -> Result<Self, Error> {
        match changed {
            Ok(changed) => {
                let row = registry::tenant(admin, clinic).await.map_err(database)?;
                Ok(Self { tenant: row.map(Tenant::from), changed, user_errors: Vec::new() })
            }
            Err(error) => {
                let user_errors = vec![OperatorUserError::of(error, field)?];
                Ok(Self { tenant: None, changed: false, user_errors })
            }
        }
    }
}

fn whether(changed: Result<Changed, LifeError>) -> Result<bool, LifeError> {
    changed.map(|changed| changed.changed)
}

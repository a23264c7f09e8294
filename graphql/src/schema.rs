//! TEMP: a tiny schema.
use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};

use crate::{api::hardened, context::Caller, error::{ApiError, Code}};

/// TEMP
pub struct Query;

#[Object]
impl Query {
    /// TEMP
    async fn viewer(&self, context: &Context<'_>) -> Result<String, ApiError> {
        let caller = context.data_unchecked::<Caller>();
        if !caller.factory.actor().is_known() {
            return Err(ApiError::new(Code::Unauthenticated, "Sign in first."));
        }
        Ok(caller.factory.actor().display_name.clone())
    }
}

/// TEMP
pub type PraxisSchema = Schema<Query, EmptyMutation, EmptySubscription>;

/// TEMP
pub fn build() -> PraxisSchema {
    hardened(Schema::build(Query, EmptyMutation, EmptySubscription)).finish()
}

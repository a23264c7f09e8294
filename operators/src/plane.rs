//! The plain face of the control plane: JSON in, JSON out, so that the HTTP edge knows no framework.

use std::sync::Arc;

use async_graphql::{EmptySubscription, Error, ErrorExtensions as _, Schema};
use praxis_fleet::operators::{self, Operator, OperatorError};
use praxis_platform::{clock::SharedClock, tenancy::connect_admin, vault::KeyWrapper};
use serde_json::{Map, Value};
use sqlx::postgres::PgConnection;

use crate::{mutation::Mutation, schema::Query};

/// Fields within fields.
const DEPTH: usize = 12;
/// Fields in all.
const COMPLEXITY: usize = 500;

/// What the control plane stands on: the operator's rights on the database, and the keys of the installation.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) database_url: Arc<str>,
    pub(crate) keys: Arc<dyn KeyWrapper>,
    pub(crate) clock: SharedClock,
}

impl Ground {
    /// A connection with the operator's rights. People ask here now and then: none is kept.
    pub(crate) async fn connect(&self) -> Result<PgConnection, Error> {
        connect_admin(&self.database_url).await.map_err(unavailable)
    }
}

/// A connection on which whatever is done is done by an operator, and noted so.
pub(crate) async fn connect_as(ground: &Ground, operator: &Operator) -> Result<PgConnection, Error> {
    let mut connection = ground.connect().await?;
    sqlx::query("SELECT set_config('praxis.actor', $1, false)")
        .bind(&operator.email)
        .execute(&mut connection)
        .await
        .map_err(unavailable)?;
    Ok(connection)
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Value>,
}

/// The control plane.
pub struct ControlPlane {
    ground: Ground,
    schema: Schema<Query, Mutation, EmptySubscription>,
}

impl ControlPlane {
    /// Over the installation of a database.
    pub fn new(database_url: &str, keys: Arc<dyn KeyWrapper>, clock: SharedClock) -> Self {
        let ground = Ground { database_url: database_url.into(), keys, clock };
        let schema = Schema::build(Query, Mutation, EmptySubscription)
            .data(ground.clone())
            .limit_depth(DEPTH)
            .limit_complexity(COMPLEXITY)
            .finish();
        Self { ground, schema }
    }

    /// The schema in its own language.
    pub fn sdl() -> String {
        Schema::build(Query, Mutation, EmptySubscription).finish().sdl()
    }

    /// Opens a session for whoever knows an operator's password; nothing for anybody else.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<Option<(Operator, String)>, OperatorError> {
        let mut connection = connect_admin(&self.ground.database_url).await?;
        operators::sign_in(&mut connection, email, password).await
    }

    /// Whose token this is.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Operator>, OperatorError> {
        let mut connection = connect_admin(&self.ground.database_url).await?;
        Ok(operators::authenticate(&mut connection, token).await?)
    }

    /// Ends a session.
    pub async fn sign_out(&self, token: &str) -> Result<(), OperatorError> {
        let mut connection = connect_admin(&self.ground.database_url).await?;
        Ok(operators::sign_out(&mut connection, token).await?)
    }

    /// Runs an operation for an operator.
    pub async fn execute(&self, operator: Operator, request: Request) -> Value {
        let variables = async_graphql::Variables::from_json(Value::Object(request.variables));
        let mut asked = async_graphql::Request::new(request.query).variables(variables).data(operator);
        if let Some(name) = request.operation_name {
            asked = asked.operation_name(name);
        }
        let response = self.schema.execute(asked).await;
        serde_json::to_value(&response).unwrap_or_default()
    }
}

/// The database could not be asked; the caller learns no more than that.
pub(crate) fn unavailable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the control schema could not be asked");
    coded("The control database is not available.", "UNAVAILABLE")
}

/// An error with a code that programs can tell.
pub(crate) fn coded(message: &str, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

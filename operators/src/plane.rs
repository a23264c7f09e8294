//! The plain face of the control plane: JSON in, JSON out, so that the HTTP edge knows no framework.

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema};
use praxis_fleet::{
    executor::Executor,
    operators::{self, OperatorError, Session},
    registry,
};
use praxis_platform::{clock::SharedClock, tenancy::Cells, vault::KeyWrapper};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::{COMPLEXITY, DEPTH, NESTING, admitted},
    error::completed,
    ground::Ground,
    mutation::Mutation,
    schema::Query,
};

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What finds it in the log.
    pub id: String,
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
    /// Over the installation of a database, whose clinics are reached below a domain.
    pub fn new(
        cells: impl Into<Cells>,
        base_domain: &str,
        keys: Arc<dyn KeyWrapper>,
        clock: SharedClock,
    ) -> Result<Self, sqlx::Error> {
        let ground = Ground::new(cells.into(), base_domain, keys, clock)?;
        let schema = Schema::build(Query, Mutation::new(), EmptySubscription).data(ground.clone());
        let schema =
            praxis_guards::hardened(schema, NESTING).limit_depth(DEPTH).limit_complexity(COMPLEXITY).finish();
        Ok(Self { ground, schema })
    }

    /// The schema in its own language.
    pub fn sdl() -> String {
        Schema::build(Query, Mutation::new(), EmptySubscription).finish().sdl()
    }

    /// Does what is asked for here and takes long, until it is told to stop.
    pub async fn work(&self, stop: CancellationToken) {
        let Ground { pool, cells, keys, clock, bell, .. } = self.ground.clone();
        Executor { pool, cells, keys, clock, bell }.run(stop).await;
    }

    /// The version of the control schema: whether the database answers, and whether it is the one we know.
    pub async fn version(&self) -> Result<i32, sqlx::Error> {
        registry::control_version(&mut *self.ground.pool.acquire().await?).await
    }

    /// Opens a session for whoever knows an operator's password; nothing for anybody else.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        from: Option<&str>,
    ) -> Result<Option<(Session, String)>, OperatorError> {
        operators::sign_in(&self.ground.pool, email, password, from).await
    }

    /// Whose token this is.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Session>, OperatorError> {
        Ok(operators::authenticate(&self.ground.pool, token).await?)
    }

    /// Notes that the operator of a session showed the password again; false where it is wrong.
    pub async fn prove(
        &self,
        token: &str,
        session: &Session,
        password: &str,
        from: Option<&str>,
    ) -> Result<bool, OperatorError> {
        operators::prove(&self.ground.pool, token, session, password, from).await
    }

    /// Ends a session.
    pub async fn sign_out(&self, token: &str, from: Option<&str>) -> Result<(), OperatorError> {
        Ok(operators::sign_out(&self.ground.pool, token, from).await?)
    }

    /// Runs an operation for an operator.
    pub async fn execute(&self, session: Session, request: Request) -> Value {
        let Request { id, query, operation_name, variables } = request;
        let response = match admitted(query, operation_name, Value::Object(variables)) {
            // On the heap: unoptimised, the future of a whole execution fills a good part of a thread's stack.
            Ok(admitted) => Box::pin(self.schema.execute(admitted.data(session))).await,
            Err(refused) => *refused,
        };
        serde_json::to_value(completed(response, &id)).unwrap_or_default()
    }
}

//! The plain face of the type graph: strings and JSON in, bytes out.
//!
//! Nothing generic and no framework type leaves the crate, so the binary does not compile the
//! schema a second time and the HTTP edge can be read without knowing async-graphql.
//!
//! A request is either **refused** before anything ran (no `data` in the answer) or **executed**
//! (`data` is present, possibly `null`). The HTTP edge needs that difference for its status.

mod admit;

use std::{any::Any, collections::BTreeMap};

use async_graphql::{ObjectType, Request, Response, Schema, SchemaBuilder, SubscriptionType, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    error::{self, ApiError, Code, mask},
    limits::{FieldSizes, Limits},
    schema::PraxisSchema,
    withhold::{self, Shape},
};

/// Who asks; available to every resolver.
pub type Caller = crate::context::Caller;

/// One operation as it arrived, before anything is known about it.
#[derive(Debug, Default)]
pub struct GraphqlRequest {
    /// The document.
    pub query: Option<String>,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Json>,
    /// Protocol extensions, for example a persisted query's hash.
    pub extensions: Map<String, Json>,
    /// Sent by a method that must not change anything: mutations are refused.
    pub read_only: bool,
    /// Repeated in every error, finds the request in the log.
    pub request_id: String,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing ran.
    Refused {
        /// The HTTP status that says why.
        status: u16,
        /// The `errors[]` of the answer; there is no `data`.
        errors: Vec<Json>,
        /// The same request would be accepted by POST.
        allow_post: bool,
    },
    /// The operation ran.
    Executed {
        /// The whole answer as JSON.
        body: Vec<u8>,
        /// What the operation was expected to cost, for the rate limit.
        cost: u64,
    },
}

impl Outcome {
    /// A refusal with a single error.
    #[must_use]
    pub fn refused(code: Code, message: &str, request_id: &str) -> Self {
        let errors = vec![error::entry(code, message, request_id)];
        Self::Refused { status: code.status(), errors, allow_post: false }
    }
}

/// The schema cannot be described in its own language, so costs are unknown.
#[derive(Debug, thiserror::Error)]
#[error("the schema's description cannot be read back: {0}")]
pub struct UnreadableSchema(String);

/// The API of the clinic: executes operations within [`Limits`].
pub struct Api {
    schema: PraxisSchema,
    sizes: FieldSizes,
    shape: Shape,
    limits: Limits,
}

impl Api {
    /// Prepares a schema that was built with [`hardened`].
    pub(crate) fn new(schema: PraxisSchema, limits: Limits) -> Result<Self, UnreadableSchema> {
        let sdl = schema.sdl();
        let sizes = FieldSizes::read(&sdl).map_err(|error| UnreadableSchema(error.to_string()))?;
        Ok(Self { schema, sizes, shape: Shape::read(&sdl), limits })
    }

    /// The schema in the schema definition language.
    #[must_use]
    pub fn sdl(&self) -> String {
        crate::sdl::annotate(&self.schema.sdl())
    }

    /// Fields without a policy, and policies without a field: both lists must be empty.
    #[must_use]
    pub fn policy_gaps(&self) -> (Vec<String>, Vec<String>) {
        crate::sdl::gaps(&self.schema.sdl())
    }

    /// Every argument and input field: its name, the fields to which it can be given, and the fields by whose values
    /// it asks.
    #[must_use]
    pub fn inputs(&self) -> Vec<(String, Vec<String>, Vec<String>)> {
        let inputs = self.shape.inputs().into_iter();
        inputs
            .map(|(name, takers)| {
                let asks = withhold::asks(&name);
                (name, takers.into_iter().collect(), asks)
            })
            .collect()
    }

    /// Runs one operation for one caller.
    pub async fn execute(&self, caller: Caller, request: GraphqlRequest) -> Outcome {
        let request_id = request.request_id.clone();
        caller.note_operation(request.query.as_deref().unwrap_or_default());
        let outcome = execute_on(
            &self.schema,
            &self.sizes,
            &self.limits,
            caller.clone(),
            request,
            &|| caller.extensions(),
            &|request| self.shape.bind(&caller, request),
        )
        .await;
        // What was disclosed is written down before the answer leaves; if it can't be, nothing leaves.
        if let Err(failure) = caller.finish().await {
            tracing::error!(request_id, error = %failure, "a disclosure could not be written down");
            return Outcome::refused(Code::Internal, mask::INTERNAL_MESSAGE, &request_id);
        }
        outcome
    }
}

/// Settings every schema served to the outside needs.
///
/// Suggestions name what a caller may not know of, and comparing a long name with every field is
/// slow. The recursion limit equals ours, so ours answers first.
#[must_use]
pub fn hardened<Q, M, S>(schema: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    schema.disable_suggestions().limit_recursive_depth(Limits::default().nesting)
}

/// [`Api::execute`] on any schema, so that the conformance tests run on small ones.
pub(crate) async fn execute_on<Q, M, S>(
    schema: &Schema<Q, M, S>,
    sizes: &FieldSizes,
    limits: &Limits,
    caller: impl Any + Send + Sync,
    request: GraphqlRequest,
    extensions: &(dyn Fn() -> Vec<(&'static str, Json)> + Sync),
    bind: &(dyn Fn(&mut Request) -> Result<(), ApiError> + Sync),
) -> Outcome
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let request_id = request.request_id.clone();
    let (request, cost) = match admit::admit(request, sizes, limits) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.outcome(&request_id),
    };
    let (mut request, cost) = (request, cost);
    if let Err(error) = bind(&mut request) {
        let errors = vec![mask::refused(&error, &request_id)];
        return Outcome::Refused { status: error.code().status(), errors, allow_post: false };
    }
    // On the heap: unoptimised, the future of a whole execution fills a good part of a thread's stack.
    answer(Box::pin(schema.execute(request.data(caller))).await, cost, extensions(), &request_id)
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Json>,
    data: &'a Value,
    extensions: BTreeMap<String, Json>,
}

fn answer(response: Response, cost: u64, more: Vec<(&'static str, Json)>, request_id: &str) -> Outcome {
    // A failed resolver is found at a path or has a cause; an error with neither stopped validation.
    let executed = response.data != Value::Null
        || response.errors.is_empty()
        || response.errors.iter().any(|error| !error.path.is_empty() || error.source.is_some());
    if !executed {
        let errors = mask::validation(response.errors, request_id);
        let status = Code::GraphqlValidationFailed.status();
        return Outcome::Refused { status, errors, allow_post: false };
    }
    let mut extensions: BTreeMap<_, _> = response
        .extensions
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.into_json().ok()?)))
        .collect();
    extensions.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    extensions.insert("cost".into(), json!({ "requestedQueryCost": cost }));
    let errors = mask::execution(response.errors, request_id);
    if nobody_is_signed_in(&response.data, &errors) {
        return Outcome::Refused { status: Code::Unauthenticated.status(), errors, allow_post: false };
    }
    match serde_json::to_vec(&Answer { errors, data: &response.data, extensions }) {
        Ok(body) => Outcome::Executed { body, cost },
        Err(error) => {
            tracing::error!(request_id, %error, "the answer cannot be written as JSON");
            Outcome::refused(Code::Internal, mask::INTERNAL_MESSAGE, request_id)
        }
    }
}

/// Whether nothing came of the request but the advice to sign in.
fn nobody_is_signed_in(data: &Value, errors: &[Json]) -> bool {
    let empty = match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        _ => false,
    };
    let code = |error: &Json| {
        error.pointer("/extensions/code").and_then(Json::as_str) == Some(Code::Unauthenticated.as_str())
    };
    empty && !errors.is_empty() && errors.iter().all(code)
}

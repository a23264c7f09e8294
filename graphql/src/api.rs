//! The plain face of the type graph: strings and JSON in, bytes out.
//!
//! Nothing generic and no framework type leaves the crate, so the binary does not compile the
//! schema a second time and the HTTP edge can be read without knowing async-graphql.
//!
//! A request is either **refused** before anything ran (no `data` in the answer) or **executed**
//! (`data` is present, possibly `null`). The HTTP edge needs that difference for its status.
//!
//! The way of a request: the [`gate`](Gate) finds its document, [`prepared`] before or now; [`admit`]
//! judges its variables and its cost; the cost is taken from the caller's buckets; it runs; what it
//! did not use is given back.

mod admit;
mod answer;
mod asked;
mod gate;
mod judge;
mod persisted;
mod prepared;
mod subscription;

use std::{any::Any, sync::Arc};

use async_graphql::{ObjectType, SchemaBuilder, SubscriptionType, parser::types::ServiceDocument};
use futures::future::BoxFuture;
use praxis_platform::{
    Failure,
    rates::{Bucket, Verdict},
};
use serde_json::{Map, Value as Json};

pub use gate::{Gate, GateSettings};
pub use judge::Judged;
pub(crate) use prepared::Engine;
pub use subscription::{Opened, Subscription};

use crate::{
    context::Stopped,
    error::{self, ApiError, Code, mask},
    limits::Limits,
    live::{DeliverySchema, Published, delivery_schema},
    schema::{Mutation, Query},
    withhold::{self, Shape},
};
use admit::{Admitted, Refusal};
use answer::Run;
use asked::Asked;
use prepared::Prepared;

/// What a request is charged that is refused after its document was looked at.
const REFUSED_POINTS: u64 = 20;

/// The engine of the API.
pub(crate) type PraxisEngine = Engine<Query, Mutation, Published>;

impl Stopped {
    /// The answer in place of the one that does not leave.
    fn outcome(self, request_id: &str) -> Outcome {
        match self {
            // Where nothing can be run once more. Whoever comes again is found as who they are.
            Self::Outdated => Outcome::failure(Failure::Unauthenticated, request_id),
            Self::Failed(failure @ (Failure::Unavailable(_) | Failure::TenantMoving)) => {
                Outcome::failure(failure, request_id)
            }
            Self::Failed(_) => Outcome::refused(Code::Internal, mask::INTERNAL_MESSAGE, request_id),
        }
    }
}

/// Who asks; available to every resolver.
pub type Caller = crate::context::Caller;

/// One operation as it arrived, before anything is known about it.
#[derive(Debug, Clone, Default)]
pub struct GraphqlRequest {
    /// The document.
    pub query: Option<String>,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Json>,
    /// Protocol extensions, for example a persisted query's hash.
    pub extensions: Map<String, Json>,
    /// The id of a document that the server knows.
    pub document_id: Option<String>,
    /// The id came in the path, where only some operations may be called.
    pub by_path: bool,
    /// Sent by a method that must not change anything: mutations are refused.
    pub read_only: bool,
    /// The client can be answered more than once: subscriptions are taken.
    pub streaming: bool,
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
        /// How the caller's buckets stand, if they were asked.
        rate: Option<Verdict>,
    },
    /// The operation ran.
    Executed {
        /// The whole answer as JSON.
        body: Vec<u8>,
        /// How the caller's buckets stand.
        rate: Option<Verdict>,
    },
}

impl Outcome {
    /// A refusal with a single error.
    #[must_use]
    pub fn refused(code: Code, message: &str, request_id: &str) -> Self {
        let errors = vec![error::entry(code, message, request_id)];
        Self::Refused { status: code.status(), errors, allow_post: false, rate: None }
    }

    /// A refusal for what went wrong before anything ran.
    #[must_use]
    pub fn failure(failure: Failure, request_id: &str) -> Self {
        Self::failed(&failure.into(), request_id)
    }

    pub(crate) fn failed(error: &ApiError, request_id: &str) -> Self {
        let errors = vec![mask::refused(error, request_id)];
        Self::Refused { status: error.code().status(), errors, allow_post: false, rate: None }
    }

    /// The caller's buckets are empty.
    fn throttled(verdict: Verdict, request_id: &str) -> Self {
        let message = "The rate limit is used up; Retry-After says when to come back.";
        let errors = vec![error::entry(Code::Throttled, message, request_id)];
        Self::Refused { status: Code::Throttled.status(), errors, allow_post: false, rate: Some(verdict) }
    }
}

/// The schema cannot be described in its own language, so costs are unknown.
#[derive(Debug, thiserror::Error)]
#[error("the schema's description cannot be read back: {0}")]
pub struct UnreadableSchema(String);

/// The API of the clinic: executes operations within limits.
pub struct Api {
    engine: PraxisEngine,
    delivery: DeliverySchema,
    shape: Shape,
    gate: Gate,
}

impl Api {
    /// An API behind a gate of its own, for a single process.
    pub(crate) fn new(engine: PraxisEngine, described: &ServiceDocument) -> Self {
        let shape = Shape::read(described);
        Self { engine, delivery: delivery_schema(), shape, gate: Gate::default() }
    }

    /// The same behind this gate.
    #[must_use]
    pub fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// The schema in the schema definition language.
    #[must_use]
    pub fn sdl(&self) -> String {
        crate::sdl::annotate(&self.engine.sdl())
    }

    /// Fields without a policy, and policies without a field: both lists must be empty.
    #[must_use]
    pub fn policy_gaps(&self) -> (Vec<String>, Vec<String>) {
        crate::sdl::gaps(&self.engine.sdl())
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
    ///
    /// Boxed, as is everything here that runs an operation: so the resolvers are compiled in this crate, and not once
    /// more by each crate that awaits them.
    pub fn execute(&self, caller: Caller, request: GraphqlRequest) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let request_id = request.request_id.clone();
            let again = caller.is_recalled().then(|| request.clone());
            let first = self.attempt(&caller, request).await;
            let (Err(Stopped::Outdated), Some(request)) = (&first, again) else {
                return first.unwrap_or_else(|stopped| stopped.outcome(&request_id));
            };
            match caller.afresh().await {
                Ok(caller) => {
                    let second = self.attempt(&caller, request).await;
                    second.unwrap_or_else(|stopped| stopped.outcome(&request_id))
                }
                Err(refused) => refused,
            }
        })
    }

    async fn attempt(&self, caller: &Caller, request: GraphqlRequest) -> Result<Outcome, Stopped> {
        let request_id = request.request_id.clone();
        let outcome = self.run(caller, request).await?;
        self.accounted(caller, &request_id, outcome).await
    }

    /// What was disclosed is written down before the answer leaves; if it can't be, nothing leaves.
    async fn accounted<T>(&self, caller: &Caller, request_id: &str, answer: T) -> Result<T, Stopped> {
        caller.finish().await.map(|()| answer).inspect_err(|stopped| {
            if let Stopped::Failed(failure) = stopped {
                tracing::error!(request_id, error = %failure, "a disclosure could not be written down");
            }
        })
    }

    async fn run(&self, caller: &Caller, mut request: GraphqlRequest) -> Result<Outcome, Stopped> {
        match self.prepared(caller, &mut request).await {
            Ok(prepared) => self.run_prepared(caller, &prepared, request).await,
            Err(refused) => Ok(refused),
        }
    }

    /// The document of a request, unless the caller's buckets are empty.
    async fn prepared(
        &self,
        caller: &Caller,
        request: &mut GraphqlRequest,
    ) -> Result<Arc<Prepared>, Outcome> {
        let buckets = self.gate.buckets(caller);
        if let Some(verdict) = self.gate.rates.exhausted(&buckets) {
            return Err(Outcome::throttled(verdict, &request.request_id));
        }
        let found = self.gate.document(&self.engine, caller, request).await;
        found.map_err(|refusal| self.refuse(buckets, refusal, &request.request_id))
    }

    /// What may run of a request, without what the clinic keeps back from the caller.
    fn admitted<'a>(
        &self,
        caller: &Caller,
        prepared: &'a Prepared,
        request: GraphqlRequest,
    ) -> Result<Admitted<'a>, Outcome> {
        let request_id = request.request_id.clone();
        let admitted = admit::admit(prepared, request, &self.engine.sizes, &self.engine.limits);
        let mut admitted =
            admitted.map_err(|refusal| self.refuse(self.gate.buckets(caller), refusal, &request_id))?;
        caller.name_operation(|| admitted.asked.name());
        if let Err(error) = self.shape.bind(caller, &mut admitted.request) {
            self.gate.rates.charge(self.gate.buckets(caller), REFUSED_POINTS);
            return Err(Outcome::failed(&error, &request_id));
        }
        Ok(admitted)
    }

    async fn run_prepared(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        request: GraphqlRequest,
    ) -> Result<Outcome, Stopped> {
        let request_id = request.request_id.clone();
        let buckets = self.gate.buckets(caller);
        let admitted = match self.admitted(caller, prepared, request) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(refused),
        };
        let asked = admitted.asked;
        let mut verdict = self.gate.rates.take(&buckets, admitted.cost).await;
        if !verdict.allowed() {
            return Ok(Outcome::throttled(verdict, &request_id));
        }
        if asked.is_mutation() {
            caller.confirm().await?;
        }
        caller.note_ran();
        let run = run_on(&self.engine, admitted, caller.clone()).await;
        self.note_lost(caller, asked, &run);
        let unused = run.cost.saturating_sub(run.used());
        self.gate.rates.give_back(buckets, unused);
        verdict.after_return(unused);
        Ok(run.outcome(Some(verdict), caller.extensions(), &request_id))
    }

    fn note_lost(&self, caller: &Caller, asked: Asked<'_>, run: &Run) {
        for (coordinate, code) in asked.lost(&self.shape, &run.response.errors) {
            caller.note_lost(coordinate, code);
        }
    }

    fn refuse(&self, buckets: Vec<Bucket>, refusal: Refusal, request_id: &str) -> Outcome {
        // Being told to send the whole document is no offence.
        if refusal.code() != Code::PersistedQueryNotFound {
            self.gate.rates.charge(buckets, REFUSED_POINTS);
        }
        refusal.outcome(request_id)
    }
}

/// Settings every schema served to the outside needs.
#[must_use]
pub fn hardened<Q, M, S>(schema: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    praxis_guards::hardened(schema, Limits::default().nesting)
}

/// Runs what was admitted.
async fn run_on<Q, M, S>(
    engine: &Engine<Q, M, S>,
    admitted: Admitted<'_>,
    caller: impl Any + Send + Sync,
) -> Run
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let request = admitted.request.data(caller);
    // On the heap: unoptimised, the future of a whole execution fills a good part of a thread's stack.
    Run { response: Box::pin(engine.trusting.execute(request)).await, cost: admitted.cost }
}

/// [`Api::execute`] on any schema and without a gate, so that the conformance tests run on small ones.
#[cfg(test)]
pub(crate) async fn execute_on<Q, M, S>(
    engine: &Engine<Q, M, S>,
    caller: impl Any + Send + Sync,
    request: GraphqlRequest,
) -> Outcome
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let request_id = request.request_id.clone();
    let text = request.query.clone().unwrap_or_default();
    let prepared = match engine.prepare(&text, true).await {
        Ok(prepared) => prepared,
        Err(refusal) => return refusal.outcome(&request_id),
    };
    match admit::admit(&prepared, request, &engine.sizes, &engine.limits) {
        Ok(admitted) => run_on(engine, admitted, caller).await.outcome(None, Vec::new(), &request_id),
        Err(refusal) => refusal.outcome(&request_id),
    }
}

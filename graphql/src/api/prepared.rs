//! Documents that were parsed, judged and validated, kept by the hash of their text.
//!
//! All three are done once for each document, whoever sends it. A document runs on a schema that
//! validates no more; what depends on a request (the values of its variables, and the cost where it
//! follows from them) is judged by [`admit`](super::admit) each time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{
    Name, ObjectType, Positioned, Request, Schema, SchemaBuilder, ServerError, SubscriptionType,
    ValidationMode, Variables,
    parser::{
        parse_query, parse_schema,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, ServiceDocument},
    },
};
use moka::sync::Cache;
use praxis_platform::vault::crypto;

use super::{UnreadableSchema, admit::Refusal, hardened};
use crate::{
    error::Code,
    limits::{self, FieldSizes, Limits, Measured},
};

/// Bytes of text of the documents that are kept; what is parsed takes several times that.
const KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// A document that nobody used for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30 * 60);
/// Runs beside a document that is only to be validated.
const PROBE: &str = "__praxis_probe";
/// An operation without a name, while the probe stands beside it.
const NAMELESS: &str = "__praxis_nameless";

/// A document that may run.
pub(crate) struct Prepared {
    /// The text.
    pub(super) text: String,
    /// What was parsed.
    pub(super) document: ExecutableDocument,
    /// What operations ask for whose cost follows from the document alone.
    pub(super) fixed: HashMap<Option<Name>, Measured>,
}

/// A schema, and what is known of the documents that are sent to it.
pub(crate) struct Engine<Q, M, S> {
    strict: Schema<Q, M, S>,
    /// Validates no document.
    pub(super) trusting: Schema<Q, M, S>,
    pub(super) sizes: FieldSizes,
    pub(super) limits: Limits,
    known: Cache<[u8; 32], Arc<Prepared>>,
}

impl<Q, M, S> Engine<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// Builds the schema; it is built twice, since how it validates belongs to it. With it goes what it says of itself: to
    /// read that is the most of the server's start, so that nobody should do it again.
    pub(crate) fn new(
        build: impl Fn() -> SchemaBuilder<Q, M, S>,
        limits: Limits,
    ) -> Result<(Self, ServiceDocument), UnreadableSchema> {
        let strict = hardened(build()).finish();
        let trusting = hardened(build()).validation_mode(ValidationMode::Fast).finish();
        let described = parse_schema(strict.sdl()).map_err(|error| UnreadableSchema(error.to_string()))?;
        let sizes = FieldSizes::read(&described);
        let known = Cache::builder()
            .weigher(|_, prepared: &Arc<Prepared>| u32::try_from(prepared.text.len()).unwrap_or(u32::MAX))
            .max_capacity(KEPT_BYTES)
            .time_to_idle(FORGOTTEN)
            .build();
        Ok((Self { strict, trusting, sizes, limits, known }, described))
    }

    /// The schema in its definition language.
    pub(super) fn sdl(&self) -> String {
        self.strict.sdl()
    }

    /// Parses, judges and validates a document, unless that was done before. `keep` it for the next.
    pub(crate) async fn prepare(&self, text: &str, keep: bool) -> Result<Arc<Prepared>, Refusal> {
        let hash = crypto::sha256(text.as_bytes());
        if let Some(known) = self.known.get(&hash) {
            return Ok(known);
        }
        limits::check_text(text, &self.limits)?;
        let document = parse_query(text)?;
        limits::check_shape(&document, &self.sizes, &self.limits)?;
        let operations = || document.operations.iter();
        self.validate(&document).await?;
        let fixed = operations()
            .filter(|(_, operation)| !self.depends_on_variables(&operation.node))
            .filter_map(|(name, operation)| {
                let whatever = Limits { cost: u64::MAX, ..self.limits };
                let none = Variables::default();
                let measured =
                    limits::measure(&document, &operation.node, &none, &self.sizes, &whatever).ok()?;
                Some((name.cloned(), measured))
            })
            .collect();
        let prepared = Arc::new(Prepared { text: text.to_owned(), fixed, document });
        if keep {
            self.known.insert(hash, Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    fn depends_on_variables(&self, operation: &OperationDefinition) -> bool {
        let sized = |ty| self.sizes.inputs.is_sized(ty);
        operation.variable_definitions.iter().any(|definition| sized(&definition.node.var_type.node))
    }

    /// Validates a document without running it. The framework validates all operations of a document
    /// and runs one; the one it runs here asks for nothing.
    async fn validate(&self, document: &ExecutableDocument) -> Result<(), Refusal> {
        let mut operations = match document.operations.clone() {
            DocumentOperations::Single(operation) => HashMap::from([(Name::new(NAMELESS), operation)]),
            DocumentOperations::Multiple(operations) => operations,
        };
        if operations.contains_key(PROBE) {
            return Err(Refusal::new(Code::BadUserInput, "The name of the operation is reserved."));
        }
        operations.insert(Name::new(PROBE), probe()?);
        let fragments = document.fragments.clone();
        let mut request = Request::new("").operation_name(PROBE);
        request.set_parsed_query(ExecutableDocument {
            operations: DocumentOperations::Multiple(operations),
            fragments,
        });
        let errors = Box::pin(self.strict.execute(request)).await.errors;
        if errors.is_empty() { Ok(()) } else { Err(Refusal::invalid(errors.into_iter().map(nameless))) }
    }
}

/// `query { __typename }` under its name.
fn probe() -> Result<Positioned<OperationDefinition>, Refusal> {
    let document = parse_query("{ __typename }")?;
    match document.operations {
        DocumentOperations::Single(operation) => Ok(operation),
        DocumentOperations::Multiple(_) => Err(Refusal::new(Code::Internal, "no probe")),
    }
}

/// An error without the name that the operation only had while it was validated.
fn nameless(error: ServerError) -> ServerError {
    let message = error.message.replace(&format!(" \"{NAMELESS}\""), "");
    ServerError { message, ..error }
}

//! Decides whether a prepared document may run with the variables of a request.

use async_graphql::{
    Name, Pos, Request, ServerError, Value, Variables,
    parser::{
        self,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use serde_json::{Value as Json, json};

use super::{GraphqlRequest, Outcome, asked::Asked, prepared::Prepared};
use crate::{
    error::{self, ApiError, Code, mask},
    limits::{self, Excess, FieldSizes, InputTypes, Limits},
};

/// Why nothing ran.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Code,
    message: String,
    locations: Vec<Pos>,
    by_get: bool,
    /// What the document has to do with the schema, when that is the reason.
    invalid: Vec<ServerError>,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let (locations, invalid) = Default::default();
        Self { code, message: message.into(), locations, by_get: false, invalid }
    }

    /// The document does not fit the schema.
    pub(super) fn invalid(errors: impl Iterator<Item = ServerError>) -> Self {
        let invalid = errors.collect();
        Self { invalid, ..Self::new(Code::GraphqlValidationFailed, "The document does not fit the schema.") }
    }

    /// The same request would be taken by POST.
    pub(super) fn by_get(message: &str) -> Self {
        Self { by_get: true, ..Self::new(Code::BadUserInput, message) }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    /// In words, for those who register operations.
    pub(super) fn reasons(self) -> Vec<String> {
        if self.invalid.is_empty() {
            return vec![self.message];
        }
        self.invalid.into_iter().map(|error| error.message).collect()
    }

    pub(super) fn outcome(self, request_id: &str) -> Outcome {
        let status = if self.by_get { 405 } else { self.code.status() };
        let errors = if self.invalid.is_empty() {
            let mut entry = error::entry(self.code, &self.message, request_id);
            if let (false, Some(entry)) = (self.locations.is_empty(), entry.as_object_mut()) {
                entry.insert("locations".into(), json!(self.locations));
            }
            vec![entry]
        } else {
            mask::validation(self.invalid, request_id)
        };
        Outcome::Refused { status, errors, allow_post: self.by_get, rate: None }
    }
}

impl From<Excess> for Refusal {
    fn from(excess: Excess) -> Self {
        Self::new(excess.code(), excess.to_string())
    }
}

impl From<parser::Error> for Refusal {
    fn from(error: parser::Error) -> Self {
        // The parser's text repeats the whole offending line; its last line says what was expected.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches([' ', '=']);
        let message = format!("Syntax error: {reason}");
        let locations = error.positions().collect();
        Self { locations, ..Self::new(Code::GraphqlParseFailed, message) }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        if error.code() == Code::Internal {
            tracing::error!(error = %error, "a registered operation could not be looked up");
        }
        Self::new(error.code(), error.to_string())
    }
}

/// A request that may run, and what it was judged to cost.
pub(super) struct Admitted<'a> {
    pub(super) request: Request,
    pub(super) cost: u64,
    pub(super) asked: Asked<'a>,
}

/// Judges what a request makes of a document; what comes out is ready to run.
pub(super) fn admit<'a>(
    prepared: &'a Prepared,
    request: GraphqlRequest,
    sizes: &FieldSizes,
    limits: &Limits,
) -> Result<Admitted<'a>, Refusal> {
    let name = request.operation_name.filter(|name| !name.is_empty());
    let (key, operation) = select(&prepared.document, name.as_deref())?;
    if operation.ty == OperationType::Mutation && request.read_only {
        return Err(Refusal::by_get("A mutation has to be sent by POST."));
    }
    let subscription = operation.ty == OperationType::Subscription;
    if subscription && !request.streaming {
        let message = "A subscription has to be opened as an event stream or a socket.";
        return Err(Refusal::new(Code::BadUserInput, message));
    }
    let variables = Variables::from_json(Json::Object(request.variables));
    check_variables(operation, &variables, sizes)?;
    let cost = match prepared.fixed.get(&key.cloned()) {
        Some(measured) if measured.cost <= limits.cost => measured.cost,
        Some(measured) => return Err(Excess::Cost { cost: measured.cost, limit: limits.cost }.into()),
        None => limits::measure(&prepared.document, operation, &variables, sizes, limits)?.cost,
    };
    let mut ready = Request::new("").variables(variables);
    ready.operation_name = name;
    ready.set_parsed_query(prepared.document.clone());
    Ok(Admitted { request: ready, cost, asked: Asked { document: &prepared.document, name: key, operation } })
}

/// For each event a subscription is run like a query.
pub(super) fn as_query(document: &mut ExecutableDocument) {
    let operations = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        operation.node.ty = OperationType::Query;
    }
}

/// Whether a request asks for a subscription.
pub(super) fn is_subscription(prepared: &Prepared, request: &GraphqlRequest) -> bool {
    let name = request.operation_name.as_deref().filter(|name| !name.is_empty());
    select(&prepared.document, name).is_ok_and(|(_, operation)| operation.ty == OperationType::Subscription)
}

/// The operation that a name chooses, and the name under which the document has it.
pub(super) fn select<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a Name>, &'a OperationDefinition), Refusal> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some((None, operation)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_key_value(name).map(|(name, operation)| (Some(name), operation))
        }
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.iter().next().map(|(name, operation)| (Some(name), operation))
        }
        (DocumentOperations::Multiple(_), None) => {
            let message = "The document has several operations; operationName has to choose one.";
            return Err(Refusal::new(Code::BadUserInput, message));
        }
        (DocumentOperations::Single(_), Some(_)) => None,
    };
    found.map(|(name, operation)| (name, &operation.node)).ok_or_else(|| {
        let message = "The document has no operation with the given operationName.";
        Refusal::new(Code::BadUserInput, message)
    })
}

/// The framework finds a missing variable only when it meets it, after other resolvers have run.
fn check_variables(
    operation: &OperationDefinition,
    variables: &Variables,
    sizes: &FieldSizes,
) -> Result<(), Refusal> {
    if variables.values().any(InputTypes::is_unstorable) {
        return Err(Excess::Unstorable.into());
    }
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let (name, ty) = (&definition.name.node, &definition.var_type.node);
        let message = match variables.get(name) {
            None if ty.nullable || definition.default_value.is_some() => continue,
            None | Some(Value::Null) if !ty.nullable => {
                format!("Variable \"${name}\" of type {ty} needs a value.")
            }
            None => continue,
            Some(value) => match sizes.inputs.misfit(ty, value) {
                Some(reason) => format!("Variable \"${name}\" does not fit {ty}: {reason}."),
                None => continue,
            },
        };
        return Err(Refusal::new(Code::BadUserInput, message));
    }
    Ok(())
}

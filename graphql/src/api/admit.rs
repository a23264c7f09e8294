//! Decides whether a request may run: parses it once, judges it, and hands the parsed document on.

use async_graphql::{
    Pos, Request, Value, Variables,
    parser::{
        self,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use serde_json::{Value as Json, json};

use super::{GraphqlRequest, Outcome};
use crate::{
    error::{self, Code},
    limits::{self, FieldSizes, Limits},
};

/// Why nothing ran.
pub(super) struct Refusal {
    code: Code,
    message: String,
    locations: Vec<Pos>,
    by_get: bool,
}

impl Refusal {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), locations: Vec::new(), by_get: false }
    }

    pub(super) fn outcome(self, request_id: &str) -> Outcome {
        let mut entry = error::entry(self.code, &self.message, request_id);
        if let (false, Some(entry)) = (self.locations.is_empty(), entry.as_object_mut()) {
            entry.insert("locations".into(), json!(self.locations));
        }
        let status = if self.by_get { 405 } else { self.code.status() };
        Outcome::Refused { status, errors: vec![entry], allow_post: self.by_get }
    }
}

impl From<limits::Excess> for Refusal {
    fn from(excess: limits::Excess) -> Self {
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

/// Parses and judges a request; what comes out is ready to run.
pub(super) fn admit(
    request: GraphqlRequest,
    sizes: &FieldSizes,
    limits: &Limits,
) -> Result<(Request, u64), Refusal> {
    let Some(query) = request.query else {
        return Err(Refusal::new(Code::BadUserInput, "The request has no query."));
    };
    limits::check_text(&query, limits)?;
    let document = parser::parse_query(&query)?;
    let name = request.operation_name.filter(|name| !name.is_empty());
    let operation = select(&document, name.as_deref())?;
    match operation.ty {
        OperationType::Mutation if request.read_only => {
            let message = "A mutation has to be sent by POST.";
            return Err(Refusal { by_get: true, ..Refusal::new(Code::BadUserInput, message) });
        }
        OperationType::Subscription => {
            let message = "A subscription has to be opened as an event stream or a socket.";
            return Err(Refusal::new(Code::BadUserInput, message));
        }
        OperationType::Query | OperationType::Mutation => {}
    }
    let variables = Variables::from_json(Json::Object(request.variables));
    require_variables(operation, &variables)?;
    let cost = limits::check_document(&document, operation, &variables, sizes, limits)?;
    let mut ready = Request::new(query).variables(variables);
    ready.operation_name = name;
    ready.set_parsed_query(document);
    Ok((ready, cost))
}

fn select<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refusal> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next()
        }
        (DocumentOperations::Multiple(_), None) => {
            let message = "The document has several operations; operationName has to choose one.";
            return Err(Refusal::new(Code::BadUserInput, message));
        }
        (DocumentOperations::Single(_), Some(_)) => None,
    };
    found.map(|operation| &operation.node).ok_or_else(|| {
        let message = "The document has no operation with the given operationName.";
        Refusal::new(Code::BadUserInput, message)
    })
}

/// The framework finds a missing variable only when it meets it, after other resolvers have run.
fn require_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), Refusal> {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let missing = match variables.get(&definition.name.node) {
            Some(value) => *value == Value::Null,
            None => definition.default_value.is_none(),
        };
        if missing && !definition.var_type.node.nullable {
            let (name, ty) = (&definition.name.node, &definition.var_type.node);
            let message = format!("Variable \"${name}\" of type {ty} needs a value.");
            return Err(Refusal::new(Code::BadUserInput, message));
        }
    }
    Ok(())
}

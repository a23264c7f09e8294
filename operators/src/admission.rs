//! What a document has to be before the schema sees it.

use async_graphql::{Request, Response, ServerError, parser};
use praxis_guards::{Bounds, Excess, check_document, check_text};
use serde_json::Value;

/// Fields within fields, as deep as the usual introspection query goes.
pub(crate) const DEPTH: usize = 20;
/// Values that an answer may hold, by what its lists are asked for.
pub(crate) const COMPLEXITY: usize = 20_000;
/// The framework's own recursion limit; below it the stack is safe.
pub(crate) const NESTING: usize = 32;

const BOUNDS: Bounds =
    Bounds { tokens: 5_000, nesting: NESTING, directives: 10, operations: 10, nodes: 5_000 };

/// A request that is within bounds, and says nothing that can't be stored.
pub(crate) fn admitted(
    query: String,
    operation_name: Option<String>,
    variables: Value,
) -> Result<Request, Box<Response>> {
    check_text(&query, &BOUNDS).map_err(|excess| refused(&excess))?;
    if query.contains('\0') || query.contains("\\u0000") || has_nul(&variables) {
        return Err(told(
            "A text holds the character U+0000, which no stored text can hold.",
            "BAD_USER_INPUT",
        ));
    }
    let document =
        parser::parse_query(&query).map_err(|error| told(&error.to_string(), "GRAPHQL_PARSE_FAILED"))?;
    check_document(&document, &BOUNDS).map_err(|excess| refused(&excess))?;
    let mut request = Request::new(query).variables(async_graphql::Variables::from_json(variables));
    request.set_parsed_query(document);
    Ok(match operation_name {
        Some(name) => request.operation_name(name),
        None => request,
    })
}

fn refused(excess: &Excess) -> Box<Response> {
    let code = match excess {
        Excess::Tokens(_) => "REQUEST_TOO_LARGE",
        Excess::OpenString => "GRAPHQL_PARSE_FAILED",
        Excess::Nesting(_) => "QUERY_TOO_DEEP",
        Excess::UnknownFragment(_) | Excess::UnusedFragment(_) | Excess::FragmentCycle(_) => {
            "GRAPHQL_VALIDATION_FAILED"
        }
        Excess::Directives(_) | Excess::Operations(_) | Excess::Nodes(_) => "QUERY_TOO_COMPLEX",
    };
    told(&excess.to_string(), code)
}

fn told(message: &str, code: &'static str) -> Box<Response> {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    Box::new(Response::from_errors(vec![error]))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

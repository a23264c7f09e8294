//! Turns errors into `errors[]` entries and keeps everything else inside.

use std::error::Error;

use async_graphql::ServerError;
use serde_json::{Map, Value, json};

use super::{ApiError, Code};

/// All that a caller learns about a failure of ours.
pub const INTERNAL_MESSAGE: &str = "Something went wrong on our side.";

/// More entries than this help nobody and can be used to inflate an answer.
const MAX_ERRORS: usize = 10;

/// Validation repeats names from the document, which may be as long as the document.
const MAX_MESSAGE: usize = 300;

/// An `errors[]` entry that belongs to no place in the document.
#[must_use]
pub fn entry(code: Code, message: &str, request_id: &str) -> Value {
    json!({ "message": message, "extensions": extensions(code, request_id) })
}

/// The entry of an operation that was refused before it ran.
pub(crate) fn refused(error: &ApiError, request_id: &str) -> Value {
    let mut extensions = extensions(error.code, request_id);
    for (name, value) in &error.details {
        extensions.entry(*name).or_insert_with(|| value.clone());
    }
    json!({ "message": error.message, "extensions": extensions })
}

/// Entries for a document that does not fit the schema. The text speaks of the document only.
pub(crate) fn validation(errors: Vec<ServerError>, request_id: &str) -> Vec<Value> {
    let entries = errors.into_iter().take(MAX_ERRORS).map(|error| {
        let extensions = extensions(Code::GraphqlValidationFailed, request_id);
        let message: String = error.message.chars().take(MAX_MESSAGE).collect();
        located(&error, &message, extensions)
    });
    entries.collect()
}

/// Entries for errors of an executed operation; unknown ones are logged and masked.
pub(crate) fn execution(errors: Vec<ServerError>, request_id: &str) -> Vec<Value> {
    let entries = errors.into_iter().enumerate().filter_map(|(position, error)| {
        let entry = executed(&error, request_id);
        (position < MAX_ERRORS).then_some(entry)
    });
    entries.collect()
}

/// The code under which a caller learns of an error of an executed operation.
pub(crate) fn code(error: &ServerError) -> Code {
    match error.source::<ApiError>() {
        Some(ours) => ours.code,
        None if rejected_input(error).is_some() => Code::BadUserInput,
        None => Code::Internal,
    }
}

fn executed(error: &ServerError, request_id: &str) -> Value {
    if let Some(ours) = error.source::<ApiError>() {
        log(ours.code, error, ours.source.as_deref().map(|source| source as &dyn Error), request_id);
        let mut extensions = extensions(ours.code, request_id);
        for (name, value) in &ours.details {
            extensions.entry(*name).or_insert_with(|| value.clone());
        }
        return located(error, &ours.message, extensions);
    }
    if let Some(message) = rejected_input(error) {
        return located(error, message, extensions(Code::BadUserInput, request_id));
    }
    log(Code::Internal, error, None, request_id);
    located(error, INTERNAL_MESSAGE, extensions(Code::Internal, request_id))
}

/// The text of an argument that a scalar refused. async-graphql gives these errors no type of their
/// own, only a fixed beginning, and quotes the refused value, which may be PHI and is cut off.
fn rejected_input(error: &ServerError) -> Option<&str> {
    if error.source.is_some() {
        return None;
    }
    let message = error.message.as_str();
    if message.starts_with("Expected input type \"") {
        return message.split(", found ").next();
    }
    (message.starts_with("Failed to parse \"") || message.starts_with("Invalid value for argument"))
        .then_some(message)
}

fn log(code: Code, error: &ServerError, source: Option<&dyn Error>, request_id: &str) {
    if code != Code::Internal && source.is_none() {
        return;
    }
    let mut chain = error.message.clone();
    let mut cause = source;
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    let path = serde_json::to_string(&error.path).unwrap_or_default();
    tracing::error!(request_id, code = code.as_str(), path, error = chain, "resolver failed");
}

fn extensions(code: Code, request_id: &str) -> Map<String, Value> {
    let mut extensions = Map::new();
    extensions.insert("code".into(), code.as_str().into());
    extensions.insert("requestId".into(), request_id.into());
    extensions.insert("retryable".into(), code.retryable().into());
    extensions
}

/// `locations` and `path` are left out when unknown: the specification forbids empty ones.
fn located(error: &ServerError, message: &str, extensions: Map<String, Value>) -> Value {
    let mut entry = Map::new();
    entry.insert("message".into(), message.into());
    if !error.locations.is_empty() {
        entry.insert("locations".into(), json!(error.locations));
    }
    if !error.path.is_empty() {
        entry.insert("path".into(), json!(error.path));
    }
    entry.insert("extensions".into(), extensions.into());
    Value::Object(entry)
}

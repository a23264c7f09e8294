//! What came of an operation, written as bytes.

use std::collections::BTreeMap;

use async_graphql::{Response, Value};
use praxis_platform::rates::Verdict;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Outcome;
use crate::error::{Code, mask};

/// An operation that ran.
pub(super) struct Run {
    pub(super) response: Response,
    /// What it was judged to cost.
    pub(super) cost: u64,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Json>,
    data: &'a Value,
    extensions: BTreeMap<String, Json>,
}

impl Run {
    /// What it used of its cost: the values that the answer holds.
    ///
    /// Never more than was judged: introspection has an allowance of its own, and a plain list may be
    /// longer than it is judged to be.
    pub(super) fn used(&self) -> u64 {
        values(&self.response.data).clamp(1, self.cost.max(1))
    }

    /// The answer.
    pub(super) fn outcome(
        self,
        rate: Option<Verdict>,
        more: Vec<(&'static str, Json)>,
        request_id: &str,
    ) -> Outcome {
        let cost = cost(self.cost, self.used(), rate.as_ref());
        let Response { data, errors, extensions, .. } = self.response;
        let mut extensions: BTreeMap<_, _> = extensions
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.into_json().ok()?)))
            .collect();
        extensions.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        extensions.insert("cost".into(), cost);
        let errors = mask::execution(errors, request_id);
        let nothing = [Code::Unauthenticated, Code::TenantMoving, Code::UpstreamUnavailable];
        if let Some(code) = nothing.into_iter().find(|code| nothing_but(*code, &data, &errors)) {
            return Outcome::Refused { status: code.status(), errors, allow_post: false, rate };
        }
        match serde_json::to_vec(&Answer { errors, data: &data, extensions }) {
            Ok(body) => Outcome::Executed { body, rate },
            Err(error) => {
                tracing::error!(request_id, %error, "the answer cannot be written as JSON");
                Outcome::refused(Code::Internal, mask::INTERNAL_MESSAGE, request_id)
            }
        }
    }
}

fn cost(requested: u64, actual: u64, rate: Option<&Verdict>) -> Json {
    let mut cost = json!({ "requestedQueryCost": requested, "actualQueryCost": actual });
    let tightest = rate.and_then(Verdict::tightest);
    if let (Some(standing), Some(cost)) = (tightest, cost.as_object_mut()) {
        let status = json!({
            "maximumAvailable": standing.rate.points,
            "currentlyAvailable": standing.available(),
            "restoreRate": standing.rate.restore,
        });
        cost.insert("throttleStatus".into(), status);
    }
    cost
}

/// Fields in the answer, in all objects of all lists.
fn values(data: &Value) -> u64 {
    match data {
        Value::Object(fields) => fields.values().map(|field| 1 + values(field)).sum(),
        Value::List(items) => items.iter().map(values).sum(),
        _ => 0,
    }
}

/// Whether nothing came of the request but the advice to sign in, or to come again.
fn nothing_but(code: Code, data: &Value, errors: &[Json]) -> bool {
    let empty = match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        _ => false,
    };
    let is_it =
        |error: &Json| error.pointer("/extensions/code").and_then(Json::as_str) == Some(code.as_str());
    empty && !errors.is_empty() && errors.iter().all(is_it)
}

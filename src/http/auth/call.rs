//! One request under `/auth`: at which clinic it is made, and how it is answered.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{
        FromRequestParts,
        rejection::{ExtensionRejection, JsonRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use praxis_domain::{Error, Violation, ViolationCode};
use praxis_graphql::error::{self, Code};
use praxis_platform::{Failure, OpFactory, access::Actor, tenancy::Tenant};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::malformed;
use crate::http::{gateway::Edge, hygiene::RequestId, refused::Refused};

/// A request, and where it came in.
pub(super) struct Call {
    pub(super) edge: Arc<Edge>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) id: Arc<str>,
    pub(super) parts: Parts,
}

/// A body, or why it is none.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

impl FromRequestParts<Arc<Edge>> for Call {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, edge: &Arc<Edge>) -> Result<Self, ExtensionRejection> {
        let Extension(tenant) = Extension::<Arc<Tenant>>::from_request_parts(parts, edge).await?;
        let Extension(RequestId(id)) = Extension::<RequestId>::from_request_parts(parts, edge).await?;
        Ok(Self { edge: Arc::clone(edge), tenant, id, parts: parts.clone() })
    }
}

impl Call {
    /// Does what is asked and answers, or says why not in the form of every error.
    pub(super) async fn answer(self, done: impl AsyncFnOnce(Self) -> Result<Response, Told>) -> Response {
        let id = Arc::clone(&self.id);
        done(self).await.unwrap_or_else(|told| told.response(&id))
    }

    /// Operations of the system: nobody is signed in yet.
    pub(super) fn system(&self) -> OpFactory {
        self.edge.as_system(&self.tenant, self.edge.request_info(&self.parts))
    }

    /// Operations of whoever is signed in.
    pub(super) async fn signed_in(&self) -> Result<OpFactory, Refused> {
        let actor: Option<Arc<Actor>> = self.edge.actor(&self.parts, &self.tenant).await?;
        let actor = actor.ok_or(Refused::UNAUTHENTICATED)?;
        Ok(self.edge.factory(&self.tenant, actor, self.edge.request_info(&self.parts)))
    }
}

/// What a body holds; `expected` says what that has to be.
pub(super) fn read<T: DeserializeOwned>(body: Body<T>, expected: &'static str) -> Result<T, Refused> {
    body.map(|Json(body)| body).map_err(|rejection| malformed(&rejection, expected))
}

/// Why it was not done.
pub(super) enum Told {
    Refused(Refused),
    /// What the person at the screen can put right.
    Violated(Vec<Violation>),
}

impl From<Refused> for Told {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

impl From<Error> for Told {
    fn from(error: Error) -> Self {
        match error {
            Error::Failure(failure) => failure.into(),
            Error::Violated(violations) => Self::Violated(violations),
        }
    }
}

impl Told {
    fn response(self, id: &str) -> Response {
        let violations = match self {
            Self::Refused(refused) => return refused.response(id),
            Self::Violated(violations) => violations,
        };
        let entries: Vec<_> = violations
            .iter()
            .map(|violation| {
                let mut entry = error::entry(Code::BadUserInput, &violation.message, id);
                if let Some(extensions) = entry.get_mut("extensions").and_then(Value::as_object_mut) {
                    extensions.insert("violation".to_owned(), name(violation.code).into());
                    extensions.insert("field".to_owned(), violation.path.join(".").into());
                }
                entry
            })
            .collect();
        (StatusCode::BAD_REQUEST, Json(json!({ "errors": entries }))).into_response()
    }
}

fn name(code: ViolationCode) -> &'static str {
    match code {
        ViolationCode::TooShort => "TOO_SHORT",
        ViolationCode::TooLong => "TOO_LONG",
        ViolationCode::TooCommon => "TOO_COMMON",
        ViolationCode::NotFound => "NOT_FOUND",
        ViolationCode::AlreadyExists => "ALREADY_EXISTS",
        ViolationCode::SeatsExhausted => "SEATS_EXHAUSTED",
        _ => "INVALID",
    }
}

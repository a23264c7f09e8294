//! Why a request goes no further than the edge, and how that is told.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use praxis_graphql::{
    api::Outcome,
    error::{self, Code, INTERNAL_MESSAGE},
};
use praxis_platform::{Failure, error::sqlstate};

use serde_json::Value;

use super::graphql::refusal;

/// A refusal: constant texts only, so that nothing leaks through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    code: Code,
    message: &'static str,
    retry_after: Option<u64>,
}

impl Refused {
    pub(super) const UNAUTHENTICATED: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        Code::Unauthenticated,
        "There is no such session, or it has ended.",
    );

    pub(super) const INTERNAL: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, INTERNAL_MESSAGE);
    pub(super) const TOO_MANY: Self =
        Self::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, "Too many of these are open at once.");

    pub(super) const fn new(status: StatusCode, code: Code, message: &'static str) -> Self {
        Self { status, code, message, retry_after: None }
    }

    pub(super) const fn bad(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }

    pub(super) const fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    pub(super) const fn later(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) const fn status(self) -> StatusCode {
        self.status
    }

    pub(super) const fn message(self) -> &'static str {
        self.message
    }

    /// The same may be granted a moment later.
    pub(super) const fn may_pass(self) -> bool {
        self.retry_after.is_some()
    }

    /// The refusal as one of `errors[]`.
    pub(super) fn entry(self, request_id: &str) -> Value {
        error::entry(self.code, self.message, request_id)
    }

    /// The refusal as what became of an operation.
    pub(super) fn outcome(self, request_id: &str) -> Outcome {
        let (status, errors) = (self.status.as_u16(), vec![self.entry(request_id)]);
        Outcome::Refused { status, errors, allow_post: false, rate: None }
    }

    pub(super) fn response(self, request_id: &str) -> Response {
        let mut response = refusal(self.status, self.code, self.message, request_id);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What stops a request before its operation starts: finding the session, signing in or out.
impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unauthenticated => Self::UNAUTHENTICATED,
            Failure::SecondFactorRequired => Self::new(
                StatusCode::FORBIDDEN,
                Code::SecondFactorRequired,
                "A second factor is required: show one with POST /auth/step-up, or enrol one.",
            ),
            Failure::BadInput(_) => Self::forbidden("You are not a member of this facility."),
            Failure::StepUpRequired => {
                let message = "Show a second factor first: POST /auth/step-up.";
                Self::new(StatusCode::FORBIDDEN, Code::StepUpRequired, message)
            }
            Failure::KeyUnavailable => {
                let message = "The clinic's key cannot be used at the moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::KeyUnavailable, message).later(5)
            }
            Failure::TenantMoving => {
                let message = "This clinic moves at the moment; try again in a second.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::TenantMoving, message).later(1)
            }
            Failure::Busy => {
                let message = "Too many people sign in at once; try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Throttled, message).later(2)
            }
            Failure::Unavailable(error) => {
                tracing::warn!(%error, "the database is not available");
                let message = "The database cannot be reached at the moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::UpstreamUnavailable, message).later(1)
            }
            Failure::TimedOut(error) => {
                tracing::warn!(%error, "a statement took too long");
                Self::new(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, "The database took too long.").later(1)
            }
            other => {
                let code = match &other {
                    Failure::Database(error) => sqlstate(error),
                    _ => None,
                };
                tracing::error!(error = %other, code, "a request failed at the edge");
                Self::INTERNAL
            }
        }
    }
}

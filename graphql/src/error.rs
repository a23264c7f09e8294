//! What a caller is told when something goes wrong: one closed list of codes, one error type for
//! resolvers, and one place ([`mask`]) that decides what leaves the house.
//!
//! A resolver returns [`ApiError`] (through `?`). Anything else that surfaces — a foreign error, a
//! bug — reaches the caller only as `INTERNAL` with a request id; its text stays in the log.

pub(crate) mod mask;

use std::{collections::BTreeMap, error::Error, sync::Arc};

pub use mask::{INTERNAL_MESSAGE, entry};

/// A field that may be denied or fail without taking its siblings with it.
///
/// async-graphql turns a failing `Option` into `null` plus an `errors[]` entry, but lets a failing
/// `Result<Option<T>>` destroy the whole parent object. So a nullable field returns this type;
/// `result.transpose()` converts from the usual shape.
pub type Nullable<T> = Option<Result<T, ApiError>>;

/// For an edge to another object.
pub(crate) trait Edge<T> {
    /// What the caller may not know of is not there: null, and no entry that would tell the difference.
    fn or_hidden(self) -> Nullable<T>;
}

impl<T> Edge<T> for Result<Option<T>, ApiError> {
    fn or_hidden(self) -> Nullable<T> {
        match self {
            Err(error) if error.code() == Code::Forbidden => None,
            other => other.transpose(),
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal $status:literal $retryable:literal;)+) => {
        /// The stable code in `extensions.code` of every `errors[]` entry. Append-only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of its introduction.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The text clients match on.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status when the whole request is refused with this code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Whether the same request may succeed later without being changed.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)+ }
            }

            /// What the code means, for the published reference.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// There is no valid session or token.
    Unauthenticated "UNAUTHENTICATED" 401 false;
    /// The caller lacks the permission named in `extensions.permission`.
    Forbidden "FORBIDDEN" 403 false;
    /// The action needs a fresh second factor.
    StepUpRequired "STEP_UP_REQUIRED" 403 false;
    /// The record is closed to this caller unless emergency access is declared.
    BreakGlassRequired "BREAK_GLASS_REQUIRED" 403 false;
    /// The patient's consent is missing for this purpose.
    ConsentRequired "CONSENT_REQUIRED" 403 false;
    /// No clinic answers to this host name.
    TenantNotFound "TENANT_NOT_FOUND" 404 false;
    /// The clinic's access is suspended.
    TenantSuspended "TENANT_SUSPENDED" 403 false;
    /// The clinic is locked, for example while its data is being exported or erased.
    TenantLocked "TENANT_LOCKED" 423 false;
    /// The clinic's data is being migrated.
    TenantMigrating "TENANT_MIGRATING" 503 true;
    /// The object does not exist, or the caller may not know that it does.
    NotFound "NOT_FOUND" 404 false;
    /// An argument, variable or request parameter is not valid.
    BadUserInput "BAD_USER_INPUT" 400 false;
    /// The document is not GraphQL.
    GraphqlParseFailed "GRAPHQL_PARSE_FAILED" 400 false;
    /// The document does not fit the schema.
    GraphqlValidationFailed "GRAPHQL_VALIDATION_FAILED" 400 false;
    /// The registered operation is unknown.
    PersistedQueryNotFound "PERSISTED_QUERY_NOT_FOUND" 404 false;
    /// Only registered operations are accepted here.
    PersistedQueryOnly "PERSISTED_QUERY_ONLY" 400 false;
    /// The operation asks for more than one request may cost.
    QueryTooComplex "QUERY_TOO_COMPLEX" 400 false;
    /// The selection is nested too deeply.
    QueryTooDeep "QUERY_TOO_DEEP" 400 false;
    /// The request body or document is too large.
    RequestTooLarge "REQUEST_TOO_LARGE" 413 false;
    /// The rate limit is used up; `Retry-After` says when to come back.
    Throttled "THROTTLED" 429 true;
    /// The request took too long.
    Timeout "TIMEOUT" 504 true;
    /// The mutation needs an idempotency key.
    IdempotencyKeyRequired "IDEMPOTENCY_KEY_REQUIRED" 400 false;
    /// The idempotency key was used with another input.
    IdempotencyConflict "IDEMPOTENCY_CONFLICT" 409 false;
    /// The first request with this idempotency key is still running.
    IdempotencyInProgress "IDEMPOTENCY_IN_PROGRESS" 409 true;
    /// The clinic's encryption key cannot be used at the moment.
    KeyUnavailable "KEY_UNAVAILABLE" 503 true;
    /// A remote system did not answer.
    UpstreamUnavailable "UPSTREAM_UNAVAILABLE" 503 true;
    /// Something went wrong on our side; the request id finds it in the log.
    Internal "INTERNAL" 500 false;
    /// Documents are not kept by their hash here; send them whole.
    PersistedQueryNotSupported "PERSISTED_QUERY_NOT_SUPPORTED" 400 false;
    /// A role asks for a second factor: show one, or enrol one.
    SecondFactorRequired "SECOND_FACTOR_REQUIRED" 403 false;
    /// What is stored is not what was signed: it is not shown, and somebody should find out why.
    IntegrityFailed "INTEGRITY_FAILED" 500 false;
    /// The clinic moves to another cell: nothing was done, and the same may be sent again in a moment.
    TenantMoving "TENANT_MOVING" 503 true;
}

/// An error that may leave the house: a code, a text for the caller, and details without PHI.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    code: Code,
    message: String,
    details: BTreeMap<&'static str, serde_json::Value>,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error the caller is told about in these words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: BTreeMap::new(), source: None }
    }

    /// Adds an entry to `extensions`, for example the missing permission.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name, value.into());
        self
    }

    /// Keeps the cause for the log; it is never sent.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// A failure of ours: logged with its whole chain, answered as `INTERNAL`.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::new(Code::Internal, INTERNAL_MESSAGE).caused_by(source)
    }

    /// The code the caller will see.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn the_list_of_codes_only_grows_at_its_end() {
        let expected = "UNAUTHENTICATED FORBIDDEN STEP_UP_REQUIRED BREAK_GLASS_REQUIRED \
            CONSENT_REQUIRED TENANT_NOT_FOUND TENANT_SUSPENDED TENANT_LOCKED TENANT_MIGRATING \
            NOT_FOUND BAD_USER_INPUT GRAPHQL_PARSE_FAILED GRAPHQL_VALIDATION_FAILED \
            PERSISTED_QUERY_NOT_FOUND PERSISTED_QUERY_ONLY QUERY_TOO_COMPLEX QUERY_TOO_DEEP \
            REQUEST_TOO_LARGE THROTTLED TIMEOUT IDEMPOTENCY_KEY_REQUIRED IDEMPOTENCY_CONFLICT \
            IDEMPOTENCY_IN_PROGRESS KEY_UNAVAILABLE UPSTREAM_UNAVAILABLE INTERNAL \
            PERSISTED_QUERY_NOT_SUPPORTED \
            SECOND_FACTOR_REQUIRED INTEGRITY_FAILED TENANT_MOVING";
        let actual: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(actual.join(" "), expected);
    }

    #[test]
    fn every_code_is_described_and_has_an_error_status() {
        for code in Code::ALL {
            assert!(code.description().ends_with('.'), "{code:?}");
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
    }
}

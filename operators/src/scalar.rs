//! Scalars that the language lacks.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, Utc};

/// RFC 3339 with offset; always returned in UTC with millisecond precision.
#[derive(Debug, Clone)]
pub(crate) struct DateTime(pub(crate) chrono::DateTime<Utc>);

/// RFC 3339 with offset; always returned in UTC with millisecond precision.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::custom("expected a date and time"));
        };
        let at = chrono::DateTime::parse_from_rfc3339(text);
        at.map(|at| Self(at.with_timezone(&Utc)))
            .map_err(|_| InputValueError::custom("expected a date and time"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Any JSON.
#[derive(Debug, Clone)]
pub(crate) struct Json(pub(crate) serde_json::Value);

/// Any JSON.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

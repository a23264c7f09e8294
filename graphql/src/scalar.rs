//! Scalars of the API. What they refuse is never quoted back: it may be PHI.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use praxis_entity::value as stored;

macro_rules! scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $write:expr, $expected:literal) => {
        scalar!($(#[$doc])* $name($inner), $read, $write, $expected,);
    };
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $write:expr, $expected:literal, $($url:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name(pub(crate) $inner);

        $(#[$doc])*
        #[Scalar($(specified_by_url = $url)?)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                let Value::String(text) = &value else { return Err(InputValueError::custom(concat!("expected ", $expected))) };
                let read: fn(&str) -> Option<$inner> = $read;
                read(text).map(Self).ok_or_else(|| InputValueError::custom(concat!("expected ", $expected)))
            }

            fn to_value(&self) -> Value {
                let write: fn(&$inner) -> String = $write;
                Value::String(write(&self.0))
            }
        }
    };
}

scalar!(
    /// A calendar day, ISO 8601 `YYYY-MM-DD`.
    Date(NaiveDate),
    |text| (text.len() == 10).then(|| text.parse().ok()).flatten(),
    |date| date.format("%Y-%m-%d").to_string(),
    "a date as YYYY-MM-DD",
    "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
);
scalar!(
    /// ISO 8601 `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: clinical dates are often partial.
    PartialDate(stored::PartialDate),
    |text| text.parse().ok(),
    |date| date.to_string(),
    "a date as YYYY, YYYY-MM or YYYY-MM-DD"
);
scalar!(
    /// RFC 3339 with offset; always returned in UTC with millisecond precision.
    DateTime(ChronoDateTime<Utc>),
    |text| ChronoDateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)).filter(in_range),
    |at| at.to_rfc3339_opts(SecondsFormat::Millis, true),
    "a date and time with offset, as 2027-01-31T09:30:00Z",
    "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
);
scalar!(
    /// A time of day without zone, `HH:MM` or `HH:MM:SS`.
    LocalTime(NaiveTime),
    |text| NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok(),
    |time| time.format("%H:%M:%S").to_string(),
    "a time of day as HH:MM"
);
scalar!(
    /// IANA time zone name, for example `Europe/London`.
    TimeZone(String),
    |text| (!text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte))).then(|| text.to_owned()),
    |zone| zone.clone(),
    "an IANA time zone"
);
scalar!(
    /// Exact decimal as a string; never a float. Trailing zeros are kept.
    Decimal(rust_decimal::Decimal),
    |text| text.parse().ok(),
    |decimal| decimal.to_string(),
    "a decimal number in a string"
);
scalar!(
    /// E-mail address.
    EmailAddress(String),
    |text| (text.len() <= 320 && text.contains('@')).then(|| text.trim().to_owned()),
    |address| address.clone(),
    "an e-mail address"
);
scalar!(
    /// Telephone number in E.164, for example `+442079460000`; other spellings are accepted as input and normalised.
    PhoneNumber(String),
    |text| (text.len() <= 40 && text.bytes().any(|byte| byte.is_ascii_digit())).then(|| text.trim().to_owned()),
    |number| number.clone(),
    "a telephone number"
);

/// Postgres holds no year beyond these.
fn in_range(at: &ChronoDateTime<Utc>) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&at.year())
}

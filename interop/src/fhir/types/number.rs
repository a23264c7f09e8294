//! Decimals, read from the text of the number: 72.50 stays 72.50.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

/// A decimal, and whether it prints exactly as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhir) struct Number {
    pub(in crate::fhir) value: Decimal,
    pub(in crate::fhir) verbatim: bool,
}

impl Number {
    fn of(text: &str) -> Option<Self> {
        let value = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
        Some(Self { value, verbatim: value.to_string() == text })
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        Self::of(text).ok_or_else(|| D::Error::custom("not a decimal that can be kept exactly"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_number_survives() {
        for text in ["72.50", "0", "0.00", "178.88023499217553", "-3.1", "120"] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!((number.value.to_string().as_str(), number.verbatim), (text, true));
        }
    }

    #[test]
    fn another_way_of_writing_is_noticed() {
        let number: Number = serde_json::from_str("1.50e2").unwrap();
        assert_eq!((number.value, number.verbatim), (Decimal::from(150), false));
    }

    #[test]
    fn what_can_not_be_kept_exactly_is_refused() {
        for text in [
            "\"72\"",
            "true",
            "{}",
            "0.1234567890123456789012345678901",
            "1e999",
            "99999999999999999999999999999999",
        ] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }
}

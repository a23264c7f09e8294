//! Clinical time: often partial, and always kept as it was written.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A date known to the year, the month or the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialDate {
    /// `YYYY`
    Year(i32),
    /// `YYYY-MM`
    Month(i32, u32),
    /// `YYYY-MM-DD`
    Day(NaiveDate),
}

/// The text is not `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected YYYY, YYYY-MM or YYYY-MM-DD")]
pub struct PartialDateError;

impl PartialDate {
    /// The first day that the date may mean.
    pub fn earliest(self) -> Option<NaiveDate> {
        match self {
            Self::Year(year) => NaiveDate::from_ymd_opt(year, 1, 1),
            Self::Month(year, month) => NaiveDate::from_ymd_opt(year, month, 1),
            Self::Day(day) => Some(day),
        }
    }

    /// Whole years completed on `today`, at the most, counted from the earliest possible birthday.
    pub fn age_on(self, today: NaiveDate) -> Option<u32> {
        today.years_since(self.earliest()?)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => write!(f, "{:04}-{:02}-{:02}", day.year(), day.month(), day.day()),
        }
    }
}

impl FromStr for PartialDate {
    type Err = PartialDateError;

    fn from_str(text: &str) -> Result<Self, PartialDateError> {
        let number = |part: &str, digits: usize| -> Result<u32, PartialDateError> {
            if part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()) {
                part.parse().map_err(|_| PartialDateError)
            } else {
                Err(PartialDateError)
            }
        };
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            [year] => Ok(Self::Year(number(year, 4)?.cast_signed())),
            [year, month] => {
                let (year, month) = (number(year, 4)?.cast_signed(), number(month, 2)?);
                NaiveDate::from_ymd_opt(year, month, 1).ok_or(PartialDateError)?;
                Ok(Self::Month(year, month))
            }
            [year, month, day] => {
                NaiveDate::from_ymd_opt(number(year, 4)?.cast_signed(), number(month, 2)?, number(day, 2)?)
                    .map(Self::Day)
                    .ok_or(PartialDateError)
            }
            _ => Err(PartialDateError),
        }
    }
}

impl Serialize for PartialDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An instant together with the text it was given as.
///
/// `timestamptz` alone loses the offset and the precision; both come back from `text` on export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The first instant that the text may mean.
    pub at: DateTime<Utc>,
    /// The text as received, for example `2019-04-01T08:15:00-04:00` or `2019-04`.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_keep_their_precision() {
        for text in ["1964", "1964-02", "1964-02-29"] {
            assert_eq!(text.parse::<PartialDate>().map(|date| date.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "64", "1963-02-29", "1964-13", "1964-2-3", "1964-02-03T00:00", "+964"] {
            assert_eq!(text.parse::<PartialDate>(), Err(PartialDateError), "{text}");
        }
    }

    #[test]
    fn age_counts_completed_years() {
        let born: PartialDate = "2000-06-15".parse().unwrap();
        let on = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(born.age_on(on("2020-06-14")), Some(19));
        assert_eq!(born.age_on(on("2020-06-15")), Some(20));
        assert_eq!(born.age_on(on("1999-01-01")), None);
    }
}

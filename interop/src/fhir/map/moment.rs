//! Times: the instant for the order of things, the text for what was written.

use chrono::{DateTime, NaiveTime};
use praxis_entity::value::{Moment, PartialDate};

use crate::fhir::source::Invalid;

/// A FHIR date, dateTime or instant. A date without a zone begins at midnight UTC.
pub(super) fn moment(text: String) -> Result<Moment, Invalid> {
    let at = if text.contains('T') {
        DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc())
    } else {
        let day = text.parse::<PartialDate>().ok().and_then(PartialDate::earliest);
        day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
    };
    let at = at.ok_or_else(|| Invalid::at("", "is not a date or a time with its zone"))?;
    Ok(Moment { at, text })
}

/// The same for a member that may be absent.
pub(super) fn optional(path: &str, text: Option<String>) -> Result<Option<Moment>, Invalid> {
    text.map(moment).transpose().map_err(|invalid| Invalid { path: path.to_owned(), ..invalid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_kept_and_the_instant_is_its_first() {
        for (text, at) in [
            ("2019", "2019-01-01T00:00:00Z"),
            ("2019-04", "2019-04-01T00:00:00Z"),
            ("2019-04-05", "2019-04-05T00:00:00Z"),
            ("2019-04-05T08:15:00.250-04:00", "2019-04-05T12:15:00.250Z"),
        ] {
            let moment = moment(text.to_owned()).unwrap();
            assert_eq!((moment.text.as_str(), moment.at), (text, at.parse().unwrap()));
        }
        for text in
            ["", "T", "2019-13", "2019-02-30", "2019-04-05T08:15:00", "2019-04-05T25:00:00Z", "yesterday"]
        {
            assert!(moment(text.to_owned()).is_err(), "{text}");
        }
    }
}

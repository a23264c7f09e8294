//! Times: the instant for the order of things, the text for what was written.

use chrono::{DateTime, NaiveTime, Utc};
use praxis_entity::value::{Moment, PartialDate};

use crate::fhir::{
    source::{Invalid, Source},
    types::Period,
};

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

/// A time, or the start of a period; ages and texts stay in the residual.
pub(super) fn either(source: &mut Source<'_>, time: &str, period: &str) -> Result<Option<Moment>, Invalid> {
    let at = source.element(time, |text: String, _| moment(text))?;
    let from = source.element(period, |period: Period, loss| {
        loss.note();
        optional("start", period.start)
    })?;
    Ok(at.or(from.flatten()))
}

/// A time, or both ends of a period.
pub(super) fn span(
    source: &mut Source<'_>,
    time: &str,
    period: &str,
) -> Result<(Option<Moment>, Option<Moment>), Invalid> {
    let at = source.element(time, |text: String, _| moment(text))?;
    let ends = source.element(period, |period: Period, loss| {
        // One that is given beside a time would say something else.
        loss.note_if(at.is_some());
        Ok((optional("start", period.start)?, optional("end", period.end)?))
    })?;
    let (start, end) = ends.unwrap_or_default();
    Ok(if at.is_some() { (at, None) } else { (start, end) })
}

/// When something became known elsewhere. Its text stays: only the instant is kept here.
pub(super) fn recorded(source: &mut Source<'_>, key: &str) -> Result<Option<DateTime<Utc>>, Invalid> {
    source.element(key, |text: String, loss| {
        loss.note();
        Ok(moment(text)?.at)
    })
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

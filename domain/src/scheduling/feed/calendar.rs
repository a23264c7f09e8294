//! The text of a calendar, RFC 5545: what of it a list of visits needs. All times are in UTC.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

/// The longest line in bytes, without its end.
const LINE: usize = 75;

/// A calendar that is being written.
pub(super) struct Calendar {
    text: String,
    stamp: DateTime<Utc>,
}

/// Something in a calendar.
pub(super) struct Happening {
    pub(super) uid: String,
    pub(super) version: i32,
    pub(super) changed: DateTime<Utc>,
    pub(super) starts: DateTime<Utc>,
    pub(super) ends: DateTime<Utc>,
    pub(super) summary: &'static str,
    pub(super) place: String,
    /// Not certain yet.
    pub(super) tentative: bool,
}

impl Calendar {
    /// An empty calendar, as of an instant.
    pub(super) fn new(stamp: DateTime<Utc>) -> Self {
        let mut calendar = Self { text: String::new(), stamp };
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Praxis//Praxis//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH",
        ] {
            calendar.line(line);
        }
        calendar
    }

    /// Adds something.
    pub(super) fn add(&mut self, what: &Happening) {
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}", escaped(&what.uid)));
        self.line(&format!("DTSTAMP:{}", instant(self.stamp)));
        self.line(&format!("LAST-MODIFIED:{}", instant(what.changed)));
        self.line(&format!("SEQUENCE:{}", what.version));
        self.line(&format!("DTSTART:{}", instant(what.starts)));
        self.line(&format!("DTEND:{}", instant(what.ends)));
        self.line(&format!("SUMMARY:{}", escaped(what.summary)));
        if !what.place.is_empty() {
            self.line(&format!("LOCATION:{}", escaped(&what.place)));
        }
        self.line(if what.tentative { "STATUS:TENTATIVE" } else { "STATUS:CONFIRMED" });
        self.line("END:VEVENT");
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        self.line("END:VCALENDAR");
        self.text
    }

    /// A content line, folded before it is longer than 75 bytes, and never within a character.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for character in line.chars() {
            if length + character.len_utf8() > LINE {
                self.text.push_str("\r\n ");
                length = 1;
            }
            length += character.len_utf8();
            self.text.push(character);
        }
        self.text.push_str("\r\n");
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value: backslash, comma, semicolon and line ends are escaped; other control characters are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => {
                let _ = write!(escaped, "\\{character}");
            }
            '\n' => escaped.push_str("\\n"),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads lines back as RFC 5545 has it: unfolded.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    fn happening(place: &str) -> Happening {
        let starts: DateTime<Utc> = "2027-03-01T09:00:00Z".parse().unwrap();
        Happening {
            uid: "apt_1".to_owned(),
            version: 3,
            changed: starts,
            starts,
            ends: starts + chrono::TimeDelta::minutes(30),
            summary: "Visit",
            place: place.to_owned(),
            tentative: false,
        }
    }

    #[test]
    fn a_visit_is_written_as_the_standard_says() {
        let mut calendar = Calendar::new("2027-02-01T00:00:00Z".parse().unwrap());
        calendar.add(&happening("North; 1st floor, left\\right"));
        assert_eq!(
            unfolded(&calendar.end()),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//Praxis//Praxis//EN",
                "CALSCALE:GREGORIAN",
                "METHOD:PUBLISH",
                "BEGIN:VEVENT",
                "UID:apt_1",
                "DTSTAMP:20270201T000000Z",
                "LAST-MODIFIED:20270301T090000Z",
                "SEQUENCE:3",
                "DTSTART:20270301T090000Z",
                "DTEND:20270301T093000Z",
                "SUMMARY:Visit",
                "LOCATION:North\\; 1st floor\\, left\\\\right",
                "STATUS:CONFIRMED",
                "END:VEVENT",
                "END:VCALENDAR",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_line_or_adds_one(place in any::<String>()) {
            let mut calendar = Calendar::new(DateTime::UNIX_EPOCH);
            calendar.add(&happening(&place));
            let text = calendar.end();
            for line in text.split_terminator("\r\n") {
                prop_assert!(line.len() <= LINE);
                prop_assert!(!line.chars().any(char::is_control));
            }
            let named = unfolded(&text).into_iter().filter(|line| line.starts_with("BEGIN:VEVENT")).count();
            prop_assert_eq!(named, 1);
        }
    }
}

//! What a notice may say: the facts there are, how closely each touches a person, and the words that come with us.
//!
//! Whoever reads over a shoulder, carries a message or holds a lost telephone learns that somebody has an
//! appointment, and when. A fact that says more is known here only to be refused by its name.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use praxis_entity::notification::Topic;
use serde_json::{Map, Value as Json};

/// How closely a fact touches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Says nothing of anybody.
    Public,
    /// Says that somebody has an appointment, and when.
    Visit,
    /// Says who somebody is.
    Identifying,
    /// Says what ails somebody, or lets it be guessed.
    Clinical,
}

impl Class {
    /// Whether a fact may stand in a notice.
    pub(super) fn may_be_told(self) -> bool {
        self <= Self::Visit
    }
}

/// The facts a text may ask for, and those it may not.
const FACTS: [(&str, Class); 16] = [
    ("clinic", Class::Public),
    ("origin", Class::Public),
    ("date", Class::Visit),
    ("time", Class::Visit),
    ("patient", Class::Identifying),
    ("patientName", Class::Identifying),
    ("mrn", Class::Identifying),
    ("birthDate", Class::Identifying),
    ("practitioner", Class::Clinical),
    ("branch", Class::Clinical),
    ("reason", Class::Clinical),
    ("visitKind", Class::Clinical),
    ("diagnosis", Class::Clinical),
    ("document", Class::Clinical),
    ("task", Class::Clinical),
    ("alert", Class::Clinical),
];

/// How closely a fact touches a person; `None` where there is no such fact.
pub(super) fn class_of(fact: &str) -> Option<Class> {
    FACTS.iter().find(|(name, _)| *name == fact).map(|(_, class)| *class)
}

/// Whether notices of a topic speak of a time.
pub(super) fn speaks_of_a_time(topic: Topic) -> bool {
    matches!(
        topic,
        Topic::AppointmentBooked
            | Topic::AppointmentMoved
            | Topic::AppointmentCancelled
            | Topic::AppointmentReminder
            | Topic::AppointmentOffered
    )
}

/// The facts of a notice, as they are written in a language.
pub(super) fn facts(
    clinic: &str,
    origin: &str,
    about: Option<(DateTime<Utc>, Tz)>,
    language: &str,
) -> Map<String, Json> {
    let mut facts = Map::new();
    facts.insert("clinic".to_owned(), clinic.into());
    facts.insert("origin".to_owned(), origin.into());
    if let Some((at, zone)) = about {
        let wall = at.with_timezone(&zone).naive_local();
        facts.insert("date".to_owned(), date(wall.date(), language).into());
        facts.insert("time".to_owned(), wall.format("%H:%M").to_string().into());
    }
    facts
}

/// A day in words; in a language that we do not speak, as ISO 8601 has it.
fn date(day: chrono::NaiveDate, language: &str) -> String {
    const GERMAN: [&str; 12] = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ];
    const WEEKDAYS: [&str; 7] =
        ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
    match language {
        "en" => day.format("%A, %-d %B %Y").to_string(),
        "de" => {
            let weekday =
                WEEKDAYS.get(day.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
            let month = GERMAN.get(day.month0() as usize).copied().unwrap_or_default();
            format!("{weekday}, {}. {month} {}", day.day(), day.year())
        }
        _ => day.format("%Y-%m-%d").to_string(),
    }
}

/// The words that come with us: the subject of a mail, its text, and one line for everything else.
pub(super) struct Words {
    pub(super) subject: &'static str,
    pub(super) mail: &'static str,
    pub(super) short: &'static str,
}

macro_rules! shipped {
    ($($language:literal: { $($topic:ident = $file:literal),+ $(,)? })+) => {
        fn file(language: &str, topic: Topic) -> Option<&'static str> {
            match (language, topic) {
                $($(($language, Topic::$topic) => Some(include_str!(concat!("words/", $language, "/", $file, ".txt"))),)+)+
                _ => None,
            }
        }
    };
}

shipped! {
    "en": {
        AppointmentBooked = "appointment_booked",
        AppointmentMoved = "appointment_moved",
        AppointmentCancelled = "appointment_cancelled",
        AppointmentReminder = "appointment_reminder",
        TaskAssigned = "task_assigned",
        TaskEscalated = "task_escalated",
        AlertRaised = "alert_raised",
        DocumentToCosign = "document_to_cosign",
        AppointmentOffered = "appointment_offered",
    }
    "de": {
        AppointmentBooked = "appointment_booked",
        AppointmentMoved = "appointment_moved",
        AppointmentCancelled = "appointment_cancelled",
        AppointmentReminder = "appointment_reminder",
        TaskAssigned = "task_assigned",
        TaskEscalated = "task_escalated",
        AlertRaised = "alert_raised",
        DocumentToCosign = "document_to_cosign",
        AppointmentOffered = "appointment_offered",
    }
}

/// The words that come with us for a topic in a language.
pub(super) fn shipped(language: &str, topic: Topic) -> Option<Words> {
    let mut parts = file(language, topic)?.split("\n---\n").map(str::trim);
    Some(Words { subject: parts.next()?, mail: parts.next()?, short: parts.next()? })
}

#[cfg(test)]
mod tests {
    use praxis_platform::words;
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn what_comes_with_us_is_there_in_both_languages_and_asks_only_for_what_may_be_told() {
        let at = "2027-04-05T07:00:00Z".parse().unwrap();
        for topic in Topic::iter() {
            for language in ["en", "de"] {
                let Words { subject, mail, short } = shipped(language, topic).unwrap();
                for text in [subject, mail, short] {
                    let asked = words::asked(text).unwrap();
                    assert!(
                        asked.iter().all(|fact| class_of(fact).is_some_and(Class::may_be_told)),
                        "{text}"
                    );
                    let about = speaks_of_a_time(topic).then_some((at, Tz::Europe__Berlin));
                    let filled = words::fill(text, &facts("Northside", "https://n.example", about, language));
                    assert!(!filled.unwrap().is_empty());
                }
                assert!(!subject.contains('\n') && !short.contains('\n'));
            }
        }
        assert!(shipped("fr", Topic::TaskAssigned).is_none());
    }

    #[test]
    fn a_time_is_told_as_the_wall_clock_of_the_clinic_shows_it() {
        let about = |at: &str, zone| Some((at.parse().unwrap(), zone));
        let told = facts("C", "o", about("2027-03-28T07:00:00Z", Tz::Europe__Berlin), "en");
        assert_eq!((&told["date"], &told["time"]), (&"Sunday, 28 March 2027".into(), &"09:00".into()));
        let told = facts("C", "o", about("2027-03-27T23:30:00Z", Tz::Europe__Berlin), "de");
        assert_eq!((&told["date"], &told["time"]), (&"Sonntag, 28. März 2027".into(), &"00:30".into()));
        let told = facts("C", "o", about("2027-11-07T05:30:00Z", Tz::America__New_York), "fr");
        assert_eq!((&told["date"], &told["time"]), (&"2027-11-07".into(), &"01:30".into()));
        assert!(facts("C", "o", None, "en").get("date").is_none());
    }
}

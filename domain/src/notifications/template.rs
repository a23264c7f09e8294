//! The clinic's own words, and which words a notice is told in.
//!
//! A text is judged when it is saved, so that one that would carry PHI, or could not be filled in, is never there
//! to be sent. Saving adds a version; the newest of a topic, channel and locale is used, and ours where there is none.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use praxis_entity::{
    ids::NotificationTemplateId,
    notification::{Channel, Topic},
    notification_template::{self, Column, Entity, Model},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, words as sandbox};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value as Json};

use super::words::{Class, class_of, facts, shipped, speaks_of_a_time};
use crate::{Detail, Result, Violation, ViolationCode, error::Violations, page::any_of, rows::refused};

/// The language everything is there in.
const FALLBACK: &str = "en";
/// Three parts of a text message.
const LONGEST_TEXT: usize = 459;
const LONGEST_MAIL: usize = 10_000;
const LONGEST_LINE: usize = 200;

/// Words to be saved.
#[derive(Debug, Clone)]
pub struct SaveTemplate {
    /// What they are about.
    pub topic: Topic,
    /// By which way they go.
    pub channel: Channel,
    /// BCP 47, such as `de` or `en-GB`.
    pub locale: String,
    /// Subject of a mail.
    pub subject: Option<String>,
    /// The words, with places for facts.
    pub body: String,
    /// The version that is used now; 0 where the words that come with us are.
    pub if_version: i32,
}

/// Saves the clinic's own words for a topic, channel and locale.
pub async fn save_template(op: &Op<Write>, new: SaveTemplate) -> Result<Model> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    let mut found = Violations::default();
    judge(&mut found, &new);
    found.check()?;
    let SaveTemplate { topic, channel, locale, subject, body, if_version } = new;
    let same = Entity::find()
        .filter(Column::Topic.eq(topic))
        .filter(Column::Channel.eq(channel))
        .filter(Column::Locale.eq(&locale));
    let current = same.order_by_desc(Column::Version).one(op.db()).await?.map_or(0, |row| row.version);
    if current != if_version {
        return Err(stale(current).into());
    }
    let row = notification_template::ActiveModel {
        id: Set(NotificationTemplateId(op.new_id())),
        created_at: Set(op.now()),
        created_by: Set(op.actor().user),
        topic: Set(topic),
        channel: Set(channel),
        locale: Set(locale),
        version: Set(current + 1),
        subject: Set(subject),
        body: Set(body),
    };
    let raced = |name: &str| (name == "notification_template_version_unique").then(|| stale(current + 1));
    let saved =
        Entity::insert(row).exec_with_returning(op.db()).await.map_err(|error| refused(error, raced))?;
    op.record(Entry::done("notification-template.save").on(
        "NotificationTemplate",
        saved.id.0,
        saved.version,
    ));
    Ok(saved)
}

fn stale(current: i32) -> Violation {
    let message = "Somebody else changed these words meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}

fn judge(found: &mut Violations, new: &SaveTemplate) {
    let subtags: Vec<&str> = new.locale.split('-').collect();
    let is_subtag =
        |tag: &&str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let language = subtags.first().copied().unwrap_or_default();
    if subtags.len() > 4
        || !subtags.iter().all(is_subtag)
        || !(2..=3).contains(&language.len())
        || !language.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        found.add(ViolationCode::Invalid, &["locale"], "This is not a locale such as de or en-GB.");
    }
    if new.channel == Channel::Push {
        found.add(ViolationCode::Invalid, &["channel"], "A push carries no words.");
    }
    match (new.channel, new.subject.as_deref().map(str::trim)) {
        (Channel::Email, None | Some("")) => {
            found.add(ViolationCode::Required, &["subject"], "A mail needs a subject.");
        }
        (Channel::Email, Some(subject)) => {
            text(found, "subject", subject, new.topic, language, LONGEST_LINE, true)
        }
        (_, Some(_)) => found.add(ViolationCode::Invalid, &["subject"], "Only a mail has a subject."),
        (_, None) => {}
    }
    if new.body.trim().is_empty() {
        found.add(ViolationCode::Required, &["body"], "There are no words.");
        return;
    }
    let (longest, one_line) = match new.channel {
        Channel::Email => (LONGEST_MAIL, false),
        Channel::Sms => (LONGEST_TEXT, false),
        Channel::InApp | Channel::Push => (LONGEST_LINE, true),
    };
    text(found, "body", &new.body, new.topic, language, longest, one_line);
}

/// Judges one text: what it asks for, and what it comes to.
fn text(
    found: &mut Violations,
    path: &str,
    source: &str,
    topic: Topic,
    language: &str,
    longest: usize,
    one_line: bool,
) {
    if source.len() > 4 * LONGEST_MAIL {
        return found.add(ViolationCode::TooLong, &[path], "The text is too long.");
    }
    let asked = match sandbox::asked(source) {
        Ok(asked) => asked,
        Err(why) => {
            return found.add(ViolationCode::Invalid, &[path], format!("The text can't be read: {why}."));
        }
    };
    let mut fine = true;
    for fact in asked.into_iter().collect::<BTreeSet<_>>() {
        let message = match class_of(&fact) {
            Some(class) if !class.may_be_told() => {
                format!(
                    "{fact} would tell others of a patient. A notice may only say that there is something."
                )
            }
            Some(Class::Visit) if !speaks_of_a_time(topic) => {
                format!("A notice of this topic has no {fact}.")
            }
            Some(_) => continue,
            None => "The text asks for something that there is not.".to_owned(),
        };
        fine = false;
        found.add(ViolationCode::Invalid, &[path], message);
    }
    if !fine {
        return;
    }
    // A day with the longest names, at a clinic with a long one.
    let about = speaks_of_a_time(topic).then(|| DateTime::from_timestamp(1_822_230_000, 0)).flatten();
    let sample = facts(
        "Northside Family Practice",
        "https://northside.example.org",
        about.map(|at| (at, Tz::UTC)),
        language,
    );
    match sandbox::fill(source, &sample) {
        Err(why) => {
            found.add(ViolationCode::Invalid, &[path], format!("The text can't be filled in: {why}."))
        }
        Ok(filled) if filled.trim().is_empty() => {
            found.add(ViolationCode::Required, &[path], "There are no words.");
        }
        Ok(filled) if filled.chars().count() > longest => {
            found.add(
                ViolationCode::TooLong,
                &[path],
                format!("Filled in, the text is longer than {longest} characters."),
            );
        }
        Ok(filled) if one_line && filled.trim().contains(char::is_control) => {
            found.add(ViolationCode::Invalid, &[path], "The text has to be on one line.");
        }
        Ok(_) => {}
    }
}

/// The clinic's own words that are in use.
pub async fn templates<M>(op: &Op<M>) -> Result<Vec<Model>> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    let rows = Entity::find()
        .order_by_asc(Column::Topic)
        .order_by_asc(Column::Channel)
        .order_by_asc(Column::Locale)
        .order_by_desc(Column::Version)
        .all(op.db())
        .await?;
    let mut newest: Vec<Model> = Vec::new();
    for row in rows {
        let key = |row: &Model| (row.topic, row.channel, row.locale.clone());
        if newest.last().is_none_or(|last| key(last) != key(&row)) {
            newest.push(row);
        }
    }
    Ok(newest)
}

/// Versions of the clinic's own words by their ids; unknown ones are absent.
pub async fn templates_by_ids<M>(op: &Op<M>, ids: &[NotificationTemplateId]) -> Result<Vec<Model>> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(Entity::find().filter(wanted).all(op.db()).await?)
}

/// Words at hand for some topics and channels.
pub(super) struct Templates(HashMap<(Topic, Channel, String), Model>);

/// What is to be said, and how.
pub(super) struct Said<'a> {
    pub(super) topic: Topic,
    pub(super) channel: Channel,
    /// The most wanted first.
    pub(super) locales: &'a [&'a str],
    pub(super) clinic: &'a str,
    pub(super) origin: &'a str,
    pub(super) about: Option<DateTime<Utc>>,
    /// Whose wall clock tells the time.
    pub(super) zone: &'a str,
}

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InWords {
    pub(super) subject: String,
    pub(super) body: String,
}

impl Templates {
    /// The newest words of these topics and channels, with one statement.
    pub(super) async fn load<M>(op: &Op<M>, wanted: impl Iterator<Item = (Topic, Channel)>) -> Result<Self> {
        let (topics, channels): (BTreeSet<Topic>, BTreeSet<Channel>) = wanted.unzip();
        if topics.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let rows = Entity::find()
            .filter(Column::Topic.is_in(topics))
            .filter(Column::Channel.is_in(channels))
            .order_by_asc(Column::Version);
        let rows = rows.all(op.db()).await?;
        Ok(Self(rows.into_iter().map(|row| ((row.topic, row.channel, row.locale.clone()), row)).collect()))
    }

    /// Says it in the first of the locales in which there are words.
    pub(super) fn say(&self, said: &Said<'_>) -> std::result::Result<InWords, String> {
        let zone: Tz = said.zone.parse().unwrap_or(chrono_tz::UTC);
        let about = said.about.map(|at| (at, zone));
        for locale in wanted(said.locales) {
            let language = locale.split('-').next().unwrap_or_default();
            let facts = facts(said.clinic, said.origin, about, language);
            if let Some(own) = self.0.get(&(said.topic, said.channel, locale.clone())) {
                return filled(own.subject.as_deref().unwrap_or_default(), &own.body, &facts);
            }
            if let Some(shipped) = shipped(&locale, said.topic) {
                let body = if said.channel == Channel::Email { shipped.mail } else { shipped.short };
                let mut words = filled(shipped.subject, body, &facts)?;
                if said.channel == Channel::Sms {
                    words.body.push_str(if language == "de" {
                        " Abbestellen: STOP"
                    } else {
                        " Reply STOP to opt out."
                    });
                }
                return Ok(words);
            }
        }
        Err("there are no words".to_owned())
    }
}

fn filled(subject: &str, body: &str, facts: &Map<String, Json>) -> std::result::Result<InWords, String> {
    let subject = sandbox::fill(subject, facts)?.trim().to_owned();
    Ok(InWords { subject, body: sandbox::fill(body, facts)?.trim().to_owned() })
}

/// From the most to the least wanted: `de-CH`, `de`, then what is always there.
fn wanted(locales: &[&str]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    locales
        .iter()
        .flat_map(|locale| [*locale, locale.split('-').next().unwrap_or_default()])
        .chain([FALLBACK])
        .filter(|locale| seen.insert(locale.to_owned()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn new(channel: Channel, subject: Option<&str>, body: &str) -> SaveTemplate {
        SaveTemplate {
            topic: Topic::AppointmentReminder,
            channel,
            locale: "de-CH".to_owned(),
            subject: subject.map(str::to_owned),
            body: body.to_owned(),
            if_version: 0,
        }
    }

    fn refused(new: &SaveTemplate) -> Vec<(ViolationCode, String)> {
        let mut found = Violations::default();
        judge(&mut found, new);
        match found.check() {
            Err(Error::Violated(all)) => all.into_iter().map(|one| (one.code, one.path.concat())).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_text_that_would_carry_phi_is_refused_however_it_asks() {
        for body in [
            "{{ patient }}",
            "{{ date }} {{ patient.name }}",
            "{% set x = reason %}{{ date }}",
            "{% if diagnosis is defined %}x{% endif %}{{ date }}",
            "{{ [visitKind][0] }}",
            "{{ practitioner|upper }}",
            "{{ alert ~ date }}",
        ] {
            for channel in [Channel::Sms, Channel::Email, Channel::InApp] {
                let subject = (channel == Channel::Email).then_some("x");
                assert_eq!(
                    refused(&new(channel, subject, body)),
                    [(ViolationCode::Invalid, "body".to_owned())],
                    "{body}"
                );
            }
            let in_subject = new(Channel::Email, Some(body), "x");
            assert_eq!(refused(&in_subject), [(ViolationCode::Invalid, "subject".to_owned())], "{body}");
        }
    }

    #[test]
    fn a_text_that_could_not_be_sent_is_refused() {
        use ViolationCode::{Invalid, Required, TooLong};
        let codes = |new: &SaveTemplate| -> Vec<ViolationCode> {
            refused(new).into_iter().map(|(code, _)| code).collect()
        };
        assert_eq!(codes(&new(Channel::Sms, None, "{{ clinic }}: {{ date }}, {{ time }}")), []);
        assert_eq!(codes(&new(Channel::Sms, None, "{{ clinic")), [Invalid]);
        assert_eq!(codes(&new(Channel::Sms, None, "{{ nothing }}")), [Invalid]);
        assert_eq!(codes(&new(Channel::Sms, None, "{{ date + 1 }}")), [Invalid]);
        assert_eq!(codes(&new(Channel::Sms, None, "{% if false %}x{% endif %}")), [Required]);
        assert_eq!(codes(&new(Channel::Sms, None, &"x".repeat(460))), [TooLong]);
        assert_eq!(codes(&new(Channel::Sms, Some("x"), "x")), [Invalid]);
        assert_eq!(codes(&new(Channel::Email, None, "x")), [Required]);
        assert_eq!(codes(&new(Channel::Email, Some("a\nBcc: b"), "x")), [Invalid]);
        assert_eq!(codes(&new(Channel::InApp, None, "a\nb")), [Invalid]);
        assert_eq!(codes(&new(Channel::Push, None, "x")), [Invalid]);
        let locale =
            |locale: &str| SaveTemplate { locale: locale.to_owned(), ..new(Channel::Sms, None, "x") };
        assert_eq!(codes(&locale("../x")), [Invalid]);
        assert_eq!(codes(&locale("")), [Invalid]);
        let task = SaveTemplate { topic: Topic::TaskAssigned, ..new(Channel::InApp, None, "{{ date }}") };
        assert_eq!(codes(&task), [Invalid]);
    }

    #[test]
    fn words_are_the_clinics_own_before_ours_and_the_nearest_language_before_others() {
        let own = |locale: &str, body: &str| {
            let model = Model {
                id: NotificationTemplateId(uuid::Uuid::nil()),
                created_at: DateTime::UNIX_EPOCH,
                created_by: None,
                topic: Topic::AppointmentReminder,
                channel: Channel::Sms,
                locale: locale.to_owned(),
                version: 1,
                subject: None,
                body: body.to_owned(),
            };
            ((model.topic, model.channel, model.locale.clone()), model)
        };
        let words =
            Templates(HashMap::from([own("de-CH", "Grüezi {{ time }}"), own("fr", "Bonjour {{ date }}")]));
        let say = |locales: &[&str]| {
            let said = Said {
                topic: Topic::AppointmentReminder,
                channel: Channel::Sms,
                locales,
                clinic: "C",
                origin: "o",
                about: Some("2027-04-05T07:00:00Z".parse().unwrap()),
                zone: "Europe/Berlin",
            };
            words.say(&said).unwrap().body
        };
        assert_eq!(say(&["de-CH", "en"]), "Grüezi 09:00");
        assert!(say(&["de-AT", "en"]).starts_with("C: Erinnerung an den Termin am Montag, 5. April 2027"));
        assert_eq!(say(&["fr-FR", "en"]), "Bonjour 2027-04-05");
        assert_eq!(
            say(&["it", "en-US"]),
            "C: reminder of the appointment on Monday, 5 April 2027, 09:00. Reply STOP to opt out."
        );
    }
}

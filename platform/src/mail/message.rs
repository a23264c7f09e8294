//! A mail as it goes over the wire.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart, header},
};
use praxis_entity::mail_message;
use serde_json::{Map, Value as Json};

use super::{
    Letter,
    template::{self, Rendered},
};

/// A mail ready to be handed over.
pub(super) struct Ready {
    pub(super) from: Address,
    pub(super) to: Address,
    /// Unique for the mail, the same for each try.
    pub(super) id: String,
    pub(super) bytes: Vec<u8>,
    /// Subject and text, for people who look into a folder of mails.
    pub(super) readable: String,
}

/// RFC 3834: nobody's absence notice is to answer.
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Writes a mail. What stands in the way stands in the way for ever; the text says what, without addresses.
pub(super) fn write(
    row: &mail_message::Model,
    sender: &Mailbox,
    clinic: &str,
    locales: &[&str],
    facts: &Map<String, Json>,
) -> Result<Ready, String> {
    let Rendered { subject, text, html } = template::render(&row.template, locales, facts)?;
    let letter = Letter {
        id: row.id.to_string(),
        to: row.to_address.clone(),
        written_at: row.created_at,
        clinic: clinic.to_owned(),
        subject,
        text,
    };
    compose(&letter, html, sender)
}

/// Makes a mail of a letter.
pub(super) fn compose(letter: &Letter, html: String, sender: &Mailbox) -> Result<Ready, String> {
    let to: Address = letter.to.parse().map_err(|_| "the address is not well-formed".to_owned())?;
    let from = sender.email.clone();
    // The clinic speaks, through the installation's address.
    let shown = sender.name.clone().unwrap_or_else(|| letter.clinic.clone());
    let message = Message::builder()
        .from(Mailbox::new(Some(shown), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(letter.subject.clone())
        .date(SystemTime::from(letter.written_at))
        .message_id(Some(format!("<{}@{}>", letter.id, from.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), html))
        .map_err(|_| "the message can't be written".to_owned())?;
    let readable = format!("To: {to}\nSubject: {}\n\n{}", letter.subject, letter.text);
    Ok(Ready { from, to, id: letter.id.clone(), bytes: message.formatted(), readable })
}

//! A mail as it goes over the wire.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart, header},
};
use praxis_entity::mail_message;
use serde_json::{Map, Value as Json};

use super::template;

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
    let rendered = template::render(&row.template, locales, facts)?;
    let to: Address = row.to_address.parse().map_err(|_| "the address is not well-formed".to_owned())?;
    let from = sender.email.clone();
    // The clinic speaks, through the installation's address.
    let shown = sender.name.clone().unwrap_or_else(|| clinic.to_owned());
    let id = format!("<{}@{}>", row.id, from.domain());
    let readable = format!("To: {to}\nSubject: {}\n\n{}", rendered.subject, rendered.text);
    let message = Message::builder()
        .from(Mailbox::new(Some(shown), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(rendered.subject)
        .date(SystemTime::from(row.created_at))
        .message_id(Some(id.clone()))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(rendered.text, rendered.html))
        .map_err(|_| "the message can't be written".to_owned())?;
    Ok(Ready { from, to, id: row.id.to_string(), bytes: message.formatted(), readable })
}

//! Mail that leaves the house: written in the transaction that causes it, sent by a worker.
//!
//! No PHI goes into a mail. What a mail says is sealed all the same, because links in it let their
//! holder in, and it is forgotten once the mail is sent.
//!
//! A mail is sent at least once, and twice only where SMTP leaves no choice: when the connection, or
//! this server, ends between the last byte of a mail and the answer to it. Its `Message-ID` is the same
//! each time, so that the receiving side can tell. See `docs/mail.md`.

mod dead;
mod enqueue;
mod folder;
mod forget;
mod mailer;
mod message;
mod row;
mod smtp;
mod template;

pub use dead::{list, retry};
pub use enqueue::{NewMail, enqueue, enqueue_to_holders};
pub use forget::{KEPT, forget};
pub use lettre::message::Mailbox;
pub use mailer::{Links, MAX_ATTEMPTS, Mailer, Sent};
pub use smtp::{Smtp, SmtpUrlError};
pub use template::has_template;

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};

/// How mails leave.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, one file each: for demos and tests.
    Folder(PathBuf),
}

/// Why a mail did not leave. The texts hold no address and nothing of what the mail says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Another try may do.
    #[error("{0}")]
    Later(String),
    /// No other try will do.
    #[error("{0}")]
    Never(String),
}

/// A mail that somebody else keeps while it waits: its words are ready, its address was opened for this.
#[derive(Clone)]
pub struct Letter {
    /// Unique for the mail, the same for each try: its `Message-ID`.
    pub id: String,
    /// Whom it goes to.
    pub to: String,
    /// When it came about, the same for each try.
    pub written_at: DateTime<Utc>,
    /// The clinic that speaks.
    pub clinic: String,
    /// On one line.
    pub subject: String,
    /// Paragraphs; one that is a link becomes one.
    pub text: String,
}

/// The longest that handing over one mail can take.
pub const LONGEST: Duration = smtp::LONGEST;

impl Transport {
    /// Its name, as it is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Folder(_) => "folder",
        }
    }

    /// Hands over a mail that no row of `mail_message` keeps.
    pub async fn hand_over(&self, letter: &Letter, sender: &Mailbox) -> Result<(), Undelivered> {
        let html = template::html(&letter.text);
        let message = message::compose(letter, html, sender).map_err(Undelivered::Never)?;
        self.deliver(&message).await
    }

    async fn deliver(&self, message: &message::Ready) -> Result<(), Undelivered> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(message).await,
            Self::Folder(folder) => folder::deliver(folder, message).await,
        }
    }
}

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

use std::path::PathBuf;

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

impl Transport {
    async fn deliver(&self, message: &message::Ready) -> Result<(), Undelivered> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(message).await,
            Self::Folder(folder) => folder::deliver(folder, message).await,
        }
    }
}

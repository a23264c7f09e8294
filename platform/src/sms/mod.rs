//! Text messages that leave the house, through whoever carries them.
//!
//! A message is handed over at least once. It carries no PHI; its number is opened for this only, and gets neither
//! into the log nor into what a failure says.

mod twilio;

pub use twilio::{Twilio, TwilioSettings, Unusable, is_start, is_stop};

/// The longest that handing over one message can take.
pub const LONGEST: std::time::Duration = std::time::Duration::from_secs(20);

/// Who carries text messages.
#[derive(Debug, Clone)]
pub enum SmsProvider {
    /// Nobody: that there is one is noted in the log. For demos.
    Log,
    /// Twilio.
    Twilio(Twilio),
}

/// A message to be carried.
#[derive(Clone)]
pub struct Text {
    /// To which number, E.164.
    pub to: String,
    /// What it says.
    pub body: String,
    /// Where the provider tells what becomes of it.
    pub report_to: String,
}

/// Why a message was not taken. The texts hold no number and nothing of what the message says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Another try may do.
    #[error("{0}")]
    Later(String),
    /// No other try will do.
    #[error("{0}")]
    Never(String),
    /// Whoever has the number does not want messages.
    #[error("the number is closed to messages")]
    Stopped,
}

impl SmsProvider {
    /// Its name, as it is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Twilio(_) => "twilio",
        }
    }

    /// Hands a message over; what the provider calls it.
    pub async fn send(&self, text: &Text) -> Result<Option<String>, NotTaken> {
        match self {
            Self::Log => {
                tracing::info!(
                    characters = text.body.chars().count(),
                    "a text message, which nobody carries"
                );
                Ok(None)
            }
            Self::Twilio(twilio) => twilio.send(text).await.map(Some),
        }
    }
}

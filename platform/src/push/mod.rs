//! Ringing up a device: it learns that there is something new, and asks for it with its own session.
//!
//! A push carries nothing, not even an id: what is new is read through the API, by whoever is signed in there.

mod web;

pub use web::{Unusable, WebPush};

/// The longest that ringing up one device can take.
pub const LONGEST: std::time::Duration = std::time::Duration::from_secs(10);

/// Who rings devices up.
#[derive(Debug, Clone)]
pub enum PushProvider {
    /// Nobody: that there is something is noted in the log. For demos.
    Log,
    /// The push services of browsers (RFC 8030 and 8292).
    Web(WebPush),
}

/// Why a device was not rung up. The texts hold no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRung {
    /// Another try may do.
    #[error("{0}")]
    Later(String),
    /// No other try will do.
    #[error("{0}")]
    Never(String),
    /// The device is not there any more.
    #[error("the device is gone")]
    Gone,
}

impl PushProvider {
    /// Its name, as it is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Web(_) => "web",
        }
    }

    /// Rings a device up. Two calls about one thing show as one on the device.
    pub async fn ring(&self, address: &str, about: &str, now: i64) -> Result<(), NotRung> {
        match self {
            Self::Log => {
                tracing::info!("a push, which nobody sends");
                Ok(())
            }
            Self::Web(web) => web.ring(address, about, now).await,
        }
    }
}

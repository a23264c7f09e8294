//! What the browser says about the ceremony.

use serde::Deserialize;

use super::{Refused, Site};

/// Browsers send some two hundred bytes.
const MAX_LENGTH: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// The two ceremonies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// A passkey is made.
    Create,
    /// A passkey is used.
    Get,
}

/// Which challenge client data claims to answer, to look it up by; nothing else is checked.
pub fn challenge_of(client_data: &[u8]) -> Option<String> {
    read(client_data).ok().map(|data| data.challenge)
}

pub(super) fn check(
    client_data: &[u8],
    ceremony: Ceremony,
    challenge: &str,
    site: &Site,
) -> Result<(), Refused> {
    let data = read(client_data)?;
    let expected = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if data.r#type != expected {
        return Err(Refused::Ceremony);
    }
    if data.challenge != challenge {
        return Err(Refused::Challenge);
    }
    if !site.is_origin(&data.origin) || data.cross_origin || data.top_origin.is_some() {
        return Err(Refused::Origin);
    }
    Ok(())
}

fn read(client_data: &[u8]) -> Result<ClientData, Refused> {
    if client_data.len() > MAX_LENGTH {
        return Err(Refused::ClientData);
    }
    serde_json::from_slice(client_data).map_err(|_| Refused::ClientData)
}

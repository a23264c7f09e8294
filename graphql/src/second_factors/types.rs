//! What there is to show.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use praxis_domain::second_factors as domain;
use praxis_entity::passkey;

use crate::{ids, scalar::DateTime};

/// A user's second factors.
#[derive(SimpleObject)]
pub(crate) struct SecondFactors {
    /// Whether a role asks for one.
    required: bool,
    /// Since when there is an authenticator app; null when there is none.
    totp_confirmed_at: Option<DateTime>,
    /// Passkeys, oldest first.
    passkeys: Vec<Passkey>,
    /// How many recovery codes were not used yet.
    recovery_codes_left: i32,
}

impl From<domain::SecondFactors> for SecondFactors {
    fn from(found: domain::SecondFactors) -> Self {
        let domain::SecondFactors { enrolled, required } = found;
        Self {
            required,
            totp_confirmed_at: enrolled.totp.and_then(|totp| totp.confirmed_at).map(DateTime),
            passkeys: enrolled.passkeys.into_iter().map(Passkey::from).collect(),
            recovery_codes_left: i32::try_from(enrolled.recovery_codes).unwrap_or(i32::MAX),
        }
    }
}

/// A passkey: a key in an authenticator, of which the clinic knows the public half.
#[derive(SimpleObject)]
pub(crate) struct Passkey {
    /// Opaque id.
    id: ID,
    /// What its owner calls it.
    name: String,
    /// The host name it works at.
    host: String,
    /// Whether it may be on several devices of its owner.
    synced: bool,
    /// When it was made.
    created_at: DateTime,
    /// When it was last used.
    last_used_at: Option<DateTime>,
    /// Since when it is not accepted, because there seems to be a copy of it.
    cloned_at: Option<DateTime>,
}

impl From<passkey::Model> for Passkey {
    fn from(row: passkey::Model) -> Self {
        Self {
            id: ids::show(row.id),
            name: row.name,
            host: row.host,
            synced: row.backup_eligible,
            created_at: DateTime(row.created_at),
            last_used_at: row.last_used_at.map(DateTime),
            cloned_at: row.cloned_at.map(DateTime),
        }
    }
}

macro_rules! browser_json {
    ($(#[$doc:meta])* $name:ident, $url:literal) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) serde_json::Value);

        $(#[$doc])*
        #[Scalar(specified_by_url = $url)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::Object(_) => value.into_json().map(Self).map_err(|_| InputValueError::custom("expected an object")),
                    _ => Err(InputValueError::custom("expected an object")),
                }
            }

            fn to_value(&self) -> Value {
                Value::from_json(self.0.clone()).unwrap_or_default()
            }
        }
    };
}

browser_json!(
    /// What a browser is asked to make a passkey: JSON for `PublicKeyCredential.parseCreationOptionsFromJSON()`.
    PasskeyCreationOptions,
    "https://www.w3.org/TR/webauthn-3/#dictdef-publickeycredentialcreationoptionsjson"
);
browser_json!(
    /// A browser's answer to that: what `toJSON()` of the new `PublicKeyCredential` gives.
    PasskeyRegistration,
    "https://www.w3.org/TR/webauthn-3/#dictdef-registrationresponsejson"
);

//! Telling people by mail that an identity was linked to their account or unlinked, so that a thief is found out.

use chrono::SecondsFormat;
use praxis_entity::{identity_provider, user_account};
use serde_json::json;

use crate::{
    Failure, Op, Write,
    mail::{NewMail, enqueue},
};

/// What happened to an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The account is opened by it from now on.
    Linked,
    /// Its owner took it away.
    Unlinked,
    /// An administrator took it away.
    TakenAway,
}

/// Tells a user.
pub async fn changed(
    op: &Op<Write>,
    user: &user_account::Model,
    provider: &identity_provider::Model,
    change: Change,
) -> Result<(), Failure> {
    let facts = json!({
        "displayName": user.display_name,
        "provider": provider.name,
        "linked": change == Change::Linked,
        "byAdministrator": change == Change::TakenAway,
        "at": op.now().to_rfc3339_opts(SecondsFormat::Secs, true),
    });
    let mail = NewMail {
        to: user.email.clone(),
        template: "identity-changed",
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: None,
    };
    enqueue(op, mail).await
}

//! Telling people by mail that their second factors changed, so that a thief is found out.

use chrono::SecondsFormat;
use praxis_entity::user_account;
use serde_json::Map;

use crate::{
    Failure, Op, Write,
    mail::{NewMail, enqueue},
};

/// Tells a user what changed, as the end of a sentence.
pub async fn changed(op: &Op<Write>, user: &user_account::Model, what: &str) -> Result<(), Failure> {
    let facts = Map::from_iter([
        ("displayName".to_owned(), user.display_name.clone().into()),
        ("change".to_owned(), what.into()),
        ("at".to_owned(), op.now().to_rfc3339_opts(SecondsFormat::Secs, true).into()),
    ]);
    let to = user.email.clone();
    let mail = NewMail { to, template: "second-factor-changed", locale: None, facts, dedupe_key: None };
    enqueue(op, mail).await
}

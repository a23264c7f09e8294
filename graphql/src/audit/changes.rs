//! What a change replaced: the sealed half of an entry of the log, field by field.

use std::collections::BTreeSet;

use async_graphql::{Context, SimpleObject};
use praxis_domain::audit;
use praxis_entity::{
    audit_entry,
    ids::PatientId,
    value::{AuditChange, Contact, Identifiers, Identity, PhiClass, RecordNumber},
};
use praxis_platform::access::{Permission, Row};
use serde_json::Value as Json;

use crate::{
    context::{Ask, Caller, RedactionMode},
    error::ApiError,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Reason},
    subject::Subject,
};

/// A field that a change replaced.
#[derive(SimpleObject, Debug, PartialEq, Eq)]
pub(crate) struct AuditFieldChange {
    /// Which, by the log's own name; absent where the change is of a single value.
    field: Option<String>,
    /// What was there before, as JSON; absent where nothing was.
    before: Option<String>,
    /// What is there now, as JSON; absent where nothing is.
    after: Option<String>,
}

/// What an entry's change replaced, proved to be what the entry was written with.
pub(super) async fn changes_of(
    ctx: &Context<'_>,
    entry: &audit_entry::Model,
) -> Result<Option<Vec<AuditFieldChange>>, ApiError> {
    let at = at!("AuditEntry.changes");
    if !redaction::open(ctx, at)? || entry.change_hash.is_none() {
        return Ok(None);
    }
    let caller = ctx.caller()?;
    let Some(stored) = caller.loaders().changes.load(entry.id).await? else { return Ok(None) };
    let subject = if stored.subject == caller.tenant().uuid() {
        Subject::of_the_clinic()
    } else {
        Subject::new(PatientId(stored.subject), Row::of(entry.object_id.unwrap_or(stored.subject)))
    };
    if let Some(reason) = closed_by_class(caller, &subject, entry).await? {
        caller.recorder().note(&at.name, reason);
        return match caller.mode() {
            RedactionMode::Silent => Ok(None),
            RedactionMode::Error => Err(reason.as_error()),
        };
    }
    let class = Class::signed("audit_change", entry.id.0, &subject, stored.sealed);
    let entry = entry.clone();
    let opened = Phi::verified(at, &class, move |change: &AuditChange| {
        audit::verify_change(&entry, change)?;
        Ok(Some(fields(&change.before, &change.after)))
    });
    opened.read(caller).await
}

/// Why a change is closed to a reader to whom what it changed is closed. A class that this version does not know is.
async fn closed_by_class(
    caller: &Caller,
    subject: &Subject,
    entry: &audit_entry::Model,
) -> Result<Option<Reason>, ApiError> {
    let rights = subject.rights(caller).await?;
    for class in &entry.classes {
        let Some(asked) = permissions_of(class) else { return Ok(Some(Reason::Permission(None))) };
        for permission in asked {
            if let Some(closed) = rights.closed(*permission) {
                return Ok(Some(Reason::of(closed, *permission)));
            }
        }
    }
    Ok(None)
}

/// What somebody has to hold to read a class of a patient.
fn permissions_of(class: &str) -> Option<&'static [Permission]> {
    let asked: &[Permission] = match class {
        RecordNumber::CLASS => &[Permission::PATIENT_READ],
        Identity::CLASS => &[Permission::PATIENT_NAME_READ, Permission::PATIENT_DEMOGRAPHICS_READ],
        Contact::CLASS => &[Permission::PATIENT_CONTACT_READ],
        Identifiers::CLASS => &[Permission::PATIENT_IDENTIFIERS_READ],
        _ => return None,
    };
    Some(asked)
}

/// What differs between two values: by field where both are objects, or one is and the other is nothing.
fn fields(before: &Json, after: &Json) -> Vec<AuditFieldChange> {
    let empty = serde_json::Map::new();
    let parts = match (before, after) {
        (Json::Object(before), Json::Object(after)) => Some((before, after)),
        (Json::Object(before), Json::Null) => Some((before, &empty)),
        (Json::Null, Json::Object(after)) => Some((&empty, after)),
        _ => None,
    };
    let said = |value: Option<&Json>| value.filter(|value| !value.is_null()).map(Json::to_string);
    let Some((before, after)) = parts else {
        return vec![AuditFieldChange { field: None, before: said(Some(before)), after: said(Some(after)) }];
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let pairs = names.into_iter().map(|name| (name, said(before.get(name)), said(after.get(name))));
    let replaced = pairs.filter(|(_, was, is)| was != is);
    replaced
        .map(|(name, before, after)| AuditFieldChange { field: Some(name.clone()), before, after })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let told = |before: Json, after: Json| -> Vec<(Option<String>, Option<String>, Option<String>)> {
            fields(&before, &after).into_iter().map(|one| (one.field, one.before, one.after)).collect()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(told(json!(20), json!(30)), [(None, text("20"), text("30"))]);
        assert_eq!(
            told(json!({ "a": 1, "b": [1], "c": null }), json!({ "a": 1, "b": [1, 2], "d": "x" })),
            [(text("b"), text("[1]"), text("[1,2]")), (text("d"), None, text("\"x\""))]
        );
        assert_eq!(told(json!({ "a": 1 }), Json::Null), [(text("a"), text("1"), None)]);
        assert_eq!(told(Json::Null, json!({ "a": 1 })), [(text("a"), None, text("1"))]);
    }
}

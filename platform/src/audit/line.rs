//! An entry as one line of canonical JSON: what the tree is made of, bit for bit.
//!
//! Keys in alphabetical order, no spaces, absent values left out; ids as UUIDs, instants in UTC with
//! six digits of a second, bytes in hexadecimal. A line in the tree also has `seq`, its place, and
//! `prev`, the SHA-256 of the line before it.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use data_encoding::HEXLOWER;
use praxis_entity::audit_entry;
use serde_json::{Value, json};

use super::tree::Hash;
use crate::vault::{TenantKey, crypto};

type Fields = BTreeMap<&'static str, Value>;

fn fields(entry: &audit_entry::Model) -> Fields {
    let all = [
        ("action", json!(entry.action)),
        ("actor", json!(entry.actor_id)),
        ("actor_kind", json!(entry.actor_kind)),
        ("at", json!(entry.at.to_rfc3339_opts(SecondsFormat::Micros, true))),
        ("break_glass", json!(entry.break_glass_id)),
        ("change", json!(entry.change_hash.as_deref().map(|hash| HEXLOWER.encode(hash)))),
        ("classes", json!(entry.classes)),
        ("facility", json!(entry.facility_id)),
        ("id", json!(entry.id)),
        ("object", json!(entry.object_id)),
        ("object_type", json!(entry.object_type)),
        ("object_version", json!(entry.object_version)),
        ("on_behalf_of", json!(entry.on_behalf_of)),
        ("operation", json!(entry.operation_name)),
        ("operation_hash", json!(entry.operation_hash)),
        ("outcome", json!(entry.outcome)),
        ("patients", json!(entry.patients)),
        ("purpose", json!(entry.purpose)),
        ("reason", json!(entry.reason)),
        ("request", json!(entry.request_id)),
        ("roles", json!(entry.roles)),
        ("session", json!(entry.session_id)),
        ("source", json!(entry.source_address)),
        ("times", json!(entry.times)),
    ];
    all.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn write(fields: &Fields) -> String {
    // A map of texts and numbers always has a form in JSON.
    serde_json::to_string(fields).unwrap_or_default()
}

/// The line of an entry at its place in the tree.
pub fn line(entry: &audit_entry::Model, seq: u64, previous: &Hash) -> Vec<u8> {
    let mut fields = fields(entry);
    fields.insert("seq", json!(seq));
    fields.insert("prev", json!(HEXLOWER.encode(previous)));
    write(&fields).into_bytes()
}

/// What the server authenticates entries with.
fn key(clinic: &TenantKey) -> Hash {
    crypto::mac(clinic.audit_seed(), &[b"praxis audit entry"])
}

/// The authentication code of an entry: HMAC-SHA-256 over its line without a place.
fn mac(clinic: &TenantKey, line: &str) -> Hash {
    crypto::mac(&key(clinic), &[line.as_bytes()])
}

/// The line of a new entry, which has no place yet, with the authentication code if the clinic's key is at hand: what the
/// database is given.
pub(super) fn unsealed(entry: &audit_entry::Model, clinic: Option<&TenantKey>) -> String {
    let mut line = write(&fields(entry));
    if let Some(clinic) = clinic {
        let mac = HEXLOWER.encode(&mac(clinic, &line));
        // One more key of the object: in the place of its last brace.
        line.pop();
        line.push_str(r#","mac":""#);
        line.push_str(&mac);
        line.push_str(r#""}"#);
    }
    line
}

/// Whether the server wrote the entry, and nobody changed it since.
pub fn is_genuine(clinic: &TenantKey, entry: &audit_entry::Model) -> bool {
    let found = entry.mac.as_deref().and_then(|mac| <&Hash>::try_from(mac).ok());
    found.is_some_and(|found| crypto::same(found, &mac(clinic, &write(&fields(entry)))))
}

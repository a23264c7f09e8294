//! Whether a version still says what was signed.
//!
//! The hash is SHA-256 over the JSON of [`Hashed`]: members in the order written here, without white space. What the
//! database holds in clear is part of it, so that a changed author or encounter shows as much as a changed word. The
//! salt lies sealed with the text: who has the database alone can neither test a guess nor make a hash that fits.

use chrono::{DateTime, SecondsFormat, Utc};
use praxis_entity::{
    clinical_document,
    document_version::{self, VersionKind},
    value::{DocumentBody, DocumentSection},
};
use praxis_platform::{Failure, vault::crypto};
use serde::Serialize;
use uuid::Uuid;

/// What is hashed.
#[derive(Serialize)]
struct Hashed<'a> {
    format: &'static str,
    salt: &'a str,
    document: Uuid,
    version: i32,
    supersedes: Option<i32>,
    kind: VersionKind,
    patient: Uuid,
    encounter: Option<Uuid>,
    #[serde(rename = "type")]
    type_code: &'a str,
    template: Option<Uuid>,
    template_version: Option<i32>,
    addendum_to: Option<Uuid>,
    author: Option<Uuid>,
    authored_at: String,
    reason: Option<&'a str>,
    sections: &'a [DocumentSection],
}

/// The hash of a version with its content.
pub(super) fn hash(
    document: &clinical_document::Model,
    version: &document_version::Model,
    body: &DocumentBody,
) -> Result<[u8; 32], Failure> {
    let hashed = Hashed {
        format: "praxis document 1",
        salt: &body.salt,
        document: document.id.0,
        version: version.version,
        supersedes: version.supersedes,
        kind: version.kind,
        patient: version.patient_id.0,
        encounter: document.encounter_id.map(|id| id.0),
        type_code: &document.type_code,
        template: document.template_id.map(|id| id.0),
        template_version: document.template_version,
        addendum_to: document.addendum_to.map(|id| id.0),
        author: version.author_id.map(|id| id.0),
        authored_at: stamp(version.authored_at),
        reason: body.reason.as_deref(),
        sections: &body.sections,
    };
    let json = serde_json::to_vec(&hashed).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(crypto::sha256(&json))
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Refuses a version that is not what was signed, and says so in the log of the server.
pub fn verify(
    document: &clinical_document::Model,
    version: &document_version::Model,
    body: &DocumentBody,
) -> Result<(), Failure> {
    if version.document_id == document.id && hash(document, version, body)?.as_slice() == version.sha256 {
        return Ok(());
    }
    tracing::error!(document = %document.id, version = version.version, "a signed document is not what was signed");
    Err(Failure::IntegrityFailed { table: "document_version", row: version.id.0 })
}

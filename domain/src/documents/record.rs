//! Documents that came from elsewhere: kept as they came, as a first version that nobody here signed.

use chrono::{DateTime, SubsecRound, Utc};
use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_version::{self, VersionKind},
    ids::{DocumentId, DocumentVersionId, EncounterId, PatientId, PractitionerId},
    value::{DocumentBody, DocumentSection},
};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    vault::{DataKey, crypto},
};
use sea_orm::ActiveValue::Set;

use super::verify::hash;
use crate::{
    Result, Violation,
    patients::open_charts,
    rows::{entry_of, insert_all, refused},
};

/// A document that came from elsewhere.
#[derive(Debug, Clone)]
pub struct RecordDocument {
    /// Whose.
    pub patient: PatientId,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// Who wrote it, if it is a clinician known here.
    pub author: Option<PractitionerId>,
    /// LOINC document type.
    pub type_code: String,
    /// True where the source says that it should not be there.
    pub entered_in_error: bool,
    /// When it was finished; now, where nobody says.
    pub authored_at: Option<DateTime<Utc>>,
    /// What it says, as far as it is text.
    pub sections: Vec<DocumentSection>,
}

/// Records many documents and returns them in the order given.
pub async fn record_many(op: &Op<Write>, new: Vec<RecordDocument>) -> Result<Vec<clinical_document::Model>> {
    op.require(Permission::DATA_IMPORT)?;
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let charts = open_charts(op, &patients).await?;
    let mut rows = Vec::with_capacity(new.len());
    let mut contents = Vec::with_capacity(new.len());
    for new in new {
        let id = DocumentId(op.new_id());
        let row = clinical_document::ActiveModel {
            id: Set(id),
            patient_id: Set(new.patient),
            encounter_id: Set(new.encounter),
            type_code: Set(new.type_code),
            status: Set(DocumentStatus::Received),
            practitioner_id: Set(new.author),
            ..Default::default()
        };
        rows.push((id, row));
        contents.push((new.authored_at.unwrap_or_else(|| op.now()), new.sections, new.entered_in_error));
    }
    let stored = insert_all(op.db(), rows, |row: &clinical_document::Model| row.id).await;
    let mut stored = stored.map_err(|error| {
        refused(error, |constraint| match constraint {
            "clinical_document_encounter_fk" => Some(Violation::unknown("encounterId")),
            "clinical_document_practitioner_fk" => Some(Violation::unknown("authorId")),
            _ => None,
        })
    })?;
    let mut versions = Vec::with_capacity(stored.len());
    for (document, (authored_at, sections, _)) in stored.iter().zip(&contents) {
        let key = charts.get(&document.patient_id).ok_or(Failure::KeyUnavailable)?;
        versions.push(received(op, key, document, *authored_at, sections.clone())?);
    }
    insert_all(op.db(), versions, |row: &document_version::Model| row.id).await?;
    for (document, (.., entered_in_error)) in stored.iter_mut().zip(contents) {
        if entered_in_error {
            let status = Set(DocumentStatus::EnteredInError);
            let change = clinical_document::ActiveModel { status, ..Default::default() };
            *document = super::save::changed(op, document.id, change).await?;
        }
    }
    op.record(entry_of("document.record", &patients));
    Ok(stored)
}

/// The only version of a document that came from elsewhere.
fn received(
    op: &Op<Write>,
    key: &DataKey,
    document: &clinical_document::Model,
    authored_at: DateTime<Utc>,
    sections: Vec<DocumentSection>,
) -> Result<(DocumentVersionId, document_version::ActiveModel)> {
    let salt = data_encoding::HEXLOWER.encode(&crypto::random::<32>().map_err(Failure::from)?);
    let body = DocumentBody { salt, reason: None, sections };
    let id = DocumentVersionId(op.new_id());
    let place = op.place("document_version", id.0, document.patient_id.0);
    let mut row = document_version::Model {
        document_id: document.id,
        version: 1,
        id,
        supersedes: None,
        head: true,
        patient_id: document.patient_id,
        kind: VersionKind::Received,
        author_id: None,
        authored_at: authored_at.trunc_subsecs(6),
        body: op.seal(key, &place, &body)?,
        sha256: Vec::new(),
    };
    row.sha256 = hash(document, &row, &body)?.to_vec();
    Ok((id, super::version::new_row(row)))
}

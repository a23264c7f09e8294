//! Signing a working copy: from then on it stays as it is.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_signature::SignatureMeaning,
    document_version::VersionKind,
    ids::DocumentId,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::ActiveValue::Set;

use super::{body, check, feed, save::changed, templates, version};
use crate::{
    Result,
    error::Violations,
    event::{Event, happened},
    rights,
};

/// Signs a working copy of one's own. It is in review until somebody cosigns, where that is needed.
pub async fn sign(op: &Op<Write>, id: DocumentId, if_version: i32) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_SIGN, id, if_version).await?;
    check::own_draft(op, &stored, "documentSign").await?;
    let template = templates::of(op, &stored).await?;
    let key = op.data_key(stored.patient_id.0).await?;
    let draft = check::opened(op, &key, &stored).await?;
    let mut found = Violations::default();
    body::complete(&mut found, &template.sections, &draft.sections);
    found.check()?;
    let said = feed::said(&template.sections, &draft.sections);
    let version = version::append(op, &key, &stored, None, VersionKind::Original, draft).await?;
    version::sign(op, &version, SignatureMeaning::Author).await?;
    let status = status_after(op, &stored, template.row.needs_cosign, DocumentStatus::Signed).await?;
    let change = clinical_document::ActiveModel {
        status: Set(status),
        draft: Set(None),
        lease_holder: Set(None),
        lease_until: Set(None),
        ..Default::default()
    };
    let signed = changed(op, id, change).await?;
    op.record(
        Entry::done("document.sign").on("ClinicalDocument", id.0, signed.version).of(signed.patient_id.0),
    );
    let (document, patient, encounter) = (id, signed.patient_id, signed.encounter_id);
    let event = match signed.status {
        DocumentStatus::InReview => Event::DocumentAwaitsCosignature { document, patient, encounter },
        _ => Event::DocumentSigned { document, patient, encounter },
    };
    happened(op, event).await?;
    feed::tell(op, &signed, &version, said).await?;
    Ok(signed)
}

/// Where a document stands once the actor has signed it: whoever could cosign needs nobody else.
pub(super) async fn status_after(
    op: &Op<Write>,
    document: &clinical_document::Model,
    needs_cosign: bool,
    signed: DocumentStatus,
) -> Result<DocumentStatus> {
    // Here, not somewhere else or under some other condition.
    let rights = rights::on(op, document.patient_id, &Row::from(document)).await?;
    let trusted = rights.may(Permission::DOCUMENT_COSIGN);
    Ok(if needs_cosign && !trusted { DocumentStatus::InReview } else { signed })
}

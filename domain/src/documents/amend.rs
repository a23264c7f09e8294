//! Saying something else than was signed: in another version, with a reason. The one before stays.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_signature::SignatureMeaning,
    document_version::{self, VersionKind},
    ids::DocumentId,
    value::DocumentBody,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry, vault::DataKey};
use sea_orm::ActiveValue::Set;

use super::{
    body::{self, SectionText},
    check, feed,
    save::changed,
    sign::status_after,
    templates, verify, version,
};
use crate::{
    Result, ViolationCode,
    error::Violations,
    event::{Event, happened},
};

/// What a document says from now on.
#[derive(Debug, Clone)]
pub struct AmendDocument {
    /// The sections that change.
    pub sections: Vec<SectionText>,
    /// Why.
    pub reason: String,
}

/// Signs another version of a signed document, which takes the place of the one before.
pub async fn amend(
    op: &Op<Write>,
    id: DocumentId,
    if_version: i32,
    change: AmendDocument,
) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_AMEND, id, if_version).await?;
    check::possible(op, &stored, "documentAmend").await?;
    let template = templates::of(op, &stored).await?;
    let key = op.data_key(stored.patient_id.0).await?;
    let (head, before) = current(op, &key, &stored).await?;
    let mut found = Violations::default();
    let mut sections = before.sections.clone();
    body::fill(&mut found, &mut sections, change.sections);
    body::complete(&mut found, &template.sections, &sections);
    let reason = body::reason(&mut found, &change.reason);
    if sections == before.sections {
        found.add(ViolationCode::Invalid, &["sections"], "Nothing would change.");
    }
    found.check()?;
    let said = feed::said(&template.sections, &sections);
    let body = DocumentBody { reason: Some(reason), sections, ..DocumentBody::default() };
    let version = version::append(op, &key, &stored, Some(&head), VersionKind::Amendment, body).await?;
    version::sign(op, &version, SignatureMeaning::Author).await?;
    let status = status_after(op, &stored, template.row.needs_cosign, DocumentStatus::Amended).await?;
    let amended = advance(op, id, status, "document.amend").await?;
    let (document, patient, encounter) = (id, amended.patient_id, amended.encounter_id);
    happened(op, Event::DocumentAmended { document, patient, encounter }).await?;
    feed::tell(op, &amended, &version, said).await?;
    Ok(amended)
}

/// Says that a document should not be there. Its versions stay; the newest says why.
pub async fn enter_in_error(
    op: &Op<Write>,
    id: DocumentId,
    if_version: i32,
    reason: &str,
) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_AMEND, id, if_version).await?;
    check::possible(op, &stored, "documentEnterInError").await?;
    let mut found = Violations::default();
    let reason = body::reason(&mut found, reason);
    found.check()?;
    let key = op.data_key(stored.patient_id.0).await?;
    let (head, before) = current(op, &key, &stored).await?;
    let body = DocumentBody { reason: Some(reason), ..before };
    let version = version::append(op, &key, &stored, Some(&head), VersionKind::Retraction, body).await?;
    version::sign(op, &version, SignatureMeaning::Author).await?;
    let wrong = advance(op, id, DocumentStatus::EnteredInError, "document.enter-in-error").await?;
    let (document, patient, encounter) = (id, wrong.patient_id, wrong.encounter_id);
    happened(op, Event::DocumentEnteredInError { document, patient, encounter }).await?;
    Ok(wrong)
}

/// The version that counts and what it says, if that is what was signed: nothing is built on anything else.
async fn current(
    op: &Op<Write>,
    key: &DataKey,
    stored: &clinical_document::Model,
) -> Result<(document_version::Model, DocumentBody)> {
    let head = version::head(op, stored).await?.ok_or(Failure::NotFound)?;
    let place = op.place("document_version", head.id.0, head.patient_id.0);
    let body = op.open_unseen(key, &place, &head.body).await?;
    verify(stored, &head, &body)?;
    Ok((head, body))
}

async fn advance(
    op: &Op<Write>,
    id: DocumentId,
    to: DocumentStatus,
    action: &'static str,
) -> Result<clinical_document::Model> {
    let change = clinical_document::ActiveModel { status: Set(to), ..Default::default() };
    let row = changed(op, id, change).await?;
    op.record(Entry::done(action).on("ClinicalDocument", id.0, row.version).of(row.patient_id.0));
    Ok(row)
}

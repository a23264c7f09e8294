//! Adding to what somebody signed, without touching it: a document of its own, with a signature of its own.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_signature::SignatureMeaning,
    document_version::VersionKind,
    ids::DocumentId,
    value::{DocumentBody, DocumentSection},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{
    body::{self, SectionText},
    check,
    draft::Begun,
    save::changed,
    sign::status_after,
    templates, version,
};
use crate::{
    Result,
    error::Violations,
    event::{Event, happened},
};

/// LOINC: addendum document.
const ADDENDUM: &str = "55107-7";

/// What is added to a document.
#[derive(Debug, Clone)]
pub struct WriteAddendum {
    /// To which.
    pub to: DocumentId,
    /// At the version that was read.
    pub if_version: i32,
    /// What is added.
    pub text: String,
}

/// Signs an addendum to a signed document. Any clinician may who amends documents, whoever wrote it.
pub async fn addendum(op: &Op<Write>, new: WriteAddendum) -> Result<clinical_document::Model> {
    let parent = check::for_change(op, Permission::DOCUMENT_AMEND, new.to, new.if_version).await?;
    check::possible(op, &parent, "documentAddendum").await?;
    let mut found = Violations::default();
    let title = "Addendum".to_owned();
    let mut sections = vec![DocumentSection { code: ADDENDUM.to_owned(), title, text: String::new() }];
    body::fill(&mut found, &mut sections, vec![SectionText { code: ADDENDUM.to_owned(), text: new.text }]);
    body::complete(&mut found, &[], &sections);
    found.check()?;
    let body = DocumentBody { sections, ..DocumentBody::default() };
    let begun = Begun {
        patient: parent.patient_id,
        encounter: parent.encounter_id,
        type_code: ADDENDUM.to_owned(),
        template: None,
        addendum_to: Some(parent.id),
        body: body.clone(),
    };
    let stored = begun.store(op, Permission::DOCUMENT_AMEND).await?;
    let key = op.data_key(stored.patient_id.0).await?;
    let version = version::append(op, &key, &stored, None, VersionKind::Original, body).await?;
    version::sign(op, &version, SignatureMeaning::Author).await?;
    let needs_cosign = match parent.template_id {
        Some(_) => templates::of(op, &parent).await?.row.needs_cosign,
        None => true,
    };
    let change = clinical_document::ActiveModel {
        status: Set(status_after(op, &stored, needs_cosign, DocumentStatus::Signed).await?),
        draft: Set(None),
        ..Default::default()
    };
    let signed = changed(op, stored.id, change).await?;
    let entry = Entry::done("document.addendum").on("ClinicalDocument", signed.id.0, signed.version);
    op.record(entry.of(signed.patient_id.0));
    let (document, patient, encounter) = (signed.id, signed.patient_id, signed.encounter_id);
    happened(op, Event::DocumentAddendumSigned { document, patient, encounter }).await?;
    Ok(signed)
}

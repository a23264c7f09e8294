//! Giving a working copy up. It stays, sealed, and is shown no more.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    ids::DocumentId,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, save::changed};
use crate::{
    Result,
    event::{Event, happened},
};

/// Gives a working copy of one's own up.
pub async fn discard(op: &Op<Write>, id: DocumentId, if_version: i32) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_WRITE, id, if_version).await?;
    check::own_draft(op, &stored, "documentDiscard").await?;
    let change = clinical_document::ActiveModel {
        status: Set(DocumentStatus::Discarded),
        lease_holder: Set(None),
        lease_until: Set(None),
        ..Default::default()
    };
    let discarded = changed(op, id, change).await?;
    let entry = Entry::done("document.discard").on("ClinicalDocument", id.0, discarded.version);
    op.record(entry.of(discarded.patient_id.0));
    let (document, patient, encounter) = (discarded.id, discarded.patient_id, discarded.encounter_id);
    happened(op, Event::DocumentDiscarded { document, patient, encounter }).await?;
    Ok(discarded)
}

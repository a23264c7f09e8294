//! Cosigning what somebody signed who may not answer for it alone.

use praxis_entity::{
    clinical_document::{self, DocumentStatus},
    document_signature::{self, SignatureMeaning},
    document_version::VersionKind,
    ids::DocumentId,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{check, feed, save::changed, templates, verify, version};
use crate::{
    Result,
    event::{Event, happened},
};

/// Cosigns a document in review: the version that counts now, and what it said when its author signed it.
pub async fn cosign(op: &Op<Write>, id: DocumentId, if_version: i32) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_COSIGN, id, if_version).await?;
    check::possible(op, &stored, "documentCosign").await?;
    let head = version::head(op, &stored).await?.ok_or(Failure::NotFound)?;
    let own = document_signature::Entity::find()
        .filter(document_signature::Column::DocumentId.eq(id))
        .filter(document_signature::Column::Version.eq(head.version))
        .filter(document_signature::Column::SignerId.eq(check::signer(op)?));
    if own.one(op.db()).await?.is_some() {
        return Err(check::own_signature(op, &stored).await?.into());
    }
    let key = op.data_key(stored.patient_id.0).await?;
    let place = op.place("document_version", head.id.0, head.patient_id.0);
    let body = op.open_unseen(&key, &place, &head.body).await?;
    verify(&stored, &head, &body)?;
    version::sign(op, &head, SignatureMeaning::Cosign).await?;
    let status = match head.kind {
        VersionKind::Amendment => DocumentStatus::Amended,
        _ => DocumentStatus::Signed,
    };
    let change = clinical_document::ActiveModel { status: Set(status), ..Default::default() };
    let cosigned = changed(op, id, change).await?;
    let entry = Entry::done("document.cosign").on("ClinicalDocument", id.0, cosigned.version);
    op.record(entry.of(cosigned.patient_id.0));
    let (document, patient, encounter) = (cosigned.id, cosigned.patient_id, cosigned.encounter_id);
    happened(op, Event::DocumentSigned { document, patient, encounter }).await?;
    let template = templates::of(op, &cosigned).await?;
    feed::tell(op, &cosigned, &head, feed::said(&template.sections, &body.sections)).await?;
    Ok(cosigned)
}

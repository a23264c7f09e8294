//! What the closing of an encounter asks of documents.

use praxis_entity::{
    clinical_document::{self, Column, DocumentStatus},
    document_signature, document_version,
    ids::{DocumentId, EncounterId, PractitionerId},
};
use praxis_platform::Op;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Result, page::any_of};

/// The documents of encounters that somebody still has to sign or cosign.
///
/// Whoever closes holds the encounter's row, so that none is begun meanwhile. All are counted, whoever may read them.
pub async fn unsigned<M>(op: &Op<M>, encounters: &[EncounterId]) -> Result<Vec<(EncounterId, DocumentId)>> {
    let open = Column::Status.is_in([DocumentStatus::Draft, DocumentStatus::InReview]);
    let found = clinical_document::Entity::find()
        .select_only()
        .columns([Column::EncounterId, Column::Id])
        .filter(any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect()))
        .filter(open)
        .order_by_asc(Column::Id);
    Ok(found.into_tuple().all(op.db()).await?)
}

/// Whether the clinician's name stands under the version that counts of some document of the encounter.
pub async fn is_signed_by<M>(op: &Op<M>, encounter: EncounterId, clinician: PractitionerId) -> Result<bool> {
    let signed = Column::Status.is_in([DocumentStatus::Signed, DocumentStatus::Amended]);
    let documents = clinical_document::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::EncounterId.eq(encounter))
        .filter(signed);
    let documents: Vec<DocumentId> = documents.into_tuple().all(op.db()).await?;
    let ids = documents.iter().map(|id| id.0).collect();
    let heads = document_version::Entity::find()
        .filter(any_of(document_version::Column::DocumentId, ids))
        .filter(document_version::Column::Head.eq(true));
    for head in heads.all(op.db()).await? {
        let name = document_signature::Entity::find()
            .filter(document_signature::Column::DocumentId.eq(head.document_id))
            .filter(document_signature::Column::Version.eq(head.version))
            .filter(document_signature::Column::PractitionerId.eq(clinician));
        if name.one(op.db()).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

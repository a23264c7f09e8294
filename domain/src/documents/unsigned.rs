//! What the closing of an encounter asks of documents.

use std::collections::{HashMap, HashSet};

use praxis_entity::{
    clinical_document::{self, Column, DocumentStatus},
    ids::{DocumentId, EncounterId, PractitionerId},
};
use praxis_platform::{Op, literal::Literal};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

use crate::{Result, page::any_of};

/// The documents of encounters that somebody still has to sign or cosign.
///
/// Whoever closes holds the encounter's row, so that none is begun meanwhile. All are counted, whoever may read them.
pub async fn unsigned<M>(op: &Op<M>, encounters: &[EncounterId]) -> Result<Vec<(EncounterId, DocumentId)>> {
    let open = Column::Status.is_one_of(&[DocumentStatus::Draft, DocumentStatus::InReview]);
    let found = clinical_document::Entity::find()
        .select_only()
        .columns([Column::EncounterId, Column::Id])
        .filter(any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect()))
        .filter(open)
        .order_by_asc(Column::Id);
    Ok(found.into_tuple().all(op.db()).await?)
}

/// Whose names stand under the versions that count of what was written in encounters and signed; `None` for somebody
/// who is no clinician. An addendum is not a note.
pub async fn signers<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
) -> Result<HashMap<EncounterId, HashSet<Option<PractitionerId>>>> {
    let sql = "SELECT DISTINCT d.encounter_id, s.practitioner_id FROM clinical_document d \
        JOIN document_version v ON v.document_id = d.id AND v.head \
        JOIN document_signature s ON s.document_id = v.document_id AND s.version = v.version \
        WHERE d.encounter_id = ANY($1) AND d.addendum_to IS NULL AND d.status IN ('SIGNED', 'AMENDED')";
    let ids: Vec<Uuid> = encounters.iter().map(|id| id.0).collect();
    let signed = Statement::from_sql_and_values(DbBackend::Postgres, sql, [ids.into()]);
    let mut of: HashMap<_, HashSet<_>> = HashMap::new();
    for row in op.db().query_all_raw(signed).await? {
        let (encounter, signer): (Uuid, Option<Uuid>) =
            (row.try_get("", "encounter_id")?, row.try_get("", "practitioner_id")?);
        of.entry(EncounterId(encounter)).or_default().insert(signer.map(PractitionerId));
    }
    Ok(of)
}

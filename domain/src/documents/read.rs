//! Documents of many patients or encounters at once, with their versions and signatures.

use std::collections::HashMap;

use praxis_entity::{
    clinical_document::{self, Column, DocumentStatus},
    document_signature, document_version,
    ids::{DocumentId, EncounterId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
    literal::Literal,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, any_of, count_under, list_under},
    range::one_of,
};

const NEWEST_FIRST: Ordering<Column> =
    Ordering { column: Some(Column::CreatedAt), id: Column::Id, descending: true };

/// Which documents are wanted; lists mean any of their values.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Where they stand; without a choice, all but those given up.
    pub status: Option<Vec<DocumentStatus>>,
    /// LOINC types.
    pub type_code: Option<Vec<String>>,
    /// Addenda too, which otherwise stand under their documents only.
    pub with_addenda: bool,
}

impl DocumentFilter {
    fn condition<M>(&self, op: &Op<M>) -> Result<Condition> {
        op.require(Permission::DOCUMENT_READ)?;
        let status = one_of(Column::Status, self.status.as_deref());
        let kept = status.is_none().then(|| Column::Status.is_not(DocumentStatus::Discarded));
        Ok(Condition::all()
            .add_option(status)
            .add_option(kept)
            .add_option(one_of(Column::TypeCode, self.type_code.as_deref()))
            .add_option((!self.with_addenda).then(|| Column::AddendumTo.is_null()))
            .add(op.permitted(Permission::DOCUMENT_READ, Table::ClinicalDocument)))
    }
}

/// Documents by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[DocumentId]) -> Result<Vec<clinical_document::Model>> {
    op.require(Permission::DOCUMENT_READ)?;
    Ok(clinical_document::Entity::find()
        .filter(any_of(Column::Id, ids.iter().map(|id| id.0).collect()))
        .filter(op.permitted(Permission::DOCUMENT_READ, Table::ClinicalDocument))
        .all(op.db())
        .await?)
}

/// A page of the documents of each patient, newest first.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &DocumentFilter,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<clinical_document::Model>>> {
    let (parent, wanted) = (Column::PatientId, filter.condition(op)?);
    Ok(list_under::<clinical_document::Entity, _>(op.db(), patients, parent, wanted, &NEWEST_FIRST, page)
        .await?)
}

/// How many documents each patient has, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &DocumentFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    let (parent, wanted) = (Column::PatientId, filter.condition(op)?);
    Ok(count_under::<clinical_document::Entity, _>(op.db(), patients, parent, wanted, max).await?)
}

/// A page of the documents of each encounter, newest first.
pub async fn of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &DocumentFilter,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<clinical_document::Model>>> {
    let (parent, wanted) = (Column::EncounterId, filter.condition(op)?);
    Ok(list_under::<clinical_document::Entity, _>(op.db(), encounters, parent, wanted, &NEWEST_FIRST, page)
        .await?)
}

/// How many documents each encounter has, at most `max`.
pub async fn count_of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &DocumentFilter,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    let (parent, wanted) = (Column::EncounterId, filter.condition(op)?);
    Ok(count_under::<clinical_document::Entity, _>(op.db(), encounters, parent, wanted, max).await?)
}

/// The addenda of each document, oldest first.
pub async fn addenda_of<M>(
    op: &Op<M>,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, Vec<clinical_document::Model>>> {
    op.require(Permission::DOCUMENT_READ)?;
    let rows = clinical_document::Entity::find()
        .filter(any_of(Column::AddendumTo, documents.iter().map(|id| id.0).collect()))
        .filter(op.permitted(Permission::DOCUMENT_READ, Table::ClinicalDocument))
        .order_by_asc(Column::Id);
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows.all(op.db()).await? {
        if let Some(to) = row.addendum_to {
            found.entry(to).or_default().push(row);
        }
    }
    Ok(found)
}

/// The versions of each document, oldest first. Whose document may be known of is not asked again.
pub async fn versions_of<M>(
    op: &Op<M>,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, Vec<document_version::Model>>> {
    op.require(Permission::DOCUMENT_READ)?;
    let rows = document_version::Entity::find()
        .filter(any_of(document_version::Column::DocumentId, documents.iter().map(|id| id.0).collect()))
        .order_by_asc(document_version::Column::Version);
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows.all(op.db()).await? {
        found.entry(row.document_id).or_default().push(row);
    }
    Ok(found)
}

/// The signatures under all versions of each document, oldest first. Whose document may be known of is not asked again.
pub async fn signatures_of<M>(
    op: &Op<M>,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, Vec<document_signature::Model>>> {
    op.require(Permission::DOCUMENT_READ)?;
    let rows = document_signature::Entity::find()
        .filter(any_of(document_signature::Column::DocumentId, documents.iter().map(|id| id.0).collect()))
        .order_by_asc(document_signature::Column::Id);
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows.all(op.db()).await? {
        found.entry(row.document_id).or_default().push(row);
    }
    Ok(found)
}

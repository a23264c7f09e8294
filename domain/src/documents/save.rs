//! Saving a working copy: often, by itself, while somebody types.

use praxis_entity::{
    clinical_document::{self, Column},
    ids::DocumentId,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{
    body::{self, SectionText},
    check,
    lease::LEASE,
};
use crate::{Result, error::Violations};

/// Puts texts into the sections of a working copy. Whoever saves holds the lease from then on.
///
/// One row changes in place: no version is kept of what nobody signed.
pub async fn save(
    op: &Op<Write>,
    id: DocumentId,
    if_version: i32,
    sections: Vec<SectionText>,
) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_WRITE, id, if_version).await?;
    check::own_draft(op, &stored, "documentSave").await?;
    let key = op.data_key(stored.patient_id.0).await?;
    let mut draft = check::opened(op, &key, &stored).await?;
    let mut found = Violations::default();
    body::fill(&mut found, &mut draft.sections, sections);
    found.check()?;
    let place = op.place("clinical_document", id.0, stored.patient_id.0);
    let change = clinical_document::ActiveModel {
        draft: Set(Some(op.seal(&key, &place, &draft)?)),
        lease_holder: Set(Some(check::holder(op)?)),
        lease_until: Set(Some(op.now() + LEASE)),
        ..Default::default()
    };
    let saved = changed(op, id, change).await?;
    op.record(
        Entry::done("document.save").on("ClinicalDocument", id.0, saved.version).of(saved.patient_id.0),
    );
    Ok(saved)
}

/// Changes the locked row.
pub(super) async fn changed(
    op: &Op<Write>,
    id: DocumentId,
    change: clinical_document::ActiveModel,
) -> Result<clinical_document::Model> {
    let update = clinical_document::Entity::update_many().set(change).filter(Column::Id.eq(id));
    let changed = update.exec_with_returning(op.db()).await?.pop();
    Ok(changed.ok_or(praxis_platform::Failure::NotFound)?)
}

//! Taking a directive back.

use praxis_entity::{consent_directive, ids::ConsentId};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged, EntityTrait, QuerySelect, sea_query::LockType};

use crate::{Detail, Result, Violation, ViolationCode, rights};

/// Takes a directive back, at the version that the person saw. The record of it stays.
pub async fn revoke(op: &Op<Write>, id: ConsentId, if_version: i32) -> Result<consent_directive::Model> {
    op.require(Permission::CONSENT_RECORD)?;
    let found = consent_directive::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown("id"))?;
    let (record, patient) = (Permission::CONSENT_RECORD, found.patient_id);
    // Not asked whether the patient may be seen: a directive against a person could not be taken back otherwise.
    rights::require(op, record, record, patient, &Row::of(patient.0), "id").await?;
    if found.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(violation.with(Detail::Version { current: found.version }).into());
    }
    if found.revoked_at.is_some() {
        let message = "This was taken back already.";
        return Err(Violation::at(ViolationCode::InvalidTransition, &["id"], message).into());
    }
    let row = consent_directive::ActiveModel {
        id: Unchanged(id),
        revoked_at: Set(Some(op.now())),
        revoked_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    let revoked = consent_directive::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("consent.revoke").on("Consent", id.0, revoked.version).of(patient.0));
    Ok(revoked)
}

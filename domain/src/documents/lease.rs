//! The lease: one place at a time edits a working copy.
//!
//! It is a courtesy to people, not what keeps the content whole: that is the version which every save names.

use chrono::TimeDelta;
use praxis_entity::{clinical_document, ids::DocumentId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, save::changed};
use crate::Result;

/// How long a lease lasts after the last save.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Takes the lease of a working copy, or takes it over from another place where the author edits it.
pub async fn take_lease(
    op: &Op<Write>,
    id: DocumentId,
    if_version: i32,
    take_over: bool,
) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_WRITE, id, if_version).await?;
    let free = clinical_document::Model { lease_until: None, ..stored.clone() };
    check::own_draft(op, if take_over { &free } else { &stored }, "documentLeaseTake").await?;
    let change = clinical_document::ActiveModel {
        lease_holder: Set(Some(check::holder(op)?)),
        lease_until: Set(Some(op.now() + LEASE)),
        ..Default::default()
    };
    let leased = changed(op, id, change).await?;
    let entry = Entry::done("document.lease-take").on("ClinicalDocument", id.0, leased.version);
    op.record(entry.of(leased.patient_id.0));
    Ok(leased)
}

/// Gives the lease back.
pub async fn release_lease(
    op: &Op<Write>,
    id: DocumentId,
    if_version: i32,
) -> Result<clinical_document::Model> {
    let stored = check::for_change(op, Permission::DOCUMENT_WRITE, id, if_version).await?;
    check::own_draft(op, &stored, "documentLeaseRelease").await?;
    let change = clinical_document::ActiveModel {
        lease_holder: Set(None),
        lease_until: Set(None),
        ..Default::default()
    };
    let released = changed(op, id, change).await?;
    let entry = Entry::done("document.lease-release").on("ClinicalDocument", id.0, released.version);
    op.record(entry.of(released.patient_id.0));
    Ok(released)
}

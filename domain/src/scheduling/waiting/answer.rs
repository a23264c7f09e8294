//! What somebody on the waiting list says to an offer.

use praxis_entity::{
    appointment,
    ids::{AppointmentId, WaitlistEntryId},
    waitlist_entry::{self, WaitlistStatus},
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::read::at_version;
use crate::{
    Result, Violation, ViolationCode,
    scheduling::{book, cancel},
};

/// They take the time: it is booked.
pub async fn accept_offer(
    op: &Op<Write>,
    id: WaitlistEntryId,
    if_version: i32,
) -> Result<waitlist_entry::Model> {
    let (entry, to) = at_version(op, id, if_version, "waitlistOfferAccept").await?;
    let held = held(op, &entry).await?;
    let booked = book::confirm(op, held).await?;
    change(op, &entry, to, Some(booked.id), "waitlist.accept").await
}

/// They leave it, and go on waiting.
pub async fn decline_offer(
    op: &Op<Write>,
    id: WaitlistEntryId,
    if_version: i32,
) -> Result<waitlist_entry::Model> {
    let (entry, to) = at_version(op, id, if_version, "waitlistOfferDecline").await?;
    let held = held(op, &entry).await?;
    let waiting = change(op, &entry, to, None, "waitlist.decline").await?;
    if held.status == appointment::AppointmentStatus::Pending {
        cancel::strike(op, held, None, None).await?;
    }
    Ok(waiting)
}

async fn held(op: &Op<Write>, entry: &waitlist_entry::Model) -> Result<appointment::Model> {
    let gone = || Violation::at(ViolationCode::Locked, &["id"], "The hold has run out.");
    let Some(id) = entry.appointment_id else { return Err(gone().into()) };
    appointment::Entity::find_by_id(id).one(op.db()).await?.ok_or_else(|| gone().into())
}

/// The entry that a held time was offered to, locked, if it still is.
pub(in crate::scheduling) async fn offered(
    op: &Op<Write>,
    held: &appointment::Model,
) -> Result<Option<waitlist_entry::Model>> {
    let Some(entry) = held.waitlist_entry_id else { return Ok(None) };
    let offered = waitlist_entry::Entity::find_by_id(entry)
        .filter(waitlist_entry::Column::Status.is(WaitlistStatus::Offered))
        .filter(waitlist_entry::Column::AppointmentId.eq(held.id))
        .lock(LockType::NoKeyUpdate);
    Ok(offered.one(op.db()).await?)
}

/// Brings a locked entry to another status.
pub(in crate::scheduling) async fn change(
    op: &Op<Write>,
    entry: &waitlist_entry::Model,
    status: WaitlistStatus,
    appointment: Option<AppointmentId>,
    action: &'static str,
) -> Result<waitlist_entry::Model> {
    let change = waitlist_entry::ActiveModel {
        id: Set(entry.id),
        status: Set(status),
        appointment_id: Set(appointment),
        ..Default::default()
    };
    let changed = waitlist_entry::Entity::update(change).exec(op.db()).await?;
    op.record(
        Entry::done(action).on("WaitlistEntry", changed.id.0, changed.version).of(changed.patient_id.0),
    );
    Ok(changed)
}

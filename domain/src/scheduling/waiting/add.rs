//! Putting patients on the waiting list, and taking them off.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    appointment::{self, Modality},
    facility,
    ids::{FacilityId, PatientId, PractitionerId, VisitTypeId, WaitlistEntryId},
    practitioner,
    waitlist_entry::{self, WaitlistPriority, WaitlistStatus},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{answer::change, read::at_version};
use crate::{
    Result, ViolationCode,
    error::Violations,
    scheduling::{cancel, check, place, reserve},
};

/// Somebody who waits for a time.
#[derive(Debug, Clone)]
pub struct AddToWaitlist {
    /// Who.
    pub patient: PatientId,
    /// For whom; anybody when absent.
    pub practitioner: Option<PractitionerId>,
    /// At which branch; any when absent.
    pub facility: Option<FacilityId>,
    /// For which kind of visit.
    pub visit_type: Option<VisitTypeId>,
    /// In person, by video or by phone.
    pub modality: Modality,
    /// Length without buffers.
    pub duration_minutes: u32,
    /// They can come from then on; from now on when absent.
    pub earliest: Option<DateTime<Utc>>,
    /// Until then.
    pub latest: DateTime<Utc>,
    /// How pressing it is.
    pub priority: WaitlistPriority,
}

/// Puts a patient on the list.
pub async fn add_to_waitlist(op: &Op<Write>, new: AddToWaitlist) -> Result<waitlist_entry::Model> {
    op.require(Permission::WAITING_LIST_MANAGE)?;
    let mut found = Violations::default();
    let length = check::length(&mut found, new.duration_minutes);
    let earliest = new.earliest.unwrap_or_else(|| op.now()).max(op.now());
    if new.latest < earliest + length {
        found.add(ViolationCode::OutOfRange, &["latest"], "No visit has room before this.");
    }
    if new.latest > op.now() + TimeDelta::days(731) {
        found.add(ViolationCode::OutOfRange, &["latest"], "This is more than two years ahead.");
    }
    reserve::judge_patient(op, new.patient, &mut found).await?;
    if let Some(id) = new.practitioner {
        let known = practitioner::Entity::find_by_id(id).one(op.db()).await?;
        place::judge_practitioner(&mut found, known.as_ref());
    }
    if let Some(id) = new.facility {
        let known = facility::Entity::find_by_id(id).one(op.db()).await?;
        if !known.is_some_and(|known| known.active) {
            found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
        }
    }
    place::kind(op, new.visit_type, &mut found).await?;
    found.check()?;
    let row = waitlist_entry::ActiveModel {
        id: Set(WaitlistEntryId(op.new_id())),
        patient_id: Set(new.patient),
        practitioner_id: Set(new.practitioner),
        facility_id: Set(new.facility),
        visit_type_id: Set(new.visit_type),
        modality: Set(new.modality),
        duration_minutes: Set(i32::try_from(length.num_minutes()).unwrap_or(i32::MAX)),
        earliest: Set(earliest),
        latest: Set(new.latest),
        priority: Set(new.priority),
        status: Set(WaitlistStatus::Waiting),
        added_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    let added = waitlist_entry::Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(
        Entry::done("waitlist.add").on("WaitlistEntry", added.id.0, added.version).of(added.patient_id.0),
    );
    Ok(added)
}

/// Takes somebody off the list; a time that is held for them is free again.
pub async fn remove_from_waitlist(
    op: &Op<Write>,
    id: WaitlistEntryId,
    if_version: i32,
) -> Result<waitlist_entry::Model> {
    let (entry, to) = at_version(op, id, if_version, "waitlistEntryRemove").await?;
    let offered = entry.appointment_id;
    let removed = change(op, &entry, to, None, "waitlist.remove").await?;
    if let Some(offered) = offered
        && let Some(held) = appointment::Entity::find_by_id(offered).one(op.db()).await?
        && held.status == appointment::AppointmentStatus::Pending
    {
        cancel::strike(op, held, None, None).await?;
    }
    Ok(removed)
}

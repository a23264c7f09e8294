//! Setting what a kind of visit takes: buffers, times, room, devices, reminders.

use praxis_entity::{ids::VisitTypeId, visit_type};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::LockType};

use super::add_device::is_device_kind;
use crate::{Detail, Result, Violation, ViolationCode, error::Violations};

/// Ninety days, in minutes.
const LONGEST: i32 = 129_600;

/// What is changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ConfigureVisitType {
    /// Length.
    pub duration_minutes: Option<i32>,
    /// Time kept free before.
    pub buffer_before_minutes: Option<i32>,
    /// Time kept free after.
    pub buffer_after_minutes: Option<i32>,
    /// Offered no later than so long before the start.
    pub lead_minutes: Option<i32>,
    /// Called off without remark no later than so long before the start.
    pub cutoff_minutes: Option<i32>,
    /// Whether it takes a room.
    pub needs_room: Option<bool>,
    /// Kinds of device that it takes, one of each.
    pub device_kinds: Option<Vec<String>>,
    /// How long before the start patients are reminded.
    pub reminder_minutes: Option<Vec<i32>>,
}

/// Sets it for visits that are booked from now on.
pub async fn configure_visit_type(
    op: &Op<Write>,
    id: VisitTypeId,
    if_version: i32,
    to: ConfigureVisitType,
) -> Result<visit_type::Model> {
    op.actor().require_everywhere(Permission::SCHEDULE_MANAGE)?;
    let stored = visit_type::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    if stored.version != if_version {
        let message = "Somebody else changed this kind of visit meanwhile.";
        return Err(Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message)
            .with(Detail::Version { current: stored.version })
            .into());
    }
    judge(&to)?;
    let mut reminders = to.reminder_minutes.unwrap_or(stored.reminder_minutes);
    reminders.sort_unstable();
    reminders.dedup();
    let mut devices = to.device_kinds.unwrap_or(stored.device_kinds);
    devices.sort_unstable();
    devices.dedup();
    let change = visit_type::ActiveModel {
        id: Set(id),
        duration_minutes: Set(to.duration_minutes.unwrap_or(stored.duration_minutes)),
        buffer_before_minutes: Set(to.buffer_before_minutes.unwrap_or(stored.buffer_before_minutes)),
        buffer_after_minutes: Set(to.buffer_after_minutes.unwrap_or(stored.buffer_after_minutes)),
        lead_minutes: Set(to.lead_minutes.unwrap_or(stored.lead_minutes)),
        cutoff_minutes: Set(to.cutoff_minutes.unwrap_or(stored.cutoff_minutes)),
        needs_room: Set(to.needs_room.unwrap_or(stored.needs_room)),
        device_kinds: Set(devices),
        reminder_minutes: Set(reminders),
        customised: Set(true),
        ..Default::default()
    };
    let changed = visit_type::Entity::update(change).exec(op.db()).await?;
    op.record(Entry::done("visit-kind.configure").on("VisitKind", id.0, changed.version));
    Ok(changed)
}

fn judge(to: &ConfigureVisitType) -> Result<()> {
    let mut found = Violations::default();
    for (field, value, range) in [
        ("durationMinutes", to.duration_minutes, 5..=480),
        ("bufferBeforeMinutes", to.buffer_before_minutes, 0..=240),
        ("bufferAfterMinutes", to.buffer_after_minutes, 0..=240),
        ("leadMinutes", to.lead_minutes, 0..=LONGEST),
        ("cutoffMinutes", to.cutoff_minutes, 0..=LONGEST),
    ] {
        if value.is_some_and(|value| !range.contains(&value)) {
            let message = format!("This is {} to {} minutes.", range.start(), range.end());
            found.add(ViolationCode::OutOfRange, &[field], message);
        }
    }
    let reminders = to.reminder_minutes.as_deref().unwrap_or_default();
    if reminders.len() > 5 || reminders.iter().any(|minutes| !(1..=LONGEST).contains(minutes)) {
        let message = "At most five reminders, one minute to ninety days before.";
        found.add(ViolationCode::OutOfRange, &["reminderMinutes"], message);
    }
    let devices = to.device_kinds.as_deref().unwrap_or_default();
    if devices.len() > 5 || !devices.iter().all(|kind| is_device_kind(kind)) {
        let message = "At most five kinds of device, named by capitals as ULTRASOUND.";
        found.add(ViolationCode::Invalid, &["deviceKinds"], message);
    }
    found.check()
}

//! When a practitioner has room.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::{FacilityId, PractitionerId, VisitTypeId},
    practitioner,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::EntityTrait;

use super::{
    check,
    hold::{Resources, taken},
    place,
    slots::{Hours, Span, free},
};
use crate::{Result, ViolationCode, error::Violations, staff};

/// The longest span that is looked through.
const LONGEST: TimeDelta = TimeDelta::days(60);

/// Where room is looked for.
#[derive(Debug, Clone)]
pub struct FreeSlots {
    /// With whom.
    pub practitioner: PractitionerId,
    /// At which branch; anywhere when absent.
    pub facility: Option<FacilityId>,
    /// From then on; what has passed is left out.
    pub from: DateTime<Utc>,
    /// Up to then, 60 days at the most.
    pub until: DateTime<Utc>,
    /// Length without buffers.
    pub duration_minutes: u32,
    /// The kind of visit, which decides the buffers.
    pub visit_type: Option<VisitTypeId>,
}

/// Room for a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// End.
    pub ends_at: DateTime<Utc>,
    /// With whom.
    pub practitioner: PractitionerId,
}

/// The free slots of a practitioner within their hours, earliest first.
pub async fn free_slots<M>(op: &Op<M>, search: FreeSlots) -> Result<Vec<Slot>> {
    op.require(Permission::SCHEDULE_READ)?;
    let mut found = Violations::default();
    let length = check::length(&mut found, search.duration_minutes);
    if search.until <= search.from {
        found.add(ViolationCode::Invalid, &["until"], "The end of the search must be later than its start.");
    }
    if search.until.signed_duration_since(search.from) > LONGEST {
        found.add(ViolationCode::OutOfRange, &["until"], "At most 60 days are looked through.");
    }
    let practitioner = practitioner::Entity::find_by_id(search.practitioner).one(op.db()).await?;
    if practitioner.is_none() {
        found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
    }
    let buffers = place::buffers(op, search.visit_type, &mut found).await?;
    found.check()?;
    let within = Span { from: search.from.max(op.now()), until: search.until };
    if within.until <= within.from || !practitioner.is_some_and(|known| known.active && known.bookable) {
        return Ok(Vec::new());
    }

    let rules = staff::rules_of(op, &[search.practitioner]).await?;
    let here =
        rules.iter().filter(|rule| search.facility.is_none_or(|facility| facility == rule.facility_id));
    let hours: Vec<Hours> = here.filter_map(Hours::of).collect();
    let resources = Resources { practitioner: search.practitioner, room: None };
    let busy = taken(op, resources, within.widened(buffers), None).await?;
    let busy: Vec<Span> = busy.into_iter().map(|(_, span)| span).collect();
    let slot =
        |visit: Span| Slot { starts_at: visit.from, ends_at: visit.until, practitioner: search.practitioner };
    Ok(free(&hours, within, length, buffers, &busy).into_iter().map(slot).collect())
}

//! Where everything that a visit needs is free at once: practitioner, room and devices.
//!
//! The search is bounded in people, days and results; what is on offer, the market knows.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::{DeviceId, FacilityId, PractitionerId, RoomId, VisitTypeId},
    practitioner,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{check, market::Market, place, slots::Span};
use crate::{Result, ViolationCode, error::Violations, page::any_of};

/// The longest span that is looked through.
const LONGEST: TimeDelta = TimeDelta::days(60);
/// The most practitioners that are looked at.
pub const MOST_PRACTITIONERS: usize = 50;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct FindSlots {
    /// With one of them; with anybody who can be booked when there is none.
    pub practitioners: Vec<PractitionerId>,
    /// At which branch; anywhere when absent.
    pub facility: Option<FacilityId>,
    /// The kind of visit: it decides buffers, lead time, room and devices.
    pub visit_type: Option<VisitTypeId>,
    /// Whether a room is needed besides what the kind of visit needs.
    pub needs_room: bool,
    /// Kinds of device that are needed besides what the kind of visit needs.
    pub device_kinds: Vec<String>,
    /// From then on; what has passed is left out.
    pub from: DateTime<Utc>,
    /// Up to then, 60 days at the most.
    pub until: DateTime<Utc>,
    /// Length without buffers; that of the kind of visit, or half an hour, when absent.
    pub duration_minutes: Option<u32>,
}

/// Room for a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// End.
    pub ends_at: DateTime<Utc>,
    /// With whom.
    pub practitioner: PractitionerId,
    /// At which branch.
    pub facility: FacilityId,
    /// In which room, where one is needed.
    pub room: Option<RoomId>,
    /// With which devices, where some are needed.
    pub devices: Vec<DeviceId>,
}

/// Free slots, earliest first, at most so many.
pub async fn find_slots<M>(op: &Op<M>, search: FindSlots, most: usize) -> Result<Vec<Slot>> {
    let mut slots = all_slots(op, search).await?;
    slots.truncate(most);
    Ok(slots)
}

/// All free slots within the bounds, earliest first.
pub(super) async fn all_slots<M>(op: &Op<M>, search: FindSlots) -> Result<Vec<Slot>> {
    op.require(Permission::SCHEDULE_READ)?;
    let mut found = Violations::default();
    if search.until <= search.from {
        found.add(ViolationCode::Invalid, &["until"], "The end of the search must be later than its start.");
    }
    if search.until.signed_duration_since(search.from) > LONGEST {
        found.add(ViolationCode::OutOfRange, &["until"], "At most 60 days are looked through.");
    }
    if search.practitioners.len() > MOST_PRACTITIONERS {
        found.add(ViolationCode::TooLong, &["practitionerIds"], "At most 50 practitioners are looked at.");
    }
    if search.device_kinds.len() > 5 {
        found.add(ViolationCode::TooLong, &["deviceKinds"], "A visit takes five devices at the most.");
    }
    let kind = place::kind(op, search.visit_type, &mut found).await?;
    let own_length = kind.as_ref().and_then(|kind| u32::try_from(kind.duration_minutes).ok());
    let length = check::length(&mut found, search.duration_minutes.or(own_length).unwrap_or(30));
    let people = people(op, &search, &mut found).await?;
    found.check()?;
    let lead = kind.as_ref().map_or(0, |kind| kind.lead_minutes);
    let within =
        Span { from: search.from.max(op.now() + TimeDelta::minutes(i64::from(lead))), until: search.until };
    let people: Vec<_> = people.into_iter().filter(|person| person.active && person.bookable).collect();
    if within.until <= within.from || people.is_empty() {
        return Ok(Vec::new());
    }
    let market = Market::open(op, &search, kind.as_ref(), people, within).await?;
    Ok(market.slots(length))
}

/// The practitioners who are looked at.
async fn people<M>(
    op: &Op<M>,
    search: &FindSlots,
    found: &mut Violations,
) -> Result<Vec<practitioner::Model>> {
    if search.practitioners.is_empty() {
        return Ok(practitioner::Entity::find()
            .filter(practitioner::Column::Active.eq(true))
            .filter(practitioner::Column::Bookable.eq(true))
            .order_by_asc(practitioner::Column::Id)
            .limit(u64::try_from(MOST_PRACTITIONERS).unwrap_or(u64::MAX))
            .all(op.db())
            .await?);
    }
    let wanted = any_of(practitioner::Column::Id, search.practitioners.iter().map(|id| id.0).collect());
    let people = practitioner::Entity::find().filter(wanted).all(op.db()).await?;
    if search.practitioners.iter().any(|id| people.iter().all(|person| person.id != *id)) {
        found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
    }
    Ok(people)
}

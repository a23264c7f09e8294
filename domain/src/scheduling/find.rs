//! Where everything that a visit needs is free at once: practitioner, room and devices.
//!
//! Few statements, whatever is asked: hours, exceptions and what is taken are fetched for all resources together,
//! and the rest is arithmetic. The search is bounded in people, days and results.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    device, facility,
    ids::{DeviceId, FacilityId, PractitionerId, RoomId, VisitTypeId},
    practitioner, room, visit_type,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    check,
    exceptions::Exceptions,
    hold::{Resource, Taken, taken},
    place,
    slots::{Buffers, Hours, Occupancy, Span, free, is_free, merged},
};
use crate::{Result, ViolationCode, error::Violations, page::any_of, staff};

/// The longest span that is looked through.
const LONGEST: TimeDelta = TimeDelta::days(60);
/// The most practitioners that are looked at.
pub const MOST_PRACTITIONERS: usize = 50;
/// The most rooms, or devices, of all branches that are looked at.
const MOST_PLACES: u64 = 200;

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

/// A room or device, and when it is free.
struct Place<I> {
    id: I,
    facility: FacilityId,
    kind: String,
    occupied: Occupancy,
    closed: Vec<Span>,
}

impl<I: Copy> Place<I> {
    fn is_free(&self, visit: Span, buffers: Buffers) -> bool {
        is_free(visit, &self.closed) && self.occupied.has_room(visit.widened(buffers))
    }
}

/// Everything that visits could take, and what of it is taken.
struct Market {
    within: Span,
    buffers: Buffers,
    people: Vec<practitioner::Model>,
    hours: HashMap<PractitionerId, BTreeMap<FacilityId, Vec<Hours>>>,
    taken: HashMap<Uuid, Vec<Taken>>,
    exceptions: Exceptions,
    needs_room: bool,
    rooms: Vec<Place<RoomId>>,
    device_kinds: Vec<String>,
    devices: Vec<Place<DeviceId>>,
}

impl Market {
    async fn open<M>(
        op: &Op<M>,
        search: &FindSlots,
        kind: Option<&visit_type::Model>,
        people: Vec<practitioner::Model>,
        within: Span,
    ) -> Result<Self> {
        let buffers = kind.map(Buffers::from).unwrap_or_default();
        let needs_room = search.needs_room || kind.is_some_and(|kind| kind.needs_room);
        let mut device_kinds = search.device_kinds.clone();
        device_kinds.extend(kind.iter().flat_map(|kind| kind.device_kinds.iter().cloned()));
        device_kinds.sort_unstable();
        device_kinds.dedup();

        let branches =
            facility::Entity::find().filter(facility::Column::Active.eq(true)).all(op.db()).await?;
        let here = |id: &FacilityId| {
            search.facility.is_none_or(|facility| facility == *id)
                && branches.iter().any(|branch| branch.id == *id)
        };
        let exceptions = Exceptions::within(op, search.facility.as_slice(), within).await?;
        let ids: Vec<PractitionerId> = people.iter().map(|person| person.id).collect();
        let mut hours: HashMap<PractitionerId, BTreeMap<FacilityId, Vec<Hours>>> = HashMap::new();
        for rule in staff::rules_of(op, &ids).await?.iter().filter(|rule| here(&rule.facility_id)) {
            let of = hours.entry(rule.practitioner_id).or_default().entry(rule.facility_id).or_default();
            of.extend(Hours::of(rule));
        }
        for branch in branches.iter().filter(|branch| here(&branch.id)) {
            for id in &ids {
                let extra = exceptions.extra(branch.id, *id);
                if !extra.is_empty() {
                    hours.entry(*id).or_default().entry(branch.id).or_default().extend(extra);
                }
            }
        }
        let rooms = if needs_room { rooms(op, search.facility).await? } else { Vec::new() };
        let devices = devices(op, search.facility, &device_kinds).await?;
        let all = ids.iter().map(|id| id.0);
        let all =
            all.chain(rooms.iter().map(|room| room.id.0)).chain(devices.iter().map(|device| device.id.0));
        let rows = taken(op, &all.collect::<Vec<_>>(), within.widened(buffers), None).await?;
        let mut by_resource: HashMap<Uuid, Vec<Taken>> = HashMap::new();
        for row in rows {
            by_resource.entry(row.resource).or_default().push(row);
        }
        let occupied = |resource: &Resource| {
            Occupancy::of(resource, by_resource.get(&resource.id).map(Vec::as_slice).unwrap_or_default())
        };
        let rooms = rooms.iter().map(|room| Place {
            id: room.id,
            facility: room.facility_id,
            kind: String::new(),
            occupied: occupied(&Resource::from(room)),
            closed: merged(&exceptions.closed(room.facility_id, &[room.id.0])),
        });
        let devices = devices.iter().map(|device| Place {
            id: device.id,
            facility: device.facility_id,
            kind: device.kind.clone(),
            occupied: occupied(&Resource::from(device)),
            closed: merged(&exceptions.closed(device.facility_id, &[device.id.0])),
        });
        let (rooms, devices) = (rooms.collect(), devices.collect());
        Ok(Self {
            within,
            buffers,
            people,
            hours,
            taken: by_resource,
            exceptions,
            needs_room,
            rooms,
            device_kinds,
            devices,
        })
    }

    fn slots(&self, length: TimeDelta) -> Vec<Slot> {
        let mut slots = Vec::new();
        for person in &self.people {
            let own = self.taken.get(&person.id.0).map(Vec::as_slice).unwrap_or_default();
            let occupied = [Occupancy::of(&Resource::from(person), own)];
            for (facility, hours) in self.hours.get(&person.id).into_iter().flatten() {
                let closed = self.exceptions.closed(*facility, &[person.id.0]);
                let visits = free(hours, self.within, length, self.buffers, &occupied, &closed);
                slots.extend(visits.into_iter().filter_map(|visit| self.slot(person.id, *facility, visit)));
            }
        }
        slots.sort_by_key(|slot| (slot.starts_at, slot.practitioner, slot.facility));
        // Somebody whose hours at two branches overlap is at one of them at a time: either may be chosen.
        slots
    }

    /// The visit with a room and devices, if there are any free.
    fn slot(&self, practitioner: PractitionerId, facility: FacilityId, visit: Span) -> Option<Slot> {
        let room = match self.needs_room {
            true => {
                let here = self.rooms.iter().filter(|room| room.facility == facility);
                Some(here.into_iter().find(|room| room.is_free(visit, self.buffers))?.id)
            }
            false => None,
        };
        let mut devices = Vec::with_capacity(self.device_kinds.len());
        for kind in &self.device_kinds {
            let here =
                self.devices.iter().filter(|device| device.facility == facility && device.kind == *kind);
            devices.push(here.into_iter().find(|device| device.is_free(visit, self.buffers))?.id);
        }
        Some(Slot { starts_at: visit.from, ends_at: visit.until, practitioner, facility, room, devices })
    }
}

async fn rooms<M>(op: &Op<M>, facility: Option<FacilityId>) -> Result<Vec<room::Model>> {
    let mut rooms = room::Entity::find().filter(room::Column::Active.eq(true));
    if let Some(facility) = facility {
        rooms = rooms.filter(room::Column::FacilityId.eq(facility));
    }
    Ok(rooms.order_by_asc(room::Column::Name).limit(MOST_PLACES).all(op.db()).await?)
}

async fn devices<M>(
    op: &Op<M>,
    facility: Option<FacilityId>,
    kinds: &[String],
) -> Result<Vec<device::Model>> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let mut devices = device::Entity::find()
        .filter(device::Column::Active.eq(true))
        .filter(Expr::cust_with_values("kind = ANY($1)", [kinds.to_vec()]));
    if let Some(facility) = facility {
        devices = devices.filter(device::Column::FacilityId.eq(facility));
    }
    Ok(devices.order_by_asc(device::Column::Name).limit(MOST_PLACES).all(op.db()).await?)
}

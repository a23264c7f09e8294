//! What visits could take within a span, and what of it is taken.
//!
//! Few statements, whatever is asked: hours, exceptions and what is taken are fetched for all resources together, and
//! the rest is arithmetic.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use praxis_entity::{
    device, facility,
    ids::{DeviceId, FacilityId, PractitionerId, RoomId},
    practitioner, room, visit_type,
};
use praxis_platform::Op;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    exceptions::Exceptions,
    find::{FindSlots, Slot},
    hold::{Resource, Taken, taken},
    slots::{Buffers, Hours, Occupancy, Span, free, is_free, merged},
};
use crate::{Result, staff};

/// The most rooms, or devices, that are looked at.
const MOST_PLACES: u64 = 200;

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
pub(super) struct Market {
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
    /// Fetches it.
    pub(super) async fn open<M>(
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

    /// The slots of a length that everything has room for, earliest first.
    pub(super) fn slots(&self, length: TimeDelta) -> Vec<Slot> {
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
        // Somebody whose hours at two branches overlap is offered at both: either may be chosen.
        slots.sort_by_key(|slot| (slot.starts_at, slot.practitioner, slot.facility));
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

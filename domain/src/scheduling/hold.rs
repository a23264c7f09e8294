//! The time that appointments hold of practitioners, rooms and devices.
//!
//! Each resource has lanes, as many as it has capacity; lanes below 0 are those of deliberate overbooking. A visit
//! takes one lane of each of its resources, and the exclusion constraint keeps a lane to one visit at a time.

use praxis_entity::{
    appointment,
    appointment_resource::{ActiveModel, Column, Entity},
    device,
    ids::{AppointmentId, DeviceId, PractitionerId, RoomId, TypedId},
    practitioner, room,
};
use praxis_platform::{Op, Write};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

use super::slots::Span;
use crate::{Result, page::any_of};

/// Who and what a visit needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) practitioner: PractitionerId,
    pub(super) room: Option<RoomId>,
    pub(super) devices: Vec<DeviceId>,
}

/// A resource, and how many visits it takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) id: Uuid,
    kind: &'static str,
    pub(super) capacity: i32,
    overbook_limit: i32,
}

impl From<&practitioner::Model> for Resource {
    fn from(row: &practitioner::Model) -> Self {
        let (capacity, overbook_limit) = (row.capacity, row.overbook_limit);
        Self { id: row.id.0, kind: "PRACTITIONER", capacity, overbook_limit }
    }
}

impl From<&room::Model> for Resource {
    fn from(row: &room::Model) -> Self {
        let (capacity, overbook_limit) = (row.capacity, row.overbook_limit);
        Self { id: row.id.0, kind: "ROOM", capacity, overbook_limit }
    }
}

impl From<&device::Model> for Resource {
    fn from(row: &device::Model) -> Self {
        let (capacity, overbook_limit) = (row.capacity, row.overbook_limit);
        Self { id: row.id.0, kind: "DEVICE", capacity, overbook_limit }
    }
}

impl Resource {
    /// The first lane that none of the visits holds; one of overbooking only where that is wanted.
    fn free_lane(&self, taken: &[Taken], overbook: bool) -> Option<i32> {
        let beyond = if overbook { self.overbook_limit } else { 0 };
        let free = |lane: &i32| !taken.iter().any(|held| held.resource == self.id && held.lane == *lane);
        (0..self.capacity).chain((1..=beyond).map(|lane| -lane)).find(free)
    }
}

/// The rows of the resources, which stay as they are until the operation ends.
pub(super) struct Locked {
    pub(super) practitioner: Option<practitioner::Model>,
    pub(super) room: Option<room::Model>,
    pub(super) devices: Vec<device::Model>,
}

impl Locked {
    /// What was found, as resources.
    pub(super) fn resources(&self) -> Vec<Resource> {
        let people = self.practitioner.iter().map(Resource::from);
        people
            .chain(self.room.iter().map(Resource::from))
            .chain(self.devices.iter().map(Resource::from))
            .collect()
    }
}

/// Locks the rows of the resources until the operation ends.
///
/// Everybody locks the practitioner first, then the room, then the devices by id, so nobody waits in
/// a circle. The lock is the weakest that excludes itself: rows that refer to these go on.
pub(super) async fn lock(op: &Op<Write>, resources: &Resources) -> Result<Locked> {
    let practitioner = practitioner::Entity::find_by_id(resources.practitioner)
        .lock(LockType::NoKeyUpdate)
        .one(op.db())
        .await?;
    let room = match resources.room {
        Some(room) => room::Entity::find_by_id(room).lock(LockType::NoKeyUpdate).one(op.db()).await?,
        None => None,
    };
    let devices = match resources.devices.is_empty() {
        true => Vec::new(),
        false => {
            device::Entity::find()
                .filter(any_of(device::Column::Id, resources.devices.iter().map(|id| id.uuid()).collect()))
                .order_by_asc(device::Column::Id)
                .lock(LockType::NoKeyUpdate)
                .all(op.db())
                .await?
        }
    };
    Ok(Locked { practitioner, room, devices })
}

/// A lane that an appointment holds for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) appointment: AppointmentId,
    pub(super) resource: Uuid,
    pub(super) lane: i32,
    pub(super) span: Span,
}

/// What the resources hold within a span, earliest first. Holds that have run out hold nothing.
pub(super) async fn taken<M>(
    op: &Op<M>,
    resources: &[Uuid],
    within: Span,
    except: Option<AppointmentId>,
) -> Result<Vec<Taken>> {
    // Written as the exclusion constraint's index has it.
    let overlap = Expr::cust_with_values(
        "tstzrange(busy_from, busy_until, '[)') && tstzrange($1, $2, '[)')",
        [within.from, within.until],
    );
    let counts = Expr::cust_with_values(
        "NOT EXISTS (SELECT FROM appointment a WHERE a.id = appointment_id AND a.status = 'PENDING' AND a.hold_expires_at <= $1)",
        [op.now()],
    );
    let rows = Entity::find()
        .filter(Expr::cust("blocking"))
        .filter(any_of(Column::ResourceId, resources.to_vec()))
        .filter(overlap)
        .filter(counts)
        .filter(Condition::all().add_option(except.map(|own| Column::AppointmentId.ne(own))))
        .order_by_asc(Column::BusyFrom)
        .order_by_asc(Column::AppointmentId)
        .all(op.db())
        .await?;
    let taken = |row: praxis_entity::appointment_resource::Model| Taken {
        appointment: row.appointment_id,
        resource: row.resource_id,
        lane: row.lane,
        span: Span { from: row.busy_from, until: row.busy_until },
    };
    Ok(rows.into_iter().map(taken).collect())
}

/// A free lane of each resource, or the visits that stand in the way.
pub(super) fn lanes(
    resources: &[Resource],
    taken: &[Taken],
    overbook: bool,
) -> std::result::Result<Vec<i32>, Vec<AppointmentId>> {
    let mut in_the_way = Vec::new();
    let mut lanes = Vec::with_capacity(resources.len());
    for resource in resources {
        match resource.free_lane(taken, overbook) {
            Some(lane) => lanes.push(lane),
            None => {
                let own = taken.iter().filter(|held| held.resource == resource.id);
                in_the_way.extend(own.map(|held| held.appointment));
            }
        }
    }
    if in_the_way.is_empty() && lanes.len() == resources.len() { Ok(lanes) } else { Err(in_the_way) }
}

/// Holds a lane of each resource for an appointment; `false` when the exclusion constraint stood against it.
pub(super) async fn hold(
    op: &Op<Write>,
    appointment: AppointmentId,
    resources: &[Resource],
    lanes: &[i32],
    span: Span,
) -> Result<bool> {
    let rows = resources.iter().zip(lanes).map(|(resource, lane)| ActiveModel {
        appointment_id: Set(appointment),
        resource_id: Set(resource.id),
        kind: Set(resource.kind.to_owned()),
        busy_from: Set(span.from),
        busy_until: Set(span.until),
        lane: Set(*lane),
        blocking: Set(true),
    });
    // An error would end the transaction, and with it the chance to say what is in the way.
    let held = Entity::insert_many(rows)
        .on_conflict(OnConflict::constraint("appointment_no_overlap").do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    Ok(usize::try_from(held).is_ok_and(|held| held == resources.len()))
}

/// The resources that an appointment holds or held.
pub(super) async fn of<M>(op: &Op<M>, stored: &appointment::Model) -> Result<Resources> {
    let rows = Entity::find()
        .filter(Column::AppointmentId.eq(stored.id))
        .filter(Column::Kind.eq("DEVICE"))
        .order_by_asc(Column::ResourceId)
        .all(op.db())
        .await?;
    let devices = rows.into_iter().map(|row| DeviceId(row.resource_id)).collect();
    Ok(Resources { practitioner: stored.practitioner_id, room: stored.room_id, devices })
}

/// Gives up whatever the appointment holds, to hold something else.
pub(super) async fn give_up(op: &Op<Write>, appointment: AppointmentId) -> Result<()> {
    Entity::delete_many().filter(Column::AppointmentId.eq(appointment)).exec(op.db()).await?;
    Ok(())
}

/// Gives the time back: what was held stays on record, and is free again.
pub(super) async fn release(op: &Op<Write>, appointments: &[AppointmentId]) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Blocking, Expr::value(false))
        .filter(any_of(Column::AppointmentId, appointments.iter().map(|id| id.0).collect()))
        .exec(op.db())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resource(capacity: i32, overbook_limit: i32) -> Resource {
        Resource { id: Uuid::nil(), kind: "ROOM", capacity, overbook_limit }
    }

    fn held(lane: i32) -> Taken {
        let at = chrono::DateTime::UNIX_EPOCH;
        let span = Span { from: at, until: at };
        Taken {
            appointment: AppointmentId(Uuid::from_u128(lane.unsigned_abs().into())),
            resource: Uuid::nil(),
            lane,
            span,
        }
    }

    proptest! {
        #[test]
        fn exactly_the_capacity_is_given_out_and_then_as_often_as_may_be_overbooked(capacity in 1i32..9, limit in 0i32..5) {
            let resource = [resource(capacity, limit)];
            let mut taken = Vec::new();
            while let Ok(lanes) = lanes(&resource, &taken, false) {
                prop_assert!((0..capacity).contains(&lanes[0]));
                taken.push(held(lanes[0]));
            }
            prop_assert_eq!(taken.len(), usize::try_from(capacity).unwrap());
            while let Ok(lanes) = lanes(&resource, &taken, true) {
                prop_assert!((-limit..0).contains(&lanes[0]));
                taken.push(held(lanes[0]));
            }
            prop_assert_eq!(taken.len(), usize::try_from(capacity + limit).unwrap());
            let mut lanes: Vec<i32> = taken.iter().map(|held| held.lane).collect();
            lanes.sort_unstable();
            lanes.dedup();
            prop_assert_eq!(lanes.len(), taken.len());
        }
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        assert_eq!(lanes(&[resource(1, 1)], &[held(0)], false), Err(vec![AppointmentId(Uuid::nil())]));
        assert_eq!(lanes(&[resource(2, 0)], &[held(0)], false), Ok(vec![1]));
        // Somebody else's resource is not in the way.
        let other = Resource { id: Uuid::max(), ..resource(1, 0) };
        assert_eq!(lanes(&[other], &[held(0)], false), Ok(vec![0]));
    }
}

//! What visits take of a clinic: devices, capacity, and what each kind of visit needs.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::{Error, clinic};
use praxis_entity::ids::AnyId;
use praxis_platform::{Op, Write};

use super::{Device, Room, VisitKind};
use crate::{
    context::change,
    error::{ApiError, Code},
    idempotency::Replay,
    ids,
    payload::UserError,
    staff::Practitioner,
};

/// What visits take of a clinic.
#[derive(Default)]
pub(crate) struct PlanningMutation;

/// A new device.
#[derive(InputObject)]
pub(crate) struct DeviceAddInput {
    /// At which branch.
    facility_id: ID,
    /// What it is, as kinds of visit ask for it: up to 40 capitals, as `ULTRASOUND`.
    kind: String,
    /// Name, unique at the branch.
    name: String,
}

/// The new device, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct DeviceAddPayload {
    /// The new device.
    device: Option<Device>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// How many visits a practitioner, room or device takes at once.
#[derive(InputObject)]
pub(crate) struct ResourceCapacitySetInput {
    /// The practitioner, room or device.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// How many visits at once, 1 to 100.
    capacity: i32,
    /// How many more on purpose, 0 to 20.
    overbook_limit: i32,
}

/// The resource as it is now, or why nothing changed.
#[derive(SimpleObject, Default)]
pub(crate) struct ResourceCapacitySetPayload {
    /// The practitioner, if it was one.
    practitioner: Option<Practitioner>,
    /// The room, if it was one.
    room: Option<Room>,
    /// The device, if it was one.
    device: Option<Device>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What a kind of visit takes; what is absent stays.
#[derive(InputObject)]
pub(crate) struct VisitKindConfigureInput {
    /// The kind of visit.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Length in minutes, 5 to 480.
    duration_minutes: Option<i32>,
    /// Minutes kept free before, 240 at the most.
    buffer_before_minutes: Option<i32>,
    /// Minutes kept free after, 240 at the most.
    buffer_after_minutes: Option<i32>,
    /// Offered and held no later than so many minutes before the start.
    lead_minutes: Option<i32>,
    /// Called off without remark no later than so many minutes before the start.
    cutoff_minutes: Option<i32>,
    /// Whether it takes a room.
    needs_room: Option<bool>,
    /// Kinds of device that it takes, one of each, five at the most.
    device_kinds: Option<Vec<String>>,
    /// How many minutes before the start patients are reminded, five times at the most; whole days are days on the wall clock.
    reminder_minutes: Option<Vec<i32>>,
}

/// The kind of visit as it is now, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct VisitKindConfigurePayload {
    /// The kind of visit.
    visit_kind: Option<VisitKind>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

impl Replay for clinic::Resource {
    type Outcome = String;

    fn outcome(&self) -> String {
        match self.id() {
            clinic::ResourceId::Practitioner(id) => id.to_string(),
            clinic::ResourceId::Room(id) => id.to_string(),
            clinic::ResourceId::Device(id) => id.to_string(),
        }
    }

    async fn recall(op: &Op<Write>, id: String) -> Result<Option<Self>, Error> {
        Ok(match id.parse() {
            Ok(AnyId::PractitionerId(id)) => {
                praxis_domain::staff::practitioners_by_ids(op, &[id]).await?.pop().map(Self::Practitioner)
            }
            Ok(AnyId::RoomId(id)) => clinic::rooms_by_ids(op, &[id]).await?.pop().map(Self::Room),
            Ok(AnyId::DeviceId(id)) => clinic::devices_by_ids(op, &[id]).await?.pop().map(Self::Device),
            _ => None,
        })
    }
}

fn resource(id: &ID) -> Result<clinic::ResourceId, ApiError> {
    match id.as_str().parse() {
        Ok(AnyId::PractitionerId(id)) => Ok(clinic::ResourceId::Practitioner(id)),
        Ok(AnyId::RoomId(id)) => Ok(clinic::ResourceId::Room(id)),
        Ok(AnyId::DeviceId(id)) => Ok(clinic::ResourceId::Device(id)),
        _ => Err(ApiError::new(Code::BadUserInput, "This is not an id that begins with roo_, dev_ or pra_.")),
    }
}

#[Object]
impl PlanningMutation {
    /// Adds a device to a branch.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, ALREADY_EXISTS.
    async fn device_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] input: DeviceAddInput,
    ) -> Result<DeviceAddPayload, ApiError> {
        let new = clinic::AddDevice {
            facility: ids::parse(&input.facility_id)?,
            kind: input.kind,
            name: input.name,
        };
        let done = change(ctx, "Mutation.deviceAdd", async |op| clinic::add_device(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(DeviceAddPayload { device: row.map(Device::new), user_errors })
    }

    /// Sets how many visits a practitioner, room or device takes at once, and how many more on purpose. What is
    /// booked stays booked.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT.
    async fn resource_capacity_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The resource and its capacity.")] input: ResourceCapacitySetInput,
    ) -> Result<ResourceCapacitySetPayload, ApiError> {
        let (id, version) = (resource(&input.id)?, input.if_version);
        let set = async |op: &Op<Write>| {
            clinic::set_capacity(op, id, version, input.capacity, input.overbook_limit).await
        };
        let (changed, user_errors) = change(ctx, "Mutation.resourceCapacitySet", set).await?.split();
        let payload = ResourceCapacitySetPayload { user_errors, ..Default::default() };
        Ok(match changed {
            Some(clinic::Resource::Practitioner(row)) => {
                ResourceCapacitySetPayload { practitioner: Some(Practitioner::new(row)), ..payload }
            }
            Some(clinic::Resource::Room(row)) => {
                ResourceCapacitySetPayload { room: Some(Room::new(row)), ..payload }
            }
            Some(clinic::Resource::Device(row)) => {
                ResourceCapacitySetPayload { device: Some(Device::new(row)), ..payload }
            }
            None => payload,
        })
    }

    /// Sets what a kind of visit takes. Counts for visits that are booked from then on.
    ///
    /// Errors: NOT_FOUND, INVALID, OUT_OF_RANGE, VERSION_CONFLICT.
    async fn visit_kind_configure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind of visit and what it takes.")] input: VisitKindConfigureInput,
    ) -> Result<VisitKindConfigurePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let to = clinic::ConfigureVisitType {
            duration_minutes: input.duration_minutes,
            buffer_before_minutes: input.buffer_before_minutes,
            buffer_after_minutes: input.buffer_after_minutes,
            lead_minutes: input.lead_minutes,
            cutoff_minutes: input.cutoff_minutes,
            needs_room: input.needs_room,
            device_kinds: input.device_kinds,
            reminder_minutes: input.reminder_minutes,
        };
        let configure = async |op: &Op<Write>| clinic::configure_visit_type(op, id, version, to).await;
        let (row, user_errors) = change(ctx, "Mutation.visitKindConfigure", configure).await?.split();
        Ok(VisitKindConfigurePayload { visit_kind: row.map(VisitKind::new), user_errors })
    }
}

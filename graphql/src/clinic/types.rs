//! Branches, rooms, kinds of visit, other organisations.

use async_graphql::{Context, ID, Object, SimpleObject};
use praxis_domain::clinic::Usage;
use praxis_entity::{device, facility, organization, room, visit_type};

use crate::{
    context::Ask,
    error::{Edge, Nullable},
    ids,
    scalar::{DateTime, Decimal, TimeZone},
    scheduling::AppointmentType,
};

/// The clinic that the host name leads to.
#[derive(SimpleObject)]
pub(crate) struct Tenant {
    /// Opaque id.
    pub(crate) id: ID,
    /// Subdomain.
    pub(crate) slug: String,
    /// Name as shown.
    pub(crate) display_name: String,
    /// BCP 47 locale.
    pub(crate) locale: String,
    /// Zone of its wall clock.
    pub(crate) time_zone: TimeZone,
}

/// How much the clinic has of what it is limited in.
#[derive(SimpleObject)]
pub(crate) struct ClinicUsage {
    /// Accounts that can sign in.
    pub(super) seats: SeatUsage,
    /// Documents with their versions, and what was imported.
    pub(super) storage: StorageUsage,
}

/// Accounts that can sign in.
#[derive(SimpleObject)]
pub(crate) struct SeatUsage {
    /// How many there are.
    used: i32,
    /// How many there may be; null for as many as there are.
    max: Option<i32>,
}

impl From<Usage> for SeatUsage {
    fn from(usage: Usage) -> Self {
        let shown = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        Self { used: shown(usage.used), max: usage.most.map(shown) }
    }
}

/// Documents with their versions, and what was imported.
#[derive(SimpleObject)]
pub(crate) struct StorageUsage {
    /// How many bytes they are.
    used_bytes: Decimal,
    /// How many they may be; null for as many as there are.
    max_bytes: Option<Decimal>,
}

impl From<Usage> for StorageUsage {
    fn from(usage: Usage) -> Self {
        let shown = |number: i64| Decimal(number.into());
        Self { used_bytes: shown(usage.used), max_bytes: usage.most.map(shown) }
    }
}

macro_rules! row {
    ($(#[$doc:meta])* $name:ident($model:ty)) => {
        $(#[$doc])*
        pub(crate) struct $name {
            row: $model,
        }

        impl $name {
            pub(crate) fn new(row: $model) -> Self {
                Self { row }
            }
        }
    };
}

row!(
    /// A branch of the clinic.
    Facility(facility::Model)
);

/// A branch of the clinic.
#[Object]
impl Facility {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Short code, unique in the clinic.
    fn code(&self) -> &str {
        &self.row.code
    }

    /// Name.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Zone of its wall clock.
    fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// Telephone.
    fn phone(&self) -> Option<&str> {
        self.row.phone.as_deref()
    }

    /// Postal address, line by line.
    fn address_lines(&self) -> &[String] {
        &self.row.address_lines
    }

    /// False once closed.
    fn active(&self) -> bool {
        self.row.active
    }
}

row!(
    /// A bookable room.
    Room(room::Model)
);

/// A bookable room.
#[Object]
impl Room {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Name, unique at the branch.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// False once out of use.
    fn active(&self) -> bool {
        self.row.active
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// How many visits may use it at once.
    fn capacity(&self) -> i32 {
        self.row.capacity
    }

    /// How many more on purpose.
    fn overbook_limit(&self) -> i32 {
        self.row.overbook_limit
    }
}

row!(
    /// A bookable device.
    Device(device::Model)
);

/// A bookable device.
#[Object]
impl Device {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// What it is, as kinds of visit ask for it: `ULTRASOUND`.
    fn kind(&self) -> &str {
        &self.row.kind
    }

    /// Name, unique at the branch.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// How many visits may use it at once.
    fn capacity(&self) -> i32 {
        self.row.capacity
    }

    /// How many more on purpose.
    fn overbook_limit(&self) -> i32 {
        self.row.overbook_limit
    }

    /// False once out of use.
    fn active(&self) -> bool {
        self.row.active
    }
}

row!(
    /// A kind of visit that can be booked.
    VisitKind(visit_type::Model)
);

/// A kind of visit that can be booked.
#[Object]
impl VisitKind {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Key, unique in the clinic.
    fn key(&self) -> &str {
        &self.row.key
    }

    /// Name.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// How it takes place.
    #[graphql(name = "type")]
    fn modality(&self) -> AppointmentType {
        self.row.modality.into()
    }

    /// Length in minutes.
    fn duration_minutes(&self) -> i32 {
        self.row.duration_minutes
    }

    /// Minutes kept free before.
    fn buffer_before_minutes(&self) -> i32 {
        self.row.buffer_before_minutes
    }

    /// Minutes kept free after.
    fn buffer_after_minutes(&self) -> i32 {
        self.row.buffer_after_minutes
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// Offered no later than so many minutes before the start.
    fn lead_minutes(&self) -> i32 {
        self.row.lead_minutes
    }

    /// Called off without remark no later than so many minutes before the start.
    fn cutoff_minutes(&self) -> i32 {
        self.row.cutoff_minutes
    }

    /// True when it takes a room.
    fn needs_room(&self) -> bool {
        self.row.needs_room
    }

    /// Kinds of device that it takes, one of each.
    fn device_kinds(&self) -> &[String] {
        &self.row.device_kinds
    }

    /// How many minutes before the start patients are reminded; whole days are days on the wall clock.
    fn reminder_minutes(&self) -> &[i32] {
        &self.row.reminder_minutes
    }
}

row!(
    /// Another organisation the clinic deals with.
    Organization(organization::Model)
);

/// Another organisation the clinic deals with.
#[Object]
impl Organization {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Name.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Kind, as its source names it.
    fn kind(&self) -> Option<&str> {
        self.row.kind.as_deref()
    }

    /// Telephone.
    fn phone(&self) -> Option<&str> {
        self.row.phone.as_deref()
    }

    /// Postal address, line by line.
    fn address_lines(&self) -> &[String] {
        &self.row.address_lines
    }
}

//! Branches, rooms, kinds of visit, other organisations.

use async_graphql::{Context, ID, Object, SimpleObject};
use praxis_entity::{facility, organization, room, visit_type};

use crate::{
    context::Ask,
    error::{Edge, Nullable},
    ids,
    scalar::{DateTime, TimeZone},
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
    async fn code(&self) -> &str {
        &self.row.code
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Zone of its wall clock.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// Telephone.
    async fn phone(&self) -> Option<&str> {
        self.row.phone.as_deref()
    }

    /// Postal address, line by line.
    async fn address_lines(&self) -> &[String] {
        &self.row.address_lines
    }

    /// False once closed.
    async fn active(&self) -> bool {
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
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// False once out of use.
    async fn active(&self) -> bool {
        self.row.active
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
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
    async fn key(&self) -> &str {
        &self.row.key
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// How it takes place.
    #[graphql(name = "type")]
    async fn modality(&self) -> AppointmentType {
        self.row.modality.into()
    }

    /// Length in minutes.
    async fn duration_minutes(&self) -> i32 {
        self.row.duration_minutes
    }

    /// Minutes kept free before.
    async fn buffer_before_minutes(&self) -> i32 {
        self.row.buffer_before_minutes
    }

    /// Minutes kept free after.
    async fn buffer_after_minutes(&self) -> i32 {
        self.row.buffer_after_minutes
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
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Kind, as its source names it.
    async fn kind(&self) -> Option<&str> {
        self.row.kind.as_deref()
    }

    /// Telephone.
    async fn phone(&self) -> Option<&str> {
        self.row.phone.as_deref()
    }

    /// Postal address, line by line.
    async fn address_lines(&self) -> &[String] {
        &self.row.address_lines
    }
}

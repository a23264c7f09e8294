//! Reading what the clinic is.

use async_graphql::{Context, Object};
use praxis_domain::clinic;

use super::{
    Device, Facility, Room, VisitKind,
    types::{ClinicUsage, Tenant},
};
use crate::{context::Ask, error::ApiError, ids, scalar::TimeZone};

/// Reading what the clinic is.
#[derive(Default)]
pub(crate) struct ClinicQuery;

#[Object]
impl ClinicQuery {
    /// The clinic that the host name leads to.
    fn tenant(&self, ctx: &Context<'_>) -> Result<Tenant, ApiError> {
        ctx.read("Query.tenant")?;
        let tenant = ctx.caller()?.tenant();
        Ok(Tenant {
            id: ids::show(tenant.id),
            slug: tenant.slug.clone(),
            display_name: tenant.display_name.clone(),
            locale: tenant.locale.clone(),
            time_zone: TimeZone(tenant.time_zone.clone()),
        })
    }

    /// How much the clinic has of what it is limited in, and may have.
    async fn usage(&self, ctx: &Context<'_>) -> Result<ClinicUsage, ApiError> {
        let (seats, storage) = clinic::usage(ctx.read("Query.usage")?).await?;
        Ok(ClinicUsage { seats: seats.into(), storage: storage.into() })
    }

    /// Branches of the clinic.
    async fn facilities(&self, ctx: &Context<'_>) -> Result<Vec<Facility>, ApiError> {
        Ok(clinic::facilities(ctx.read("Query.facilities")?).await?.into_iter().map(Facility::new).collect())
    }

    /// Rooms that can be booked.
    async fn rooms(&self, ctx: &Context<'_>) -> Result<Vec<Room>, ApiError> {
        Ok(clinic::rooms(ctx.read("Query.rooms")?).await?.into_iter().map(Room::new).collect())
    }

    /// Devices that can be booked.
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>, ApiError> {
        Ok(clinic::devices(ctx.read("Query.devices")?).await?.into_iter().map(Device::new).collect())
    }

    /// Kinds of visit that can be booked.
    async fn visit_kinds(&self, ctx: &Context<'_>) -> Result<Vec<VisitKind>, ApiError> {
        Ok(clinic::visit_types(ctx.read("Query.visitKinds")?)
            .await?
            .into_iter()
            .map(VisitKind::new)
            .collect())
    }
}

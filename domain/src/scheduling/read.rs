//! Appointments, read in batches.

use std::collections::HashMap;

use praxis_entity::{
    appointment, appointment_resource, device,
    ids::{AppointmentId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use super::{AppointmentFilter, Ordered};
use crate::{
    PageRequest, Result, Slice,
    page::{self, any_of},
};

/// The appointments with these ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[AppointmentId]) -> Result<Vec<appointment::Model>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let wanted = any_of(appointment::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(appointment::Entity::find().filter(wanted).filter(seen(op)).all(op.db()).await?)
}

/// A page of the clinic's appointments.
pub async fn list<M>(
    op: &Op<M>,
    filter: &AppointmentFilter,
    order: Ordered,
    page: &PageRequest,
) -> Result<Slice<appointment::Model>> {
    op.require(Permission::APPOINTMENT_READ)?;
    Ok(page::list::<appointment::Entity>(op.db(), visible(op, filter)?, &order.ordering(), page).await?)
}

/// How many appointments there are, at most `max`.
pub async fn count<M>(op: &Op<M>, filter: &AppointmentFilter, max: u64) -> Result<i64> {
    op.require(Permission::APPOINTMENT_READ)?;
    Ok(page::count::<appointment::Entity>(op.db(), visible(op, filter)?, max).await?)
}

/// A page of each patient's appointments, in one statement.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &AppointmentFilter,
    order: Ordered,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<appointment::Model>>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let (column, condition, order) = (appointment::Column::PatientId, visible(op, filter)?, order.ordering());
    Ok(page::list_under::<appointment::Entity, _>(op.db(), patients, column, condition, &order, page).await?)
}

/// How many appointments each patient has, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &AppointmentFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let (column, condition) = (appointment::Column::PatientId, visible(op, filter)?);
    Ok(page::count_under::<appointment::Entity, _>(op.db(), patients, column, condition, max).await?)
}

/// The devices that each appointment holds or held.
pub async fn devices_of<M>(
    op: &Op<M>,
    ids: &[AppointmentId],
) -> Result<HashMap<AppointmentId, Vec<device::Model>>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let wanted = any_of(appointment_resource::Column::AppointmentId, ids.iter().map(|id| id.0).collect());
    let held = appointment_resource::Entity::find()
        .filter(wanted)
        .filter(appointment_resource::Column::Kind.eq("DEVICE"))
        .all(op.db())
        .await?;
    let mut of: HashMap<_, Vec<_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
    if held.is_empty() {
        return Ok(of);
    }
    let devices = any_of(device::Column::Id, held.iter().map(|row| row.resource_id).collect());
    let devices =
        device::Entity::find().filter(devices).order_by_asc(device::Column::Id).all(op.db()).await?;
    for device in devices {
        for row in held.iter().filter(|row| row.resource_id == device.id.0) {
            of.entry(row.appointment_id).or_default().push(device.clone());
        }
    }
    Ok(of)
}

fn visible<M>(op: &Op<M>, filter: &AppointmentFilter) -> Result<Condition> {
    if filter.asks_for_patient() {
        op.require(Permission::PATIENT_READ)?;
    }
    Ok(filter.condition()?.add(seen(op)))
}

/// The appointments that the actor may see.
fn seen<M>(op: &Op<M>) -> Condition {
    op.permitted(Permission::APPOINTMENT_READ, Table::Appointment)
}

//! Series, read in batches.

use std::collections::HashMap;

use praxis_entity::{
    appointment,
    appointment_series::{self, SeriesStatus},
    ids::AppointmentSeriesId,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row, Table},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};

use crate::{Detail, Result, Violation, ViolationCode, page::any_of, rights, transitions};

/// The series with these ids.
pub async fn series_by_ids<M>(
    op: &Op<M>,
    ids: &[AppointmentSeriesId],
) -> Result<Vec<appointment_series::Model>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let wanted = any_of(appointment_series::Column::Id, ids.iter().map(|id| id.0).collect());
    let seen = op.permitted(Permission::APPOINTMENT_READ, Table::AppointmentSeries);
    Ok(appointment_series::Entity::find().filter(wanted).filter(seen).all(op.db()).await?)
}

/// The visits of each series, earliest first.
pub async fn appointments_of_series<M>(
    op: &Op<M>,
    ids: &[AppointmentSeriesId],
) -> Result<HashMap<AppointmentSeriesId, Vec<appointment::Model>>> {
    op.require(Permission::APPOINTMENT_READ)?;
    let wanted = any_of(appointment::Column::SeriesId, ids.iter().map(|id| id.0).collect());
    let seen = op.permitted(Permission::APPOINTMENT_READ, Table::Appointment);
    let rows = appointment::Entity::find()
        .filter(wanted)
        .filter(seen)
        .order_by_asc(appointment::Column::StartsAt)
        .order_by_asc(appointment::Column::Id)
        .all(op.db())
        .await?;
    let mut of: HashMap<_, Vec<_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        if let Some(series) = row.series_id {
            of.entry(series).or_default().push(row);
        }
    }
    Ok(of)
}

/// The series at the version that the caller has seen, locked, and where an action leads, if the actor may take it.
pub(super) async fn at_version(
    op: &Op<Write>,
    permission: Permission,
    action: &str,
    (id, if_version): (AppointmentSeriesId, i32),
) -> Result<(appointment_series::Model, SeriesStatus)> {
    let found = appointment_series::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored =
        found.ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such series."))?;
    let seen = Permission::APPOINTMENT_READ;
    rights::require(op, permission, seen, stored.patient_id, &Row::from(&stored), "id").await?;
    if stored.version != if_version {
        let message = "Somebody else changed this series meanwhile.";
        return Err(Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message)
            .with(Detail::Version { current: stored.version })
            .into());
    }
    let row = Row::from(&stored);
    let to = transitions::step(op, "appointment_series", action, &stored.status, (stored.patient_id, &row))
        .await?;
    Ok((stored, to))
}

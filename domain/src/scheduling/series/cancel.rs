//! Calling off what is left of a series.

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus, Column},
    appointment_series::{self, SeriesStatus},
    ids::AppointmentSeriesId,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
    literal::Literal,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::LockType,
};

use super::read::at_version;
use crate::{
    Result, rights,
    scheduling::cancel::{self, CancelReason},
};

/// Calls off the visits from an instant on, now when absent, and ends the series.
pub async fn cancel_series(
    op: &Op<Write>,
    id: AppointmentSeriesId,
    if_version: i32,
    from: Option<DateTime<Utc>>,
    why: CancelReason,
) -> Result<appointment_series::Model> {
    op.require(Permission::APPOINTMENT_CANCEL)?;
    let text = cancel::judge(&why)?;
    let action = "appointmentSeriesCancel";
    let (series, to) = at_version(op, Permission::APPOINTMENT_CANCEL, action, (id, if_version)).await?;
    let from = from.unwrap_or_else(|| op.now());
    for visit in locked(op, Permission::APPOINTMENT_CANCEL, id, from).await? {
        cancel::strike(op, visit, why.code.clone(), text.clone()).await?;
    }
    end(op, &series, to, "appointment-series.cancel").await
}

/// The visits that are still to come.
pub(super) fn ahead(
    op: &Op<Write>,
    id: AppointmentSeriesId,
    from: DateTime<Utc>,
) -> Select<appointment::Entity> {
    let open = [AppointmentStatus::Pending, AppointmentStatus::Booked, AppointmentStatus::Confirmed];
    appointment::Entity::find()
        .filter(Column::SeriesId.eq(id))
        .filter(Column::Status.is_one_of(&open))
        .filter(Column::StartsAt.gte(from.max(op.now())))
        .order_by_asc(Column::Id)
}

/// The same, locked. Refused as a whole where the actor may not do this with one of them: a series that is over while
/// one of its visits goes on would be looked after by nobody.
pub(super) async fn locked(
    op: &Op<Write>,
    permission: Permission,
    id: AppointmentSeriesId,
    from: DateTime<Utc>,
) -> Result<Vec<appointment::Model>> {
    let visits = ahead(op, id, from).lock(LockType::NoKeyUpdate).all(op.db()).await?;
    for visit in &visits {
        let (seen, row) = (Permission::APPOINTMENT_READ, Row::from(visit));
        rights::require(op, permission, seen, visit.patient_id, &row, "id").await?;
    }
    Ok(visits)
}

/// Ends the series.
pub(super) async fn end(
    op: &Op<Write>,
    series: &appointment_series::Model,
    status: SeriesStatus,
    action: &'static str,
) -> Result<appointment_series::Model> {
    let change =
        appointment_series::ActiveModel { id: Set(series.id), status: Set(status), ..Default::default() };
    let ended = appointment_series::Entity::update(change).exec(op.db()).await?;
    op.record(Entry::done(action).on("AppointmentSeries", ended.id.0, ended.version).of(ended.patient_id.0));
    Ok(ended)
}

//! The time that appointments hold of practitioners and rooms.

use praxis_entity::{
    appointment_resource::{ActiveModel, Column, Entity},
    ids::{AppointmentId, PractitionerId, RoomId},
    practitioner, room,
};
use praxis_platform::{Op, Write};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};

use super::slots::Span;
use crate::Result;

/// Who and what a visit needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) practitioner: PractitionerId,
    pub(super) room: Option<RoomId>,
}

/// Locks the rows of the resources until the operation ends.
///
/// Everybody locks a practitioner first and then a room, one of each at the most, so nobody waits in
/// a circle. The lock is the weakest that excludes itself: rows that refer to these go on.
pub(super) async fn lock(
    op: &Op<Write>,
    resources: Resources,
) -> Result<(Option<practitioner::Model>, Option<room::Model>)> {
    let practitioner = practitioner::Entity::find_by_id(resources.practitioner)
        .lock(LockType::NoKeyUpdate)
        .one(op.db())
        .await?;
    let room = match resources.room {
        Some(room) => room::Entity::find_by_id(room).lock(LockType::NoKeyUpdate).one(op.db()).await?,
        None => None,
    };
    Ok((practitioner, room))
}

/// What the resources hold within a span, earliest first: whose it is and when.
pub(super) async fn taken<M>(
    op: &Op<M>,
    resources: Resources,
    within: Span,
    except: Option<AppointmentId>,
) -> Result<Vec<(AppointmentId, Span)>> {
    // Written as the exclusion constraint's index has it: one index scan for each resource.
    let of = |resource| {
        let overlap = Expr::cust_with_values(
            "tstzrange(busy_from, busy_until, '[)') && tstzrange($1, $2, '[)')",
            [within.from, within.until],
        );
        Condition::all().add(Column::ResourceId.eq(resource)).add(overlap)
    };
    let any =
        Condition::any().add(of(resources.practitioner.0)).add_option(resources.room.map(|room| of(room.0)));
    let rows = Entity::find()
        .filter(Expr::cust("blocking"))
        .filter(any)
        .filter(Condition::all().add_option(except.map(|own| Column::AppointmentId.ne(own))))
        .order_by_asc(Column::BusyFrom)
        .order_by_asc(Column::AppointmentId)
        .all(op.db())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.appointment_id, Span { from: row.busy_from, until: row.busy_until }))
        .collect())
}

/// Holds the resources for an appointment; `false` when the exclusion constraint stood against it.
pub(super) async fn hold(
    op: &Op<Write>,
    appointment: AppointmentId,
    resources: Resources,
    span: Span,
) -> Result<bool> {
    let room = resources.room.map(|room| (room.0, "ROOM"));
    let wanted: Vec<_> = std::iter::once((resources.practitioner.0, "PRACTITIONER")).chain(room).collect();
    let rows = wanted.iter().map(|(resource, kind)| ActiveModel {
        appointment_id: Set(appointment),
        resource_id: Set(*resource),
        kind: Set((*kind).to_owned()),
        busy_from: Set(span.from),
        busy_until: Set(span.until),
        blocking: Set(true),
    });
    // An error would end the transaction, and with it the chance to say what is in the way.
    let held = Entity::insert_many(rows)
        .on_conflict(OnConflict::constraint("appointment_no_overlap").do_nothing().to_owned())
        .exec_without_returning(op.db())
        .await?;
    Ok(usize::try_from(held).is_ok_and(|held| held == wanted.len()))
}

/// Gives up whatever the appointment holds, to hold something else.
pub(super) async fn give_up(op: &Op<Write>, appointment: AppointmentId) -> Result<()> {
    Entity::delete_many().filter(Column::AppointmentId.eq(appointment)).exec(op.db()).await?;
    Ok(())
}

/// Gives the time back: what was held stays on record, and is free again.
pub(super) async fn release(op: &Op<Write>, appointment: AppointmentId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Blocking, Expr::value(false))
        .filter(Column::AppointmentId.eq(appointment))
        .exec(op.db())
        .await?;
    Ok(())
}

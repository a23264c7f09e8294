//! Where a visit takes place and what it needs, looked up and judged.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    facility,
    ids::{FacilityId, PractitionerId, VisitTypeId},
    practitioner, room, visit_type,
};
use praxis_platform::Op;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::slots::{Buffers, Hours};
use crate::{Result, ViolationCode, error::Violations, staff};

/// Judges whether patients can be booked with the practitioner.
pub(super) fn judge_practitioner(found: &mut Violations, practitioner: Option<&practitioner::Model>) {
    match practitioner {
        Some(known) if known.active && known.bookable => {}
        Some(_) => {
            found.add(ViolationCode::Locked, &["practitionerId"], "This practitioner can't be booked.")
        }
        None => found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner."),
    }
}

/// Judges whether the room is in use, and at the branch.
pub(super) fn judge_room(found: &mut Violations, room: Option<&room::Model>, facility: Option<FacilityId>) {
    match room.filter(|room| room.active) {
        Some(room) if facility.is_none_or(|facility| facility == room.facility_id) => {}
        Some(_) => found.add(ViolationCode::Invalid, &["roomId"], "This room is at another branch."),
        None => found.add(ViolationCode::NotFound, &["roomId"], "There is no such room."),
    }
}

/// The time that a kind of visit keeps free around it: none for a visit of no kind.
///
/// A kind that went out of use still counts for visits booked before.
pub(super) async fn buffers<M>(
    op: &Op<M>,
    id: Option<VisitTypeId>,
    found: &mut Violations,
) -> Result<Buffers> {
    let Some(id) = id else { return Ok(Buffers::default()) };
    let Some(kind) = visit_type::Entity::find_by_id(id).one(op.db()).await? else {
        found.add(ViolationCode::NotFound, &["visitKindId"], "There is no such kind of visit.");
        return Ok(Buffers::default());
    };
    Ok(Buffers {
        before: TimeDelta::minutes(i64::from(kind.buffer_before_minutes)),
        after: TimeDelta::minutes(i64::from(kind.buffer_after_minutes)),
    })
}

/// The branch at which a visit takes place: the one asked for, else the room's, the actor's, the one
/// where the practitioner works at that time or at all, and at last the first there is.
pub(super) async fn facility<M>(
    op: &Op<M>,
    asked: Option<FacilityId>,
    room: Option<&room::Model>,
    practitioner: PractitionerId,
    starts_at: DateTime<Utc>,
    found: &mut Violations,
) -> Result<Option<facility::Model>> {
    let known = asked.or(room.map(|room| room.facility_id)).or(op.actor().facility);
    let wanted = match known {
        Some(id) => Some(id),
        None => workplace(op, practitioner, starts_at).await?,
    };
    let active = facility::Entity::find().filter(facility::Column::Active.eq(true));
    let facility = match wanted {
        Some(id) => active.filter(facility::Column::Id.eq(id)).one(op.db()).await?,
        None => active.order_by_asc(facility::Column::Code).one(op.db()).await?,
    };
    if facility.is_none() {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    Ok(facility)
}

async fn workplace<M>(
    op: &Op<M>,
    practitioner: PractitionerId,
    at: DateTime<Utc>,
) -> Result<Option<FacilityId>> {
    let rules = staff::rules_of(op, &[practitioner]).await?;
    let then = rules.iter().find(|rule| Hours::of(rule).is_some_and(|hours| hours.contain(at)));
    Ok(then.or_else(|| rules.first()).map(|rule| rule.facility_id))
}

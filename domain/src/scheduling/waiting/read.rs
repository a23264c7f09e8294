//! The waiting list, read.

use praxis_entity::{
    ids::{FacilityId, PractitionerId, WaitlistEntryId},
    waitlist_entry::{self, Column, Entity, WaitlistStatus},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row, Table},
    literal::Literal,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use crate::{
    Detail, PageRequest, Result, Slice, Violation, ViolationCode,
    page::{self, Ordering, any_of},
    rights, transitions,
};

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct WaitlistFilter {
    /// In one of these statuses.
    pub status: Option<Vec<WaitlistStatus>>,
    /// Who wait for this practitioner in particular.
    pub practitioner: Option<PractitionerId>,
    /// Who wait for this branch in particular.
    pub facility: Option<FacilityId>,
}

impl WaitlistFilter {
    fn condition<M>(&self, op: &Op<M>) -> Condition {
        Condition::all()
            .add_option(self.status.as_ref().map(|wanted| Column::Status.is_one_of(wanted)))
            .add_option(self.practitioner.map(|id| Column::PractitionerId.eq(id)))
            .add_option(self.facility.map(|id| Column::FacilityId.eq(id)))
            .add(seen(op))
    }
}

/// The entries with these ids.
pub async fn waitlist_by_ids<M>(op: &Op<M>, ids: &[WaitlistEntryId]) -> Result<Vec<waitlist_entry::Model>> {
    op.require(Permission::WAITING_LIST_MANAGE)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(Entity::find().filter(wanted).filter(seen(op)).all(op.db()).await?)
}

/// A page of the list, who has waited longest first.
pub async fn waitlist<M>(
    op: &Op<M>,
    filter: &WaitlistFilter,
    page: &PageRequest,
) -> Result<Slice<waitlist_entry::Model>> {
    op.require(Permission::WAITING_LIST_MANAGE)?;
    let order = Ordering { column: Some(Column::CreatedAt), id: Column::Id, descending: false };
    Ok(page::list::<Entity>(op.db(), filter.condition(op), &order, page).await?)
}

/// How many entries there are, at most `max`.
pub async fn count_waitlist<M>(op: &Op<M>, filter: &WaitlistFilter, max: u64) -> Result<i64> {
    op.require(Permission::WAITING_LIST_MANAGE)?;
    Ok(page::count::<Entity>(op.db(), filter.condition(op), max).await?)
}

fn seen<M>(op: &Op<M>) -> Condition {
    // Who waits is a patient, and is there for those only who may know of the patient.
    op.permitted(Permission::APPOINTMENT_READ, Table::WaitlistEntry)
}

/// The entry at the version that the caller has seen, locked, and where an action leads.
pub(super) async fn at_version(
    op: &Op<Write>,
    id: WaitlistEntryId,
    if_version: i32,
    action: &str,
) -> Result<(waitlist_entry::Model, WaitlistStatus)> {
    op.require(Permission::WAITING_LIST_MANAGE)?;
    let found = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored =
        found.ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "This does not exist."))?;
    let (manage, seen) = (Permission::WAITING_LIST_MANAGE, Permission::APPOINTMENT_READ);
    rights::require(op, manage, seen, stored.patient_id, &Row::of(stored.id.0), "id").await?;
    if stored.version != if_version {
        let message = "Somebody else changed this entry meanwhile.";
        return Err(Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message)
            .with(Detail::Version { current: stored.version })
            .into());
    }
    let row = Row::of(stored.id.0);
    let to =
        transitions::step(op, "waitlist_entry", action, &stored.status, (stored.patient_id, &row)).await?;
    Ok((stored, to))
}

//! Ending somebody's part in the care of a patient.

use praxis_entity::{care_team_member, ids::CareTeamMemberId};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged, EntityTrait, QuerySelect, sea_query::LockType};

use crate::{Detail, Result, Violation, ViolationCode, rights};

/// Ends a membership now, at the version that the person saw.
pub async fn end(op: &Op<Write>, id: CareTeamMemberId, if_version: i32) -> Result<care_team_member::Model> {
    op.require(Permission::CARE_TEAM_MANAGE)?;
    let found = care_team_member::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown("id"))?;
    let (manage, seen, patient) = (Permission::CARE_TEAM_MANAGE, Permission::PATIENT_READ, found.patient_id);
    rights::require(op, manage, seen, patient, &Row::of(patient.0), "id").await?;
    if found.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(violation.with(Detail::Version { current: found.version }).into());
    }
    let now = op.now();
    if found.ends_at.is_some_and(|ends_at| ends_at <= now) {
        let message = "This was ended already.";
        return Err(Violation::at(ViolationCode::InvalidTransition, &["id"], message).into());
    }
    // One that had not begun never does.
    let ends_at = Ord::max(now, found.starts_at);
    let row = care_team_member::ActiveModel {
        id: Unchanged(id),
        ends_at: Set(Some(ends_at)),
        ..Default::default()
    };
    let ended = care_team_member::Entity::update(row).exec(op.db()).await?;
    op.record(Entry::done("care-team.end").on("CareTeamMember", id.0, ended.version).of(patient.0));
    Ok(ended)
}

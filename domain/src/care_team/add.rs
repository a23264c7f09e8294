//! Adding somebody to the team that cares for a patient.

use chrono::{DateTime, Utc};
use praxis_entity::{
    care_team_member::{self, CareTeamRole},
    ids::{CareTeamMemberId, PatientId, PractitionerId, UserId},
    practitioner, user_account,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use crate::{Result, Violation, ViolationCode, error::Violations, rights};

/// Who cares for a patient.
#[derive(Debug, Clone, Copy)]
pub enum Carer {
    /// A clinician.
    Practitioner(PractitionerId),
    /// Another user.
    User(UserId),
}

/// Somebody to be added to a care team.
#[derive(Debug, Clone, Copy)]
pub struct AddMember {
    /// Whose team.
    pub patient: PatientId,
    /// Who.
    pub carer: Carer,
    /// As what.
    pub role: CareTeamRole,
    /// From when on; now when absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Adds somebody to the care team of a patient.
pub async fn add(op: &Op<Write>, new: AddMember) -> Result<care_team_member::Model> {
    let (manage, seen) = (Permission::CARE_TEAM_MANAGE, Permission::PATIENT_READ);
    rights::require(op, manage, seen, new.patient, &Row::of(new.patient.0), "patientId").await?;
    let starts_at = new.starts_at.unwrap_or_else(|| op.now());
    let mut found = Violations::default();
    if new.ends_at.is_some_and(|ends_at| ends_at <= starts_at) {
        found.add(ViolationCode::OutOfRange, &["endsAt"], "The end must be later than the start.");
    }
    let (practitioner_id, user_id) = match new.carer {
        Carer::Practitioner(id) => {
            let known = practitioner::Entity::find_by_id(id).one(op.db()).await?;
            if !known.is_some_and(|known| known.active) {
                found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
            }
            (Some(id), None)
        }
        Carer::User(id) => {
            let known = user_account::Entity::find_by_id(id).one(op.db()).await?;
            if !known.is_some_and(|known| known.active) {
                found.add(ViolationCode::NotFound, &["userId"], "There is no such user.");
            }
            (None, Some(id))
        }
    };
    found.check()?;

    let row = care_team_member::ActiveModel {
        id: Set(CareTeamMemberId(op.new_id())),
        patient_id: Set(new.patient),
        practitioner_id: Set(practitioner_id),
        user_id: Set(user_id),
        role: Set(new.role),
        starts_at: Set(starts_at),
        ends_at: Set(new.ends_at),
        added_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    let added = care_team_member::Entity::insert_many([row])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &[], "They are in the team in this role already.")
        })?;
    let entry = Entry::done("care-team.add").on("CareTeamMember", added.id.0, added.version);
    op.record(entry.of(new.patient.0));
    Ok(added)
}

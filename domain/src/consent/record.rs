//! Recording what a patient allows or forbids.

use chrono::{DateTime, Utc};
use praxis_entity::{
    consent_directive::{self, ConsentClass, ConsentDecision, ConsentScope},
    facility,
    ids::{ConsentId, FacilityId, PatientId, UserId},
    role, user_account,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{Result, ViolationCode, error::Violations, rights};

/// Whom a directive speaks of.
#[derive(Debug, Clone)]
pub enum Whom {
    /// Anyone.
    Anyone,
    /// Whoever acts for a branch.
    Facility(FacilityId),
    /// Whoever holds a role, by its code.
    Role(String),
    /// One person.
    User(UserId),
}

/// A directive to be recorded.
#[derive(Debug, Clone)]
pub struct RecordConsent {
    /// Whose.
    pub patient: PatientId,
    /// Allows or forbids.
    pub decision: ConsentDecision,
    /// Which part of the record.
    pub class: ConsentClass,
    /// Whom it speaks of.
    pub whom: Whom,
    /// From when on; now when absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Records a directive of a patient. It takes effect with the next statement of anybody.
pub async fn record(op: &Op<Write>, new: RecordConsent) -> Result<consent_directive::Model> {
    let (record, seen) = (Permission::CONSENT_RECORD, Permission::PATIENT_READ);
    rights::require(op, record, seen, new.patient, &Row::of(new.patient.0), "patientId").await?;
    let starts_at = new.starts_at.unwrap_or_else(|| op.now());
    let mut found = Violations::default();
    if new.ends_at.is_some_and(|ends_at| ends_at <= starts_at) {
        found.add(ViolationCode::OutOfRange, &["endsAt"], "The end must be later than the start.");
    }
    let mut row = consent_directive::ActiveModel {
        id: Set(ConsentId(op.new_id())),
        patient_id: Set(new.patient),
        decision: Set(new.decision),
        class: Set(new.class),
        starts_at: Set(starts_at),
        ends_at: Set(new.ends_at),
        recorded_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    match new.whom {
        Whom::Anyone => row.scope = Set(ConsentScope::Anyone),
        Whom::Facility(id) => {
            if facility::Entity::find_by_id(id).one(op.db()).await?.is_none() {
                found.add(ViolationCode::NotFound, &["whom", "facilityId"], "There is no such branch.");
            }
            (row.scope, row.facility_id) = (Set(ConsentScope::Facility), Set(Some(id)));
        }
        Whom::Role(code) => {
            let known = role::Entity::find().filter(role::Column::Code.eq(&code)).one(op.db()).await?;
            if known.is_none() {
                found.add(ViolationCode::NotFound, &["whom", "role"], "There is no such role.");
            }
            (row.scope, row.role_code) = (Set(ConsentScope::Role), Set(Some(code)));
        }
        Whom::User(id) => {
            if user_account::Entity::find_by_id(id).one(op.db()).await?.is_none() {
                found.add(ViolationCode::NotFound, &["whom", "userId"], "There is no such user.");
            }
            (row.scope, row.user_id) = (Set(ConsentScope::User), Set(Some(id)));
        }
    }
    found.check()?;
    let recorded = consent_directive::Entity::insert(row).exec_with_returning(op.db()).await?;
    let entry = Entry::done("consent.record").on("Consent", recorded.id.0, recorded.version);
    op.record(entry.of(new.patient.0));
    Ok(recorded)
}

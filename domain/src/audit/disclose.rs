//! Accounting of disclosures: to whom outside a patient's data were given, what, why and when.
//!
//! HIPAA 164.528. What was given for treatment, payment, the clinic's own operations or by the
//! patient's authorisation is kept as well, but does not count as accountable. A record never changes.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    disclosure,
    ids::{DisclosureId, PatientId},
    patient,
    value::DisclosureDetails,
};
use praxis_platform::{
    Op, Read, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QuerySelect, sea_query::LockType};

use crate::{PageRequest, Result, Slice, Violation, ViolationCode, error::Violations, page, rights};

/// For what the patient need not be told of a disclosure, unless they ask for all.
const NOT_ACCOUNTABLE: [&str; 4] = ["TREATMENT", "PAYMENT", "OPERATIONS", "AUTHORIZATION"];
/// For how long back an accounting reaches, and so for how late one may be recorded.
const SIX_YEARS: TimeDelta = TimeDelta::days(6 * 366);

/// A disclosure to be written down.
#[derive(Debug, Clone)]
pub struct NewDisclosure {
    /// Whose data.
    pub patient: PatientId,
    /// When they were given.
    pub disclosed_at: DateTime<Utc>,
    /// What for, as stored.
    pub purpose: &'static str,
    /// To whom, what and why.
    pub details: DisclosureDetails,
}

/// Writes a disclosure down.
pub async fn record_disclosure(op: &Op<Write>, mut new: NewDisclosure) -> Result<disclosure::Model> {
    op.require(Permission::DISCLOSURE_RECORD)?;
    let mut found = Violations::default();
    let details = &mut new.details;
    details.address = details.address.take().filter(|address| !address.trim().is_empty());
    for (path, text, limit) in [
        ("recipient", Some(&details.recipient), 200),
        ("recipientAddress", details.address.as_ref(), 500),
        ("description", Some(&details.description), 1_000),
        ("reason", Some(&details.reason), 1_000),
    ] {
        let Some(text) = text else { continue };
        if text.trim().is_empty() {
            found.add(ViolationCode::Required, &[path], "This must be given.");
        } else if text.chars().count() > limit {
            found.add(ViolationCode::TooLong, &[path], format!("At most {limit} characters."));
        }
    }
    if new.disclosed_at > op.now() {
        found.add(ViolationCode::OutOfRange, &["disclosedAt"], "This lies in the future.");
    } else if new.disclosed_at < op.now() - SIX_YEARS {
        found.add(ViolationCode::OutOfRange, &["disclosedAt"], "This is more than six years ago.");
    }
    found.check()?;
    let patient = patient::Entity::find_by_id(new.patient).lock(LockType::Share).one(op.db()).await?;
    patient.ok_or_else(|| Violation::unknown("patientId"))?;
    let (record, seen) = (Permission::DISCLOSURE_RECORD, Permission::PATIENT_READ);
    rights::require(op, record, seen, new.patient, &Row::of(new.patient.0), "patientId").await?;
    let (id, patient) = (DisclosureId(op.new_id()), new.patient);
    let key = op.data_key(patient.0).await?;
    let row = disclosure::ActiveModel {
        id: Set(id),
        created_at: Set(op.now()),
        patient_id: Set(patient),
        disclosed_at: Set(new.disclosed_at),
        purpose: Set(new.purpose.to_owned()),
        details: Set(op.seal(&key, &op.place("disclosure", id.0, patient.0), &new.details)?),
        recorded_by: Set(op.actor().user),
    };
    let row = disclosure::Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(Entry::done("disclosure.record").on("Disclosure", id.0, 1).of(patient.0));
    Ok(row)
}

fn condition(accountable: bool) -> Condition {
    Condition::all().add_option(accountable.then(|| disclosure::Column::Purpose.is_not_in(NOT_ACCOUNTABLE)))
}

/// A page of each patient's disclosures, the latest first.
pub async fn disclosures_of(
    op: &Op<Read>,
    patients: &[PatientId],
    accountable: bool,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<disclosure::Model>>> {
    op.require(Permission::ACCESS_LOG_READ)?;
    let order = page::Ordering {
        column: Some(disclosure::Column::DisclosedAt),
        id: disclosure::Column::Id,
        descending: true,
    };
    let parent = disclosure::Column::PatientId;
    let filter = condition(accountable);
    let db = op.db();
    Ok(page::list_under::<disclosure::Entity, PatientId>(db, patients, parent, filter, &order, page).await?)
}

/// How many disclosures each patient has, at most `max`.
pub async fn count_disclosures_of(
    op: &Op<Read>,
    patients: &[PatientId],
    accountable: bool,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::ACCESS_LOG_READ)?;
    let parent = disclosure::Column::PatientId;
    let filter = condition(accountable);
    Ok(page::count_under::<disclosure::Entity, PatientId>(op.db(), patients, parent, filter, max).await?)
}

/// The disclosures of these ids.
pub async fn disclosures_by_ids<Mode>(op: &Op<Mode>, ids: &[DisclosureId]) -> Result<Vec<disclosure::Model>> {
    op.require(Permission::ACCESS_LOG_READ)?;
    let ids = ids.iter().map(|id| id.0).collect();
    let found = disclosure::Entity::find();
    Ok(sea_orm::QueryFilter::filter(found, page::any_of(disclosure::Column::Id, ids)).all(op.db()).await?)
}

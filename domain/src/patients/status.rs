//! Leaving care, coming back, and death.

use praxis_entity::{
    ids::PatientId,
    patient::{self, PatientStatus},
    value::{Identity, Moment, PhiClass},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged};

use super::{
    amend::{for_change, update},
    record,
    rules::Rules,
};
use crate::{Result, transitions};

/// A patient is not in care any more.
pub async fn deactivate(op: &Op<Write>, id: PatientId, if_version: i32) -> Result<patient::Model> {
    op.require(Permission::PATIENT_DEACTIVATE)?;
    let patient = for_change(op, Permission::PATIENT_DEACTIVATE, id, if_version).await?;
    let status = step(op, &patient, "patientDeactivate").await?;
    update(op, moved(id, status), "patient.deactivate", Vec::new()).await
}

/// A patient is in care again.
pub async fn reactivate(op: &Op<Write>, id: PatientId, if_version: i32) -> Result<patient::Model> {
    op.require(Permission::PATIENT_DEACTIVATE)?;
    let patient = for_change(op, Permission::PATIENT_DEACTIVATE, id, if_version).await?;
    let status = step(op, &patient, "patientReactivate").await?;
    update(op, moved(id, status), "patient.reactivate", Vec::new()).await
}

/// A patient has died.
pub async fn record_death(
    op: &Op<Write>,
    id: PatientId,
    if_version: i32,
    deceased: Moment,
) -> Result<patient::Model> {
    op.require(Permission::PATIENT_RECORD_DEATH)?;
    let patient = for_change(op, Permission::PATIENT_RECORD_DEATH, id, if_version).await?;
    let status = step(op, &patient, "patientRecordDeath").await?;
    let (key, place) = (op.data_key(id.0).await?, record::place(op, id));
    let mut identity = op.open_unseen(&key, &place, &patient.identity).await?;
    let mut rules = Rules::entered(op);
    rules.death(&["deceasedAt"], &deceased, identity.birth_date);
    rules.found.check()?;
    identity.deceased = Some(deceased);
    let row = patient::ActiveModel { identity: Set(op.seal(&key, &place, &identity)?), ..moved(id, status) };
    update(op, row, "patient.record-death", vec![Identity::CLASS.to_owned()]).await
}

fn moved(id: PatientId, status: PatientStatus) -> patient::ActiveModel {
    patient::ActiveModel { id: Unchanged(id), status: Set(status), ..Default::default() }
}

/// Where an action leads from the status that the patient has.
async fn step(op: &Op<Write>, patient: &patient::Model, action: &str) -> Result<PatientStatus> {
    transitions::step(op, "patient", action, &patient.status, (patient.id, &Row::from(patient))).await
}

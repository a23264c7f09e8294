//! Leaving care, coming back, and death.

use praxis_entity::{
    ids::PatientId,
    patient::{self, PatientStatus},
    value::{Identity, Moment, PhiClass},
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::{ActiveValue::Set, ActiveValue::Unchanged};

use super::{
    amend::{for_change, update},
    record,
    rules::Rules,
};
use crate::{Result, Violation, ViolationCode};

/// A patient is not in care any more.
pub async fn deactivate(op: &Op<Write>, id: PatientId, if_version: i32) -> Result<patient::Model> {
    op.require(Permission::PATIENT_DEACTIVATE)?;
    let patient = for_change(op, Permission::PATIENT_DEACTIVATE, id, if_version).await?;
    legal(patient.status, &[PatientStatus::Active], "Only an active patient can be deactivated.")?;
    update(op, moved(id, PatientStatus::Inactive), "patient.deactivate", Vec::new()).await
}

/// A patient is in care again.
pub async fn reactivate(op: &Op<Write>, id: PatientId, if_version: i32) -> Result<patient::Model> {
    op.require(Permission::PATIENT_DEACTIVATE)?;
    let patient = for_change(op, Permission::PATIENT_DEACTIVATE, id, if_version).await?;
    legal(patient.status, &[PatientStatus::Inactive], "Only an inactive patient can be reactivated.")?;
    update(op, moved(id, PatientStatus::Active), "patient.reactivate", Vec::new()).await
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
    legal(
        patient.status,
        &[PatientStatus::Active, PatientStatus::Inactive],
        "The death was recorded already.",
    )?;
    let (key, place) = (op.data_key(id.0).await?, record::place(op, id));
    let mut identity = op.open_unseen(&key, &place, &patient.identity).await?;
    let mut rules = Rules::entered(op);
    rules.death(&["deceasedAt"], &deceased, identity.birth_date);
    rules.found.check()?;
    identity.deceased = Some(deceased);
    let row = patient::ActiveModel {
        identity: Set(op.seal(&key, &place, &identity)?),
        ..moved(id, PatientStatus::Deceased)
    };
    update(op, row, "patient.record-death", vec![Identity::CLASS.to_owned()]).await
}

fn moved(id: PatientId, status: PatientStatus) -> patient::ActiveModel {
    patient::ActiveModel { id: Unchanged(id), status: Set(status), ..Default::default() }
}

fn legal(status: PatientStatus, from: &[PatientStatus], otherwise: &str) -> Result<()> {
    if from.contains(&status) {
        return Ok(());
    }
    Err(Violation::at(ViolationCode::InvalidTransition, &["id"], otherwise).into())
}

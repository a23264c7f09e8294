//! Directives of many patients at once.

use std::collections::HashMap;

use praxis_entity::{
    consent_directive,
    ids::{ConsentId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of, rows::under};

/// The directives of each patient, those taken back too, in the order they were recorded.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
) -> Result<HashMap<PatientId, Vec<consent_directive::Model>>> {
    op.require(Permission::CONSENT_READ)?;
    let wanted = any_of(consent_directive::Column::PatientId, patients.iter().map(|id| id.0).collect());
    let rows = consent_directive::Entity::find()
        .filter(wanted)
        .filter(seen(op))
        .order_by_asc(consent_directive::Column::Id)
        .all(op.db())
        .await?;
    Ok(under(patients, rows, |row| row.patient_id))
}

/// Directives by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[ConsentId]) -> Result<Vec<consent_directive::Model>> {
    op.require(Permission::CONSENT_READ)?;
    let wanted = any_of(consent_directive::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(consent_directive::Entity::find().filter(wanted).filter(seen(op)).all(op.db()).await?)
}

fn seen<M>(op: &Op<M>) -> Condition {
    op.permitted(Permission::CONSENT_READ, Table::ConsentDirective)
}

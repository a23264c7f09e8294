//! Care teams of many patients at once.

use std::collections::HashMap;

use praxis_entity::{
    care_team_member,
    ids::{CareTeamMemberId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of, rows::under};

/// The members of each patient's team, former ones too, in the order they were added.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
) -> Result<HashMap<PatientId, Vec<care_team_member::Model>>> {
    op.require(Permission::CARE_TEAM_READ)?;
    let wanted = any_of(care_team_member::Column::PatientId, patients.iter().map(|id| id.0).collect());
    let rows = care_team_member::Entity::find()
        .filter(wanted)
        .filter(seen(op))
        .order_by_asc(care_team_member::Column::Id)
        .all(op.db())
        .await?;
    Ok(under(patients, rows, |row| row.patient_id))
}

/// Members by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[CareTeamMemberId]) -> Result<Vec<care_team_member::Model>> {
    op.require(Permission::CARE_TEAM_READ)?;
    let wanted = any_of(care_team_member::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(care_team_member::Entity::find().filter(wanted).filter(seen(op)).all(op.db()).await?)
}

fn seen<M>(op: &Op<M>) -> Condition {
    op.permitted(Permission::CARE_TEAM_READ, Table::CareTeamMember)
}

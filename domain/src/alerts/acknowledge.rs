//! Saying that one has seen an alert.

use praxis_entity::{
    alert::{self, AlertStatus},
    ids::AlertId,
};
use praxis_platform::{Failure, Op, Write};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result,
    event::{self, Event},
};

/// Says that the actor has seen the alert.
pub async fn acknowledge(op: &Op<Write>, id: AlertId, if_version: i32) -> Result<alert::Model> {
    let stored = check::ready(op, (id, if_version), "alertAcknowledge").await?;
    let change = alert::ActiveModel {
        status: Set(AlertStatus::Acknowledged),
        acknowledged_at: Set(Some(op.now())),
        acknowledged_by: Set(Some(op.actor().user.ok_or(Failure::Unauthenticated)?)),
        ..Default::default()
    };
    let seen = check::change(op, &stored, change, "alert.acknowledge").await?;
    let (patient, encounter) = (seen.patient_id, seen.encounter_id);
    event::happened(op, Event::AlertAcknowledged { alert: id, patient, encounter }).await?;
    Ok(seen)
}

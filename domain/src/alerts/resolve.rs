//! Saying that an alert was dealt with.

use praxis_entity::{
    alert::{self, AlertStatus},
    ids::AlertId,
    value::AlertWords,
};
use praxis_platform::{Failure, Op, Write};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result,
    error::Violations,
    event::{self, Event},
};

/// Says that the alert was dealt with, and how.
pub async fn resolve(
    op: &Op<Write>,
    id: AlertId,
    if_version: i32,
    resolution: Option<&str>,
) -> Result<alert::Model> {
    let mut found = Violations::default();
    let resolution = check::words(&mut found, "resolution", resolution);
    found.check()?;
    let stored = check::ready(op, (id, if_version), "alertResolve").await?;
    let words = AlertWords { resolution, ..AlertWords::default() };
    let change = alert::ActiveModel {
        status: Set(AlertStatus::Resolved),
        closed_at: Set(Some(op.now())),
        closed_by: Set(Some(op.actor().user.ok_or(Failure::Unauthenticated)?)),
        words: Set(check::sealed(op, &stored, words).await?),
        ..Default::default()
    };
    let resolved = check::change(op, &stored, change, "alert.resolve").await?;
    let (patient, encounter) = (resolved.patient_id, resolved.encounter_id);
    event::happened(op, Event::AlertResolved { alert: id, patient, encounter }).await?;
    Ok(resolved)
}

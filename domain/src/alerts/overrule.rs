//! Going against an alert.

use praxis_entity::{
    alert::{self, AlertStatus, OverrideReason},
    ids::AlertId,
    rule::AlertSeverity,
    value::AlertWords,
};
use praxis_platform::{Failure, Op, Write};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result, ViolationCode,
    error::Violations,
    event::{self, Event},
};

/// Goes against the alert, for a reason. What is contraindicated takes a fresh second factor.
pub async fn overrule(
    op: &Op<Write>,
    id: AlertId,
    if_version: i32,
    reason: OverrideReason,
    justification: Option<&str>,
) -> Result<alert::Model> {
    let mut found = Violations::default();
    let justification = check::words(&mut found, "justification", justification);
    if reason == OverrideReason::Other && justification.is_none() {
        found.add(ViolationCode::Required, &["justification"], "Say why in words.");
    }
    found.check()?;
    let stored = check::ready(op, (id, if_version), "alertOverride").await?;
    if stored.severity == AlertSeverity::Contraindicated {
        op.require_step_up()?;
    }
    let words = AlertWords { justification, ..AlertWords::default() };
    let change = alert::ActiveModel {
        status: Set(AlertStatus::Overridden),
        closed_at: Set(Some(op.now())),
        closed_by: Set(Some(op.actor().user.ok_or(Failure::Unauthenticated)?)),
        override_reason: Set(Some(reason)),
        words: Set(check::sealed(op, &stored, words).await?),
        ..Default::default()
    };
    let overridden = check::change(op, &stored, change, "alert.override").await?;
    let (patient, encounter) = (overridden.patient_id, overridden.encounter_id);
    event::happened(op, Event::AlertOverridden { alert: id, patient, encounter }).await?;
    Ok(overridden)
}

//! Raising an alert.

use chrono::{DateTime, Utc};
use praxis_entity::{
    alert::{self, AlertStatus},
    ids::AlertId,
    rule, rule_evaluation,
};
use praxis_platform::{Op, Write};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::check;
use crate::{
    Result,
    event::{self, Event},
    jobs::{self, Work},
};

/// An alert to be raised.
#[derive(Debug, Clone)]
pub struct NewAlert<'a> {
    /// The rule that says it.
    pub rule: &'a rule::Model,
    /// What it found.
    pub evaluation: &'a rule_evaluation::Model,
    /// When its time runs out.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Raises an alert; nothing where the evaluation has raised one already.
pub async fn raise(op: &Op<Write>, new: NewAlert<'_>) -> Result<Option<alert::Model>> {
    let NewAlert { rule, evaluation, expires_at } = new;
    let row = alert::ActiveModel {
        id: Set(AlertId(op.new_id())),
        patient_id: Set(evaluation.patient_id),
        encounter_id: Set(Some(evaluation.encounter_id)),
        practitioner_id: Set(evaluation.practitioner_id),
        rule_id: Set(rule.id),
        evaluation_id: Set(evaluation.id),
        severity: Set(rule.severity),
        status: Set(AlertStatus::Open),
        raised_at: Set(op.now()),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let raised =
        alert::Entity::insert_many([row]).on_conflict(once).exec_with_returning(op.db()).await?.pop();
    let Some(raised) = raised else { return Ok(None) };
    let (alert, patient, encounter) = (raised.id, raised.patient_id, raised.encounter_id);
    event::happened(op, Event::AlertRaised { alert, patient, encounter, severity: raised.severity }).await?;
    if let Some(expires_at) = raised.expires_at {
        jobs::enqueue(op, Work::ExpireAlert { alert }, expires_at, &alert.to_string()).await?;
    }
    check::record(op, "alert.raise", &raised);
    Ok(Some(raised))
}

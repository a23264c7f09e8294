//! Asking the rules: facts first, then each rule by itself, then what follows.

use praxis_entity::{
    encounter,
    ids::{EncounterId, RuleId},
    rule::{self, Column, RuleCause, RuleStatus},
    rule_evaluation::{self, NotCheckedReason, RuleResult},
    value::{ExplainedPart, RuleExplanation},
};
use praxis_platform::{Failure, Op, Write, audit::Entry, vault::IndexField};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition as Sql, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{RuleAction, gather::gather, vocabulary};
use crate::{
    Result, Violation,
    condition::{Condition, Facts, Fault, Verdict},
    event::Recorded,
};

/// An occasion on which rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody wants to close a visit.
    EncounterClosing {
        /// The visit.
        encounter: EncounterId,
    },
}

/// What a rule asks for before a visit is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The rule.
    pub rule: RuleId,
    /// Its key.
    pub code: String,
    /// What is missing, in words without PHI.
    pub text: String,
}

/// Asks the rules about what is about to happen, and returns what they require. What they found is written down
/// together with it, if it happens.
///
/// A rule that can't be checked requires nothing and does not pass in silence either: its evaluation says why.
pub async fn evaluate(op: &Op<Write>, trigger: Trigger) -> Result<Vec<Requirement>> {
    let Trigger::EncounterClosing { encounter } = trigger;
    let mut required = Vec::new();
    for (rule, evaluation) in ask(op, RuleCause::EncounterClosing, op.new_id(), encounter).await? {
        if evaluation.result == RuleResult::Fired {
            required.extend(asked_by(&rule)?);
        }
    }
    Ok(required)
}

/// What the rules require of a visit as it stands, for whoever looks ahead: nothing is written down.
pub async fn required<M>(op: &Op<M>, visit: &encounter::Model) -> Result<Vec<Requirement>> {
    let rules = in_effect(op, RuleCause::EncounterClosing).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let facts = gather(op, RuleCause::EncounterClosing, visit).await?;
    let mut required = Vec::new();
    for rule in rules {
        if judge(&rule, &facts).0 == RuleResult::Fired {
            required.extend(asked_by(&rule)?);
        }
    }
    Ok(required)
}

/// What a rule requires when it fires.
fn asked_by(rule: &rule::Model) -> Result<Vec<Requirement>> {
    let required = RuleAction::of(rule)?.into_iter().filter_map(|action| match action {
        RuleAction::Require { text } => Some(Requirement { rule: rule.id, code: rule.code.clone(), text }),
        RuleAction::Alert { .. } | RuleAction::Task { .. } => None,
    });
    Ok(required.collect())
}

/// Vital signs were recorded: asks the rules and does what follows, once for each event.
pub async fn on_vitals(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let Some(encounter) = recorded.event.encounter() else { return Ok(()) };
    ask(op, RuleCause::VitalsRecorded, recorded.id.0, encounter).await.map(drop)
}

/// Asks each rule that is in effect, writes down what it found, and does what follows from those that fired.
async fn ask(
    op: &Op<Write>,
    cause: RuleCause,
    cause_id: Uuid,
    encounter: EncounterId,
) -> Result<Vec<(rule::Model, rule_evaluation::Model)>> {
    let rules = in_effect(op, cause).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let visit = encounter::Entity::find_by_id(encounter).one(op.db()).await?;
    let visit = visit.ok_or_else(|| Violation::unknown("encounterId"))?;
    let facts = gather(op, cause, &visit).await?;
    let mut found = Vec::with_capacity(rules.len());
    for rule in rules {
        let judged = judge(&rule, &facts);
        let Some(evaluation) = write(op, &rule, cause_id, &visit, &facts, judged).await? else { continue };
        if evaluation.result == RuleResult::Fired {
            for action in RuleAction::of(&rule)? {
                action.run(op, &rule, &evaluation, &visit).await?;
            }
        }
        found.push((rule, evaluation));
    }
    op.record(
        Entry::done("rule.evaluate").on("Encounter", encounter.0, visit.version).of(visit.patient_id.0),
    );
    Ok(found)
}

/// The rules that are in use and in effect.
pub(super) async fn in_effect<M>(op: &Op<M>, cause: RuleCause) -> Result<Vec<rule::Model>> {
    let now = op.now();
    let begun = Sql::any().add(Column::StartsAt.is_null()).add(Column::StartsAt.lte(now));
    let not_over = Sql::any().add(Column::EndsAt.is_null()).add(Column::EndsAt.gt(now));
    let active = rule::Entity::find()
        .filter(Column::Status.eq(RuleStatus::Active))
        .filter(Column::Cause.eq(cause))
        .filter(begun)
        .filter(not_over);
    Ok(active.order_by_asc(Column::Code).all(op.db()).await?)
}

/// What a rule comes to: pure, and bounded by the size of its condition.
fn judge(rule: &rule::Model, facts: &Facts) -> (RuleResult, Option<NotCheckedReason>, Verdict) {
    let unchecked = |reason, verdict| (RuleResult::NotChecked, Some(reason), verdict);
    match Condition::read(&rule.condition, &vocabulary(rule.cause)) {
        Err(Fault::TooLarge(_)) => unchecked(NotCheckedReason::Budget, Verdict::default()),
        Err(_) => unchecked(NotCheckedReason::Error, Verdict::default()),
        Ok(condition) => {
            let verdict = condition.judge(facts);
            match verdict.holds {
                Some(true) => (RuleResult::Fired, None, verdict),
                Some(false) => (RuleResult::NotFired, None, verdict),
                None if verdict.failed => unchecked(NotCheckedReason::Error, verdict),
                None => unchecked(NotCheckedReason::MissingFacts, verdict),
            }
        }
    }
}

/// Writes down what a rule found; nothing where it was asked this already.
async fn write(
    op: &Op<Write>,
    rule: &rule::Model,
    cause_id: Uuid,
    visit: &encounter::Model,
    facts: &Facts,
    (result, reason, verdict): (RuleResult, Option<NotCheckedReason>, Verdict),
) -> Result<Option<rule_evaluation::Model>> {
    let (id, patient) = (op.new_id(), visit.patient_id);
    let facts = facts.written();
    let text = serde_json::to_string(&facts).map_err(|error| Failure::Internal(error.to_string()))?;
    let hash = op.token(IndexField::RuleFacts, &format!("{patient} {text}")).await?;
    let explanation = RuleExplanation {
        facts,
        parts: verdict
            .parts
            .into_iter()
            .map(|part| ExplainedPart { text: part.text, held: part.held })
            .collect(),
        missing: verdict.missing,
    };
    let key = op.data_key(patient.0).await?;
    let place = op.place("rule_evaluation", id, patient.0);
    let row = rule_evaluation::ActiveModel {
        id: Set(id),
        at: Set(op.now()),
        rule_id: Set(rule.id),
        cause_id: Set(cause_id),
        patient_id: Set(patient),
        encounter_id: Set(visit.id),
        result: Set(result),
        reason: Set(reason),
        inputs_hash: Set(hash.unwrap_or_default()),
        explanation: Set(op.seal(&key, &place, &explanation)?),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let written = rule_evaluation::Entity::insert_many([row]).on_conflict(once);
    Ok(written.exec_with_returning(op.db()).await?.pop())
}

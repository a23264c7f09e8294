//! Asking the rules: facts first, then each rule by itself, then what follows.

use std::collections::HashMap;

use praxis_entity::{
    encounter,
    ids::{EncounterId, RuleId},
    rule::{self, Column, RuleCause, RuleStatus},
    rule_evaluation::{self, NotCheckedReason, RuleResult},
    value::{ExplainedPart, RuleExplanation},
};
use praxis_platform::{Failure, Op, Write, audit::Entry, literal::Literal, vault::IndexField};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition as Sql, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use uuid::Uuid;

use super::{
    RuleAction,
    gather::{Known, gather},
    vocabulary,
};
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

/// What the rules require of each visit as it stands, for whoever looks ahead: nothing is written down. However many
/// visits there are, they are looked at together.
pub async fn required<M>(
    op: &Op<M>,
    visits: &[&encounter::Model],
) -> Result<HashMap<EncounterId, Vec<Requirement>>> {
    let mut required: HashMap<EncounterId, Vec<Requirement>> = HashMap::new();
    let rules = in_effect(op, RuleCause::EncounterClosing).await?;
    if rules.is_empty() || visits.is_empty() {
        return Ok(required);
    }
    for (visit, known) in gather(op, RuleCause::EncounterClosing, visits).await? {
        for rule in &rules {
            if judge(rule, &known.facts).result == RuleResult::Fired {
                required.entry(visit).or_default().extend(asked_by(rule)?);
            }
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

/// Asks each rule that is in effect, writes down what it found, and does what follows from those that fired. What a
/// rule said of the same measurements before it does not say again with every round: the newest count, and it is they
/// that somebody has to look at.
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
    // Locked, so that of two rounds that are looked at at once one sees what was said of the other.
    let visit = encounter::Entity::find_by_id(encounter).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let visit = visit.ok_or_else(|| Violation::unknown("encounterId"))?;
    let known = gather(op, cause, &[&visit]).await?.remove(&encounter).unwrap_or_default();
    let mut found = Vec::with_capacity(rules.len());
    for rule in rules {
        let judged = judge(&rule, &known.facts);
        let news =
            judged.result == RuleResult::Fired && !was_said(op, &rule, &visit, &known, &judged).await?;
        let Some(evaluation) = write(op, &rule, cause_id, &visit, &known, judged).await? else { continue };
        if news {
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
        .filter(Column::Status.is(RuleStatus::Active))
        .filter(Column::Cause.eq(cause))
        .filter(begun)
        .filter(not_over);
    Ok(active.order_by_asc(Column::Code).all(op.db()).await?)
}

/// What a rule comes to.
struct Judged {
    result: RuleResult,
    reason: Option<NotCheckedReason>,
    verdict: Verdict,
    /// The facts of which it asks.
    needs: Vec<String>,
}

/// What a rule comes to: pure, and bounded by the size of its condition.
fn judge(rule: &rule::Model, facts: &Facts) -> Judged {
    let read = Condition::read(&rule.condition, &vocabulary(rule.cause));
    let (result, reason, verdict) = match &read {
        Err(fault) => {
            let too_large = matches!(fault, Fault::TooLarge(_));
            let reason = if too_large { NotCheckedReason::Budget } else { NotCheckedReason::Error };
            (RuleResult::NotChecked, Some(reason), Verdict::default())
        }
        Ok(condition) => {
            let verdict = condition.judge(facts);
            match verdict.holds {
                Some(true) => (RuleResult::Fired, None, verdict),
                Some(false) => (RuleResult::NotFired, None, verdict),
                None if verdict.failed => (RuleResult::NotChecked, Some(NotCheckedReason::Error), verdict),
                None => (RuleResult::NotChecked, Some(NotCheckedReason::MissingFacts), verdict),
            }
        }
    };
    let needs = read.iter().flat_map(Condition::needs).map(str::to_owned).collect();
    Judged { result, reason, verdict, needs }
}

/// Whether the rule has fired at the visit before, of the very measurements of which it asks now.
async fn was_said(
    op: &Op<Write>,
    rule: &rule::Model,
    visit: &encounter::Model,
    known: &Known,
    judged: &Judged,
) -> Result<bool> {
    let before = rule_evaluation::Entity::find()
        .filter(rule_evaluation::Column::RuleId.eq(rule.id))
        .filter(rule_evaluation::Column::EncounterId.eq(visit.id))
        .filter(rule_evaluation::Column::Result.eq(RuleResult::Fired))
        .filter(rule_evaluation::Column::Measured.eq(known.measurements(&judged.needs)))
        .limit(1);
    Ok(before.one(op.db()).await?.is_some())
}

/// Writes down what a rule found; nothing where it was asked this already.
async fn write(
    op: &Op<Write>,
    rule: &rule::Model,
    cause_id: Uuid,
    visit: &encounter::Model,
    known: &Known,
    Judged { result, reason, verdict, needs }: Judged,
) -> Result<Option<rule_evaluation::Model>> {
    let (id, patient) = (op.new_id(), visit.patient_id);
    let facts = known.facts.written();
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
        practitioner_id: Set(visit.practitioner_id),
        measured: Set(known.measurements(&needs)),
        result: Set(result),
        reason: Set(reason),
        inputs_hash: Set(hash.unwrap_or_default()),
        explanation: Set(op.seal(&key, &place, &explanation)?),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let written = rule_evaluation::Entity::insert_many([row]).on_conflict(once);
    Ok(written.exec_with_returning(op.db()).await?.pop())
}

//! The rule, and what it found.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{condition, rules};
use praxis_entity::{
    rule, rule_evaluation,
    value::{ExplainedPart, RuleExplanation},
};
use sea_orm::ActiveEnum;
use serde_json::Value as Json;

use crate::{
    alerts::AlertSeverity,
    allowed,
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::DateTime,
    subject::Subject,
    tasks::TaskPriority,
};

/// When a rule is asked.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rule::RuleCause")]
pub(crate) enum RuleCause {
    /// When vital signs were recorded.
    VitalsRecorded,
    /// When somebody wants to close a visit.
    EncounterClosing,
}

/// Where an edition of a rule stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rule::RuleStatus")]
pub(crate) enum RuleStatus {
    /// Written.
    Draft,
    /// Its cases come out as they should.
    Tested,
    /// In use.
    Active,
    /// Out of use.
    Retired,
}

/// What a rule found.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rule_evaluation::RuleResult")]
pub(crate) enum RuleResult {
    /// Its condition held.
    Fired,
    /// Its condition did not hold.
    NotFired,
    /// Nobody knows.
    NotChecked,
}

/// Why a rule was not checked.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotCheckedReason {
    /// It was not asked yet.
    NotAsked,
    /// Something that its condition asks for is not known of the patient.
    MissingFacts,
    /// Its condition could not be judged.
    Error,
    /// Its condition would have cost too much.
    Budget,
}

/// What kind of thing a fact is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "condition::Kind")]
pub(crate) enum RuleFactKind {
    /// A number.
    Number,
    /// A text or code.
    Text,
    /// Yes or no.
    Flag,
    /// Several texts or codes.
    Texts,
}

/// What kind of thing follows from a rule.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleActionKind {
    /// The clinicians are told.
    Alert,
    /// Somebody is asked to do something.
    Task,
    /// The visit is not closed before it is done.
    Require,
}

/// What follows when a rule fires.
#[derive(SimpleObject)]
pub(crate) struct RuleAction {
    /// What kind of thing.
    kind: RuleActionKind,
    /// Of an alert: after how many minutes its time runs out.
    expires_after_minutes: Option<u32>,
    /// Of a task: its kind.
    task_code: Option<String>,
    /// Of a task: the role that is asked.
    role: Option<String>,
    /// Of a task: how soon.
    priority: Option<TaskPriority>,
    /// Of a task: within how many minutes.
    due_minutes: Option<u32>,
    /// What is to be done, in words.
    text: Option<String>,
}

impl From<rules::RuleAction> for RuleAction {
    fn from(action: rules::RuleAction) -> Self {
        let empty = Self {
            kind: RuleActionKind::Alert,
            expires_after_minutes: None,
            task_code: None,
            role: None,
            priority: None,
            due_minutes: None,
            text: None,
        };
        match action {
            rules::RuleAction::Alert { expires_after_minutes } => Self { expires_after_minutes, ..empty },
            rules::RuleAction::Task { code, role, priority, due_minutes, text } => Self {
                kind: RuleActionKind::Task,
                task_code: Some(code),
                role: Some(role),
                priority: Some(priority.into()),
                due_minutes,
                text,
                ..empty
            },
            rules::RuleAction::Require { text } => {
                Self { kind: RuleActionKind::Require, text: Some(text), ..empty }
            }
        }
    }
}

/// Something that is known, by name. One of its values is given, according to its kind.
#[derive(SimpleObject, Clone)]
pub(crate) struct RuleFact {
    /// Its name.
    name: String,
    /// A number.
    number: Option<f64>,
    /// A text or code.
    text: Option<String>,
    /// Yes or no.
    flag: Option<bool>,
    /// Several texts or codes.
    texts: Option<Vec<String>>,
}

impl RuleFact {
    fn new(name: &str, value: &Json) -> Self {
        let texts =
            |list: &Vec<Json>| list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
        Self {
            name: name.to_owned(),
            number: value.as_f64(),
            text: value.as_str().map(str::to_owned),
            flag: value.as_bool(),
            texts: value.as_array().map(texts),
        }
    }
}

/// A made-up case by which a rule is tested.
#[derive(SimpleObject)]
pub(crate) struct RuleTestCase {
    /// What it is.
    name: String,
    /// What is known in it.
    facts: Vec<RuleFact>,
    /// Whether the rule has to fire.
    fires: bool,
}

/// A fact that conditions may use.
#[derive(SimpleObject)]
pub(crate) struct RuleFactSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// What kind of thing it is.
    pub(crate) kind: RuleFactKind,
    /// What it means, and in which unit it is.
    pub(crate) meaning: &'static str,
}

/// One edition of a clinical rule.
pub(crate) struct ClinicalRule {
    row: rule::Model,
}

impl ClinicalRule {
    pub(crate) fn new(row: rule::Model) -> Self {
        Self { row }
    }
}

/// One edition of a clinical rule.
#[Object(name = "Rule")]
impl ClinicalRule {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was written.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Key that all editions share.
    fn code(&self) -> &str {
        &self.row.code
    }

    /// Number of the edition, from one.
    fn edition(&self) -> i32 {
        self.row.edition
    }

    /// What it says, in a few words.
    fn title(&self) -> &str {
        &self.row.title
    }

    /// How grave it is.
    fn severity(&self) -> AlertSeverity {
        self.row.severity.into()
    }

    /// When it is asked.
    fn cause(&self) -> RuleCause {
        self.row.cause.into()
    }

    /// Why one believes it.
    fn evidence(&self) -> Option<&str> {
        self.row.evidence.as_deref()
    }

    /// Where it stands.
    fn status(&self) -> RuleStatus {
        self.row.status.into()
    }

    /// In effect from then on.
    fn starts_at(&self) -> Option<DateTime> {
        self.row.starts_at.map(DateTime)
    }

    /// In effect until then.
    fn ends_at(&self) -> Option<DateTime> {
        self.row.ends_at.map(DateTime)
    }

    /// When it fires: an expression of the Common Expression Language over the facts of its cause.
    fn condition(&self, ctx: &Context<'_>) -> Nullable<String> {
        guarded(ctx, "Rule.condition", || self.row.condition.clone())
    }

    /// What follows when it fires.
    fn actions(&self, ctx: &Context<'_>) -> Nullable<Vec<RuleAction>> {
        match guarded(ctx, "Rule.actions", || ())? {
            Err(error) => Some(Err(error)),
            Ok(()) => Some(
                rules::RuleAction::of(&self.row)
                    .map(|actions| actions.into_iter().map(Into::into).collect())
                    .map_err(Into::into),
            ),
        }
    }

    /// The cases by which it is tested.
    async fn cases(&self, ctx: &Context<'_>) -> Nullable<Vec<RuleTestCase>> {
        if let Err(error) = guarded(ctx, "Rule.cases", || ())? {
            return Some(Err(error));
        }
        async {
            let cases = ctx.caller()?.loaders().rule_cases.load(self.row.id).await?.unwrap_or_default();
            let shown = cases.into_iter().map(|case| RuleTestCase {
                facts: case
                    .facts
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| RuleFact::new(name, value))
                    .collect(),
                name: case.name,
                fires: case.fires,
            });
            Ok(Some(shown.collect()))
        }
        .await
        .transpose()
    }

    /// Name of whoever wrote it; null where it came with the clinic's template.
    async fn author_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        let id = self.row.author_id?;
        if let Err(error) = guarded(ctx, "Rule.authorName", || ())? {
            return Some(Err(error));
        }
        async { ctx.caller()?.loaders().actor_names.load(id.0).await }.await.transpose()
    }

    /// Name of whoever approved it.
    async fn approved_by_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        let id = self.row.approved_by?;
        if let Err(error) = guarded(ctx, "Rule.approvedByName", || ())? {
            return Some(Err(error));
        }
        async { ctx.caller()?.loaders().actor_names.load(id.0).await }.await.transpose()
    }

    /// When it was approved.
    fn approved_at(&self, ctx: &Context<'_>) -> Nullable<DateTime> {
        let at = self.row.approved_at?;
        guarded(ctx, "Rule.approvedAt", || DateTime(at))
    }

    /// Names of the mutations that the viewer may run on the edition as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Nullable<Vec<String>> {
        if let Err(error) = guarded(ctx, "Rule.allowedActions", || ())? {
            return Some(Err(error));
        }
        async {
            let caller = ctx.caller()?;
            let actor = caller.actor();
            let mut open =
                allowed::open(caller, "rule", &self.row.status.to_value(), |asked| actor.may(asked)).await?;
            open.retain(|action| rules::is_turn(actor, &self.row, action));
            Ok(Some(open))
        }
        .await
        .transpose()
    }
}

/// A field that asks for more than its object: null for whoever may not read it.
fn guarded<T>(ctx: &Context<'_>, coordinate: &'static str, value: impl FnOnce() -> T) -> Nullable<T> {
    match ctx.caller() {
        Err(error) => Some(Err(error)),
        Ok(caller) => caller.check(crate::policy::At::of(coordinate)).is_ok().then(|| Ok(value())),
    }
}

/// A part of a condition, and whether it held.
#[derive(SimpleObject)]
pub(crate) struct RulePart {
    /// The part as it was written.
    text: String,
    /// Whether it held; null where something was missing.
    held: Option<bool>,
}

impl From<ExplainedPart> for RulePart {
    fn from(part: ExplainedPart) -> Self {
        Self { text: part.text, held: part.held }
    }
}

/// What a rule found at a visit when it was last asked, and why; or that it was not checked.
pub(crate) struct RuleCheck {
    rule: rule::Model,
    evaluation: Option<rule_evaluation::Model>,
    subject: Option<Arc<Subject>>,
    explanation: Option<Arc<Class<RuleExplanation>>>,
}

impl RuleCheck {
    pub(crate) fn new(check: rules::Check) -> Self {
        let subject = check.evaluation.as_ref().map(|row| Subject::new(row.patient_id, row));
        let explanation =
            check.evaluation.as_ref().zip(subject.as_ref()).map(|(row, subject)| {
                Class::new("rule_evaluation", row.id, subject, row.explanation.clone())
            });
        Self { rule: check.rule, evaluation: check.evaluation, subject, explanation }
    }
}

/// What a rule found at a visit when it was last asked, and why; or that it was not checked.
#[Object]
impl RuleCheck {
    /// The edition that was asked.
    fn rule(&self) -> ClinicalRule {
        ClinicalRule::new(self.rule.clone())
    }

    /// What it found.
    fn result(&self) -> RuleResult {
        self.evaluation.as_ref().map_or(RuleResult::NotChecked, |row| row.result.into())
    }

    /// Why it was not checked.
    fn reason(&self) -> Option<NotCheckedReason> {
        let Some(row) = &self.evaluation else { return Some(NotCheckedReason::NotAsked) };
        row.reason.map(|reason| match reason {
            rule_evaluation::NotCheckedReason::MissingFacts => NotCheckedReason::MissingFacts,
            rule_evaluation::NotCheckedReason::Error => NotCheckedReason::Error,
            rule_evaluation::NotCheckedReason::Budget => NotCheckedReason::Budget,
        })
    }

    /// When it was asked.
    fn checked_at(&self) -> Option<DateTime> {
        self.evaluation.as_ref().map(|row| DateTime(row.at))
    }

    /// Fields that came back null for a reason other than 'no value'.
    async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        match &self.subject {
            Some(subject) => redaction::of(ctx.caller()?, "RuleCheck", subject, true).await,
            None => Ok(Vec::new()),
        }
    }

    /// The parts of its condition, and which of them held.
    fn parts(&self) -> Phi<RuleExplanation, Vec<RulePart>> {
        Phi::optional(at!("RuleCheck.parts"), self.explanation.as_ref(), |why| {
            Some(why.parts.iter().cloned().map(Into::into).collect())
        })
    }

    /// What was known when it was asked.
    fn facts(&self) -> Phi<RuleExplanation, Vec<RuleFact>> {
        Phi::optional(at!("RuleCheck.facts"), self.explanation.as_ref(), |why| {
            Some(why.facts.iter().map(|(name, value)| RuleFact::new(name, value)).collect())
        })
    }

    /// Names of what its condition asks for and nobody knew.
    fn missing(&self) -> Phi<RuleExplanation, Vec<String>> {
        Phi::optional(at!("RuleCheck.missing"), self.explanation.as_ref(), |why| Some(why.missing.clone()))
    }
}

//! What is told of rules.

use async_graphql::{ID, InputObject, OneofObject};
use praxis_domain::rules;

use super::types::RuleCause;
use crate::{alerts::AlertSeverity, error::ApiError, scalar::DateTime, tasks::TaskPriority};

/// One value, of its fact's kind.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum RuleFactValueInput {
    /// A number.
    Number(f64),
    /// A text or code.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several texts or codes.
    Texts(Vec<String>),
}

/// A made-up fact.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleFactInput {
    /// Its name.
    name: String,
    /// Its value.
    value: RuleFactValueInput,
}

/// A made-up case. No patient's data belong here.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleTestCaseInput {
    /// What it is.
    name: String,
    /// What is known in it.
    facts: Vec<RuleFactInput>,
    /// Whether the rule has to fire.
    fires: bool,
}

impl From<RuleTestCaseInput> for rules::TestCase {
    fn from(case: RuleTestCaseInput) -> Self {
        let fact = |fact: RuleFactInput| {
            let value = match fact.value {
                RuleFactValueInput::Number(number) => number.into(),
                RuleFactValueInput::Text(text) => text.into(),
                RuleFactValueInput::Flag(flag) => flag.into(),
                RuleFactValueInput::Texts(texts) => texts.into(),
            };
            (fact.name, value)
        };
        Self { name: case.name, facts: case.facts.into_iter().map(fact).collect(), fires: case.fires }
    }
}

/// The clinicians are told, in the words of the rule's title.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleAlertInput {
    /// Its time runs out after so many minutes; never when absent.
    expires_after_minutes: Option<u32>,
}

/// Somebody is asked to do something.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleTaskInput {
    /// What kind of task, in capitals.
    code: String,
    /// The role that is asked, by code.
    role: String,
    /// How soon.
    #[graphql(default_with = "TaskPriority::Routine")]
    priority: TaskPriority,
    /// Within how many minutes.
    due_minutes: Option<u32>,
    /// What is to be done, in words.
    text: Option<String>,
}

/// The visit is not closed before this is done.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleRequirementInput {
    /// What is missing, in words.
    text: String,
}

/// One thing that follows when a rule fires.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum RuleActionInput {
    /// The clinicians are told.
    Alert(RuleAlertInput),
    /// Somebody is asked to do something.
    Task(RuleTaskInput),
    /// The visit is not closed before this is done.
    Require(RuleRequirementInput),
}

impl From<RuleActionInput> for rules::RuleAction {
    fn from(action: RuleActionInput) -> Self {
        match action {
            RuleActionInput::Alert(alert) => {
                Self::Alert { expires_after_minutes: alert.expires_after_minutes }
            }
            RuleActionInput::Task(task) => Self::Task {
                code: task.code,
                role: task.role,
                priority: task.priority.into(),
                due_minutes: task.due_minutes,
                text: task.text,
            },
            RuleActionInput::Require(required) => Self::Require { text: required.text },
        }
    }
}

/// The next edition of a rule.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleDraftInput {
    /// Key that all editions share: small letters, digits and hyphens.
    code: String,
    /// What it says, in a few words without PHI.
    title: String,
    /// When it is asked.
    cause: RuleCause,
    /// When it fires: an expression of the Common Expression Language, for example `vitals.spo2 < 92`.
    condition: String,
    /// What follows.
    actions: Vec<RuleActionInput>,
    /// How grave it is.
    severity: AlertSeverity,
    /// Why one believes it.
    evidence: Option<String>,
    /// In effect from then on.
    starts_at: Option<DateTime>,
    /// In effect until then.
    ends_at: Option<DateTime>,
    /// Made-up cases by which it is tested: one at least in which it fires, and one in which it does not.
    cases: Vec<RuleTestCaseInput>,
}

impl TryFrom<RuleDraftInput> for rules::NewRule {
    type Error = ApiError;

    fn try_from(input: RuleDraftInput) -> Result<Self, ApiError> {
        Ok(Self {
            code: input.code,
            title: input.title,
            cause: input.cause.into(),
            condition: input.condition,
            actions: input.actions.into_iter().map(Into::into).collect(),
            severity: input.severity.into(),
            evidence: input.evidence,
            starts_at: input.starts_at.map(|at| at.0),
            ends_at: input.ends_at.map(|at| at.0),
            cases: input.cases.into_iter().map(Into::into).collect(),
        })
    }
}

/// A rule to try on its cases.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleTestInput {
    /// The edition.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A rule to put into use.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleActivateInput {
    /// The edition.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A rule to take out of use.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct RuleRetireInput {
    /// The edition.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

//! What follows when a rule fires.

use chrono::TimeDelta;
use praxis_entity::{encounter, rule, rule::RuleCause, rule_evaluation, task::TaskPriority};
use praxis_platform::{Failure, Op, Write};
use serde::{Deserialize, Serialize};

use crate::{Result, ViolationCode, alerts, clinic::text, error::Violations, tasks};

/// One thing that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum RuleAction {
    /// The clinicians are told, in the words of the rule's title.
    Alert {
        /// Its time runs out after so many minutes; never where none are given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_after_minutes: Option<u32>,
    },
    /// Somebody is asked to do something.
    Task {
        /// What kind of task.
        code: String,
        /// Which role is asked.
        role: String,
        /// How soon.
        priority: TaskPriority,
        /// Within how many minutes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_minutes: Option<u32>,
        /// What is to be done, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The visit is not closed before this is done.
    Require {
        /// What is missing.
        text: String,
    },
}

impl RuleAction {
    /// What follows from a stored rule.
    pub fn of(rule: &rule::Model) -> Result<Vec<Self>> {
        let read = serde_json::from_value(rule.actions.clone());
        Ok(read.map_err(|_| Failure::Inconsistent { table: "rule", column: "actions", row: rule.id.0 })?)
    }

    /// What is wrong with it, on an occasion.
    pub(super) async fn judge(
        &self,
        op: &Op<Write>,
        found: &mut Violations,
        cause: RuleCause,
        index: usize,
    ) -> Result<()> {
        let index = index.to_string();
        let path = ["actions", index.as_str()];
        let closing = cause == RuleCause::EncounterClosing;
        if closing != matches!(self, Self::Require { .. }) {
            let message = if closing {
                "When a visit is closed, a rule can only require something."
            } else {
                "Only what closes a visit can be made to require something."
            };
            found.add(ViolationCode::Invalid, &path, message);
        }
        match self {
            Self::Alert { expires_after_minutes } => minutes(found, &path, *expires_after_minutes),
            Self::Task { code, role, due_minutes, text: words, .. } => {
                if !tasks::is_code(code) {
                    let message = "A kind of task is named in 2 to 40 capitals, digits and underscores.";
                    found.add(ViolationCode::Invalid, &path, message);
                }
                tasks::judge_role(op, found, &path, role).await?;
                minutes(found, &path, *due_minutes);
                text::optional_line(found, &path, words.as_deref(), 500);
            }
            Self::Require { text: words } => {
                text::line(found, &path, words, 200);
            }
        }
        Ok(())
    }

    /// Does it. What has to be done before a visit is closed is said elsewhere.
    pub(super) async fn run(
        &self,
        op: &Op<Write>,
        rule: &rule::Model,
        evaluation: &rule_evaluation::Model,
        visit: &encounter::Model,
    ) -> Result<()> {
        let after =
            |minutes: &Option<u32>| minutes.map(|minutes| op.now() + TimeDelta::minutes(minutes.into()));
        match self {
            Self::Alert { expires_after_minutes } => {
                let expires_at = after(expires_after_minutes);
                alerts::raise(op, alerts::NewAlert { rule, evaluation, expires_at }).await?;
            }
            Self::Task { code, role, priority, due_minutes, text } => {
                let new = tasks::NewTask {
                    encounter: Some(visit.id),
                    role: Some(role.clone()),
                    priority: *priority,
                    due_at: after(due_minutes),
                    description: text.clone(),
                    ..tasks::NewTask::of(code.clone())
                };
                tasks::create(op, new).await?;
            }
            Self::Require { .. } => {}
        }
        Ok(())
    }
}

fn minutes(found: &mut Violations, path: &[&str], minutes: Option<u32>) {
    if minutes.is_some_and(|minutes| !(1..=525_600).contains(&minutes)) {
        found.add(ViolationCode::OutOfRange, path, "Give 1 to 525,600 minutes.");
    }
}

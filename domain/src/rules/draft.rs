//! Writing an edition of a rule.

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::RuleId,
    rule::{self, AlertSeverity, Column, RuleCause, RuleStatus},
    rule_test_case,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};
use serde_json::Value as Json;

use super::{RuleAction, vocabulary};
use crate::{
    Result, ViolationCode,
    clinic::text,
    condition::{Condition, Fact, Vocabulary},
    error::Violations,
};

/// The most cases of one rule.
const MOST_CASES: usize = 50;

/// A made-up case.
#[derive(Debug, Clone)]
pub struct TestCase {
    /// What it is.
    pub name: String,
    /// What is known in it, by name.
    pub facts: Vec<(String, Json)>,
    /// Whether the rule has to fire.
    pub fires: bool,
}

/// An edition of a rule to be written.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// Key that all editions share.
    pub code: String,
    /// What it says, in a few words.
    pub title: String,
    /// When it is asked.
    pub cause: RuleCause,
    /// When it fires.
    pub condition: String,
    /// What follows.
    pub actions: Vec<RuleAction>,
    /// How grave it is.
    pub severity: AlertSeverity,
    /// Why one believes it.
    pub evidence: Option<String>,
    /// In effect from then on.
    pub starts_at: Option<DateTime<Utc>>,
    /// In effect until then.
    pub ends_at: Option<DateTime<Utc>>,
    /// The cases by which it is tested.
    pub cases: Vec<TestCase>,
}

/// Writes the next edition of a rule. It is asked nothing before it was tested and approved.
pub async fn draft(op: &Op<Write>, new: NewRule) -> Result<rule::Model> {
    op.require(Permission::RULE_AUTHOR)?;
    let mut found = Violations::default();
    if !is_code(&new.code) {
        let message = "A rule is named in 2 to 60 small letters, digits and hyphens.";
        found.add(ViolationCode::Invalid, &["code"], message);
    }
    let title = text::line(&mut found, &["title"], &new.title, 200);
    let evidence = text::optional_line(&mut found, &["evidence"], new.evidence.as_deref(), 2_000);
    let vocabulary = vocabulary(new.cause);
    if let Err(fault) = Condition::read(&new.condition, &vocabulary) {
        found.add(ViolationCode::Invalid, &["condition"], fault.to_string());
    }
    if !(1..=8).contains(&new.actions.len()) {
        found.add(
            ViolationCode::OutOfRange,
            &["actions"],
            "Something has to follow, and eight things at the most.",
        );
    }
    for (index, action) in new.actions.iter().enumerate() {
        action.judge(op, &mut found, new.cause, index).await?;
    }
    if new.starts_at.zip(new.ends_at).is_some_and(|(starts, ends)| ends <= starts) {
        found.add(ViolationCode::OutOfRange, &["endsAt"], "The end must be later than the start.");
    }
    judge_cases(&mut found, &new.cases, &vocabulary);
    found.check()?;

    // Whoever writes the next edition at the same time waits for this one.
    let before =
        rule::Entity::find().filter(Column::Code.eq(&new.code)).order_by_desc(Column::Edition).limit(1);
    let before = before.lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let id = RuleId(op.new_id());
    let row = rule::ActiveModel {
        id: Set(id),
        code: Set(new.code),
        edition: Set(before.map_or(0, |before| before.edition) + 1),
        title: Set(title),
        cause: Set(new.cause),
        condition: Set(new.condition),
        actions: Set(
            serde_json::to_value(&new.actions).map_err(|error| Failure::Internal(error.to_string()))?
        ),
        severity: Set(new.severity),
        evidence: Set(evidence),
        status: Set(RuleStatus::Draft),
        starts_at: Set(new.starts_at),
        ends_at: Set(new.ends_at),
        author_id: Set(op.actor().user),
        ..Default::default()
    };
    let written = rule::Entity::insert(row).exec_with_returning(op.db()).await?;
    let cases = new.cases.into_iter().map(|case| rule_test_case::ActiveModel {
        rule_id: Set(id),
        name: Set(case.name.trim().to_owned()),
        facts: Set(Json::Object(case.facts.into_iter().collect())),
        fires: Set(case.fires),
    });
    let cases: Vec<_> = cases.collect();
    if !cases.is_empty() {
        rule_test_case::Entity::insert_many(cases).exec_without_returning(op.db()).await?;
    }
    op.record(Entry::done("rule.draft").on("Rule", id.0, written.version));
    Ok(written)
}

fn judge_cases(found: &mut Violations, cases: &[TestCase], vocabulary: &Vocabulary) {
    if cases.len() > MOST_CASES {
        found.add(ViolationCode::TooLong, &["cases"], "There are more than 50 cases.");
    }
    for (index, case) in cases.iter().enumerate().take(MOST_CASES) {
        let index_text = index.to_string();
        let path = ["cases", index_text.as_str()];
        text::line(found, &path, &case.name, 120);
        if cases.iter().take(index).any(|other| other.name.trim() == case.name.trim()) {
            found.add(ViolationCode::AlreadyExists, &path, "There is a case of this name.");
        }
        for (name, value) in &case.facts {
            match vocabulary.get(name) {
                None => found.add(ViolationCode::NotFound, &path, format!("There is no fact named {name}.")),
                Some(kind) if Fact::read(*kind, value).is_none() => {
                    found.add(ViolationCode::Invalid, &path, format!("{name} is of another kind."));
                }
                Some(_) => {}
            }
        }
    }
}

fn is_code(text: &str) -> bool {
    let letter = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    letter && (2..=60).contains(&text.len()) && text.bytes().all(rest)
}

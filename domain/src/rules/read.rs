//! Rules and their cases; and what verbs ask of a rule before they change it.

use std::collections::HashMap;

use praxis_entity::{
    ids::RuleId,
    rule::{self, Column, RuleCause, RuleStatus},
    rule_test_case,
};
use praxis_platform::{
    Op, Write,
    access::{Actor, Permission, Row},
    audit::Entry,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Detail, Result, Violation, ViolationCode, page::any_of, range::one_of, transitions::step_among};

/// The most rules of one answer: a clinic has some dozens.
const MOST: u64 = 500;

/// Which rules are wanted.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// In one of these statuses.
    pub status: Option<Vec<RuleStatus>>,
    /// All editions of one rule.
    pub code: Option<String>,
    /// Asked on one of these occasions.
    pub cause: Option<Vec<RuleCause>>,
}

/// Rules by code, the newest edition first.
pub async fn list<M>(op: &Op<M>, filter: &RuleFilter) -> Result<Vec<rule::Model>> {
    op.require(Permission::RULE_READ)?;
    let wanted = Condition::all()
        .add_option(one_of(Column::Status, filter.status.as_deref()))
        .add_option(filter.code.as_ref().map(|code| Column::Code.eq(code)))
        .add_option(one_of(Column::Cause, filter.cause.as_deref()));
    let found = rule::Entity::find().filter(wanted).order_by_asc(Column::Code).order_by_desc(Column::Edition);
    Ok(found.limit(MOST).all(op.db()).await?)
}

/// The rules with these ids, for whoever reads rules or what they say.
pub async fn by_ids<M>(op: &Op<M>, ids: &[RuleId]) -> Result<Vec<rule::Model>> {
    if !op.actor().may(Permission::ALERT_READ) {
        op.require(Permission::RULE_READ)?;
    }
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(rule::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The cases of each rule, by name.
pub async fn cases_of<M>(
    op: &Op<M>,
    rules: &[RuleId],
) -> Result<HashMap<RuleId, Vec<rule_test_case::Model>>> {
    op.require(Permission::RULE_READ)?;
    let wanted = any_of(rule_test_case::Column::RuleId, rules.iter().map(|id| id.0).collect());
    let rows = rule_test_case::Entity::find().filter(wanted).order_by_asc(rule_test_case::Column::Name);
    let mut of: HashMap<_, Vec<_>> = rules.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows.all(op.db()).await? {
        of.entry(row.rule_id).or_default().push(row);
    }
    Ok(of)
}

/// Whether it is the actor's turn to run a mutation on a rule: nobody approves one of their own.
pub fn is_turn(actor: &Actor, rule: &rule::Model, action: &str) -> bool {
    action != "ruleActivate" || rule.author_id.is_none() || rule.author_id != actor.user
}

/// The rule at the version that the caller has seen, if its status allows the action.
pub(super) async fn ready(
    op: &Op<Write>,
    (id, if_version): (RuleId, i32),
    permission: Permission,
    action: &str,
) -> Result<rule::Model> {
    op.require(permission)?;
    let stored = rule::Entity::find_by_id(id).one(op.db()).await?;
    let stored =
        stored.ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such rule."))?;
    if stored.version != if_version {
        return Err(outdated(stored.version).into());
    }
    let (clinic, open) = ((None, &Row::default()), |action: &str| is_turn(op.actor(), &stored, action));
    let _: RuleStatus = step_among(op, "rule", action, &stored.status, clinic, open).await?;
    Ok(stored)
}

/// Changes the rule if it still is at the version that was seen.
pub(super) async fn change(
    op: &Op<Write>,
    stored: &rule::Model,
    change: rule::ActiveModel,
    action: &'static str,
) -> Result<rule::Model> {
    let update = rule::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(stored.id))
        .filter(Column::Version.eq(stored.version));
    let Some(changed) = update.exec_with_returning(op.db()).await?.pop() else {
        let now = rule::Entity::find_by_id(stored.id).one(op.db()).await?;
        return Err(outdated(now.map_or(stored.version, |now| now.version)).into());
    };
    op.record(Entry::done(action).on("Rule", changed.id.0, changed.version));
    Ok(changed)
}

fn outdated(current: i32) -> Violation {
    let message = "Somebody else changed this rule meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}

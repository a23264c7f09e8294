//! What decision support says about a visit: for each rule in effect whether it was checked, and what it found.

use std::collections::HashMap;

use praxis_entity::{
    ids::{EncounterId, RuleId},
    rule::{self, RuleCause},
    rule_evaluation::{self, Column},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::evaluate::in_effect;
use crate::{Result, page::any_of};

/// A rule, and what it found last; nothing where it was not asked yet.
#[derive(Debug, Clone)]
pub struct Check {
    /// The rule.
    pub rule: rule::Model,
    /// What it found.
    pub evaluation: Option<rule_evaluation::Model>,
}

/// All rules that are in effect or were asked at the visit, by code. Those that were not asked are among them: nobody
/// is left to believe that what is not mentioned was checked.
pub async fn support_of<M>(op: &Op<M>, encounter: EncounterId) -> Result<Vec<Check>> {
    op.require(Permission::ALERT_READ)?;
    let evaluations = rule_evaluation::Entity::find()
        .distinct_on([Column::RuleId])
        .filter(Column::EncounterId.eq(encounter))
        .filter(op.permitted(Permission::ALERT_READ, Table::RuleEvaluation))
        .order_by_asc(Column::RuleId)
        .order_by(Expr::col(Column::Id), sea_orm::Order::Desc)
        .all(op.db())
        .await?;
    let mut last: HashMap<RuleId, rule_evaluation::Model> =
        evaluations.into_iter().map(|row| (row.rule_id, row)).collect();
    let mut rules = in_effect(op, RuleCause::VitalsRecorded).await?;
    rules.extend(in_effect(op, RuleCause::EncounterClosing).await?);
    let known: Vec<_> = rules.iter().map(|rule| rule.id).collect();
    let former = last.keys().filter(|id| !known.contains(id)).map(|id| id.0).collect::<Vec<_>>();
    rules.extend(rule::Entity::find().filter(any_of(rule::Column::Id, former)).all(op.db()).await?);
    rules.sort_by(|a, b| (&a.code, a.edition).cmp(&(&b.code, b.edition)));
    let checks = rules.into_iter().map(|rule| Check { evaluation: last.remove(&rule.id), rule });
    Ok(checks.collect())
}

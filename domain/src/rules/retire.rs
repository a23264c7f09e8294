//! Taking a rule out of use.

use praxis_entity::{
    ids::RuleId,
    rule::{self, RuleStatus},
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::read;
use crate::{
    Result,
    event::{self, Event},
};

/// Takes an edition out of use. What it found stays explained.
pub async fn retire(op: &Op<Write>, id: RuleId, if_version: i32) -> Result<rule::Model> {
    let stored = read::ready(op, (id, if_version), Permission::RULE_APPROVE, "ruleRetire").await?;
    let change = rule::ActiveModel { status: Set(RuleStatus::Retired), ..Default::default() };
    let retired = read::change(op, &stored, change, "rule.retire").await?;
    event::happened(op, Event::RuleRetired { rule: id }).await?;
    Ok(retired)
}

//! Putting an edition of a rule into use.

use praxis_entity::{
    ids::RuleId,
    rule::{self, Column, RuleStatus},
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::read;
use crate::{
    Result, Violation, ViolationCode,
    event::{self, Event},
};

/// Puts a tested edition into use, in the place of the one before. Whoever wrote it does not approve it.
pub async fn activate(op: &Op<Write>, id: RuleId, if_version: i32) -> Result<rule::Model> {
    let stored = read::ready(op, (id, if_version), Permission::RULE_APPROVE, "ruleActivate").await?;
    let me = op.actor().user.ok_or(Failure::Forbidden(Permission::RULE_APPROVE))?;
    if !read::is_turn(op.actor(), &stored, "ruleActivate") {
        let message = "Nobody approves a rule of their own.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    // Of two editions at the same time, one comes after the other.
    let editions = rule::Entity::find().filter(Column::Code.eq(&stored.code)).order_by_asc(Column::Edition);
    let editions = editions.lock(LockType::NoKeyUpdate).all(op.db()).await?;
    for before in editions.iter().filter(|edition| edition.status == RuleStatus::Active) {
        let change = rule::ActiveModel { status: Set(RuleStatus::Retired), ..Default::default() };
        let retired = read::change(op, before, change, "rule.retire").await?;
        event::happened(op, Event::RuleRetired { rule: retired.id }).await?;
    }
    let change = rule::ActiveModel {
        status: Set(RuleStatus::Active),
        approved_by: Set(Some(me)),
        approved_at: Set(Some(op.now())),
        ..Default::default()
    };
    let active = read::change(op, &stored, change, "rule.activate").await?;
    event::happened(op, Event::RuleActivated { rule: id }).await?;
    Ok(active)
}

//! Trying a rule on its cases.

use praxis_entity::{
    ids::RuleId,
    rule::{self, RuleStatus},
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::{read, vocabulary};
use crate::{
    Result, ViolationCode,
    condition::{Condition, Fact, Facts},
    error::Violations,
};

/// Tries a rule on its cases. Where all come out as they should, it is tested; where not, it stays a draft and each
/// that does not is named.
pub async fn test(op: &Op<Write>, id: RuleId, if_version: i32) -> Result<rule::Model> {
    let stored = read::ready(op, (id, if_version), Permission::RULE_AUTHOR, "ruleTest").await?;
    let vocabulary = vocabulary(stored.cause);
    let unreadable = |_| Failure::Inconsistent { table: "rule", column: "condition", row: id.0 };
    let condition = Condition::read(&stored.condition, &vocabulary).map_err(unreadable)?;
    let cases = read::cases_of(op, &[id]).await?.remove(&id).unwrap_or_default();
    let mut found = Violations::default();
    for (fires, what) in [(true, "fires"), (false, "does not fire")] {
        if !cases.iter().any(|case| case.fires == fires) {
            found.add(ViolationCode::Required, &["cases"], format!("Give a case in which the rule {what}."));
        }
    }
    for case in &cases {
        let given = case.facts.as_object().into_iter().flatten();
        let known = given
            .filter_map(|(name, value)| Some((name.clone(), Fact::read(*vocabulary.get(name)?, value)?)));
        let verdict = condition.judge(&known.collect::<Facts>());
        let came = match verdict.holds {
            Some(true) if case.fires => continue,
            Some(false) | None if !case.fires => continue,
            Some(true) => "fires",
            Some(false) => "does not fire",
            None => "can't be checked",
        };
        found.add(ViolationCode::Invalid, &["cases", &case.name], format!("In this case the rule {came}."));
    }
    found.check()?;
    let change = rule::ActiveModel { status: Set(RuleStatus::Tested), ..Default::default() };
    read::change(op, &stored, change, "rule.test").await
}

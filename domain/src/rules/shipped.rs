//! The rules that new clinics start with: each comes out as its cases say.

use praxis_entity::rule::{AlertSeverity, RuleCause};
use praxis_platform::template::{Source, Template};
use sea_orm::ActiveEnum;

use super::{RuleAction, vocabulary};
use crate::condition::{Condition, Fact, Facts};

#[test]
fn every_shipped_rule_comes_out_as_its_cases_say() {
    let source = Source::shipped();
    for name in source.names() {
        for rule in &Template::load(&source, name).unwrap().rules {
            let code = &rule.code;
            let cause = RuleCause::try_from_value(&rule.cause).unwrap();
            AlertSeverity::try_from_value(&rule.severity).unwrap();
            let actions: Vec<RuleAction> = serde_json::from_value(rule.actions.clone()).unwrap();
            assert!(!actions.is_empty(), "{code}");
            let vocabulary = vocabulary(cause);
            let condition = Condition::read(&rule.condition, &vocabulary).unwrap();
            for case in &rule.cases {
                let known = case.facts.as_object().unwrap().iter().map(|(name, value)| {
                    let kind = vocabulary.get(name).unwrap();
                    (name.clone(), Fact::read(*kind, value).unwrap())
                });
                let verdict = condition.judge(&known.collect::<Facts>());
                assert_eq!(verdict.holds == Some(true), case.fires, "{code}: {}", case.name);
            }
            for fires in [true, false] {
                assert!(rule.cases.iter().any(|case| case.fires == fires), "{code}");
            }
        }
    }
}

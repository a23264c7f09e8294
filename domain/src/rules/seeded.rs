//! The rules that come with a template: each is understood, and comes out as its cases say.

use praxis_entity::rule::{AlertSeverity, RuleCause};
use praxis_platform::template::ClinicalRule;
use sea_orm::ActiveEnum;

use super::{RuleAction, vocabulary};
use crate::condition::{Condition, Fact, Facts};

/// Refuses a rule that no clinic could use, and says why.
pub(crate) fn check(rule: &ClinicalRule) -> Result<(), String> {
    let cause = RuleCause::try_from_value(&rule.cause).map_err(|_| "there is no such cause")?;
    AlertSeverity::try_from_value(&rule.severity).map_err(|_| "there is no such severity")?;
    let actions = serde_json::from_value::<Vec<RuleAction>>(rule.actions.clone());
    if actions.map_err(|error| error.to_string())?.is_empty() {
        return Err("nothing follows from it".to_owned());
    }
    let vocabulary = vocabulary(cause);
    let condition = Condition::read(&rule.condition, &vocabulary).map_err(|fault| fault.to_string())?;
    for case in &rule.cases {
        let known = case.facts.as_object().into_iter().flatten().map(|(name, value)| {
            let fact = vocabulary.get(name).and_then(|kind| Fact::read(*kind, value));
            fact.map(|fact| (name.clone(), fact)).ok_or_else(|| format!("\"{name}\" is no such fact"))
        });
        let verdict = condition.judge(&known.collect::<Result<Facts, _>>()?);
        if (verdict.holds == Some(true)) != case.fires {
            return Err(format!("the case \"{}\" comes out otherwise", case.name));
        }
    }
    for fires in [true, false] {
        if !rule.cases.iter().any(|case| case.fires == fires) {
            return Err("it needs a case in which it fires, and one in which it does not".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use praxis_platform::template::{Source, Template};

    use super::check;

    #[test]
    fn every_shipped_rule_comes_out_as_its_cases_say() {
        let source = Source::shipped();
        for name in source.names() {
            for rule in &Template::load(&source, name).unwrap().rules {
                assert_eq!(check(rule), Ok(()), "{}", rule.code);
            }
        }
    }
}

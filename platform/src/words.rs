//! Words with places for what differs, filled in within a sandbox: what people of a clinic write themselves.
//!
//! There are no files, no other templates and no functions but the language's own; a fact that is missing is an
//! error, and fuel bounds what a text may do. What is wrong is told by its kind: a message could quote a fact.

use std::collections::HashSet;

use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value as Json};

/// Far more steps than any text takes.
const FUEL: u64 = 10_000;

/// What every text is read in.
pub(crate) fn sandbox<'source>() -> Environment<'source> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // It would write out all facts at once, which nobody then asked for by name.
    environment.add_global("debug", minijinja::Value::UNDEFINED);
    environment
}

/// The names of the facts that a text asks for, or why it can't be read.
pub fn asked(source: &str) -> Result<HashSet<String>, String> {
    let sandbox = sandbox();
    let text = sandbox.template_from_str(source).map_err(|error| error.kind().to_string())?;
    Ok(text.undeclared_variables(false))
}

/// The text with the facts in their places, or the kind of what is wrong.
pub fn fill(source: &str, facts: &Map<String, Json>) -> Result<String, String> {
    let facts = minijinja::Value::from(minijinja::value::Serde(single_lines(facts)));
    sandbox()
        .template_from_str(source)
        .and_then(|text| text.render(facts))
        .map_err(|error| error.kind().to_string())
}

/// A line end in a fact would let it write the lines below it, or the header below the subject.
pub(crate) fn single_lines(facts: &Map<String, Json>) -> Map<String, Json> {
    let line =
        |text: &str| text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    facts
        .iter()
        .map(|(name, value)| match value {
            Json::String(text) => (name.clone(), Json::String(line(text))),
            other => (name.clone(), other.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_says_which_facts_it_asks_for() {
        let of = |source: &str| {
            let mut names: Vec<_> = asked(source).unwrap().into_iter().collect();
            names.sort();
            names
        };
        assert_eq!(of("On {{ date }} at {{ time|upper }}, {{ clinic }}"), ["clinic", "date", "time"]);
        // However it is wrapped.
        assert_eq!(
            of("{% set x = reason %}{{ x }}{% if a.b %}{{ [c][0] }}{% endif %}"),
            ["a", "c", "reason"]
        );
        assert_eq!(of("{% for i in 'ab' %}{{ i }}{{ loop.index }}{% endfor %}"), Vec::<String>::new());
        assert!(asked("{{ date").is_err() && asked("{% nonsense %}").is_err());
    }

    #[test]
    fn nothing_but_the_facts_can_be_reached_and_nothing_goes_on_for_ever() {
        let facts = json!({ "a": "x\r\nBcc: y" });
        let facts = facts.as_object().unwrap();
        assert_eq!(fill("{{ a }}", facts).unwrap(), "x  Bcc: y");
        for bad in ["{{ b }}", "{{ a.b.c }}", "{% include 'x' %}", "{{ debug() }}", "{{ range(9)|map('x') }}"]
        {
            assert!(fill(bad, facts).is_err(), "{bad}");
        }
        let long = "{% for i in range(1000) %}{% for j in range(1000) %}{{ j }}{% endfor %}{% endfor %}";
        assert!(fill(long, facts).is_err());
        // What is wrong quotes nothing.
        assert_eq!(fill("{{ a + 1 }}", facts), Err("invalid operation".to_owned()));
    }
}

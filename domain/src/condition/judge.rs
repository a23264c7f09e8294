//! Judging a condition by what is known.

use cel::{Context, Value};

use super::{
    Facts,
    parse::{Condition, Node},
};

/// A part of a condition, and whether it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As it is shown.
    pub text: String,
    /// Whether it held; nothing where nobody knows.
    pub held: Option<bool>,
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Whether it holds; nothing where nobody knows.
    pub holds: Option<bool>,
    /// All of its parts, in its order.
    pub parts: Vec<Part>,
    /// What it asks for and is not known, each once.
    pub missing: Vec<String>,
    /// Whether a part could not be judged although all was known.
    pub failed: bool,
}

impl Condition {
    /// Judges the condition. Nothing but the facts decides, and every part is looked at, so that the explanation is
    /// whole.
    pub fn judge(&self, facts: &Facts) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.holds = self.root.judge(facts, &facts.context(&self.groups), &mut verdict);
        verdict
    }

    /// The names of all that it asks for.
    pub fn needs(&self) -> Vec<&str> {
        let mut all = Vec::new();
        self.root.needs(&mut all);
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Node {
    fn judge(&self, facts: &Facts, context: &Context<'_, '_>, verdict: &mut Verdict) -> Option<bool> {
        match self {
            Self::All(nodes) => decided(nodes, facts, context, verdict, false),
            Self::Any(nodes) => decided(nodes, facts, context, verdict, true),
            Self::Not(node) => node.judge(facts, context, verdict).map(|held| !held),
            Self::Part { text, needs, expression } => {
                let missing: Vec<_> = needs.iter().filter(|name| !facts.knows(name)).collect();
                let held = if missing.is_empty() {
                    match Value::resolve(expression, context) {
                        Ok(Value::Bool(held)) => Some(held),
                        _ => {
                            verdict.failed = true;
                            None
                        }
                    }
                } else {
                    for name in missing {
                        if !verdict.missing.contains(name) {
                            verdict.missing.push(name.clone());
                        }
                    }
                    None
                };
                verdict.parts.push(Part { text: text.clone(), held });
                held
            }
        }
    }

    fn needs<'a>(&'a self, all: &mut Vec<&'a str>) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.needs(all)),
            Self::Not(node) => node.needs(all),
            Self::Part { needs, .. } => all.extend(needs.iter().map(String::as_str)),
        }
    }
}

/// Parts that are joined: one that is `decisive` decides, and else all must be known.
fn decided(
    nodes: &[Node],
    facts: &Facts,
    context: &Context<'_, '_>,
    verdict: &mut Verdict,
    decisive: bool,
) -> Option<bool> {
    let mut all = Some(!decisive);
    for node in nodes {
        match (node.judge(facts, context, verdict), all) {
            (Some(held), _) if held == decisive => all = Some(decisive),
            (None, Some(so_far)) if so_far != decisive => all = None,
            _ => {}
        }
    }
    all
}

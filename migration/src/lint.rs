//! Faults of a step: what is not portable to Citus, what would stop a clinic, what an older build would not survive.
//!
//! The rules and their reasons are in `docs/migrations.md`. A fault that is meant is allowed in the step
//! itself, with its reason: `-- lint: allow RULE: why`.

mod rules;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

pub use self::rules::PORTABILITY;
use self::rules::RULES;
use crate::{
    locks::{Holds, Mode, Own},
    sql::Statement,
    step::{Step, Way},
};

/// A fault of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step.
    pub step: String,
    /// Which rule.
    pub rule: &'static str,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The beginning of the statement.
    pub at: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {} ({})", self.step, self.rule, self.message, self.at)
    }
}

/// So many steps were written before there was a lint: what they lock was locked while no clinic was served.
pub const BEFORE: usize = 33;

/// The faults of one step.
pub fn lint(step: &Step) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut own = Own::default();
    let mut locked: Vec<(String, Mode)> = Vec::new();
    for directive in step.unknown_directives() {
        faults.push(fault(step, "directive", "there is no such directive".to_owned(), directive));
    }
    let statements = step.statements();
    for statement in &statements {
        let mut found = |rule, message: String| faults.push(fault(step, rule, message, statement.text));
        for rule in RULES.iter().filter(|rule| (rule.strikes)(statement)) {
            found(rule.name, rule.message.to_owned());
        }
        let concurrently = statement.has(&["concurrently"]);
        match step.way() {
            Way::Transaction if concurrently => {
                found(
                    "concurrent",
                    "CONCURRENTLY needs a step of its own: `-- praxis: concurrent`".to_owned(),
                );
            }
            Way::Concurrent if !concurrently => {
                found("concurrent", "a concurrent step only makes or drops indexes CONCURRENTLY".to_owned());
            }
            Way::Batches if !statement.has(&["limit"]) || statements.len() > 1 => {
                found("batches", "a step in batches is one statement with a LIMIT".to_owned());
            }
            Way::Transaction | Way::Concurrent | Way::Batches => {}
        }
        let index = statement.concurrent_index();
        if step.way() == Way::Concurrent
            && index.is_none_or(|name| name.eq_ignore_ascii_case("on") || name != name.to_lowercase())
        {
            found(
                "concurrent",
                "name the index, in lower case, so that a half-built one is found again".to_owned(),
            );
        }
        if step.oldest_build().is_none()
            && let Some(what) = takes_away(statement)
        {
            found(
                "contract",
                format!("{what} breaks the build before: only in a step that says `-- praxis: contract N`"),
            );
        }
        let changes_all =
            ["update", "delete"].iter().any(|verb| statement.begins(&[verb])) && !statement.has(&["limit"]);
        for lock in own.locks(statement) {
            if step.way() == Way::Transaction && changes_all {
                found(
                    "unbounded",
                    format!(
                        "locks every row of {} that it changes until the step ends: `-- praxis: batches`",
                        lock.table
                    ),
                );
            }
            if lock.holds > Holds::Briefly && lock.mode >= Mode::Share {
                found(
                    "long-lock",
                    format!(
                        "holds {} on {} while its rows are read: NOT VALID first and VALIDATE in a later step; an index concurrently",
                        lock.mode, lock.table
                    ),
                );
            }
            let strong =
                locked.iter().find(|(table, mode)| *table == lock.table && *mode >= Mode::ShareRowExclusive);
            if let (Some((table, mode)), true) = (strong, statement.has(&["validate", "constraint"])) {
                found(
                    "validate-apart",
                    format!(
                        "reads {table} while this step still holds {mode} on it: VALIDATE in a step of its own"
                    ),
                );
            }
            if step.oldest_build().is_none()
                && let Some(what) = breaks_old_builds(statement)
            {
                found(
                    "contract",
                    format!(
                        "{what} breaks the build before: only in a step that says `-- praxis: contract N`"
                    ),
                );
            }
            locked.push((lock.table, lock.mode));
        }
    }
    faults.retain(|fault| !allows(step, fault.rule));
    faults
}

fn fault(step: &Step, rule: &'static str, message: String, at: &str) -> Fault {
    let at = at.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
    Fault { step: step.name().to_owned(), rule, message, at: at.chars().take(80).collect() }
}

/// True when the step says that it means it, and why.
fn allows(step: &Step, rule: &str) -> bool {
    step.sql().lines().filter_map(|line| line.trim().strip_prefix("-- lint: allow ")).any(|rest| {
        rest.split_once(':').is_some_and(|(allowed, why)| allowed.trim() == rule && !why.trim().is_empty())
    })
}

/// What a statement takes away that is no table.
fn takes_away(statement: &Statement<'_>) -> Option<&'static str> {
    let cases = [
        (statement.begins(&["drop", "function"]), "a function that goes"),
        // Functions are everybody's until that is taken away, which is done when they are made.
        (statement.begins(&["revoke"]) && !statement.has(&["from", "public"]), "a right that goes"),
    ];
    cases.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

/// What a statement takes away from a table that was there before.
fn breaks_old_builds(statement: &Statement<'_>) -> Option<&'static str> {
    let adds_not_null = statement.has(&["add", "column"])
        && statement.has(&["not", "null"])
        && !statement.has(&["default"])
        && !statement.has(&["generated"]);
    let cases = [
        (statement.has(&["drop", "column"]), "a column that goes"),
        (statement.begins(&["drop", "table"]), "a table that goes"),
        (statement.begins(&["drop", "view"]), "a view that goes"),
        (statement.begins(&["alter", "table"]) && statement.has(&["rename"]), "another name"),
        (statement.has(&["alter", "column"]) && statement.has(&["type"]), "another type"),
        (statement.has(&["set", "not", "null"]), "a column that must be filled"),
        (statement.has(&["drop", "default"]), "a default that goes"),
        (adds_not_null, "a column that must be filled"),
    ];
    cases.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

//! Conditions: when a clinical rule fires, and when a step of a workflow opens.
//!
//! A condition is an expression of the Common Expression Language over facts that were gathered before. Of the
//! language only what always ends is taken: comparisons, arithmetic, `in`, `has`, `startsWith`, `contains`, and
//! `&&`, `||`, `!` between them. There are no loops, so the work is at most one step for each of its nodes, and those
//! are counted when it is written. Names and kinds are checked then, too: what was accepted can only fail for want
//! of a fact.
//!
//! Facts may be unknown. `&&`, `||` and `!` are Kleene's: unknown is neither true nor false, and goes away where the
//! rest decides. So a condition holds, does not hold, or nobody knows — and says which part decided.

mod facts;
mod judge;
mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use facts::{Fact, Facts, Kind, Vocabulary};
pub use judge::{Part, Verdict};
pub use parse::{Condition, Fault, MOST_CHARACTERS, MOST_NODES};

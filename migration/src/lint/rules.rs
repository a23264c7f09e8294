//! The rules over one statement, one after the other: here is where another one is added.
//!
//! What looks at more than one statement, or at what it locks, is told in `lint.rs`; what a rule looks for, in `words.rs`.

use super::words::{
    commas_outside_parentheses, ends_like_a_shard, is_function, is_said, leaves_the_schema, names_its_shard,
    names_no_kind, reads_elsewhere, tells_or_locks_on_one_node, unnamed_constraint,
};
use crate::sql::{Statement, Token, find};

/// A rule over one statement: what it is called, whom it strikes, what to do instead.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) strikes: fn(&Statement<'_>) -> bool,
    pub(super) message: &'static str,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "types",
        strikes: |s| s.begins(&["create", "type"]) || s.begins(&["create", "domain"]),
        message: "each schema would have its own type, and prepared statements fail with another's: use text and a named CHECK",
    },
    Rule {
        name: "function-path",
        strikes: |s| is_function(s) && !s.has(&["set", "search_path"]),
        message: "a function without SET search_path finds other tables under another path",
    },
    Rule {
        name: "shard-name",
        strikes: |s| s.bodies().iter().any(|body| names_its_shard(&body.tokens)),
        message: "in a trigger on a shard that is the shard's name: give the table's as an argument, or cut the number off",
    },
    Rule {
        name: "outbox",
        strikes: |s| {
            s.bodies().iter().any(|body| OUTBOXES.iter().any(|table| body.has(&["insert", "into", table])))
        },
        message: "what is to be sent or done is written by the service, not by a trigger",
    },
    Rule {
        name: "number-behind",
        strikes: |s| {
            s.tokens.windows(2).any(|pair| matches!(pair, [first, name] if first.is("constraint") && name.name().is_some_and(ends_like_a_shard)))
        },
        message: "a constraint's name that ends in a number can't be told from that of its shard",
    },
    Rule {
        name: "rules",
        strikes: |s| s.begins(&["create", "rule"]),
        message: "no RULE: write a trigger for an invariant",
    },
    Rule {
        name: "statement",
        strikes: |s| !KNOWN.iter().any(|keywords| s.begins(keywords)),
        message: "nobody here knows what this statement locks, or it has no place in a step",
    },
    Rule {
        name: "column",
        strikes: |s| s.begins(&["alter", "table"]) && names_no_kind(&s.tokens),
        message: "write COLUMN: what is added, dropped, altered or renamed has to be said",
    },
    Rule {
        name: "one-change",
        strikes: |s| s.begins(&["alter", "table"]) && commas_outside_parentheses(&s.tokens) > 0,
        message: "one subcommand per ALTER TABLE",
    },
    Rule {
        name: "named",
        strikes: |s| s.begins(&["alter", "table"]) && s.has(&["add"]) && unnamed_constraint(&s.tokens),
        message: "name the constraint, so that an error can be told by it",
    },
    Rule {
        name: "rename",
        strikes: |s| s.has(&["rename", "constraint"]),
        message: "no RENAME CONSTRAINT: add one of the new name and drop the old one",
    },
    Rule {
        name: "serial",
        strikes: |s| ["serial", "bigserial", "smallserial"].iter().any(|word| s.has(&[word])),
        message: "no serial: take numbers from `counter`, or a bigint identity at CREATE TABLE",
    },
    Rule {
        name: "identity",
        strikes: |s| {
            s.has(&["as", "identity"])
                && (s.has(&["add", "column"])
                    || s.has(&["integer", "generated"])
                    || s.has(&["smallint", "generated"]))
        },
        message: "an identity is a bigint and is made with its table",
    },
    Rule {
        name: "plain-tables",
        strikes: |s| {
            let table = s.after(&["create", "table"]);
            table.is_some_and(|rest| {
                rest.get(1).is_some_and(|token| token.is("of")) || find(rest, &["partition"]).is_some()
            }) || s.begins(&["create"])
                && [
                    ["materialized", "view"].as_slice(),
                    &["inherits"],
                    &["create", "unlogged"],
                    &["create", "temp"],
                    &["create", "temporary"],
                ]
                .iter()
                .any(|words| s.has(words))
        },
        message: "plain tables and views only",
    },
    Rule {
        name: "primary-key",
        strikes: |s| s.begins(&["create", "table"]) && !s.has(&["primary", "key"]),
        message: "every table has a primary key",
    },
    Rule { name: "merge", strikes: |s| s.begins(&["merge"]), message: "no MERGE: use ON CONFLICT" },
    Rule {
        name: "volatile-update",
        strikes: |s| {
            s.has(&["update"])
                && s.has(&["set"])
                && !s.begins(&["create"])
                && !s.begins(&["alter"])
                && ["gen_random_uuid", "random", "clock_timestamp", "nextval"]
                    .iter()
                    .any(|word| s.has(&[word]))
        },
        message: "no volatile function in an UPDATE: it would differ from node to node",
    },
    Rule {
        name: "values",
        strikes: |s| {
            find(&s.tokens, &["values"]).is_some_and(|rest| {
                rest.windows(2).any(|pair| matches!(pair, [Token::Sign('('), second] if second.is("select")))
            })
        },
        message: "no sub-select in VALUES: write INSERT … SELECT",
    },
    Rule {
        name: "foreign-schema",
        strikes: |s| {
            leaves_the_schema(&s.tokens) || s.bodies().iter().any(|body| reads_elsewhere(&body.tokens))
        },
        message: "nothing leaves the schema, except to `ext` and `ref`",
    },
    Rule {
        name: "notify",
        strikes: |s| is_said(s, |s| s.tokens.iter().any(tells_or_locks_on_one_node)),
        message: "no notices and no advisory locks outside of the control database: they stay on one node",
    },
    Rule {
        name: "grants",
        strikes: |s| s.has(&["all", "tables", "in", "schema"]),
        message: "rights are given table by table, with grant_to_runtime",
    },
    Rule {
        name: "columns",
        strikes: |s| {
            s.tokens.windows(2).any(|pair| matches!(pair, [first, Token::Sign('*')] if first.is("select")))
        },
        message: "list the columns: a star changes its meaning with the table",
    },
    Rule {
        name: "hidden-locks",
        strikes: |s| s.begins(&["do"]),
        message: "what a DO block locks can't be seen: write its statements",
    },
];

/// What a table is written to that somebody is to act upon.
const OUTBOXES: [&str; 3] = ["job", "mail_message", "notification"];

/// The rules of portability between Postgres and Citus, as `docs/citus.md` counts them, and what holds steps to each.
pub const PORTABILITY: [(u8, &[&str]); 11] = [
    (0, &["types"]),
    (1, &["function-path", "shard-name"]),
    (2, &["rules", "outbox"]),
    (3, &["one-change", "named", "rename", "long-lock", "validate-apart"]),
    (4, &["serial", "identity"]),
    (5, &["plain-tables", "primary-key"]),
    (6, &["merge", "values", "volatile-update"]),
    (7, &["foreign-schema"]),
    (8, &["statement", "number-behind", "named"]),
    (9, &["notify"]),
    (10, &["grants"]),
];

/// The statements that steps are written with, and those that other rules strike.
const KNOWN: &[&[&str]] = &[
    &["create"],
    &["alter", "table"],
    &["drop", "table"],
    &["drop", "index"],
    &["drop", "trigger"],
    &["drop", "view"],
    &["drop", "function"],
    &["insert"],
    &["update"],
    &["delete"],
    &["with"],
    &["select"],
    &["grant"],
    &["revoke"],
    &["comment"],
    &["truncate"],
    &["do"],
    &["merge"],
    &["notify"],
    &["listen"],
];

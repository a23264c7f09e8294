//! Faults of a step: what is not portable to Citus, what would stop a clinic, what an older build would not survive.
//!
//! The rules and their reasons are in `docs/migrations.md`. A fault that is meant is allowed in the step
//! itself, with its reason: `-- lint: allow RULE: why`.

use std::fmt;

use crate::{
    locks::{Holds, Mode, Own},
    sql::{Statement, Token, find, follow},
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

/// A rule over one statement: what it is called, whom it strikes, what to do instead.
struct Rule {
    name: &'static str,
    strikes: fn(&Statement<'_>) -> bool,
    message: &'static str,
}

const RULES: &[Rule] = &[
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

/// So many steps were written before there was a lint: what they lock was locked while no clinic was served.
pub const BEFORE: usize = 33;

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

fn is_function(statement: &Statement<'_>) -> bool {
    ["function", "procedure"].iter().any(|kind| {
        statement.begins(&["create", kind]) || statement.begins(&["create", "or", "replace", kind])
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

/// True when `ALTER TABLE … ADD x` leaves out what x is.
fn names_no_kind(tokens: &[Token<'_>]) -> bool {
    const KINDS: [&str; 12] = [
        "column",
        "constraint",
        "trigger",
        "row",
        "rule",
        "to",
        "check",
        "foreign",
        "unique",
        "primary",
        "exclude",
        "if",
    ];
    let Some(rest) = tokens.get(2..) else { return false };
    let action =
        rest.iter().position(|token| ["add", "drop", "alter", "rename"].iter().any(|verb| token.is(verb)));
    let after = action.and_then(|at| rest.get(at + 1));
    after.is_some_and(|token| !KINDS.iter().any(|kind| token.is(kind)))
}

fn commas_outside_parentheses(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_u32;
    tokens
        .iter()
        .filter(|token| match token {
            Token::Sign('(') => {
                depth += 1;
                false
            }
            Token::Sign(')') => {
                depth = depth.saturating_sub(1);
                false
            }
            Token::Sign(',') => depth == 0,
            _ => false,
        })
        .count()
}

/// True when a CHECK, REFERENCES, UNIQUE or PRIMARY KEY comes without a name of its own.
fn unnamed_constraint(tokens: &[Token<'_>]) -> bool {
    let makes = ["check", "references", "unique", "primary", "exclude"];
    let begins = |token: &Token<'_>| makes.iter().any(|keyword| token.is(keyword));
    tokens.iter().enumerate().any(|(at, token)| {
        // `CONSTRAINT name` stands before it; of a foreign key, the words FOREIGN KEY and its columns too.
        begins(token) && !tokens.get(..at).unwrap_or_default().iter().any(|before| before.is("constraint"))
    })
}

/// True of a statement, or of what is written in it in dollars.
fn is_said(statement: &Statement<'_>, what: fn(&Statement<'_>) -> bool) -> bool {
    what(statement) || statement.bodies().iter().any(what)
}

fn tells_or_locks_on_one_node(token: &Token<'_>) -> bool {
    let Token::Word(word) = token else { return false };
    let word = word.to_ascii_lowercase();
    ["listen", "notify", "pg_notify"].contains(&word.as_str())
        || word.starts_with("pg_advisory_")
        || word.starts_with("pg_try_advisory_")
}

/// True when a trigger asks for the name of its table and takes it as it is.
fn names_its_shard(tokens: &[Token<'_>]) -> bool {
    let names =
        |token: &Token<'_>| ["tg_table_name", "tg_relname", "tg_relid"].iter().any(|name| token.is(name));
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at.checked_sub(2).and_then(|from| tokens.get(from..at));
        let cut = matches!(before, Some([function, Token::Sign('(')]) if function.is("regexp_replace"));
        names(token) && !cut
    })
}

fn ends_like_a_shard(name: &str) -> bool {
    name.rsplit_once('_')
        .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}

/// True when a body reads or writes a table of another schema. Of what stands between FROM and a point much is a
/// variable; the schemas that are not the clinic's have names.
fn reads_elsewhere(tokens: &[Token<'_>]) -> bool {
    const ELSEWHERE: [&str; 3] = ["control", "cell", "public"];
    tokens.windows(2).any(
        |pair| matches!(pair, [schema, Token::Sign('.')] if ELSEWHERE.iter().any(|name| schema.is(name))),
    )
}

fn leaves_the_schema(tokens: &[Token<'_>]) -> bool {
    const BEFORE: [&str; 7] = ["references", "into", "from", "join", "update", "table", "on"];
    const ALLOWED: [&str; 5] = ["ext", "ref", "pg_catalog", "information_schema", "excluded"];
    tokens.iter().enumerate().any(|(at, token)| {
        if !BEFORE.iter().any(|keyword| token.is(keyword)) {
            return false;
        }
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        if before.is_some_and(|word| word.is("distinct")) {
            return false;
        }
        let rest = tokens.get(at + 1..).unwrap_or_default();
        let rest = follow(rest, &["only"]).unwrap_or(rest);
        // `JOIN x ON a.b = c.d` names columns, not tables.
        let of_a_table =
            !token.is("on") || find(tokens, &["trigger"]).is_some() || find(tokens, &["index"]).is_some();
        match rest {
            [schema, Token::Sign('.'), ..] if of_a_table => schema
                .name()
                .is_some_and(|name| !ALLOWED.iter().any(|allowed| name.eq_ignore_ascii_case(allowed))),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(sql: &str) -> Vec<&'static str> {
        let mut rules: Vec<_> =
            lint(&Step::new("m0001_x", sql.to_owned())).iter().map(|fault| fault.rule).collect();
        rules.dedup();
        rules
    }

    #[test]
    fn every_rule_finds_what_it_is_for() {
        for (rule, sql) in [
            ("types", "CREATE TYPE mood AS ENUM ('a')"),
            ("function-path", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT 1 $$"),
            ("rules", "CREATE RULE r AS ON INSERT TO a DO NOTHING"),
            (
                "shard-name",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN x := TG_TABLE_NAME; END $$",
            ),
            (
                "outbox",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN INSERT INTO job (id) VALUES (1); END $$",
            ),
            ("number-behind", "CREATE TABLE a (b text PRIMARY KEY CONSTRAINT a_check_2 CHECK (b <> ''))"),
            ("plain-tables", "CREATE TABLE a PARTITION OF b (PRIMARY KEY (c)) FOR VALUES IN (1)"),
            (
                "foreign-schema",
                "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT count(*) FROM control.tenant $$",
            ),
            (
                "notify",
                "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT pg_try_advisory_lock(1) $$",
            ),
            ("one-change", "ALTER TABLE a ADD COLUMN b text, ADD COLUMN c text"),
            ("named", "ALTER TABLE a ADD COLUMN b uuid REFERENCES c (id)"),
            ("rename", "-- praxis: contract 1\nALTER TABLE a RENAME CONSTRAINT b TO c"),
            ("serial", "CREATE TABLE a (b bigserial PRIMARY KEY)"),
            (
                "identity",
                "ALTER TABLE a ADD COLUMN b bigint GENERATED ALWAYS AS IDENTITY\n-- lint: allow long-lock: here only identity",
            ),
            ("plain-tables", "CREATE MATERIALIZED VIEW a AS SELECT 1"),
            ("primary-key", "CREATE TABLE a (b text)"),
            ("merge", "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE"),
            (
                "volatile-update",
                "-- lint: allow unbounded: here only the function\nUPDATE a SET b = gen_random_uuid()",
            ),
            ("values", "INSERT INTO a (b) VALUES ((SELECT 1))"),
            ("foreign-schema", "CREATE VIEW a AS SELECT b FROM control.tenant"),
            ("notify", "SELECT pg_notify('a', 'b')"),
            ("grants", "GRANT SELECT ON ALL TABLES IN SCHEMA a TO b"),
            ("columns", "CREATE VIEW a AS SELECT * FROM b"),
            ("hidden-locks", "DO $$ BEGIN DROP TABLE a; END $$"),
            ("concurrent", "CREATE INDEX CONCURRENTLY a ON b (c)"),
            (
                "concurrent",
                "-- praxis: concurrent\nCREATE INDEX a ON b (c)\n-- lint: allow long-lock: here only the kind of step",
            ),
            ("batches", "-- praxis: batches\nUPDATE a SET b = 1"),
            ("long-lock", "CREATE INDEX a ON b (c)"),
            ("long-lock", "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)"),
            (
                "validate-apart",
                "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT b",
            ),
            ("contract", "ALTER TABLE a DROP COLUMN b"),
            ("contract", "ALTER TABLE a ADD COLUMN b text NOT NULL"),
            ("contract", "DROP FUNCTION f()"),
            ("contract", "REVOKE INSERT ON a FROM b"),
            ("contract", "ALTER TABLE a ALTER COLUMN b DROP DEFAULT"),
            ("column", "ALTER TABLE a DROP b"),
            ("column", "ALTER TABLE a ALTER b SET DEFAULT 1"),
            ("column", "ALTER TABLE a ADD b text"),
            ("statement", "COMMIT"),
            ("statement", "LOCK TABLE a"),
            ("statement", "SET ROLE b"),
            ("unbounded", "UPDATE a SET b = 1"),
            ("concurrent", "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY ON a (b)"),
            ("concurrent", "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY MyIndex ON a (b)"),
            ("directive", "-- praxis: sometimes\nSELECT 1"),
        ] {
            assert_eq!(rules(sql), [rule], "{sql}");
        }
    }

    #[test]
    fn every_rule_of_portability_is_held_by_a_lint() {
        let known: Vec<_> =
            RULES.iter().map(|rule| rule.name).chain(["long-lock", "validate-apart"]).collect();
        for (number, (rule, lints)) in (0..).zip(PORTABILITY) {
            assert_eq!(rule, number);
            assert!(!lints.is_empty() && lints.iter().all(|lint| known.contains(lint)), "{rule}");
        }
    }

    #[test]
    fn what_is_written_well_has_no_fault() {
        for sql in [
            "ALTER TABLE a ADD COLUMN b text",
            "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (id) NOT VALID",
            "ALTER TABLE a VALIDATE CONSTRAINT b",
            "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY a ON b (c)",
            "-- praxis: batches\nUPDATE a SET b = 1 WHERE id IN (SELECT id FROM a WHERE b IS NULL LIMIT 1000)",
            "-- praxis: contract 7\nALTER TABLE a DROP COLUMN b",
            "CREATE TABLE a (b uuid PRIMARY KEY, c numeric(10,2)); CREATE INDEX d ON a (c); SELECT grant_to_runtime('a', 'SELECT')",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN UPDATE x.y SET z = random(); END $$",
        ] {
            assert_eq!(lint(&Step::new("m0001_x", sql)), [], "{sql}");
        }
    }

    #[test]
    fn a_fault_is_allowed_only_with_a_reason() {
        assert_eq!(
            rules("-- lint: allow rules: it is a joke\nCREATE RULE r AS ON INSERT TO a DO NOTHING"),
            [""; 0]
        );
        assert_eq!(rules("-- lint: allow rules:\nCREATE RULE r AS ON INSERT TO a DO NOTHING"), ["rules"]);
    }

    #[test]
    fn the_steps_of_a_tenant_have_no_fault() {
        let steps = crate::tenant::steps();
        let faults: Vec<_> = steps.iter().skip(BEFORE).flat_map(lint).collect();
        assert_eq!(faults, []);
        let about_locks = ["long-lock", "validate-apart", "contract", "hidden-locks", "unbounded"];
        let portable: Vec<_> = steps
            .iter()
            .take(BEFORE)
            .flat_map(lint)
            .filter(|fault| !about_locks.contains(&fault.rule))
            // What it made was replaced by m0035.
            .filter(|fault| (fault.step.as_str(), fault.rule) != ("m0032_chart_versions", "shard-name"))
            .collect();
        assert_eq!(portable, []);
    }
}

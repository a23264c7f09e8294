//! Which tables a statement locks, how strongly, and whether it holds the lock for as long as it reads the rows.
//!
//! A lock that is held for an instant costs nobody anything; one that is held while a table is read or
//! written anew stops a clinic. `tests/it/migrate/locks.rs` compares all this with what Postgres takes.

use std::{collections::HashSet, fmt};

use crate::sql::{Statement, Token, find, follow};

/// Postgres' table locks, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Reading.
    AccessShare,
    /// Reading, and keeping rows as they are.
    RowShare,
    /// Writing.
    RowExclusive,
    /// Beside reading and writing.
    ShareUpdateExclusive,
    /// Nobody writes.
    Share,
    /// Nobody writes, nor locks alike.
    ShareRowExclusive,
    /// Only reading goes on.
    Exclusive,
    /// Nothing goes on.
    AccessExclusive,
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

/// For how long a lock is needed, apart from the rest of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// For an instant.
    Briefly,
    /// While all rows are read.
    WhileReading,
    /// While all rows are written anew.
    WhileRewriting,
}

/// A lock on a table that was there before the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The table, or the index that says which one.
    pub table: String,
    /// How strong.
    pub mode: Mode,
    /// How long.
    pub holds: Holds,
}

/// The tables of one step that are its own: nobody else knows of them yet.
#[derive(Debug, Default)]
pub struct Own(HashSet<String>);

impl Own {
    /// The locks of the step's next statement on tables that are not its own.
    pub fn locks(&mut self, statement: &Statement<'_>) -> Vec<Lock> {
        if let Some(made) = made(statement) {
            self.0.insert(made.to_owned());
        }
        let mut locks: Vec<Lock> = Vec::new();
        for lock in all(statement) {
            if self.0.contains(&lock.table) {
                continue;
            }
            match locks.iter_mut().find(|known| known.table == lock.table) {
                Some(known) => {
                    known.mode = known.mode.max(lock.mode);
                    known.holds = known.holds.max(lock.holds);
                }
                None => locks.push(lock),
            }
        }
        locks
    }
}

/// The table or view that a statement makes.
fn made<'a>(statement: &Statement<'a>) -> Option<&'a str> {
    let rest = [["create", "table"].as_slice(), &["create", "view"], &["create", "or", "replace", "view"]]
        .iter()
        .find_map(|keywords| statement.after(keywords))?;
    named(rest)
}

/// The name that comes first, after what may stand before it.
fn named<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let mut rest = tokens;
    for optional in [["if", "not", "exists"].as_slice(), &["if", "exists"], &["only"]] {
        rest = follow(rest, optional).unwrap_or(rest);
    }
    rest.first().and_then(|token| token.name())
}

fn all(statement: &Statement<'_>) -> Vec<Lock> {
    let tokens = statement.tokens.as_slice();
    let mut locks = Vec::new();
    let mut add = |name: Option<&str>, mode, holds| {
        if let Some(name) = name {
            locks.push(Lock { table: name.to_owned(), mode, holds });
        }
    };
    if let Some(rest) = statement.after(&["create", "table"]) {
        for other in after_each(rest, &["references"]) {
            add(named(other), Mode::ShareRowExclusive, Holds::Briefly);
        }
    } else if let Some(rest) = statement.after(&["alter", "table"]) {
        let table = named(rest);
        for (mode, holds) in alter(rest) {
            add(table, mode, holds);
        }
        let scan = if is_new_foreign_key(rest) { Holds::WhileReading } else { Holds::Briefly };
        for other in after_each(rest, &["references"]) {
            add(named(other), Mode::ShareRowExclusive, scan);
        }
    } else if let Some(rest) = index(statement) {
        let (mode, holds) = match statement.has(&["concurrently"]) {
            true => (Mode::ShareUpdateExclusive, Holds::WhileReading),
            false => (Mode::Share, Holds::WhileReading),
        };
        add(find(rest, &["on"]).and_then(named), mode, holds);
    } else if [
        ["create", "trigger"].as_slice(),
        &["create", "or", "replace", "trigger"],
        &["create", "constraint", "trigger"],
    ]
    .iter()
    .any(|keywords| statement.begins(keywords))
    {
        add(find(tokens, &["on"]).and_then(named), Mode::ShareRowExclusive, Holds::Briefly);
    } else if statement.begins(&["create"]) || statement.begins(&["do"]) {
        // A function or a view only looks; what a block does can't be seen, which the lint refuses.
    } else if statement.begins(&["drop", "trigger"]) || statement.begins(&["drop", "policy"]) {
        add(find(tokens, &["on"]).and_then(named), Mode::AccessExclusive, Holds::Briefly);
    } else if let Some(rest) = statement.after(&["drop", "index", "concurrently"]) {
        add(named(rest), Mode::ShareUpdateExclusive, Holds::Briefly);
    } else if let Some(rest) = [["drop", "table"], ["drop", "index"], ["drop", "view"]]
        .iter()
        .find_map(|keywords| statement.after(keywords))
    {
        add(named(rest), Mode::AccessExclusive, Holds::Briefly);
    } else if let Some(rest) = statement.after(&["truncate"]) {
        add(named(follow(rest, &["table"]).unwrap_or(rest)), Mode::AccessExclusive, Holds::Briefly);
    } else {
        for (keywords, mode) in
            [(["insert", "into"].as_slice(), Mode::RowExclusive), (&["delete", "from"], Mode::RowExclusive)]
        {
            for rest in after_each(tokens, keywords) {
                add(named(rest), mode, Holds::Briefly);
            }
        }
        // `ON CONFLICT … DO UPDATE SET` and `FOR UPDATE` name no table.
        for rest in after_each(tokens, &["update"]) {
            let table = named(rest)
                .filter(|name| !name.eq_ignore_ascii_case("set") && !name.eq_ignore_ascii_case("of"));
            add(table, Mode::RowExclusive, Holds::Briefly);
        }
    }
    locks
}

/// What follows the name in a statement that makes an index.
fn index<'t, 'a>(statement: &'t Statement<'a>) -> Option<&'t [Token<'a>]> {
    statement.after(&["create", "index"]).or_else(|| statement.after(&["create", "unique", "index"]))
}

fn after_each<'t, 'a>(tokens: &'t [Token<'a>], keywords: &[&str]) -> Vec<&'t [Token<'a>]> {
    (0..tokens.len()).filter_map(|at| follow(tokens.get(at..)?, keywords)).collect()
}

fn is_new_foreign_key(rest: &[Token<'_>]) -> bool {
    find(rest, &["add", "constraint"]).is_some() && find(rest, &["not", "valid"]).is_none()
}

/// What each change of a table needs.
fn alter(rest: &[Token<'_>]) -> Vec<(Mode, Holds)> {
    let has = |keywords: &[&str]| find(rest, keywords).is_some();
    let mut needs = Vec::new();
    if has(&["add", "column"]) {
        let rewrites = has(&["stored"]) || has(&["identity"]) || has_volatile_default(rest);
        let reads = ["check", "unique", "primary"].iter().any(|keyword| has(&[keyword]));
        let holds = match (rewrites, reads) {
            (true, _) => Holds::WhileRewriting,
            (false, true) => Holds::WhileReading,
            (false, false) => Holds::Briefly,
        };
        needs.push((Mode::AccessExclusive, holds));
    } else if has(&["add", "constraint"]) {
        let holds = if has(&["not", "valid"]) || has(&["using", "index"]) {
            Holds::Briefly
        } else {
            Holds::WhileReading
        };
        let mode = if has(&["foreign", "key"]) { Mode::ShareRowExclusive } else { Mode::AccessExclusive };
        needs.push((mode, holds));
    } else if has(&["validate", "constraint"]) {
        needs.push((Mode::ShareUpdateExclusive, Holds::WhileReading));
    } else if has(&["alter", "column"]) || has(&["alter"]) {
        let holds = if has(&["type"]) {
            Holds::WhileRewriting
        } else if has(&["set", "not", "null"]) {
            Holds::WhileReading
        } else {
            Holds::Briefly
        };
        let mode = match has(&["set", "statistics"]) {
            true => Mode::ShareUpdateExclusive,
            false => Mode::AccessExclusive,
        };
        needs.push((mode, holds));
    } else if has(&["trigger"]) && (has(&["enable"]) || has(&["disable"])) {
        needs.push((Mode::ShareRowExclusive, Holds::Briefly));
    } else {
        needs.push((Mode::AccessExclusive, Holds::Briefly));
    }
    needs
}

/// True when a default has to be worked out for each row that is there. `now()` has not: it is the same for all.
fn has_volatile_default(rest: &[Token<'_>]) -> bool {
    const VOLATILE: [&str; 5] = ["gen_random_uuid", "random", "clock_timestamp", "nextval", "timeofday"];
    find(rest, &["default"])
        .is_some_and(|default| default.iter().any(|token| VOLATILE.iter().any(|function| token.is(function))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statements;

    fn locks(sql: &str) -> Vec<String> {
        let mut own = Own::default();
        let shown = |lock: Lock| format!("{} {} {:?}", lock.table, lock.mode, lock.holds);
        statements(sql).iter().flat_map(|statement| own.locks(statement)).map(shown).collect()
    }

    #[test]
    fn each_statement_tells_what_it_locks() {
        for (sql, expected) in [
            ("ALTER TABLE a ADD COLUMN b text", "a ACCESS EXCLUSIVE Briefly"),
            ("ALTER TABLE a ADD COLUMN b timestamptz NOT NULL DEFAULT now()", "a ACCESS EXCLUSIVE Briefly"),
            (
                "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()",
                "a ACCESS EXCLUSIVE WhileRewriting",
            ),
            ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)", "a ACCESS EXCLUSIVE WhileReading"),
            ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID", "a ACCESS EXCLUSIVE Briefly"),
            ("ALTER TABLE a VALIDATE CONSTRAINT c", "a SHARE UPDATE EXCLUSIVE WhileReading"),
            ("ALTER TABLE ONLY a ALTER COLUMN b SET NOT NULL", "a ACCESS EXCLUSIVE WhileReading"),
            ("ALTER TABLE a ALTER COLUMN b TYPE bigint", "a ACCESS EXCLUSIVE WhileRewriting"),
            ("CREATE INDEX i ON a (b)", "a SHARE WhileReading"),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)", "a SHARE UPDATE EXCLUSIVE WhileReading"),
            ("CREATE TRIGGER t BEFORE UPDATE ON a EXECUTE FUNCTION f()", "a SHARE ROW EXCLUSIVE Briefly"),
            ("DROP TABLE IF EXISTS a", "a ACCESS EXCLUSIVE Briefly"),
            ("WITH x AS (SELECT 1) UPDATE a SET b = 1", "a ROW EXCLUSIVE Briefly"),
            ("INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET c = 1", "a ROW EXCLUSIVE Briefly"),
        ] {
            assert_eq!(locks(sql), [expected], "{sql}");
        }
        assert_eq!(
            locks("ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES d (id) NOT VALID"),
            ["a SHARE ROW EXCLUSIVE Briefly", "d SHARE ROW EXCLUSIVE Briefly"]
        );
        assert_eq!(
            locks("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE a SET b = 1 $$"),
            [""; 0]
        );
    }

    #[test]
    fn a_table_of_the_same_step_is_nobody_elses() {
        let sql = "CREATE TABLE a (b uuid CONSTRAINT c REFERENCES d (id)); CREATE INDEX i ON a (b); ALTER TABLE a ADD COLUMN e text";
        assert_eq!(locks(sql), ["d SHARE ROW EXCLUSIVE Briefly"]);
    }
}

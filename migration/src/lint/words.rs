//! What the rules look for in the words of a statement.

use crate::sql::{Statement, Token, find, follow};

pub(super) fn is_function(statement: &Statement<'_>) -> bool {
    ["function", "procedure"].iter().any(|kind| {
        statement.begins(&["create", kind]) || statement.begins(&["create", "or", "replace", kind])
    })
}

/// True when `ALTER TABLE … ADD x` leaves out what x is.
pub(super) fn names_no_kind(tokens: &[Token<'_>]) -> bool {
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

pub(super) fn commas_outside_parentheses(tokens: &[Token<'_>]) -> usize {
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
pub(super) fn unnamed_constraint(tokens: &[Token<'_>]) -> bool {
    let makes = ["check", "references", "unique", "primary", "exclude"];
    let begins = |token: &Token<'_>| makes.iter().any(|keyword| token.is(keyword));
    tokens.iter().enumerate().any(|(at, token)| {
        // `CONSTRAINT name` stands before it; of a foreign key, the words FOREIGN KEY and its columns too.
        begins(token) && !tokens.get(..at).unwrap_or_default().iter().any(|before| before.is("constraint"))
    })
}

/// True of a statement, or of what is written in it in dollars.
pub(super) fn is_said(statement: &Statement<'_>, what: fn(&Statement<'_>) -> bool) -> bool {
    what(statement) || statement.bodies().iter().any(what)
}

pub(super) fn tells_or_locks_on_one_node(token: &Token<'_>) -> bool {
    let Token::Word(word) = token else { return false };
    let word = word.to_ascii_lowercase();
    ["listen", "notify", "pg_notify"].contains(&word.as_str())
        || word.starts_with("pg_advisory_")
        || word.starts_with("pg_try_advisory_")
}

/// True when a trigger asks for the name of its table and takes it as it is.
pub(super) fn names_its_shard(tokens: &[Token<'_>]) -> bool {
    let names =
        |token: &Token<'_>| ["tg_table_name", "tg_relname", "tg_relid"].iter().any(|name| token.is(name));
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at.checked_sub(2).and_then(|from| tokens.get(from..at));
        let cut = matches!(before, Some([function, Token::Sign('(')]) if function.is("regexp_replace"));
        names(token) && !cut
    })
}

pub(super) fn ends_like_a_shard(name: &str) -> bool {
    name.rsplit_once('_')
        .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()))
}

/// True when a body reads or writes a table of another schema. Of what stands between FROM and a point much is a
/// variable; the schemas that are not the clinic's have names.
pub(super) fn reads_elsewhere(tokens: &[Token<'_>]) -> bool {
    const ELSEWHERE: [&str; 3] = ["control", "cell", "public"];
    tokens.windows(2).any(
        |pair| matches!(pair, [schema, Token::Sign('.')] if ELSEWHERE.iter().any(|name| schema.is(name))),
    )
}

pub(super) fn leaves_the_schema(tokens: &[Token<'_>]) -> bool {
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

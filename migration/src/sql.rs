//! The text of a step, cut into statements and words.
//!
//! Enough of Postgres' lexical rules to know where a statement ends and which words stand outside of
//! quotes and comments; no grammar. The runner sends statement by statement, and what is said about
//! locks and portability is read from the words.

/// A word or sign of a statement. Comments and white space are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A keyword, an unquoted name or a number.
    Word(&'a str),
    /// A name in double quotes, without them.
    Quoted(&'a str),
    /// A constant in quotes or dollars; what is in it is nobody's business but the statement's.
    Text,
    /// Any other sign.
    Sign(char),
}

impl<'a> Token<'a> {
    /// True for this keyword, in whatever case.
    pub fn is(self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// The name that it is, if it can be one.
    pub fn name(self) -> Option<&'a str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Text | Self::Sign(_) => None,
        }
    }
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// As written, comments included, without the semicolon.
    pub text: &'a str,
    /// Its words.
    pub tokens: Vec<Token<'a>>,
}

impl<'a> Statement<'a> {
    /// True when it begins with these keywords.
    pub fn begins(&self, keywords: &[&str]) -> bool {
        self.after(keywords).is_some()
    }

    /// What follows these keywords at its beginning.
    pub fn after(&self, keywords: &[&str]) -> Option<&[Token<'a>]> {
        follow(&self.tokens, keywords)
    }

    /// The index that it makes or drops concurrently.
    pub fn concurrent_index(&self) -> Option<&'a str> {
        let rest = [
            ["create", "index", "concurrently"].as_slice(),
            &["create", "unique", "index", "concurrently"],
            &["drop", "index", "concurrently"],
        ]
        .iter()
        .find_map(|keywords| self.after(keywords))?;
        let rest = follow(rest, &["if", "not", "exists"])
            .or_else(|| follow(rest, &["if", "exists"]))
            .unwrap_or(rest);
        rest.first().and_then(|token| token.name())
    }

    /// What is written in it in dollars, the body of a function for instance, cut at its semicolons.
    pub fn bodies(&self) -> Vec<Statement<'a>> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(rest) = self.text.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, token) = lex(rest);
            if let (Some(Token::Text), Some(tag)) = (token, dollar_tag(rest)) {
                let body = rest.get(tag.len()..length.saturating_sub(tag.len()));
                found.extend(statements(body.unwrap_or_default()));
            }
            at += length;
        }
        found
    }

    /// True when these keywords stand in it next to each other.
    pub fn has(&self, keywords: &[&str]) -> bool {
        find(&self.tokens, keywords).is_some()
    }
}

/// What follows the keywords at the beginning of the tokens.
pub(crate) fn follow<'t, 'a>(tokens: &'t [Token<'a>], keywords: &[&str]) -> Option<&'t [Token<'a>]> {
    let (head, rest) = tokens.split_at_checked(keywords.len())?;
    head.iter().zip(keywords).all(|(token, keyword)| token.is(keyword)).then_some(rest)
}

/// What follows the keywords where they stand first.
pub(crate) fn find<'t, 'a>(tokens: &'t [Token<'a>], keywords: &[&str]) -> Option<&'t [Token<'a>]> {
    (0..tokens.len()).find_map(|at| follow(tokens.get(at..)?, keywords))
}

/// The statements of a text, empty ones left out.
pub fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut tokens = Vec::new();
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, token) = lex(rest);
        at += length;
        match token {
            Some(Token::Sign(';')) => {
                push(&mut found, sql.get(start..at - length), &mut tokens);
                start = at;
            }
            Some(token) => tokens.push(token),
            None => {}
        }
    }
    push(&mut found, sql.get(start..), &mut tokens);
    found
}

fn push<'a>(found: &mut Vec<Statement<'a>>, text: Option<&'a str>, tokens: &mut Vec<Token<'a>>) {
    if let (Some(text), false) = (text, tokens.is_empty()) {
        found.push(Statement { text: text.trim(), tokens: std::mem::take(tokens) });
    }
}

/// The length of what comes first, and what it is; nothing for space and comments. Never zero.
fn lex(rest: &str) -> (usize, Option<Token<'_>>) {
    let whole = rest.len();
    let mut characters = rest.chars();
    let Some(first) = characters.next() else { return (0, None) };
    let second = characters.next();
    let length = first.len_utf8();
    match (first, second) {
        ('-', Some('-')) => (rest.find('\n').unwrap_or(whole), None),
        ('/', Some('*')) => (comment(rest), None),
        ('\'', _) => (quoted(rest, '\'', false), Some(Token::Text)),
        ('e' | 'E', Some('\'')) => {
            (1 + quoted(rest.get(1..).unwrap_or_default(), '\'', true), Some(Token::Text))
        }
        ('"', _) => {
            let end = quoted(rest, '"', false);
            let name = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
            (end, Some(Token::Quoted(name)))
        }
        ('$', _) => match dollar_tag(rest) {
            Some(tag) => {
                let body = rest.get(tag.len()..).unwrap_or_default();
                let end = body.find(tag).map_or(whole, |end| end + 2 * tag.len());
                (end, Some(Token::Text))
            }
            None => (length, Some(Token::Sign('$'))),
        },
        (first, _) if first.is_whitespace() => (length, None),
        (first, _) if is_word(first) => {
            let end = rest.find(|next| !is_word(next)).unwrap_or(whole);
            (end, rest.get(..end).map(Token::Word))
        }
        (sign, _) => (length, Some(Token::Sign(sign))),
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of a comment; comments nest.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(next) = rest.get(at..).filter(|next| !next.is_empty()) {
        if next.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if next.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += next.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a text in quotes, in which a quote is written twice, or after a backslash.
fn quoted(rest: &str, quote: char, backslash: bool) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if backslash && character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    rest.len()
}

/// The `$tag$` that the text begins with.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = 1 + rest.get(1..)?.find('$')?;
    let tag = rest.get(..=end)?;
    let name = tag.get(1..end)?;
    (name.chars().all(is_word) && !name.starts_with(|first: char| first.is_ascii_digit())).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_only_outside_of_quotes_dollars_and_comments() {
        let sql = "-- a; b\nSELECT 'x;''y', E'\\';', \"a;b\" /* ; /* ; */ ; */;\n
            CREATE FUNCTION f() RETURNS void AS $a$ BEGIN; $b$ ; $b$ END; $a$;;\nDELETE FROM t WHERE a = $1";
        let found = statements(sql);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].text.starts_with("-- a; b\nSELECT"));
        assert!(found[0].tokens.contains(&Token::Quoted("a;b")));
        assert!(found[1].begins(&["create", "function", "f"]));
        assert!(found[2].has(&["FROM", "T"]));
        assert_eq!(found[2].tokens.last(), Some(&Token::Word("1")));
    }

    #[test]
    fn what_is_never_closed_reaches_to_the_end() {
        for open in ["SELECT 'a; b", "SELECT $$ a; b", "SELECT /* a; b", "SELECT \"a; b", "SELECT E'\\"] {
            assert_eq!(statements(open).len(), 1, "{open}");
        }
    }
}

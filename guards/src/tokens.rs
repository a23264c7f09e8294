//! Bounds the text of a document before the parser sees it.
//!
//! The parser recurses into brackets and copies what it reads, so nesting and the number of tokens
//! have to be known first. Strings and comments are skipped exactly as the grammar does, else a
//! bracket could hide in one.

use super::{Bounds, Excess};

/// Refuses a text that has too many tokens or directives or is nested too deeply.
pub(super) fn check(text: &str, bounds: &Bounds) -> Result<(), Excess> {
    let (mut tokens, mut directives, mut open) = (0_usize, 0_usize, 0_usize);
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                rest = tail;
                continue;
            }
            b'#' => {
                rest = skip_while(tail, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'"' => string(tail)?,
            b'{' | b'[' | b'(' => {
                open += 1;
                if open > bounds.nesting * 2 {
                    return Err(Excess::Nesting(bounds.nesting * 2));
                }
                tail
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                tail
            }
            b'@' => {
                directives += 1;
                if directives > bounds.directives {
                    return Err(Excess::Directives(bounds.directives));
                }
                tail
            }
            b'.' => tail.strip_prefix(b"..").unwrap_or(tail),
            byte if is_word(byte) => skip_while(tail, is_word),
            _ => tail,
        };
        tokens += 1;
        if tokens > bounds.tokens {
            return Err(Excess::Tokens(bounds.tokens));
        }
    }
    Ok(())
}

/// Names and numbers; `-`, `+` and a decimal point count as tokens of their own, which only errs upwards.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip_while(bytes: &[u8], keep: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|&byte| !keep(byte)).unwrap_or(bytes.len());
    bytes.get(end..).unwrap_or_default()
}

/// Skips a string whose first quotation mark is already read.
fn string(after_quote: &[u8]) -> Result<&[u8], Excess> {
    if let Some(block) = after_quote.strip_prefix(b"\"\"") {
        return block_string(block);
    }
    let mut rest = after_quote;
    loop {
        match rest {
            [b'"', tail @ ..] => return Ok(tail),
            [b'\\', _, tail @ ..] => rest = tail,
            [] | [b'\n' | b'\r', ..] => return Err(Excess::OpenString),
            [_, tail @ ..] => rest = tail,
        }
    }
}

fn block_string(mut rest: &[u8]) -> Result<&[u8], Excess> {
    loop {
        match rest {
            [b'"', b'"', b'"', tail @ ..] => return Ok(tail),
            [b'\\', b'"', b'"', b'"', tail @ ..] | [_, tail @ ..] => rest = tail,
            [] => return Err(Excess::OpenString),
        }
    }
}

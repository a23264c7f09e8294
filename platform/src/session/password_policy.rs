//! Which passwords may be used: NIST SP 800-63B-4, section 3.1.1.
//!
//! Fifteen characters, because a password may be all that guards an account; no rule about what kinds of
//! characters; no expiry. What an attacker would try first is refused: the whole password is looked at,
//! never whether a word is part of it. It is looked at as guesses are made, piece by piece: a common
//! word, a word about this person or clinic, a run of keys, a year count as one guess each, a repetition
//! as none, any other character as one of its own. Few pieces are few guesses.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Fewest characters.
pub const SHORTEST: usize = 15;
/// Most characters.
pub const LONGEST: usize = 256;
/// Pieces are counted in halves; so few are too few.
const TOO_FEW: usize = 6;
/// Fewer characters than this make no password, however often they come.
const FEWEST_KINDS: usize = 5;

/// A password that may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Too short.
    #[error("A password has at least 15 characters. Several words make a good one.")]
    TooShort,
    /// Too long.
    #[error("A password has at most 256 characters.")]
    TooLong,
    /// Among the first that somebody would try.
    #[error("This password is among the first that somebody would try: common words, runs, repetitions.")]
    Common,
    /// What it is made of is known to everybody here.
    #[error("This password is made of the names of the person or the clinic.")]
    Expected,
}

/// The form in which a password is counted, looked at and hashed: keyboards differ in how they compose letters.
pub(super) fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

/// Judges a password in its normalised form. `about` is what belongs to the person or the clinic: names,
/// addresses.
pub(super) fn judge(password: &str, about: &[impl AsRef<str>]) -> Result<(), PasswordRefused> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(PasswordRefused::TooShort);
    }
    if length > LONGEST {
        return Err(PasswordRefused::TooLong);
    }
    let kinds: HashSet<char> = password.chars().flat_map(char::to_lowercase).collect();
    if kinds.len() < FEWEST_KINDS {
        return Err(PasswordRefused::Common);
    }
    let about = names(about);
    for spelling in [plain(password), plain(&without_look_alikes(password))] {
        if pieces(&spelling, &|word| COMMON.contains(word)) <= TOO_FEW {
            return Err(PasswordRefused::Common);
        }
        if pieces(&spelling, &|word| COMMON.contains(word) || about.contains(word)) <= TOO_FEW {
            return Err(PasswordRefused::Expected);
        }
    }
    Ok(())
}

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
});

/// Names and addresses, whole and in parts.
fn names(about: &[impl AsRef<str>]) -> HashSet<String> {
    let whole = about.iter().map(AsRef::as_ref);
    let parts = whole.clone().flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
    whole
        .chain(parts)
        .map(|text| plain(&normalised(text)).iter().collect())
        .filter(|text: &String| text.chars().count() >= 3)
        .collect()
}

/// Lower case letters and digits; what stands between them is how words are joined.
fn plain(text: &str) -> Zeroizing<Vec<char>> {
    Zeroizing::new(
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect(),
    )
}

fn without_look_alikes(text: &str) -> Zeroizing<String> {
    let letter = |letter| match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    Zeroizing::new(text.chars().map(letter).collect())
}

/// In how few pieces the text can be said, in halves.
fn pieces(text: &[char], known: &dyn Fn(&str) -> bool) -> usize {
    // fewest[end] is the answer for the first `end` characters.
    let mut fewest = vec![0_usize];
    for end in 1..=text.len() {
        let best = (0..end).filter_map(|start| {
            let piece = text.get(start..end)?;
            let before = text.get((2 * start).checked_sub(end)?..start);
            let cost = if piece.len() >= 3 && before == Some(piece) { 0 } else { cost(piece, known)? };
            Some(fewest.get(start)? + cost)
        });
        // A repetition needs room before it; whatever has none is looked at by itself.
        let alone =
            (0..end).filter_map(|start| Some(fewest.get(start)? + cost(text.get(start..end)?, known)?));
        let best = best.chain(alone).min();
        fewest.push(best.unwrap_or(usize::MAX / 2));
    }
    fewest.last().copied().unwrap_or_default()
}

/// What a piece costs in halves; `None` when it is none.
fn cost(piece: &[char], known: &dyn Fn(&str) -> bool) -> Option<usize> {
    match piece {
        [digit] if digit.is_ascii_digit() => return Some(1),
        [_] => return Some(2),
        [_, _] => return None,
        ['1', '9', a, b] | ['2', '0', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => return Some(1),
        _ => {}
    }
    // No row of keys and no word of the list is longer, and names hardly are.
    if piece.len() > 64 {
        return None;
    }
    if is_run(piece) {
        return Some(2);
    }
    let word: Zeroizing<String> = Zeroizing::new(piece.iter().collect());
    known(&word).then_some(2)
}

/// The same character, neighbours in the alphabet or in a row of keys, in either direction.
fn is_run(piece: &[char]) -> bool {
    const ROWS: [&str; 7] = [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890",
        "qwertyuiop",
        "qwertzuiop",
        "azertyuiop",
        "asdfghjkl",
        "zxcvbnm",
    ];
    let same = piece.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    let text: String = piece.iter().collect();
    let back: String = piece.iter().rev().collect();
    same || ROWS.iter().any(|row| row.contains(&text) || row.contains(&back))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ABOUT: [&str; 4] =
        ["Northside Family Practice", "northside", "Ada Lovelace", "ada.lovelace@countess.example"];

    fn judged(password: &str) -> Result<(), PasswordRefused> {
        judge(&normalised(password), &ABOUT)
    }

    #[test]
    fn length_is_counted_in_characters_of_the_normal_form() {
        assert_eq!(judged("kq7 vorwand zi"), Err(PasswordRefused::TooShort));
        assert_eq!(judged("kq7 vorwand zim"), Ok(()));
        assert_eq!(judged("Ångström näht übeln"), Ok(()));
        // Fourteen characters, whichever way the keyboard writes them.
        assert_eq!(judged("kq7 vorwänd zi"), Err(PasswordRefused::TooShort));
        assert_eq!(judged("kq7 vorwa\u{308}nd zi"), Err(PasswordRefused::TooShort));
        assert_eq!(normalised("vorwa\u{308}nd"), normalised("vorwänd"));
        let long: String = ('a'..='z').cycle().step_by(7).take(LONGEST).collect();
        assert_eq!(judged(&long), Ok(()));
        assert_eq!(judged(&format!("{long}x")), Err(PasswordRefused::TooLong));
    }

    #[test]
    fn what_would_be_tried_first_is_refused() {
        for password in [
            "passwordpassword",
            "Password1234567",
            "P@ssw0rd-P@ssw0rd",
            "qwertyuiopasdfghjkl",
            "123456789012345",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "iloveyou-iloveyou",
            "Summer2026Summer2026!",
            "correct horse battery staple",
            "welcome123welcome",
            "administrator2025",
            "letmeinletmein!!",
            "1q2w3e4r5t1q2w3e4r5t",
            "hospital-doctor-2026",
            "aabbaabbaabbaabb",
            "zyxwvutsrqponmlk",
            "thisismypassword1",
        ] {
            assert_eq!(judged(password), Err(PasswordRefused::Common), "{password}");
        }
        for password in [
            "northsidefamilypractice",
            "Ada.Lovelace.1815",
            "ada.lovelace@countess.example",
            "NorthsideNorthside1!",
        ] {
            assert_eq!(judged(password), Err(PasswordRefused::Expected), "{password}");
        }
    }

    #[test]
    fn what_holds_a_common_word_among_others_is_not() {
        for password in [
            "welcome-to-praxis",
            "purple walrus sings badly",
            "my dog ate 3 invoices",
            "tr0ub4dor&3 again",
            "ein Hund und zwei Enten",
            "Qm3!vR8#zLp0&tYw",
            "vier kleine graue Esel",
        ] {
            assert_eq!(judged(password), Ok(()), "{password}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn random_passwords_pass_and_any_input_is_judged(noise in "[a-z0-9]{20}", anything in "\\PC{0,300}") {
            // Twenty random characters that fall into three pieces would be a miracle.
            prop_assume!(noise.chars().collect::<HashSet<_>>().len() >= FEWEST_KINDS);
            prop_assert_eq!(judged(&noise), Ok(()));
            let _ = judged(&anything);
        }

        #[test]
        fn a_common_word_repeated_never_passes(index in 0_usize..800, times in 2_usize..8, number in 0_u32..100) {
            let words: Vec<_> = COMMON.iter().filter(|word| word.len() >= 5).collect();
            let word = words[index % words.len()];
            let password = format!("{}{number}", word.repeat(times));
            prop_assert!(judged(&password).is_err(), "{}", password);
        }
    }
}

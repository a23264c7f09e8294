//! Short texts that people type: trimmed, on one line, of a sensible length.

use crate::error::{ViolationCode, Violations};

/// A text that must be given. What is wrong with it is added to the violations.
pub(crate) fn line(found: &mut Violations, path: &[&str], text: &str, max: usize) -> String {
    let text = text.trim();
    if text.is_empty() {
        found.add(ViolationCode::Required, path, "This must not be empty.");
    }
    check(found, path, text, max);
    text.to_owned()
}

/// A text that may be absent; an empty one counts as absent.
pub(crate) fn optional_line(
    found: &mut Violations,
    path: &[&str],
    text: Option<&str>,
    max: usize,
) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    check(found, path, text, max);
    Some(text.to_owned())
}

/// Several texts; empty ones are left out.
pub(crate) fn lines(
    found: &mut Violations,
    name: &str,
    texts: &[String],
    most: usize,
    max: usize,
) -> Vec<String> {
    if texts.len() > most {
        found.add(ViolationCode::TooLong, &[name], format!("There are more than {most} lines."));
        return Vec::new();
    }
    let line =
        |(index, text): (usize, &String)| optional_line(found, &[name, &index.to_string()], Some(text), max);
    texts.iter().enumerate().filter_map(line).collect()
}

fn check(found: &mut Violations, path: &[&str], text: &str, max: usize) {
    if text.chars().count() > max {
        found.add(ViolationCode::TooLong, path, format!("The text is longer than {max} characters."));
    }
    if text.chars().any(char::is_control) {
        found.add(ViolationCode::Invalid, path, "The text holds control characters.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn codes(found: Violations) -> Vec<(ViolationCode, Vec<String>)> {
        match found.check() {
            Err(Error::Violated(all)) => all.into_iter().map(|one| (one.code, one.path)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_line_is_trimmed_and_judged() {
        let mut found = Violations::default();
        assert_eq!(line(&mut found, &["name"], "  Ada \n", 5), "Ada");
        assert_eq!(optional_line(&mut found, &["phone"], Some(" "), 5), None);
        assert_eq!(codes(found), []);

        let mut found = Violations::default();
        line(&mut found, &["name"], " ", 5);
        line(&mut found, &["name"], "éééééé", 5);
        line(&mut found, &["name"], "a\u{0}b", 5);
        let kinds: Vec<_> = codes(found).into_iter().map(|(code, _)| code).collect();
        assert_eq!(kinds, [ViolationCode::Required, ViolationCode::TooLong, ViolationCode::Invalid]);
    }

    #[test]
    fn a_bad_line_among_several_is_named() {
        let mut found = Violations::default();
        let texts = ["1 High St".to_owned(), String::new(), "x\u{7}".to_owned()];
        assert_eq!(lines(&mut found, "addressLines", &texts, 3, 80).len(), 2);
        assert_eq!(codes(found), [(ViolationCode::Invalid, vec!["addressLines".to_owned(), "2".to_owned()])]);
    }
}

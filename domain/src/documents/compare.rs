//! What changed between two versions, section by section and line by line.

use praxis_entity::value::DocumentSection;

/// More lines than this are not compared one by one.
const MOST_LINES: usize = 1_000;

/// A section of which the two versions say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// LOINC code of the section.
    pub code: String,
    /// Heading.
    pub title: String,
    /// What the earlier one says; `None` where it has no such section.
    pub before: Option<String>,
    /// What the later one says; `None` where it has no such section.
    pub after: Option<String>,
    /// The same line by line.
    pub lines: Vec<Line>,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineChange {
    /// In both.
    Kept,
    /// In the earlier one only.
    Removed,
    /// In the later one only.
    Added,
}

/// A line of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub change: LineChange,
    /// The line.
    pub text: String,
}

/// The sections that differ, in the order of the later version.
pub fn compare(before: &[DocumentSection], after: &[DocumentSection]) -> Vec<Difference> {
    let of = |sections: &[DocumentSection], code: &str| {
        sections.iter().find(|section| section.code == code).map(|section| section.text.clone())
    };
    let gone = before.iter().filter(|section| of(after, &section.code).is_none());
    let differing = after.iter().chain(gone).filter_map(|section| {
        let (was, is) = (of(before, &section.code), of(after, &section.code));
        (was != is).then(|| Difference {
            code: section.code.clone(),
            title: section.title.clone(),
            lines: lines(was.as_deref().unwrap_or_default(), is.as_deref().unwrap_or_default()),
            before: was,
            after: is,
        })
    });
    differing.collect()
}

/// The lines of both texts, with what both have in its place: the longest common subsequence.
fn lines(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = |change, text: &&str| Line { change, text: (*text).to_owned() };
    if old.len().saturating_mul(new.len()) > MOST_LINES * MOST_LINES {
        let removed = old.iter().map(|text| line(LineChange::Removed, text));
        return removed.chain(new.iter().map(|text| line(LineChange::Added, text))).collect();
    }
    // rows[i] holds how much is common to old[i..] and each new[j..].
    let mut rows = vec![vec![0_usize; new.len() + 1]];
    for text in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0];
        for (j, other) in new.iter().enumerate().rev() {
            let (right, down) = (row.last().copied().unwrap_or(0), at(&below, j));
            row.push(if text == other { at(&below, j + 1) + 1 } else { Ord::max(right, down) });
        }
        row.reverse();
        rows.push(row);
    }
    rows.reverse();
    let common = |i: usize, j: usize| rows.get(i).map_or(0, |row| at(row, j));
    let (mut i, mut j, mut found) = (0, 0, Vec::with_capacity(Ord::max(old.len(), new.len())));
    loop {
        match (old.get(i), new.get(j)) {
            (Some(was), Some(is)) if was == is => {
                found.push(line(LineChange::Kept, is));
                (i, j) = (i + 1, j + 1);
            }
            (Some(was), is) if is.is_none() || common(i + 1, j) >= common(i, j + 1) => {
                found.push(line(LineChange::Removed, was));
                i += 1;
            }
            (_, Some(is)) => {
                found.push(line(LineChange::Added, is));
                j += 1;
            }
            _ => return found,
        }
    }
}

fn at(row: &[usize], index: usize) -> usize {
    row.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn section(code: &str, text: &str) -> DocumentSection {
        DocumentSection { code: code.to_owned(), title: code.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn only_sections_that_differ_are_told() {
        let before = [section("a", "same"), section("b", "one\ntwo\nthree"), section("c", "gone")];
        let after = [section("a", "same"), section("b", "one\n2\nthree"), section("d", "new")];
        let found = compare(&before, &after);
        assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["b", "d", "c"]);
        let told: Vec<_> =
            found.iter().flat_map(|one| &one.lines).map(|line| (line.change, &*line.text)).collect();
        use LineChange::{Added, Kept, Removed};
        let expected = [
            (Kept, "one"),
            (Removed, "two"),
            (Added, "2"),
            (Kept, "three"),
            (Added, "new"),
            (Removed, "gone"),
        ];
        assert_eq!(told, expected);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_off_the_lines(before in "([abc]\n){0,12}", after in "([abc]\n){0,12}") {
            let lines = lines(&before, &after);
            let side = |gone| lines.iter().filter(|line| line.change != gone).map(|line| format!("{}\n", line.text)).collect::<String>();
            prop_assert_eq!(side(LineChange::Added), before);
            prop_assert_eq!(side(LineChange::Removed), after);
        }
    }
}

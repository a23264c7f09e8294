//! Clinical rules beside those of the template. An edition never changes: what the template says anew is another one.

use std::collections::BTreeSet;

use praxis_platform::tenancy::seed::{Kind, SeedRow};
use serde_json::json;
use uuid::Uuid;

use super::{
    compare::Stored,
    plan::{Change, Fate},
};

/// What becomes of rules. A clinic that wrote an edition of its own, or took the rule out of use, made it its own; of what
/// is out of use it is told which the template took, and those come back when the template has them again.
pub fn compare(wanted: &[&SeedRow], stored: Vec<Stored>, left: &BTreeSet<Uuid>) -> Vec<Change> {
    let judged = wanted.iter().filter_map(|row| {
        let editions = stored.iter().filter(|stored| stored.text("code") == Some(&row.key));
        let editions: Vec<_> = editions.collect();
        let Some(newest) = newest(&editions) else {
            return Some(change(&row.key, Fate::Added, None, Some((*row).clone())));
        };
        let is_back = left.contains(&newest.id);
        let news = is_back || newest.text("template_hash") != Some(&row.hash);
        if editions.iter().any(|edition| is_own(edition)) || is_retired(newest) && !is_back {
            let fate = if news { Fate::Conflict } else { Fate::Kept };
            return Some(change(&row.key, fate, Some(newest), None));
        }
        news.then(|| change(&row.key, Fate::Renewed, Some(newest), Some(next(row, newest))))
    });
    let mut changes: Vec<_> = judged.collect();
    for left in stored.iter().filter(|stored| !is_own(stored) && !is_retired(stored)) {
        let Some(key) = left.text("template_key").filter(|key| !wanted.iter().any(|row| row.key == *key))
        else {
            continue;
        };
        let own = stored.iter().any(|stored| stored.text("code") == Some(key) && is_own(stored));
        changes.push(change(key, if own { Fate::Conflict } else { Fate::Retired }, Some(left), None));
    }
    changes
}

fn change(key: &str, fate: Fate, before: Option<&Stored>, after: Option<SeedRow>) -> Change {
    Change { kind: Kind::Rule, key: key.to_owned(), fate, before: before.cloned(), after }
}

/// The newest edition that came with a template; else the newest of all.
fn newest<'a>(editions: &[&'a Stored]) -> Option<&'a Stored> {
    let number = |stored: &&Stored| (!is_own(stored), edition(stored));
    editions.iter().copied().max_by_key(number)
}

/// The edition that follows, with an id that follows from its number.
fn next(row: &SeedRow, newest: &Stored) -> SeedRow {
    let (mut next, number) = (row.clone(), edition(newest) + 1);
    next.id = Uuid::new_v5(&row.id, number.to_string().as_bytes());
    next.content.insert("edition".to_owned(), json!(number));
    next
}

fn edition(stored: &Stored) -> i64 {
    stored.row.get("edition").and_then(serde_json::Value::as_i64).unwrap_or_default()
}

fn is_own(stored: &Stored) -> bool {
    stored.text("template_key").is_none()
}

/// Whether it came with a template and is out of use.
pub fn is_out_of_use(stored: &Stored) -> bool {
    !is_own(stored) && is_retired(stored)
}

pub fn is_retired(stored: &Stored) -> bool {
    stored.text("status") == Some("RETIRED")
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn a_rule_that_left_the_template_comes_back_with_it_and_one_that_the_clinic_took_out_does_not() {
        let wanted = SeedRow {
            kind: Kind::Rule,
            id: Uuid::from_u128(1),
            key: "fever".to_owned(),
            hash: "same".to_owned(),
            content: Map::new(),
            parts: Vec::new(),
        };
        let row = json!({ "code": "fever", "edition": 1, "status": "RETIRED", "template_key": "fever", "template_hash": "same" });
        let stored =
            Stored { id: wanted.id, row: row.as_object().unwrap().clone(), permissions: BTreeSet::new() };
        let fates = |left: &BTreeSet<Uuid>| {
            let changes = compare(&[&wanted], vec![stored.clone()], left);
            changes
                .iter()
                .map(|change| (change.fate, change.after.clone().map(|row| row.id)))
                .collect::<Vec<_>>()
        };
        assert_eq!(fates(&BTreeSet::new()), [(Fate::Kept, None)]);
        let next = Uuid::new_v5(&wanted.id, b"2");
        assert_eq!(fates(&BTreeSet::from([wanted.id])), [(Fate::Renewed, Some(next))]);
    }
}

//! Clinical rules beside those of the template. An edition never changes: what the template says anew is another one.

use praxis_platform::tenancy::seed::{Kind, SeedRow};
use serde_json::json;
use uuid::Uuid;

use super::{
    compare::Stored,
    plan::{Change, Fate},
};

/// What becomes of rules. A clinic that wrote an edition of its own, or took the rule out of use, made it its own.
pub fn compare(wanted: &[&SeedRow], stored: Vec<Stored>) -> Vec<Change> {
    let judged = wanted.iter().filter_map(|row| {
        let editions = stored.iter().filter(|stored| stored.text("code") == Some(&row.key));
        let editions: Vec<_> = editions.collect();
        let Some(newest) = newest(&editions) else {
            return Some(change(&row.key, Fate::Added, None, Some((*row).clone())));
        };
        let news = newest.text("template_hash") != Some(&row.hash);
        if editions.iter().any(|edition| is_own(edition)) || is_retired(newest) {
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

fn is_retired(stored: &Stored) -> bool {
    stored.text("status") == Some("RETIRED")
}

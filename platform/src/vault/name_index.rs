//! [`NameIndex`]: search for people by the beginnings of their names.
//!
//! It lives in memory only, built from opened names: at rest no single name
//! can be searched. A person matches if every word of the query begins some
//! word of the name, whatever the case and the accents.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

use super::fold::fold;

/// The names of a tenant, by the words in them.
#[derive(Default)]
pub struct NameIndex {
    /// Names under small numbers, which the postings repeat instead of the ids.
    names: Vec<Option<Name>>,
    free: Vec<u32>,
    numbers: HashMap<Uuid, u32>,
    /// For each word the sorted numbers of the names that hold it.
    postings: BTreeMap<Arc<str>, Vec<u32>>,
    bytes: usize,
}

struct Name {
    id: Uuid,
    sort_key: Box<str>,
    words: Box<[Arc<str>]>,
}

impl NameIndex {
    /// Adds a person, or replaces the name of one already there.
    pub fn upsert(&mut self, id: Uuid, name_parts: &[&str], sort_key: &str) {
        self.remove(id);
        let Some(number) = self.free.pop().or_else(|| u32::try_from(self.names.len()).ok()) else {
            return;
        };
        let words = name_parts.iter().flat_map(|part| name_words(part)).collect::<BTreeSet<_>>();
        let words = words.into_iter().map(|word| self.post(word, number)).collect();
        let name = Name { id, sort_key: fold(sort_key).into(), words };
        self.bytes += name.bytes();
        self.numbers.insert(id, number);
        match self.names.get_mut(number as usize) {
            Some(slot) => *slot = Some(name),
            None => self.names.push(Some(name)),
        }
    }

    /// Takes a person out.
    pub fn remove(&mut self, id: Uuid) {
        let Some(number) = self.numbers.remove(&id) else {
            return;
        };
        let Some(name) = self.names.get_mut(number as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(number);
        self.bytes -= name.bytes();
        for word in &name.words {
            let Some(numbers) = self.postings.get_mut(word) else {
                continue;
            };
            if let Ok(at) = numbers.binary_search(&number) {
                numbers.remove(at);
            }
            if numbers.is_empty() {
                self.postings.remove(word);
                self.bytes -= word_bytes(word);
            }
        }
    }

    /// The first `limit` people that match, by their sort keys.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Uuid> {
        let mut prefixes = words(&fold(query)).map(str::to_owned).collect::<Vec<_>>();
        // The longest word is a good guess at the rarest.
        prefixes.sort_unstable_by_key(|prefix| std::cmp::Reverse(prefix.chars().count()));
        let Some((rarest, others)) = prefixes.split_first() else {
            return Vec::new();
        };
        let mut best = BTreeSet::new();
        for number in self.starting_with(rarest) {
            let Some(Some(name)) = self.names.get(number as usize) else {
                continue;
            };
            let key = (&*name.sort_key, name.id);
            if best.len() >= limit && best.last().is_none_or(|last| *last <= key) {
                continue;
            }
            if others.iter().all(|prefix| name.has_word_starting_with(prefix)) {
                best.insert(key);
                if best.len() > limit {
                    best.pop_last();
                }
            }
        }
        best.into_iter().map(|(_, id)| id).collect()
    }

    /// How many people it holds.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it holds nobody.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn post(&mut self, word: String, number: u32) -> Arc<str> {
        if let Some((word, _)) = self.postings.get_key_value(word.as_str()) {
            let word = Arc::clone(word);
            if let Some(numbers) = self.postings.get_mut(&word)
                && let Err(at) = numbers.binary_search(&number)
            {
                numbers.insert(at, number);
            }
            return word;
        }
        let word = Arc::<str>::from(word);
        self.bytes += word_bytes(&word);
        self.postings.insert(Arc::clone(&word), vec![number]);
        word
    }

    /// A name with two such words comes up twice.
    fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = u32> + 'a {
        self.postings
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(word, _)| word.starts_with(prefix))
            .flat_map(|(_, numbers)| numbers.iter().copied())
    }
}

impl Name {
    fn has_word_starting_with(&self, prefix: &str) -> bool {
        self.words.iter().any(|word| word.starts_with(prefix))
    }

    /// The name, its id in the map, and its number under each word.
    fn bytes(&self) -> usize {
        let fixed = size_of::<Option<Name>>() + 2 * size_of::<(Uuid, u32)>();
        fixed + self.sort_key.len() + 16 + self.words.len() * (size_of::<Arc<str>>() + 2 * size_of::<u32>())
    }
}

/// The word, its counters, and its entry in the tree.
fn word_bytes(word: &str) -> usize {
    word.len() + 32 + 2 * size_of::<(Arc<str>, Vec<u32>)>()
}

/// The parts between spaces, hyphens and apostrophes.
fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words of a name; `Núñez-O'Brien` is also found as `obrien` and as `nunezobrien`.
fn name_words(part: &str) -> Vec<String> {
    let folded = fold(part);
    let joined = |word: &str| words(word).collect::<String>();
    let whole = folded.split_whitespace().map(joined);
    let halves = folded.split(|c: char| c.is_whitespace() || c == '-').map(joined);
    words(&folded).map(str::to_owned).chain(whole).chain(halves).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(names: &[(u128, &[&str], &str)]) -> NameIndex {
        let mut index = NameIndex::default();
        for (id, parts, sort_key) in names {
            index.upsert(Uuid::from_u128(*id), parts, sort_key);
        }
        index
    }

    fn found(index: &NameIndex, query: &str) -> Vec<u128> {
        index.search(query, 10).iter().map(Uuid::as_u128).collect()
    }

    #[test]
    fn words_match_by_their_beginning_in_any_order() {
        let index = index(&[
            (1, &["García-Núñez", "Ana María"], "garcia ana"),
            (2, &["O'Brien", "Anabel"], "obrien anabel"),
            (3, &["Müller", "Jürgen"], "muller jurgen"),
        ]);
        assert_eq!(found(&index, "an"), [1, 2]);
        assert_eq!(found(&index, "NUNEZ ana"), [1]);
        assert_eq!(found(&index, "ana g m"), [1]);
        assert_eq!(found(&index, "garcianu"), [1]);
        assert_eq!(found(&index, "o'b"), [2]);
        assert_eq!(found(&index, "obri"), [2]);
        assert_eq!(found(&index, "MUL jür"), [3]);
        assert_eq!(found(&index, "rien"), [0_u128; 0]);
        assert_eq!(found(&index, "ana x"), [0_u128; 0]);
        assert_eq!(found(&index, " - "), [0_u128; 0]);
        assert!(index.search("an", 0).is_empty());
    }

    #[test]
    fn an_upsert_replaces_and_a_removal_leaves_nothing() {
        let mut index = index(&[(1, &["Old", "Name"], "old"), (2, &["Other", "Name"], "other")]);
        index.upsert(Uuid::from_u128(1), &["New", "Name"], "zzz");
        assert_eq!(found(&index, "old"), [0_u128; 0]);
        assert_eq!(found(&index, "name"), [2, 1]);
        assert_eq!(index.len(), 2);
        for id in [1, 2, 3] {
            index.remove(Uuid::from_u128(id));
        }
        assert!(index.is_empty() && index.postings.is_empty());
        assert_eq!((index.bytes(), found(&index, "name")), (0, vec![]));
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_scan_finds(
            changes in proptest::collection::vec((0_u128..20, "[ab]{1,3}( [abc]{1,2})?", any::<bool>()), 0..60),
            query in "[ab]{0,2}( [abc]{1,2})?",
            limit in 0_usize..12,
        ) {
            let (mut index, mut plain) = (NameIndex::default(), BTreeMap::new());
            for (id, name, add) in &changes {
                let id = Uuid::from_u128(*id);
                if *add {
                    index.upsert(id, &[name], name);
                    plain.insert(id, name.clone());
                } else {
                    index.remove(id);
                    plain.remove(&id);
                }
            }
            let matches = |name: &str| {
                let begins = |prefix: &str| name.split(' ').any(|word| word.starts_with(prefix));
                !query.is_empty() && query.split(' ').all(begins)
            };
            let mut expected: Vec<_> = plain.iter().filter(|(_, name)| matches(name)).map(|(id, name)| (name, *id)).collect();
            expected.sort();
            let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).take(limit).collect();
            prop_assert_eq!(index.search(&query, limit), expected);
            prop_assert_eq!(index.len(), plain.len());
        }
    }
}

//! What is known, by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cel::{Context, Env, Value};
use serde_json::Value as Json;
use std::sync::{Arc, LazyLock};

/// What kind of thing a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A number.
    Number,
    /// A text or code.
    Text,
    /// Yes or no.
    Flag,
    /// Several texts or codes.
    Texts,
}

/// The names that a condition may use, as `group.name`, and what kind of thing each is.
pub type Vocabulary = BTreeMap<String, Kind>;

/// One thing that is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A number.
    Number(f64),
    /// A text or code.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several texts or codes.
    Texts(Vec<String>),
}

impl Fact {
    /// Reads a fact of a kind.
    pub fn read(kind: Kind, value: &Json) -> Option<Self> {
        Some(match kind {
            Kind::Number => Self::Number(value.as_f64()?),
            Kind::Text => Self::Text(value.as_str()?.to_owned()),
            Kind::Flag => Self::Flag(value.as_bool()?),
            Kind::Texts => {
                let texts = value.as_array()?.iter().map(|text| Some(text.as_str()?.to_owned()));
                Self::Texts(texts.collect::<Option<_>>()?)
            }
        })
    }

    /// How it is written down.
    pub fn written(&self) -> Json {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Texts(texts) => texts.clone().into(),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Float(*number),
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Texts(texts) => texts.iter().map(String::as_str).collect::<Vec<_>>().into(),
        }
    }
}

/// What is known, by name. What is not here is unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(BTreeMap<String, Fact>);

/// The language without its loops; made once.
static LANGUAGE: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::default().with_stdlib()));

impl Facts {
    /// Adds what is known; the later of two of the same name stands.
    pub fn know(&mut self, name: impl Into<String>, fact: Fact) {
        self.0.insert(name.into(), fact);
    }

    /// Whether something is known.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of it, written down by name.
    pub fn written(&self) -> BTreeMap<String, Json> {
        self.0.iter().map(|(name, fact)| (name.clone(), fact.written())).collect()
    }

    /// What the language sees: a map for each of the groups, empty where nothing of it is known, so that `has` says
    /// no. A name is `group.name`.
    pub(super) fn context(&self, groups: &BTreeSet<String>) -> Context<'static, 'static> {
        let mut groups: BTreeMap<&str, HashMap<String, Value>> =
            groups.iter().map(|group| (group.as_str(), HashMap::new())).collect();
        for (name, fact) in &self.0 {
            if let Some((group, name)) = name.split_once('.') {
                groups.entry(group).or_default().insert(name.to_owned(), fact.value());
            }
        }
        let mut context = Context::with_env(Arc::clone(&LANGUAGE));
        for (group, names) in groups {
            context.add_variable_from_value(group, names);
        }
        context
    }
}

impl FromIterator<(String, Fact)> for Facts {
    fn from_iter<T: IntoIterator<Item = (String, Fact)>>(facts: T) -> Self {
        Self(facts.into_iter().collect())
    }
}

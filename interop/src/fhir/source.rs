//! One resource as it was received: its elements as raw text, taken out one by one.
//!
//! An element that was mapped to the last detail is left out of the residual; all others stay.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Deeper than any resource is, and shallow enough for every reader of JSON.
const DEEPEST: usize = 100;

/// What is wrong with a resource: where, and why, without a word of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) path: String,
    pub(super) reason: &'static str,
}

impl Invalid {
    pub(super) fn at(path: impl Into<String>, reason: &'static str) -> Self {
        Self { path: path.into(), reason }
    }

    /// The same, seen from the element around it.
    fn under(mut self, outer: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{joint}{}", self.path);
        self
    }
}

/// Notes that something of an element is not in what it was mapped to.
#[derive(Debug, Default)]
pub(super) struct Loss(bool);

impl Loss {
    pub(super) fn note(&mut self) {
        self.0 = true;
    }

    pub(super) fn note_if(&mut self, lost: bool) {
        self.0 |= lost;
    }
}

struct Element<'a> {
    key: String,
    raw: &'a RawValue,
    kept: bool,
}

/// One resource as it was received.
pub(super) struct Source<'a> {
    /// FHIR type.
    pub(super) kind: String,
    /// Its id, if it has one.
    pub(super) id: Option<String>,
    /// The resource as it was written.
    pub(super) text: &'a str,
    elements: Vec<Element<'a>>,
}

impl<'a> Source<'a> {
    /// Takes a JSON object apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, Invalid> {
        if is_nested_deeper(text, DEEPEST) {
            return Err(Invalid::at("", "is nested too deeply"));
        }
        let Elements(elements) =
            serde_json::from_str(text).map_err(|_| Invalid::at("", "is not a JSON object"))?;
        let mut keys: Vec<&str> = elements.iter().map(|element| element.key.as_str()).collect();
        keys.sort_unstable();
        let distinct = keys.is_sorted_by(|one, other| one < other);
        if !distinct {
            return Err(Invalid::at("", "has an element twice"));
        }
        let string = |key: &str| {
            let found = elements.iter().find(|element| element.key == key)?;
            Some(serde_json::from_str::<String>(found.raw.get()))
        };
        let kind = match string("resourceType") {
            Some(Ok(kind)) if is_type(&kind) => kind,
            Some(_) => return Err(Invalid::at("resourceType", "is not a type of resource")),
            None => return Err(Invalid::at("resourceType", "is missing")),
        };
        let id = match string("id") {
            None => None,
            Some(Ok(id)) if is_id(&id) => Some(id),
            Some(_) => return Err(Invalid::at(format!("{kind}.id"), "is not an id")),
        };
        Ok(Self { kind, id, text, elements })
    }

    /// Reads an element and maps it; `None` when it is absent. It leaves the residual unless
    /// something of it was lost.
    pub(super) fn element<T: DeserializeOwned, U>(
        &mut self,
        key: &str,
        map: impl FnOnce(T, &mut Loss) -> Result<U, Invalid>,
    ) -> Result<Option<U>, Invalid> {
        let Some(element) = self.elements.iter_mut().find(|element| element.key == key) else {
            return Ok(None);
        };
        if element.raw.get() == "null" {
            return Ok(None);
        }
        let outer = format!("{}.{key}", self.kind);
        let mut loss = Loss::default();
        let value = read(element.raw.get(), &mut loss).map_err(|invalid| invalid.under(&outer))?;
        let mapped = map(value, &mut loss).map_err(|invalid| invalid.under(&outer))?;
        element.kept = loss.0;
        Ok(Some(mapped))
    }

    /// Reads an element that stays in the residual; one that can't be read counts as absent.
    pub(super) fn glance<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let element = self.elements.iter().find(|element| element.key == key)?;
        serde_json::from_str(element.raw.get()).ok()
    }

    /// Where an element is, for a complaint.
    pub(super) fn invalid(&self, key: &str, reason: &'static str) -> Invalid {
        Invalid::at(format!("{}.{key}", self.kind), reason)
    }

    /// What the mapping left, as a JSON object with the texts as they came.
    pub(super) fn residual(&self) -> String {
        let mut json = String::with_capacity(128);
        for element in self.elements.iter().filter(|element| element.kept) {
            json.push(if json.is_empty() { '{' } else { ',' });
            json.push_str(&serde_json::Value::from(element.key.as_str()).to_string());
            json.push(':');
            json.push_str(element.raw.get());
        }
        json.push('}');
        json
    }
}

/// Reads a value; members that the type does not know are a loss.
fn read<T: DeserializeOwned>(text: &str, loss: &mut Loss) -> Result<T, Invalid> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let located = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = serde_ignored::deserialize(located, |_| loss.note());
    // Its own message may quote the value.
    value.map_err(|_| {
        let path = track.path().to_string();
        Invalid::at(if path == "." { String::new() } else { path }, "is not in the form that FHIR gives it")
    })
}

struct Elements<'a>(Vec<Element<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<Element<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    elements.push(Element { key, raw, kept: true });
                }
                Ok(elements)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Whether objects and arrays are nested deeper than so many, told without recursion and no later than it shows.
fn is_nested_deeper(json: &str, limit: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn is_type(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::types::{CodeableConcept, Quantity};

    fn reason(text: &str) -> (String, &'static str) {
        let invalid = Source::parse(text).err().unwrap();
        (invalid.path, invalid.reason)
    }

    #[test]
    fn what_is_mapped_fully_leaves_the_residual() {
        let text = r#"{"resourceType":"Observation","id":"1","code":{"text":"a"},"value":{"coding":[{"code":"b","userSelected":true}]},
            "x": [72.50, 1e2]}"#;
        let mut source = Source::parse(text).unwrap();
        for key in ["code", "value", "absent"] {
            source.element(key, |_: CodeableConcept, _| Ok(())).unwrap();
        }
        assert_eq!(
            source.residual(),
            r#"{"resourceType":"Observation","id":"1","value":{"coding":[{"code":"b","userSelected":true}]},"x":[72.50, 1e2]}"#
        );
    }

    #[test]
    fn a_wrong_element_is_named_and_its_content_is_not() {
        let text = r#"{"resourceType":"Observation","a":[{"value":1.50},{"value":"secret"}]}"#;
        let mut source = Source::parse(text).unwrap();
        let invalid = source.element("a", |_: Vec<Quantity>, _| Ok(())).unwrap_err();
        assert_eq!(invalid.path, "Observation.a[1].value");
        assert!(!invalid.reason.contains("secret"));
    }

    #[test]
    fn hostile_texts_are_refused() {
        assert_eq!(reason("[]").1, "is not a JSON object");
        assert_eq!(reason(r#"{"id":"1"}"#), ("resourceType".into(), "is missing"));
        assert_eq!(reason(r#"{"resourceType":"a/b"}"#).1, "is not a type of resource");
        assert_eq!(reason(r#"{"resourceType":["A"]}"#).1, "is not a type of resource");
        assert_eq!(reason(r#"{"resourceType":"A","id":"x y"}"#), ("A.id".into(), "is not an id"));
        assert_eq!(reason(r#"{"resourceType":"A","resourceType":"B"}"#).1, "has an element twice");
        let deep = format!(r#"{{"resourceType":"A","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(reason(&deep).1, "is nested too deeply");
        assert!(Source::parse(r#"{"resourceType":"A","x":"[[\"[["}"#).is_ok());
    }
}

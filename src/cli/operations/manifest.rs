//! The two forms in which clients list their operations.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use praxis_entity::registered_operation;
use serde::Deserialize;

/// More operations than any client has.
const MAX_OPERATIONS: usize = 10_000;

/// A document and the id by which its client calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The id.
    pub id: String,
    /// The name of its operation, as far as the manifest tells.
    pub name: String,
    /// The text.
    pub body: String,
}

impl Document {
    /// One that is registered.
    pub fn registered(stored: &registered_operation::Model) -> Self {
        Self { id: stored.document_id.clone(), name: stored.name.clone(), body: stored.body.clone() }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    /// Apollo's persisted-query-manifest.
    Apollo { format: String, version: u32, operations: Vec<ApolloOperation> },
    /// Relay's persisted.json: texts by id.
    Relay(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    name: String,
    body: String,
}

/// Reads a manifest of either form.
pub fn parse(text: &str) -> Result<Vec<Document>> {
    let Ok(manifest) = serde_json::from_str(text) else {
        bail!("neither an Apollo persisted-query-manifest nor Relay's persisted.json");
    };
    let documents: Vec<_> = match manifest {
        Manifest::Apollo { format, version, operations } => {
            ensure!(format == "apollo-persisted-query-manifest", "unknown format {format}");
            ensure!(version == 1, "unknown version {version}");
            let document = |ApolloOperation { id, name, body }| Document { id, name, body };
            operations.into_iter().map(document).collect()
        }
        Manifest::Relay(texts) => {
            let document = |(id, body)| Document { id, name: String::new(), body };
            texts.into_iter().map(document).collect()
        }
    };
    ensure!(documents.len() <= MAX_OPERATIONS, "more than {MAX_OPERATIONS} operations");
    let mut ids: Vec<_> = documents.iter().map(|document| document.id.as_str()).collect();
    ids.sort_unstable();
    ensure!(ids.windows(2).all(|pair| pair.first() != pair.last()), "an id stands for two operations");
    let fits = |id: &str| {
        (1..=200).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
    };
    if let Some(id) = ids.into_iter().find(|id| !fits(id)) {
        bail!("\"{id}\" can't be an id: letters, digits, `.`, `_`, `:` and `-`, at most 200");
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let apollo = r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[
            {"id":"abc","name":"A","type":"query","body":"query A { a }"}]}"#;
        let documents = parse(apollo).unwrap();
        assert_eq!(
            documents,
            [Document { id: "abc".into(), name: "A".into(), body: "query A { a }".into() }]
        );
        let relay = parse(r#"{"5d41402a":"query A { a }","6057f13c":"query B { b }"}"#).unwrap();
        assert_eq!(relay.len(), 2);
        for wrong in [
            "[]",
            "{\"a\":1}",
            r#"{"format":"other","version":1,"operations":[]}"#,
            r#"{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}"#,
            r#"{"a b":"query A { a }"}"#,
            r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[
                {"id":"a","name":"A","body":"x"},{"id":"a","name":"B","body":"y"}]}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

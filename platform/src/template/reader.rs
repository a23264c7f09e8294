//! Reads the files of a template against the published schemas and notes what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Draft, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lint::Finding;
use super::seed::Item;
use super::source::{Source, schema_text};

const SCHEMAS: [&str; 7] = [
    "template.schema.json",
    "roles.schema.json",
    "field_policies.schema.json",
    "visit_types.schema.json",
    "specialties.schema.json",
    "note_template.schema.json",
    "rules.schema.json",
];

const MAX_MESSAGE_CHARS: usize = 300;

/// A source with the compiled schemas and the findings so far.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    /// None where the files are taken as they are.
    schemas: Option<BTreeMap<&'static str, Validator>>,
    pub(super) findings: BTreeSet<Finding>,
}

impl<'a> Reader<'a> {
    /// Reads everything against the schemas.
    pub(super) fn new(source: &'a Source) -> Self {
        let mut reader = Self { source, schemas: None, findings: BTreeSet::new() };
        let mut schemas = BTreeMap::new();
        for name in SCHEMAS {
            match compile(name) {
                Ok(schema) => drop(schemas.insert(name, schema)),
                Err(message) => reader.report(&format!("schema/{name}"), "", message),
            }
        }
        reader.schemas = Some(schemas);
        reader
    }

    /// The same for those who need a template now. What this build ships its tests have read against the schemas, which take
    /// longer to compile than a clinic to be made.
    pub(super) fn to_load(source: &'a Source) -> Self {
        if source.is_shipped() {
            Self { source, schemas: None, findings: BTreeSet::new() }
        } else {
            Self::new(source)
        }
    }

    /// Notes a finding.
    pub(super) fn report(&mut self, file: &str, path: impl Into<String>, message: impl Into<String>) {
        let mut message = message.into();
        // A violated schema quotes the value, however long it is.
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        self.findings.insert(Finding { file: file.to_owned(), path: path.into(), message });
    }

    /// Reads a file that holds a list; a file that does not exist holds none.
    pub(super) fn list<T: DeserializeOwned>(&mut self, file: &str, schema: &str) -> Vec<T> {
        let Some(text) = self.source.text(file) else { return Vec::new() };
        self.typed(file, schema, text).unwrap_or_default()
    }

    /// Reads YAML that must follow a schema.
    pub(super) fn typed<T: DeserializeOwned>(&mut self, file: &str, schema: &str, yaml: &str) -> Option<T> {
        let value = match json(yaml) {
            Ok(value) => value,
            Err(error) => {
                self.report(file, "", format!("not valid YAML: {error}"));
                return None;
            }
        };
        if !self.follows(file, schema, &value) {
            return None;
        }
        serde_json::from_value(value).map_err(|error| self.report(file, "", error.to_string())).ok()
    }

    /// Whether a file follows its schema; what does not is reported.
    fn follows(&mut self, file: &str, schema: &str, value: &Value) -> bool {
        let Some(schemas) = &self.schemas else { return true };
        let Some(known) = schemas.get(schema) else {
            // Nothing is taken unread, and nothing passed by in silence.
            self.report(file, "", format!("there is no schema {schema} to read it by"));
            return false;
        };
        let violations: Vec<_> =
            known.iter_errors(value).map(|e| (e.instance_path.to_string(), e.to_string())).collect();
        let is_sound = violations.is_empty();
        for (path, message) in violations {
            self.report(file, path, message);
        }
        is_sound
    }

    /// Reports items that have the same key as an earlier one.
    pub(super) fn unique<T: Item>(&mut self, file: &str, items: &[T]) {
        let mut seen = BTreeSet::new();
        for (i, item) in items.iter().enumerate() {
            let key = item.key();
            if seen.contains(&key) {
                self.report(file, format!("/{i}"), format!("\"{key}\" occurs more than once"));
            }
            seen.insert(key);
        }
    }
}

/// YAML as JSON. The detour over a YAML value is what refuses a member that is given twice.
fn json(yaml: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(yaml)?;
    Ok(serde_json::to_value(value)?)
}

fn compile(name: &str) -> Result<Validator, String> {
    let text = schema_text(name).ok_or("the schema is missing")?;
    let schema: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    jsonschema::options().with_draft(Draft::Draft202012).build(&schema).map_err(|error| error.to_string())
}

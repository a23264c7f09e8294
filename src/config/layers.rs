//! Where values come from: defaults, `praxis.toml`, the environment, flags; the later wins.
//!
//! Every value keeps its origin, so that `praxis config print --explain` can name it.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::settings::SETTINGS;

/// The file that is read when none is named.
const FILE: &str = "praxis.toml";

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The file to read, which then must exist.
    pub file: Option<PathBuf>,
    /// Values of flags, by key.
    pub values: Vec<(&'static str, String)>,
}

/// Values of one origin.
#[derive(Debug, Clone)]
struct Layer(Vec<(&'static str, Value)>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }
}

fn value(key: &'static str, origin: &str, text: &str) -> (&'static str, Value) {
    (key, Value::new(Some(&origin.to_owned()), ValueKind::String(text.to_owned())))
}

/// All layers merged, before anything is known about types. Problems are added to the list.
pub(super) fn merged(
    overrides: &Overrides,
    environment: &HashMap<String, String>,
    problems: &mut Vec<String>,
) -> Option<config::Config> {
    let defaults = SETTINGS.iter().filter_map(|known| Some(value(known.key, "default", known.default?)));
    let flags = overrides.values.iter().map(|(key, text)| value(key, "flag", text));
    let file = overrides.file.as_deref().unwrap_or(Path::new(FILE));
    let built = config::Config::builder()
        .add_source(Layer(defaults.collect()))
        .add_source(File::from(file).format(FileFormat::Toml).required(overrides.file.is_some()))
        .add_source(Layer(from_environment(environment, problems)))
        .add_source(Layer(flags.collect()))
        .build();
    built.map_err(|error| problems.push(error.to_string())).ok()
}

fn from_environment(
    environment: &HashMap<String, String>,
    problems: &mut Vec<String>,
) -> Vec<(&'static str, Value)> {
    let mut values = Vec::new();
    for known in SETTINGS {
        // An empty variable counts as unset: compose files write them so.
        let set = |variable: &str| environment.get(variable).filter(|text| !text.is_empty());
        let file_variable = format!("{}_FILE", known.variable);
        let is_setting = SETTINGS.iter().any(|other| other.variable == file_variable);
        let file = set(&file_variable).filter(|_| known.secret && !is_setting);
        match (set(known.variable), file) {
            (Some(_), Some(_)) => {
                problems.push(format!("both {} and {file_variable} are set", known.variable))
            }
            (Some(text), None) => values.push(value(known.key, known.variable, text)),
            (None, Some(path)) => match fs::read_to_string(path) {
                Ok(text) => values.push(value(known.key, &file_variable, text.trim_end())),
                Err(error) => problems.push(format!("{file_variable}: {path}: {error}")),
            },
            (None, None) => {}
        }
    }
    values
}

/// The values of all settings and of misspelt ones, by their full names.
pub(super) fn flat(table: &Value) -> Vec<(String, Value)> {
    fn walk(prefix: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match &value.kind {
            ValueKind::Table(entries) => {
                for (name, inner) in entries {
                    let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    walk(&key, inner, found);
                }
            }
            _ => found.push((prefix.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    walk("", table, &mut found);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

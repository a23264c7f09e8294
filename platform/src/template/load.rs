//! Resolves a template: its parents first, then its own items over theirs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::item::{ClinicalRule, FieldPolicy, Manifest, NoteTemplate, Role, Specialty, VisitType};
use super::layer::Layer;
use super::lint::{Finding, check};
use super::reader::Reader;
use super::seed::{Item, Seed};
use super::source::Source;

/// A template with everything it inherits; each list is in the order of its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Name, version and regional defaults.
    pub manifest: Manifest,
    /// The roles a new clinic starts with.
    pub roles: Vec<Seed<Role>>,
    /// Fields that are guarded more closely.
    pub field_policies: Vec<Seed<FieldPolicy>>,
    /// The kinds of appointment.
    pub visit_types: Vec<Seed<VisitType>>,
    /// The specialties staff can be listed under.
    pub specialties: Vec<Seed<Specialty>>,
    /// The outlines notes start from.
    pub note_templates: Vec<Seed<NoteTemplate>>,
    /// The clinical rules in use from the beginning.
    pub rules: Vec<Seed<ClinicalRule>>,
}

/// Why a template cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// No template has this name.
    #[error("there is no template \"{name}\" (there are: {known})")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The template or one of its parents is not sound.
    #[error("template \"{name}\" has {} fault(s), the first: {}", findings.len(), findings.first().map(ToString::to_string).unwrap_or_default())]
    Invalid {
        /// The template asked for.
        name: String,
        /// Everything that is wrong with it, never empty.
        findings: Vec<Finding>,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any template's.
    #[error("{} is too large for a template file ({length} bytes)", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        length: u64,
    },
    /// An item cannot be written as JSON.
    #[error("cannot hash an item")]
    Hash(#[from] serde_json::Error),
}

impl TemplateError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

impl Template {
    /// Loads a template with everything it inherits.
    ///
    /// Fails with all findings if the template or a parent is not sound.
    pub fn load(source: &Source, name: &str) -> Result<Self, TemplateError> {
        if !source.names().contains(&name) {
            return Err(TemplateError::Unknown { name: name.to_owned(), known: source.names().join(", ") });
        }
        let mut reader = Reader::to_load(source);
        let layers = lineage(&mut reader, name);
        check(&mut reader, &layers);
        let findings: Vec<_> = reader.findings.into_iter().collect();
        let manifest = layers.last().map(|layer| layer.manifest.clone());
        let Some(manifest) = manifest.filter(|_| findings.is_empty()) else {
            return Err(TemplateError::Invalid { name: name.to_owned(), findings });
        };
        let mut roles = Vec::new();
        let mut field_policies = Vec::new();
        let mut visit_types = Vec::new();
        let mut specialties = Vec::new();
        let mut note_templates = Vec::new();
        let mut rules = Vec::new();
        for layer in layers {
            roles.extend(layer.roles);
            field_policies.extend(layer.field_policies);
            visit_types.extend(layer.visit_types);
            specialties.extend(layer.specialties);
            note_templates.extend(layer.note_templates);
            rules.extend(layer.rules);
        }
        Ok(Self {
            manifest,
            roles: seeds(roles)?,
            field_policies: seeds(field_policies)?,
            visit_types: seeds(visit_types)?,
            specialties: seeds(specialties)?,
            note_templates: seeds(note_templates)?,
            rules: seeds(rules)?,
        })
    }
}

/// The template and its parents, the farthest parent first. What stops the line is reported.
pub(super) fn lineage(reader: &mut Reader<'_>, name: &str) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let Some(layer) = Layer::read(reader, &name) else { break };
        next = layer.manifest.extends.clone();
        layers.push(layer);
        if let Some(parent) = &next {
            let file = format!("{name}/template.yaml");
            if layers.iter().any(|layer| layer.manifest.name == *parent) {
                reader.report(
                    &file,
                    "/extends",
                    format!("\"{parent}\" extends this template in turn: a cycle"),
                );
                break;
            }
            if !reader.source.names().contains(&parent.as_str()) {
                reader.report(&file, "/extends", format!("there is no template \"{parent}\""));
                break;
            }
        }
    }
    layers.reverse();
    layers
}

/// The items by key, a later one in the place of an earlier one.
fn seeds<T: Item>(items: Vec<T>) -> Result<Vec<Seed<T>>, TemplateError> {
    let by_key: BTreeMap<_, _> = items.into_iter().map(|item| (item.key(), item)).collect();
    by_key.into_values().map(|item| Ok(Seed::new(item)?)).collect()
}

//! Names everything that is wrong with a set of templates.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::layer::Layer;
use super::load::lineage;
use super::reader::Reader;
use super::source::Source;
use crate::access::{Permission, PermissionSet};

/// Something that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Path of the file: `<template>/roles.yaml`.
    pub file: String,
    /// JSON pointer to the place in the file; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if !self.path.is_empty() {
            write!(f, "#{}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Checks the templates of a source, with everything they inherit. An empty list means that they can be applied.
pub fn lint(source: &Source) -> Vec<Finding> {
    let mut reader = Reader::new(source);
    for name in source.own() {
        let layers = lineage(&mut reader, name);
        check(&mut reader, &layers);
    }
    reader.findings.into_iter().collect()
}

/// Checks what only a template and its parents together can show.
pub(super) fn check(reader: &mut Reader<'_>, layers: &[Layer]) {
    // Where a parent is missing or roles could not be read, every mention of a role would look like another fault.
    let complete = layers.first().is_some_and(|layer| layer.manifest.extends.is_none());
    let roles_file = |layer: &Layer| format!("{}/roles.yaml", layer.manifest.name);
    let faulty = |file: String| reader.findings.iter().any(|finding| finding.file == file);
    if !complete || layers.iter().map(roles_file).any(faulty) {
        return;
    }
    let mut roles: BTreeMap<&str, PermissionSet> = BTreeMap::new();
    for layer in layers {
        roles.extend(layer.roles.iter().map(|role| (role.code.as_str(), role.permissions)));
        let file = format!("{}/visit_types.yaml", layer.manifest.name);
        for (i, visit_type) in layer.visit_types.iter().enumerate() {
            for (j, role) in visit_type.bookable_roles.iter().enumerate() {
                if !roles.contains_key(role.as_str()) {
                    reader.report(
                        &file,
                        format!("/{i}/bookable_roles/{j}"),
                        format!("there is no role \"{role}\""),
                    );
                }
            }
        }
    }
    let keeper: PermissionSet = [Permission::USER_MANAGE, Permission::ROLE_MANAGE].into_iter().collect();
    if let Some(layer) = layers.last().filter(|_| !roles.values().any(|held| held.is_superset(&keeper))) {
        let message = format!(
            "no role may both {} and {}: nobody could ever grant a right",
            Permission::USER_MANAGE,
            Permission::ROLE_MANAGE
        );
        reader.report(&roles_file(layer), "", message);
    }
}

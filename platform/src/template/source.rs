//! Where template files come from: those shipped in the binary, or a directory that stands on top of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::load::TemplateError;

/// The shipped templates and their schemas, part of the binary.
#[derive(RustEmbed)]
#[folder = "../tenant-templates/"]
struct Shipped;

/// Larger files are refused unread; no honest template comes near.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// A set of template files, by path: `<template>/roles.yaml`.
///
/// Templates that a source does not have itself but that are shipped can be extended and loaded from it as well.
#[derive(Debug, Clone)]
pub struct Source {
    files: BTreeMap<String, String>,
    own: BTreeSet<String>,
    shipped: bool,
}

impl Source {
    /// The templates shipped in the binary.
    pub fn shipped() -> Self {
        let files: BTreeMap<_, _> = Shipped::iter()
            .filter(|path| template_of(path).is_some())
            .filter_map(|path| Some((path.to_string(), shipped_text(&path)?)))
            .collect();
        let own = files.keys().filter_map(|path| template_of(path)).map(str::to_owned).collect();
        Self { files, own, shipped: true }
    }

    /// Files given by path and text, on top of the shipped templates. A template given here hides the shipped one of
    /// the same name altogether.
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut given: BTreeMap<_, _> =
            files.into_iter().filter(|(path, _)| template_of(path).is_some()).collect();
        let own: BTreeSet<_> = given.keys().filter_map(|path| template_of(path)).map(str::to_owned).collect();
        let inherited = Self::shipped().files.into_iter();
        given.extend(inherited.filter(|(path, _)| template_of(path).is_some_and(|name| !own.contains(name))));
        Self { files: given, own, shipped: false }
    }

    /// The templates in a directory: either one folder per template, or the folder of a single one.
    pub fn directory(root: &Path) -> Result<Self, TemplateError> {
        let mut files = Vec::new();
        if root.join("template.yaml").is_file() {
            let root = root.canonicalize().map_err(|source| TemplateError::read(root, source))?;
            let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
            read_template(&root, &name, &mut files)?;
        } else {
            for (path, name) in entries(root)? {
                if path.is_dir() {
                    read_template(&path, &name, &mut files)?;
                }
            }
        }
        Ok(Self::from_files(files))
    }

    /// Whether nothing is in it but what this build ships.
    pub(super) fn is_shipped(&self) -> bool {
        self.shipped
    }

    /// Names of all templates, the shipped ones included.
    pub fn names(&self) -> Vec<&str> {
        self.files
            .keys()
            .filter_map(|path| path.strip_suffix("/template.yaml"))
            .filter(|name| !name.contains('/'))
            .collect()
    }

    /// Names of the templates this source was made for, as far as they have any file.
    pub(super) fn own(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files of one template, by path within it.
    pub(super) fn files_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.keys().filter_map(move |path| path.strip_prefix(name)?.strip_prefix('/'))
    }
}

/// The text of a published schema.
pub(super) fn schema_text(file: &str) -> Option<String> {
    shipped_text(&format!("schema/{file}"))
}

fn shipped_text(path: &str) -> Option<String> {
    String::from_utf8(Shipped::get(path)?.data.into_owned()).ok()
}

/// The template a file belongs to; none for files beside the templates, hidden ones and the schemas.
fn template_of(path: &str) -> Option<&str> {
    let (name, _) = path.split_once('/')?;
    (name != "schema" && !path.split('/').any(|part| part.starts_with('.'))).then_some(name)
}

fn read_template(folder: &Path, name: &str, files: &mut Vec<(String, String)>) -> Result<(), TemplateError> {
    for (path, file) in entries(folder)? {
        if path.is_dir() {
            for (path, inner) in entries(&path)? {
                files.push((format!("{name}/{file}/{inner}"), read_text(&path)?));
            }
        } else {
            files.push((format!("{name}/{file}"), read_text(&path)?));
        }
    }
    Ok(())
}

/// The entries of a folder that are not hidden, by name.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>, TemplateError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| TemplateError::read(folder, source))? {
        let entry = entry.map_err(|source| TemplateError::read(folder, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push((entry.path(), name));
        }
    }
    Ok(found)
}

/// The text of a file that can be part of a template; other files only count by their presence.
fn read_text(path: &Path) -> Result<String, TemplateError> {
    if !path.extension().is_some_and(|extension| extension == "yaml" || extension == "md") {
        return Ok(String::new());
    }
    let length = fs::metadata(path).map_err(|source| TemplateError::read(path, source))?.len();
    if length > MAX_FILE_BYTES {
        return Err(TemplateError::TooLarge { path: path.to_owned(), length });
    }
    fs::read_to_string(path).map_err(|source| TemplateError::read(path, source))
}

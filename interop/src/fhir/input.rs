//! What the files of an import hold, found out before anything is written.
//!
//! Every file is read once to the end: one that is not well-formed stops the import before it
//! begins, so a download that was cut off never goes in by half.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bundle::Bundle;

/// Why files can't be imported. Says where, and nothing of what stands there.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file can't be read.
    #[error("{}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A file is not well-formed.
    #[error("{}: line {line}, column {column}: {reason}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Files that were found well-formed.
#[derive(Debug, Default)]
pub struct Input {
    /// Bundles: each refers to its own entries and is taken in as a whole.
    pub(super) bundles: Vec<PathBuf>,
    /// Files with one resource a line, and with one resource: they refer to each other in any order.
    pub(super) loose: Vec<Loose>,
    resources: u64,
}

#[derive(Debug)]
pub(super) struct Loose {
    pub(super) file: PathBuf,
    pub(super) has_lines: bool,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
}

impl Input {
    /// Looks through the files: bundles, NDJSON (by the ending `.ndjson`) and single resources.
    pub fn open(files: &[PathBuf]) -> Result<Self, InputError> {
        let mut input = Self::default();
        for file in files {
            if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ndjson")) {
                each_line(file, |line, text| {
                    serde_json::from_str::<IgnoredAny>(text)
                        .map_err(|error| malformed(file, line, &error))?;
                    input.resources += 1;
                    Ok::<_, InputError>(())
                })?;
                input.loose.push(Loose { file: file.clone(), has_lines: true });
                continue;
            }
            let text = read(file)?;
            let head: Head = serde_json::from_str(&text).map_err(|error| malformed(file, 1, &error))?;
            if head.resource_type.as_deref() == Some("Bundle") {
                let bundle: Bundle<'_> =
                    serde_json::from_str(&text).map_err(|error| malformed(file, 1, &error))?;
                input.resources += bundle.entry.len() as u64;
                input.bundles.push(file.clone());
            } else {
                input.resources += 1;
                input.loose.push(Loose { file: file.clone(), has_lines: false });
            }
        }
        Ok(input)
    }

    /// How many resources the files hold.
    pub fn resources(&self) -> u64 {
        self.resources
    }
}

/// Reads a file as text.
pub(super) fn read(file: &Path) -> Result<String, InputError> {
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
    // Some systems put a byte order mark in front.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Calls back with every line that is not blank, numbered from 1.
pub(super) fn each_line<E: From<InputError>>(
    file: &Path,
    mut each: impl FnMut(usize, &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut lines = Lines::open(file)?;
    while let Some((number, line)) = lines.next()? {
        each(number, &line)?;
    }
    Ok(())
}

/// The lines of a file that are not blank.
pub(super) struct Lines {
    file: PathBuf,
    reader: BufReader<File>,
    number: usize,
}

impl Lines {
    pub(super) fn open(file: &Path) -> Result<Self, InputError> {
        let reader = File::open(file).map_err(|error| unreadable(file, error))?;
        Ok(Self { file: file.to_owned(), reader: BufReader::new(reader), number: 0 })
    }

    pub(super) fn next(&mut self) -> Result<Option<(usize, String)>, InputError> {
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line).map_err(|error| unreadable(&self.file, error))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let text = line.trim_start_matches('\u{feff}').trim();
            if !text.is_empty() {
                return Ok(Some((self.number, text.to_owned())));
            }
        }
    }
}

fn unreadable(file: &Path, error: io::Error) -> InputError {
    InputError::Unreadable { file: file.to_owned(), error }
}

/// The parser's own message may quote the file.
fn malformed(file: &Path, first_line: usize, error: &serde_json::Error) -> InputError {
    let reason = match error.classify() {
        serde_json::error::Category::Eof => "the file ends too early",
        serde_json::error::Category::Data => "this is not a FHIR resource or bundle",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "this is not JSON",
    };
    let line = (first_line + error.line()).saturating_sub(1);
    InputError::Malformed { file: file.to_owned(), line, column: error.column(), reason }
}

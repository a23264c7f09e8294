//! An import from beginning to end: bundle by bundle, then the loose resources in three passes.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use futures::future::BoxFuture;
use praxis_platform::{Failure, OpFactory};

use super::{
    batch::{self, Carried, Item},
    bundle::Bundle,
    input::{self, Input, InputError, Lines},
    name::Names,
    report::{Report, Tally},
    source::{Invalid, Source},
};

/// Loose resources per transaction, by number and by size of their text.
const LINES: usize = 2_000;
const BYTES: usize = 16 << 20;

/// Why an import ended before its end. What was committed by then stays; a rerun goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The clinic's data could not be written.
    #[error("{}", file.display())]
    Failed {
        /// The file that was being imported.
        file: PathBuf,
        /// Why.
        #[source]
        failure: Failure,
    },
}

/// How to import.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Name of the system the files come from; ids of different systems are never mixed up.
    pub source: &'a str,
    /// Told how many resources are done.
    pub progress: &'a (dyn Fn(u64) + Send + Sync),
}

/// Imports files into the clinic of the factory. Importing twice adds nothing.
pub fn import<'a>(
    factory: &'a OpFactory,
    input: &'a Input,
    options: Options<'a>,
) -> BoxFuture<'a, Result<Report, ImportError>> {
    Box::pin(async move {
        let begun = Instant::now();
        let mut run = Run { factory, options, tally: Tally::default(), carried: Carried::default(), done: 0 };
        for file in &input.bundles {
            run.bundle(file).await?;
        }
        for pass in [Pass::People, Pass::Visits, Pass::Rest] {
            run.loose(input, pass).await?;
        }
        Ok(run.tally.finish(begun.elapsed()))
    })
}

/// Loose resources stand in any order: what others refer to is taken in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    People,
    Visits,
    Rest,
}

impl Pass {
    fn of(text: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct Head<'a> {
            #[serde(rename = "resourceType", borrow)]
            resource_type: Option<&'a str>,
        }
        let head = serde_json::from_str::<Head<'_>>(text).ok();
        match head.and_then(|head| head.resource_type) {
            // Medications are there before those who take them.
            Some("Organization" | "Practitioner" | "Patient" | "Medication") => Self::People,
            Some("Encounter") => Self::Visits,
            _ => Self::Rest,
        }
    }
}

struct Run<'a> {
    factory: &'a OpFactory,
    options: Options<'a>,
    tally: Tally,
    carried: Carried,
    done: u64,
}

/// A resource that was not looked at yet.
struct Raw<'a> {
    position: u64,
    full_url: Option<&'a str>,
    text: Result<&'a str, Invalid>,
}

impl Run<'_> {
    async fn bundle(&mut self, file: &Path) -> Result<(), ImportError> {
        let text = input::read(file)?;
        let bundle: Bundle<'_> = serde_json::from_str(&text).map_err(|_| changed(file))?;
        let resources = bundle.entry.iter().zip(1..).map(|(entry, position)| {
            let text = match entry.resource {
                _ if entry.is_no_creation() => {
                    Err(Invalid::at("Bundle.entry.request.method", "is not POST or PUT"))
                }
                None => Err(Invalid::at("Bundle.entry.resource", "is missing")),
                Some(resource) => Ok(resource.get()),
            };
            Raw { position, full_url: entry.full_url.as_deref(), text }
        });
        self.batch(file, resources.collect()).await
    }

    async fn loose(&mut self, input: &Input, pass: Pass) -> Result<(), ImportError> {
        for loose in &input.loose {
            if !loose.has_lines {
                let text = input::read(&loose.file)?;
                if Pass::of(&text) == pass {
                    self.lines(&loose.file, &[(1, text)]).await?;
                }
                continue;
            }
            let mut lines = Lines::open(&loose.file)?;
            let (mut chunk, mut size) = (Vec::new(), 0);
            while let Some((number, line)) = lines.next()? {
                if Pass::of(&line) != pass {
                    continue;
                }
                size += line.len();
                chunk.push((number as u64, line));
                if chunk.len() >= LINES || size >= BYTES {
                    self.lines(&loose.file, &chunk).await?;
                    (chunk, size) = (Vec::new(), 0);
                }
            }
            self.lines(&loose.file, &chunk).await?;
        }
        Ok(())
    }

    async fn lines(&mut self, file: &Path, lines: &[(u64, String)]) -> Result<(), ImportError> {
        let raw = lines.iter().map(|(position, text)| Raw {
            position: *position,
            full_url: None,
            text: Ok(text.trim()),
        });
        self.batch(file, raw.collect()).await
    }

    async fn batch(&mut self, file: &Path, resources: Vec<Raw<'_>>) -> Result<(), ImportError> {
        if resources.is_empty() {
            return Ok(());
        }
        let shown = file.display().to_string();
        let count = resources.len() as u64;
        let mut unusable = Tally::default();
        let mut items = Vec::with_capacity(resources.len());
        for Raw { position, full_url, text } in resources {
            let source = match text.and_then(Source::parse) {
                Ok(source) => source,
                Err(invalid) => {
                    unusable.failed("?", &shown, position, invalid);
                    continue;
                }
            };
            match Names::of(&source, full_url) {
                Some(names) => items.push(Item { file: &shown, position, source, names }),
                None => {
                    let invalid = source.invalid("id", "is missing, and so are a fullUrl and an identifier");
                    unusable.failed(&source.kind, &shown, position, invalid);
                }
            }
        }
        let taken = batch::take_in(self.factory, self.options.source, items, &mut self.carried).await;
        self.tally.add(taken.map_err(|failure| ImportError::Failed { file: file.to_owned(), failure })?);
        self.tally.add(unusable);
        self.done += count;
        (self.options.progress)(self.done);
        Ok(())
    }
}

/// The file was well-formed when the import began.
fn changed(file: &Path) -> InputError {
    InputError::Malformed { file: file.to_owned(), line: 1, column: 1, reason: "the file changed meanwhile" }
}

//! The folder of the demo: the database, the root key, the configuration, the log.

use std::{
    collections::HashMap,
    env, fs,
    fs::{DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::people::canaries;
use crate::config::{Config, Overrides};

/// Says that the clinics were filled to the end, and with what.
const MARK: &str = "seeded.json";

/// The folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// What the clinics are filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seeded {
    /// Where chance begins.
    pub seed: u64,
    /// Patients of each clinic.
    pub patients: u16,
}

impl Seeded {
    /// Everything by which the patients can be recognised.
    pub(super) fn canaries(self) -> Vec<String> {
        canaries(self.seed, usize::from(self.patients))
    }
}

impl Folder {
    /// Opens the folder, making it if need be.
    pub(super) fn open(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path.canonicalize()?))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What the clinics were filled with; `None` when that was never finished.
    pub(super) fn seeded(&self) -> Result<Option<Seeded>> {
        match fs::read(self.0.join(MARK)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that the clinics are filled.
    pub(super) fn note_seeded(&self, seeded: Seeded) -> Result<()> {
        // Beside its place first: a mark is whole, or not there.
        let unfinished = self.0.join("seeded.unfinished");
        fs::write(&unfinished, serde_json::to_vec(&seeded)?)?;
        Ok(fs::rename(unfinished, self.0.join(MARK))?)
    }

    /// Removes the mark first, then what belongs to the database that is about to go.
    pub(super) fn clear(&self) -> Result<()> {
        for name in [MARK, "root.key", "praxis.toml", "praxis.log"] {
            match fs::remove_file(self.0.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        match fs::remove_dir_all(self.mails()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(())
    }

    /// Writes the configuration, with which other commands find the demo, and reads it.
    ///
    /// Of the environment only the log and the limits count: the database and the keys of a real
    /// installation are none of the demo's business.
    pub(super) fn configure(&self, dsn: &str, port: u16) -> Result<Config> {
        let file = self.0.join("praxis.toml");
        let key = self.0.join("root.key");
        let settings =
            toml_text(&[("database", "url", dsn), ("keys", "root_key_file", &key.to_string_lossy())]);
        let created = File::options().write(true).create(true).truncate(true).mode(0o600).open(&file);
        std::io::Write::write_all(&mut created?, settings.as_bytes())?;
        let values = vec![
            ("http.base_domain", "localhost".to_owned()),
            ("http.graphiql", "true".to_owned()),
            ("http.origin", format!("http://{{host}}:{port}")),
            ("mail.folder", self.mails().to_string_lossy().into_owned()),
            ("mail.from", "no-reply@praxis.example".to_owned()),
        ];
        let overrides = Overrides { file: Some(file), values };
        let counts = |name: &str| name.starts_with("PRAXIS_LOG") || name.starts_with("PRAXIS_LIMITS");
        let environment: HashMap<_, _> = env::vars().filter(|(name, _)| counts(name)).collect();
        Ok(Config::explain(&overrides, &environment)?.0)
    }

    /// Where mails are put instead of being sent.
    pub(super) fn mails(&self) -> PathBuf {
        self.0.join("mail")
    }

    /// The log, to append to.
    pub(super) fn log(&self) -> Result<File> {
        Ok(File::options().create(true).append(true).mode(0o600).open(self.0.join("praxis.log"))?)
    }
}

/// Sections of one setting each.
fn toml_text(settings: &[(&str, &str, &str)]) -> String {
    let section = |(section, name, value): &(&str, &str, &str)| {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!("[{section}]\n{name} = \"{escaped}\"\n")
    };
    let sections: String = settings.iter().map(section).collect();
    format!("# Written at every start of the demo.\n{sections}")
}

/// Writes texts to a file, one a line.
pub(super) fn write_lines(file: &Path, lines: &[String]) -> Result<()> {
    fs::write(file, lines.join("\n") + "\n").with_context(|| format!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_that_was_not_finished_does_not_count() {
        let path = env::temp_dir().join(format!("praxis-folder-{}", std::process::id()));
        let folder = Folder::open(&path).unwrap();
        let seeded = Seeded { seed: 3, patients: 9 };
        assert_eq!(folder.seeded().unwrap(), None);
        fs::write(folder.path().join("seeded.unfinished"), "{").unwrap();
        assert_eq!(folder.seeded().unwrap(), None);
        folder.note_seeded(seeded).unwrap();
        assert_eq!(folder.seeded().unwrap(), Some(seeded));
        folder.clear().unwrap();
        assert_eq!(folder.seeded().unwrap(), None);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn settings_survive_the_file() {
        let text = toml_text(&[
            ("database", "url", "postgres://a?host=%2Ftmp"),
            ("keys", "root_key_file", r#"/a "b"\c"#),
        ]);
        let read = |key: &str| {
            let built =
                config::Config::builder().add_source(config::File::from_str(&text, config::FileFormat::Toml));
            built.build().unwrap().get_string(key).unwrap()
        };
        assert_eq!(read("database.url"), "postgres://a?host=%2Ftmp");
        assert_eq!(read("keys.root_key_file"), r#"/a "b"\c"#);
    }
}

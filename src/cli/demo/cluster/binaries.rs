//! Finds the PostgreSQL programs (`initdb`, `postgres`, `pg_ctl`) on this machine.
//!
//! Distributions keep the server's programs outside `PATH`, each in its own place, and
//! often several versions side by side. A new cluster takes the newest; an existing one
//! needs the major version that made it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The oldest major version Praxis runs on.
const OLDEST: u32 = 15;

/// Folders that hold one folder per installed version, and how those are named.
const INSTALLED: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", ""),          // Debian, Ubuntu
    ("/usr", "pgsql-"),                   // Fedora and RHEL, from postgresql.org
    ("/usr/libexec", "postgresql"),       // Alpine
    ("/opt/homebrew/opt", "postgresql@"), // macOS on Apple silicon
    ("/usr/local/opt", "postgresql@"),    // macOS on Intel
];

/// One installed version of PostgreSQL.
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds the newest version, or exactly the one that made an existing cluster.
    pub(super) fn find(made_by: Option<u32>) -> Result<Self> {
        let found: Vec<Self> = candidates().into_iter().filter_map(|dir| Self::at(&dir)).collect();
        let newest = found.iter().map(|version| version.major).max();
        let wanted = made_by.or(newest).unwrap_or(OLDEST);
        match found.into_iter().find(|version| version.major == wanted) {
            Some(version) if version.major >= OLDEST => Ok(version),
            Some(version) => bail!(
                "PostgreSQL {OLDEST} or newer is needed, only {} is installed; `make setup` installs it",
                version.major
            ),
            None if made_by.is_some() => bail!(
                "these data were made by PostgreSQL {wanted}, which is not installed; install it or start anew with --reset"
            ),
            None => bail!(
                "PostgreSQL {OLDEST} or newer is not installed; `make setup` installs it, PRAXIS_PG_BIN names its folder"
            ),
        }
    }

    /// The path of one of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn at(dir: &Path) -> Option<Self> {
        // Links such as /usr/local/bin/postgres lead to the folder that has them all.
        let postgres = dir.join("postgres").canonicalize().ok()?;
        let dir = postgres.parent()?.to_path_buf();
        let complete = ["initdb", "pg_ctl"].iter().all(|program| dir.join(program).exists());
        let major = major(&output(&postgres, "--version")?)?;
        complete.then_some(Self { dir, major })
    }
}

/// The major version that made the cluster in `data`, if there is one.
pub(super) fn made_by(data: &Path) -> Result<Option<u32>> {
    let file = data.join("PG_VERSION");
    if !file.try_exists()? {
        return Ok(None);
    }
    let text = fs::read_to_string(&file)?;
    let major = text.trim().parse();
    Ok(Some(major.with_context(|| format!("{} holds {text:?}", file.display()))?))
}

fn candidates() -> Vec<PathBuf> {
    if let Some(dir) = env::var_os("PRAXIS_PG_BIN") {
        return vec![dir.into()];
    }
    let mut dirs: Vec<PathBuf> =
        env::var_os("PATH").iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>()).collect();
    for (parent, prefix) in INSTALLED {
        for version in fs::read_dir(parent).into_iter().flatten().flatten() {
            if version.file_name().to_string_lossy().starts_with(prefix) {
                dirs.extend([version.path().join("bin"), version.path()]);
            }
        }
    }
    dirs.extend(output(Path::new("pg_config"), "--bindir").map(|line| line.trim().into()));
    dirs
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15; betas read `17beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_releases_and_betas() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18.1"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major("something else"), None);
    }
}

//! The file of root keys: who may read it, how it is replaced, and the lock of whoever changes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::VaultError;

/// The longest file of root keys: room for some ninety.
const LIMIT: usize = 4096;

/// Reads a file that its owner alone may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    let failed = |error: io::Error| VaultError::KeyFile(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() || found.permissions().mode() & 0o077 != 0 {
        let advice = "must be a file that only its owner may read (chmod 600)";
        return Err(VaultError::KeyFile(format!("{} {advice}", path.display())));
    }
    let mut text = Zeroizing::new(String::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() > LIMIT {
        return Err(VaultError::KeyFile(format!("{} is longer than 4096 bytes", path.display())));
    }
    Ok(text)
}

/// Writes the keys aside and links them in place: the file appears whole or not at all,
/// and never replaces another.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    let _lock = lock(path)?;
    let draft = write_aside(path, text, None)?;
    let linked = match fs::hard_link(&draft, path) {
        // Another process was first; its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    };
    fs::remove_file(&draft)?;
    linked?;
    File::open(folder(path))?.sync_all()
}

/// Writes the keys aside and moves them in place: whoever reads finds the old ones or the new ones,
/// and whoever could read them still can.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    if text.len() > LIMIT {
        let advice = "would be longer than 4096 bytes: take older keys out with `praxis key retire`";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, advice));
    }
    let owner = owner_of(path)?;
    let draft = write_aside(path, text, Some(owner))?;
    fs::rename(&draft, path)?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside the one of the keys: `root.key` has `root.key.lock`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn owner_of(path: &Path) -> io::Result<(u32, u32)> {
    fs::metadata(path).map(|found| (found.uid(), found.gid()))
}

/// Waits for the lock, which is a file of its own, because the one of the keys is replaced. It stays:
/// if it were removed, two could hold locks of the same name. It belongs to whom the keys belong, also
/// where root was the first to need it.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).mode(0o600).open(beside(path, ".lock"))?;
    match owner_of(path) {
        Ok((uid, gid)) if lock.metadata()?.uid() != uid => fchown(&lock, Some(uid), Some(gid))?,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    lock.lock()?;
    Ok(lock)
}

/// The draft has one name: what a killed process left is removed by the next that holds the lock.
fn write_aside(path: &Path, text: &str, owner: Option<(u32, u32)>) -> io::Result<PathBuf> {
    let draft = beside(path, ".draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written =
        file.write_all(text.as_bytes()).and_then(|()| own(&file, owner)).and_then(|()| file.sync_all());
    if written.is_err() {
        fs::remove_file(&draft)?;
    }
    written.map(|()| draft)
}

/// Gives the draft to whom the file belongs, or fails while the file is still the old one.
fn own(draft: &File, owner: Option<(u32, u32)>) -> io::Result<()> {
    let found = draft.metadata()?;
    match owner {
        Some((uid, gid)) if (found.uid(), found.gid()) != (uid, gid) => fchown(draft, Some(uid), Some(gid)),
        _ => Ok(()),
    }
}

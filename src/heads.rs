//! How far this server sealed each clinic's audit log, in a folder of its own, so that a restart forgets
//! nothing. It helps only where whoever runs the database can't write to it.
//!
//! One process has the folder for as long as it runs: another would write what is older over what is newer.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use praxis_entity::ids::TenantId;
use praxis_platform::audit::{Head, Heads, tree::Edge};
use serde::{Deserialize, Serialize};

/// The end of a log, as a file holds it.
#[derive(Serialize, Deserialize)]
struct Stored {
    size: u64,
    edge: Vec<[u8; 32]>,
    line: [u8; 32],
}

/// The folder, and the lock on it.
#[derive(Debug)]
pub struct Remembered {
    folder: PathBuf,
    _lock: File,
}

impl Remembered {
    /// Takes the folder and reads what was remembered. What can't be read is no reason to go without it,
    /// and neither is a folder that another process has, or that can't be written to.
    pub fn recall(folder: &Path, heads: &Heads) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = lock(&folder.join("lock"))?;
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some(id) = name.strip_suffix(".head") else { continue };
            let odd = || io::Error::new(io::ErrorKind::InvalidData, path.display().to_string());
            let tenant: TenantId = id.parse().map_err(|_| odd())?;
            let Stored { size, edge, line } = serde_json::from_slice(&fs::read(&path)?).map_err(|_| odd())?;
            let edge = Edge::restore(size, &edge.concat()).ok_or_else(odd)?;
            heads.remember(tenant, &Head { edge, line });
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Writes down where a log ends.
    pub fn write(&self, tenant: TenantId, head: &Head) -> io::Result<()> {
        let bytes = head.edge.bytes();
        let (edge, _) = bytes.as_chunks::<32>();
        let stored = Stored { size: head.edge.size(), edge: edge.to_vec(), line: head.line };
        let draft = self.folder.join(format!("{tenant}.draft"));
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&stored)?)?;
        file.sync_all()?;
        fs::rename(draft, self.folder.join(format!("{tenant}.head")))
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let named =
        |kind, what: &dyn std::fmt::Display| io::Error::new(kind, format!("{}: {what}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| named(error.kind(), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(named(
            io::ErrorKind::ResourceBusy,
            &"another process has this folder; each needs one of its own",
        )),
        Err(TryLockError::Error(error)) => Err(named(error.kind(), &error)),
    }
}

//! Where a cluster's files live, and as whom its processes run.
//!
//! PostgreSQL refuses to run as root, so root's clusters run as `postgres` or `nobody`.
//! That account gets one folder, `pg`, and nothing else. Two things can be in the way:
//! a parent folder it may not pass through (`/root`), then the folder is kept under
//! `/var/lib/praxis` and linked; and a path too long for a socket's address, then only
//! the socket moves, to a private folder among the temporary files.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use tokio::process::Command;

/// Where the data are kept when the account may not reach the folder asked for.
const REACHABLE: &str = "/var/lib/praxis";

/// The longest socket address that every supported system takes (macOS: 103 bytes).
const LONGEST_ADDRESS: usize = 103;

/// The folder of one cluster, and the account that owns it.
pub(super) struct Home {
    root: PathBuf,
    socket_dir: PathBuf,
    account: Option<Account>,
}

impl Home {
    /// Makes or finds the home of the cluster of `dir`, which must be an absolute path.
    pub(super) async fn prepare(dir: &Path) -> Result<Self> {
        let link = dir.join("pg");
        let own_id = id(&["-u"]).await?.context("`id -u` gives no number")?;
        let account = if own_id == 0 { Some(Account::find(&link).await?) } else { None };

        let root = match fs::read_link(&link) {
            Ok(target) => target,
            Err(_) if link.is_dir() || may_enter(account, dir).await? => link,
            Err(_) => {
                fs::create_dir_all(REACHABLE)?;
                let target = Path::new(REACHABLE).join(fingerprint(dir));
                symlink(&target, &link)?;
                target
            }
        };
        let owners = Owners { own_id, account };
        owners.private_dir(&root)?;

        let address = root.join(".s.PGSQL.5432");
        let socket_dir = if address.as_os_str().len() <= LONGEST_ADDRESS {
            root.clone()
        } else {
            let short = env::temp_dir().join(format!("praxis-{}", fingerprint(dir)));
            owners.private_dir(&short)?;
            short
        };
        Ok(Self { root, socket_dir, account })
    }

    /// PostgreSQL's data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The folder of the socket.
    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The path of another file in the account's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file that the account, and nobody else, can read.
    pub(super) fn write_private(&self, path: &Path, text: &str) -> Result<()> {
        write_private(path, text)?;
        if let Some(account) = self.account {
            chown(path, Some(account.user), Some(account.group))?;
        }
        Ok(())
    }

    /// A command run as the account, with none of our environment: it may hold keys.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = command_as(self.account, program.as_ref());
        command.current_dir(&self.root);
        command
    }

    /// Removes everything of the cluster.
    pub(super) fn remove(self, dir: &Path) -> Result<()> {
        fs::remove_dir_all(&self.root)?;
        if self.socket_dir != self.root {
            fs::remove_dir_all(&self.socket_dir)?;
        }
        let link = dir.join("pg");
        if link.is_symlink() {
            fs::remove_file(link)?;
        }
        Ok(())
    }
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    remove_file_if_there(path)?;
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = created.with_context(|| format!("writing {}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Removes a file; one that is not there is as good as removed.
pub(super) fn remove_file_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// An unprivileged account, used when we are root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The owner of an existing cluster, else `postgres`, else `nobody`.
    async fn find(link: &Path) -> Result<Self> {
        if let Ok(data) = fs::metadata(link.join("data"))
            && data.uid() != 0
        {
            return Ok(Self { user: data.uid(), group: data.gid() });
        }
        for name in ["postgres", "nobody"] {
            if let (Some(user), Some(group)) = (id(&["-u", name]).await?, id(&["-g", name]).await?) {
                return Ok(Self { user, group });
            }
        }
        bail!("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`");
    }
}

/// Who may own a private folder: we, and the account.
struct Owners {
    own_id: u32,
    account: Option<Account>,
}

impl Owners {
    /// Makes a folder of the account, or checks that the existing one is not a stranger's.
    fn private_dir(&self, path: &Path) -> Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("making {}", path.display()));
            }
            _ => {}
        }
        let found = fs::symlink_metadata(path)?;
        let owner = self.account.map_or(self.own_id, |account| account.user);
        ensure!(
            found.is_dir() && [self.own_id, owner].contains(&found.uid()),
            "{} belongs to another user (id {})",
            path.display(),
            found.uid()
        );
        if let Some(account) = self.account
            && found.uid() != owner
        {
            chown(path, Some(account.user), Some(account.group))?;
        }
        if found.mode() & 0o777 != 0o700 {
            fs::set_permissions(path, Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

fn command_as(account: Option<Account>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(account) = account {
        command.uid(account.user).gid(account.group).current_dir("/");
    }
    command
}

/// Asks the system itself, which knows of more than permission bits.
async fn may_enter(account: Option<Account>, dir: &Path) -> Result<bool> {
    let mut probe = command_as(account, Path::new("/bin/sh"));
    let answer = probe.args(["-c", r#"cd "$1""#, "sh"]).arg(dir).output().await?;
    Ok(answer.status.success())
}

/// A short name for `dir`, the same on every start.
fn fingerprint(dir: &Path) -> String {
    let hash = digest(&SHA256, dir.as_os_str().as_bytes());
    HEXLOWER.encode(hash.as_ref()).chars().take(16).collect()
}

/// The number that `id` prints; `None` when it knows no such account.
async fn id(arguments: &[&str]) -> Result<Option<u32>> {
    let output = Command::new("id").args(arguments).output().await.context("running `id`")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

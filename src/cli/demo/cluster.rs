//! A private PostgreSQL cluster, for the demo and for the tests.
//!
//! It lives in one folder, listens on a Unix socket only, and every login needs a
//! password. Its log never holds statement texts or the values in them, because these
//! may be about patients.
//!
//! It never outlives its purpose: a watcher beside the server waits on a pipe that this
//! process holds open, and stops the server when the pipe closes. The kernel closes it
//! however this process ends, `kill -9` included. A cluster that many test processes
//! join has no owner; it stops itself when nobody came for an hour.

mod binaries;
mod home;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use self::binaries::Binaries;
use self::home::{Home, remove_file_if_there, write_private};

/// The name of the superuser.
pub const SUPERUSER: &str = "postgres";

/// Where the superuser's password is kept, readable for the owner of the folder.
const PASSWORD_FILE: &str = "pg-password";

/// Fixed, so that an environment's `PGPORT` cannot lead elsewhere.
const PORT: u16 = 5432;

const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "port=5432",
    "max_connections=200",
    // `pg_dump` and provisioning lock every table of a tenant at once.
    "max_locks_per_transaction=256",
    "shared_buffers=128MB",
    "synchronous_commit=off",
    // The work of a client that has gone away is stopped, not finished.
    "client_connection_check_interval=1s",
    // An error's text can quote the value it is about, and its details quote the row:
    // neither they nor any statement are logged. The client that caused them gets them.
    "log_min_messages=log",
    "log_error_verbosity=terse",
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
];

/// Who decides when the cluster stops.
#[derive(Clone, Copy)]
enum Lifetime {
    /// It ends with this process.
    Owned,
    /// It ends an hour after the last process joined.
    Shared,
}

/// How to run a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Survive a power failure; without it, only a crash of PostgreSQL.
    pub durable: bool,
    /// Remove what is there and start anew.
    pub reset: bool,
}

/// A running cluster.
///
/// Dropping a started one stops the server too, but nobody waits for its end; prefer
/// [`Cluster::stop`].
pub struct Cluster {
    socket_dir: PathBuf,
    password: String,
    owned: Option<Owned>,
}

/// What only the process that started a cluster has: the server, and the folder for itself.
struct Owned {
    server: Server,
    _lock: File,
}

struct Server {
    postmaster: Child,
    lifeline: ChildStdin,
}

impl Cluster {
    /// Starts the cluster of a folder, making it first if need be, and waits until it answers.
    ///
    /// No other process may use the folder at the same time.
    pub async fn start(dir: &Path, options: Options) -> Result<Self> {
        let (dir, lock) = open(dir)?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another process uses {}", dir.display()),
            result => result?,
        }
        let home = Home::prepare(&dir).await?;
        let (cluster, server) = launch(&dir, home, options, Lifetime::Owned).await?;
        Ok(Self { owned: Some(Owned { server, _lock: lock }), ..cluster })
    }

    /// Joins the running cluster of a folder, or makes a new one that others can join.
    ///
    /// It is fast, not durable, and therefore made anew whenever it had stopped.
    pub async fn join(dir: &Path) -> Result<Self> {
        let (dir, lock) = open(dir)?;
        // Held until it runs, so that of many processes one starts it and the others wait.
        let _lock = spawn_blocking(move || lock.lock().map(|()| lock)).await??;
        let home = Home::prepare(&dir).await?;
        if may_join(&home)? && answers(&home) {
            return Ok(Self {
                socket_dir: home.socket_dir().into(),
                password: read_password(&dir)?,
                owned: None,
            });
        }
        let options = Options { durable: false, reset: true };
        Ok(launch(&dir, home, options, Lifetime::Shared).await?.0)
    }

    /// The address of a database for a login role, as sqlx and libpq both read it.
    pub fn dsn(&self, database: &str, user: &str, password: &str) -> String {
        // A URL with a user needs a host; `host=` then overrides it with the socket.
        format!(
            "postgres://{}:{}@localhost:{PORT}/{}?host={}",
            percent_encoded(user),
            percent_encoded(password),
            percent_encoded(database),
            percent_encoded(&self.socket_dir.to_string_lossy()),
        )
    }

    /// The address of a database for the superuser.
    pub fn superuser_dsn(&self, database: &str) -> String {
        self.dsn(database, SUPERUSER, &self.password)
    }

    /// Stops a started cluster and waits for its end; a joined one goes on.
    pub async fn stop(self) -> Result<()> {
        let Some(Owned { server, _lock }) = self.owned else {
            return Ok(());
        };
        let Server { mut postmaster, lifeline } = server;
        drop(lifeline);
        match timeout(Duration::from_secs(30), postmaster.wait()).await {
            Ok(status) => ensure!(status?.success(), "PostgreSQL did not stop cleanly"),
            // It recovers at the next start: its log of changes is complete.
            Err(_) => postmaster.kill().await?,
        }
        Ok(())
    }
}

/// The folder as an absolute path, and the file whose lock guards it.
fn open(dir: &Path) -> Result<(PathBuf, File)> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    Ok((dir, file.with_context(|| format!("opening {}", path.display()))?))
}

fn read_password(dir: &Path) -> Result<String> {
    let file = dir.join(PASSWORD_FILE);
    fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// Stops what a killed process left, makes the cluster if need be, and runs it.
async fn launch(
    dir: &Path,
    mut home: Home,
    options: Options,
    lifetime: Lifetime,
) -> Result<(Cluster, Server)> {
    stop_leftover(&home).await?;
    let log = dir.join("postgres.log");
    if options.reset {
        home.remove(dir)?;
        remove_file_if_there(&log)?;
        home = Home::prepare(dir).await?;
    }
    let made_by = binaries::made_by(&home.data())?;
    let binaries = Binaries::find(made_by)?;
    if made_by.is_none() {
        let password = random_password()?;
        // Before the cluster, so that there never is a cluster without its password.
        write_private(&dir.join(PASSWORD_FILE), &password)?;
        init(&home, &binaries, &password).await?;
    }
    let password = read_password(dir)?;
    let server = run(&home, &binaries, options.durable, lifetime, &log).await?;
    Ok((Cluster { socket_dir: home.socket_dir().into(), password, owned: None }, server))
}

/// Makes the cluster beside its place and moves it there, so that it is whole or not there.
async fn init(home: &Home, binaries: &Binaries, password: &str) -> Result<()> {
    let unfinished = home.file("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let password_file = home.file("password");
    home.write_private(&password_file, password)?;
    let locale = if cfg!(target_os = "macos") { "C" } else { "C.UTF-8" };
    let mut initdb = home.command(binaries.program("initdb"));
    initdb.args([
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-sync",
        "--no-instructions",
        "--username",
        SUPERUSER,
    ]);
    initdb.arg("--locale").arg(locale).arg("--pwfile").arg(&password_file).arg("-D").arg(&unfinished);
    let result = finish(&mut initdb, "initdb").await;
    fs::remove_file(password_file)?;
    result?;
    home.write_private(&unfinished.join("pg_hba.conf"), "local all all scram-sha-256\n")?;
    fs::rename(unfinished, home.data())?;
    Ok(())
}

/// Starts the server with its watcher and waits until it accepts connections.
async fn run(
    home: &Home,
    binaries: &Binaries,
    durable: bool,
    lifetime: Lifetime,
    log: &Path,
) -> Result<Server> {
    note_join(home)?;
    // The watcher is not a child of the server's: it would take the end of an unknown
    // child for a crash. `$$` is the server's own process after `exec`.
    let watch = match lifetime {
        Lifetime::Owned => "read -r _ <&3",
        Lifetime::Shared => r#"while kill -0 $$ && [ -n "$(find joined -mmin -60)" ]; do sleep 30; done"#,
    };
    let script =
        format!(r#"exec 3<&0 </dev/null; ( ( {watch}; kill -INT $$ ) 2>/dev/null & ); exec "$@" 3<&-"#);

    let log_file = File::options().create(true).append(true).mode(0o600).open(log)?;
    let sockets = home.socket_dir().to_string_lossy().replace('"', r#""""#);
    let fsync = if durable { "on" } else { "off" };
    let mut command = home.command("/bin/sh");
    command.args(["-c", &script, "sh"]).arg(binaries.program("postgres")).arg("-D").arg(home.data());
    command.args(["-c", &format!("unix_socket_directories=\"{sockets}\"")]);
    command.args(["-c", &format!("fsync={fsync}"), "-c", &format!("full_page_writes={fsync}")]);
    command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log_file);
    // Ctrl-C reaches a whole process group; the server must outlast our own shutdown.
    command.process_group(0);

    let mut postmaster = command.spawn().context("starting PostgreSQL")?;
    let lifeline = postmaster.stdin.take().context("no pipe to PostgreSQL")?;
    let process = postmaster.id().context("PostgreSQL has no process id")?;
    // Recovery after a crash can take its time.
    for _ in 0..6_000 {
        if is_ready(home, process) && answers(home) {
            return Ok(Server { postmaster, lifeline });
        }
        if let Some(status) = postmaster.try_wait()? {
            bail!("PostgreSQL did not start ({status}); its log is {}", log.display());
        }
        sleep(Duration::from_millis(10)).await;
    }
    bail!("PostgreSQL was not ready within a minute; its log is {}", log.display());
}

/// Whether the server, and this very one, has written that it accepts connections.
fn is_ready(home: &Home, process: u32) -> bool {
    let text = fs::read_to_string(home.data().join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(process.to_string().as_str())
        && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn answers(home: &Home) -> bool {
    UnixStream::connect(home.socket_dir().join(format!(".s.PGSQL.{PORT}"))).is_ok()
}

/// Notes that one more process joins; false when the server may be about to stop itself.
fn may_join(home: &Home) -> Result<bool> {
    let last = fs::metadata(home.file("joined")).and_then(|file| file.modified());
    note_join(home)?;
    Ok(last.is_ok_and(|time| time.elapsed().is_ok_and(|ago| ago < Duration::from_mins(50))))
}

fn note_join(home: &Home) -> Result<()> {
    fs::write(home.file("joined"), "its time of change says when the last process joined\n")?;
    Ok(())
}

/// Stops a server whose owner was killed and whose watcher was, too, and waits for its end.
async fn stop_leftover(home: &Home) -> Result<()> {
    let data = home.data();
    if !data.join("postmaster.pid").exists() {
        return Ok(());
    }
    let pg_ctl = Binaries::find(binaries::made_by(&data)?)?.program("pg_ctl");
    // Only a server that answers: the process of a stale file may be anybody's by now.
    if answers(home) {
        let mut stop = home.command(&pg_ctl);
        finish(stop.args(["stop", "-m", "fast", "-w", "-D"]).arg(&data), "pg_ctl stop").await?;
    }
    // It closes its socket some moments before it ends.
    for _ in 0..100 {
        let status = home.command(&pg_ctl).arg("status").arg("-D").arg(&data).output().await?;
        if !status.status.success() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn finish(command: &mut Command, name: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().await.with_context(|| format!("starting {name}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {}", text.trim());
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a password is made before there is anything to inject a source into"
)]
fn random_password() -> Result<String> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).ok().context("the system gives no random numbers")?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Keeps the characters that stand for themselves in every part of a URL.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

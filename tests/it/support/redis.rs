//! A Redis of a test's own: on loopback, on a port of its own, killed with the test.

use std::{
    env,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::sleep,
};

/// What a Redis was told.
#[derive(Default)]
pub struct Overheard(Arc<Mutex<Vec<u8>>>);

impl Overheard {
    /// All of it so far.
    pub fn so_far(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A Redis server that can be killed, frozen and started again.
pub struct TestRedis {
    binary: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl TestRedis {
    /// Starts one; `None`, and loudly, where Redis is not installed.
    #[expect(clippy::print_stderr, reason = "who runs the tests should know what was not tested")]
    pub async fn start() -> Result<Option<Self>> {
        let Some(binary) = find() else {
            let message = "redis-server is not installed (scripts/setup installs it)";
            if env::var_os("CI").is_some() {
                bail!("{message}");
            }
            eprintln!("\n!!! NOT TESTED: {message}\n");
            return Ok(None);
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port();
        let mut redis = Self { binary, port, child: None };
        redis.run().await?;
        Ok(Some(redis))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Collects every command that is sent to it from now on, with its arguments.
    pub async fn overhear(&self) -> Result<Overheard> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.write_all(b"MONITOR\r\n").await?;
        let heard = Overheard::default();
        let bytes = Arc::clone(&heard.0);
        let mut start = [0; 5];
        stream.read_exact(&mut start).await?;
        tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend(buffer.iter().take(read));
            }
        });
        Ok(heard)
    }

    /// Kills it: nothing that it held is left.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts it again at the same address, with nothing in it.
    pub async fn run(&mut self) -> Result<()> {
        let port = self.port.to_string();
        let nothing_kept = ["--save", "", "--appendonly", "no", "--dir", "/tmp"];
        let child = Command::new(&self.binary)
            .args(["--port", &port, "--bind", "127.0.0.1", "--protected-mode", "yes"])
            .args(nothing_kept)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        for _ in 0..200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(25)).await;
        }
        bail!("redis-server does not listen")
    }

    /// Stops it in the middle of whatever it does (`STOP`), or lets it go on (`CONT`).
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.as_ref().and_then(Child::id).context("it does not run")?;
        let sent = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status().await?;
        anyhow::ensure!(sent.success(), "kill -{signal}");
        Ok(())
    }
}

fn find() -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("redis-server"))
        .find(|path| Path::is_file(path))
}

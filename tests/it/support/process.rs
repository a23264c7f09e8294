//! The program in processes of its own, over a test's installation: to be killed, and spoken to over the wire.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{ffi::OsStr, net::SocketAddr, process::Stdio, time::Duration};

use anyhow::{Result, bail};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{installation::TestInstallation, server::Answer};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What processes say is heard where `PRAXIS_TEST_HEARD` is set.
fn heard() -> Stdio {
    if std::env::var_os("PRAXIS_TEST_HEARD").is_some() { Stdio::inherit() } else { Stdio::null() }
}

impl TestInstallation {
    /// Starts the program as a server or a worker; it dies with its handle.
    pub fn spawn(&self, args: &[&str], variables: &[(&str, &str)]) -> Result<Child> {
        self.spawn_of(env!("CARGO_BIN_EXE_praxis").as_ref(), args, variables)
    }

    fn spawn_of(&self, program: &OsStr, args: &[&str], variables: &[(&str, &str)]) -> Result<Child> {
        self.spawn_plainly_of(program, &[args, &["--admin-listen", "127.0.0.1:0"]].concat(), variables)
    }

    /// Starts the program for something else; it dies with its handle.
    pub fn spawn_plainly(&self, args: &[&str], variables: &[(&str, &str)]) -> Result<Child> {
        self.spawn_plainly_of(env!("CARGO_BIN_EXE_praxis").as_ref(), args, variables)
    }

    fn spawn_plainly_of(&self, program: &OsStr, args: &[&str], variables: &[(&str, &str)]) -> Result<Child> {
        let cells = self.cells();
        Ok(Command::new(program)
            .args(args)
            .env_clear()
            .envs([
                ("DATABASE_URL", self.url.as_str()),
                ("PRAXIS_ROOT_KEY", self.root_key.as_str()),
                ("PRAXIS_BASE_DOMAIN", "praxis.test"),
            ])
            .envs((!cells.is_empty()).then_some(("PRAXIS_CELLS", cells.as_str())))
            .envs(variables.iter().copied())
            .current_dir(std::env::temp_dir())
            .stdout(heard())
            .stderr(heard())
            .kill_on_drop(true)
            .spawn()?)
    }

    /// Starts a server at an address and waits until it listens there.
    pub async fn spawn_server(&self, address: SocketAddr, variables: &[(&str, &str)]) -> Result<Child> {
        self.spawn_server_of(env!("CARGO_BIN_EXE_praxis").as_ref(), address, variables).await
    }

    /// The same of another build.
    pub async fn spawn_server_of(
        &self,
        program: &OsStr,
        address: SocketAddr,
        variables: &[(&str, &str)],
    ) -> Result<Child> {
        let mut process = self.spawn_of(program, &["serve", "--listen", &address.to_string()], variables)?;
        for _ in 0..1_200 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(process);
            }
            if let Some(status) = process.try_wait()? {
                bail!("the server ended: {status}");
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("the server does not listen")
    }
}

/// An address that nobody listens at.
pub async fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

/// Sends a request over a connection of its own; `None` where no whole answer came back.
pub async fn post(
    address: SocketAddr,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Option<Answer> {
    let body = body.to_string();
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        whole(&answer)
    };
    timeout(PATIENCE, exchange).await.ok().flatten()
}

fn whole(answer: &str) -> Option<Answer> {
    let (head, text) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = StatusCode::from_bytes(lines.next()?.split(' ').nth(1)?.as_bytes()).unwrap();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let length: usize = headers.get("content-length")?.to_str().unwrap().parse().unwrap();
    (text.len() == length).then(|| Answer {
        status,
        headers,
        text: text.to_owned(),
        body: serde_json::from_str(text).unwrap_or_default(),
    })
}

//! The control plane of an installation in a process of its own, and operators who ask it.

use std::{io::Write, net::SocketAddr, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use axum::http::StatusCode;
use praxis_entity::ids::TenantId;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
    time::sleep,
};

use crate::support::{
    installation::TestInstallation,
    process::{free_address, post},
    server::{Answer, PASSWORD},
};

const HOST: &str = "control.invalid";
/// Whoever may do everything.
pub(super) const OPS: &str = "ops@praxis.test";

/// The control plane of an installation.
pub(super) struct Plane {
    pub(super) installation: TestInstallation,
    pub(super) address: SocketAddr,
    process: Child,
    variables: Vec<(&'static str, &'static str)>,
}

impl Plane {
    pub(super) async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with settings of one's own.
    pub(super) async fn start_with(variables: &[(&'static str, &'static str)]) -> Result<Self> {
        Self::start_over(TestInstallation::new().await?, variables).await
    }

    /// The same over an installation that has no operators yet.
    pub(super) async fn start_over(
        installation: TestInstallation,
        variables: &[(&'static str, &'static str)],
    ) -> Result<Self> {
        operator(&installation, OPS, &["read", "manage", "hold", "destroy"])?;
        Self::of(installation, variables).await
    }

    /// Over an installation that has its operators.
    pub(super) async fn over(installation: TestInstallation) -> Result<Self> {
        Self::of(installation, &[]).await
    }

    async fn of(installation: TestInstallation, variables: &[(&'static str, &'static str)]) -> Result<Self> {
        let address = free_address().await?;
        let process = serve(&installation, address, variables).await?;
        Ok(Self { installation, address, process, variables: variables.to_vec() })
    }

    /// kill -9.
    pub(super) async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    pub(super) async fn restart(&mut self) -> Result<()> {
        self.process = serve(&self.installation, self.address, &self.variables).await?;
        Ok(())
    }

    /// `POST` of a body, with headers.
    pub(super) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        post(self.address, HOST, path, headers, body).await.unwrap()
    }

    /// A request as it is, and the answer as it is, with a body or without.
    pub(super) async fn plain(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> Result<(StatusCode, String)> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
        if !token.is_empty() {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok((answer.split(' ').nth(1).unwrap_or_default().parse()?, answer))
    }

    pub(super) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/login", &[], &json!({ "email": email, "password": password })).await
    }

    pub(super) async fn token(&self) -> String {
        self.token_of(OPS).await
    }

    pub(super) async fn token_of(&self, email: &str) -> String {
        let answer = self.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.body["accessToken"].as_str().unwrap().to_owned()
    }

    pub(super) async fn send(&self, token: &str, query: &str, variables: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let body = json!({ "query": query, "variables": variables });
        self.post("/graphql", &[("authorization", &bearer)], &body).await
    }

    pub(super) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let answer = self.send(token, query, variables).await;
        assert!(answer.status == StatusCode::OK && answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"].clone()
    }

    /// A mutation of an input that answers with an operation.
    pub(super) async fn begin(&self, token: &str, field: &str, kind: &str, input: Value) -> Value {
        let query = format!(
            "mutation($input: {kind}!) {{ begun: {field}(input: $input) {{ operation {{ id state attempts }} userErrors {{ code path }} }} }}"
        );
        self.ask(token, &query, json!({ "input": input })).await["begun"].clone()
    }

    /// The operation when it has ended.
    pub(super) async fn ended(&self, token: &str, begun: &Value) -> Result<Value> {
        let id = begun["operation"]["id"].as_str().with_context(|| format!("not begun: {begun}"))?;
        let query =
            "query($id: ID!) { operation(id: $id) { id kind state step progress attempts detail error actor
            tenant { id slug state displayName template schemaVersion } } }";
        for _ in 0..1_200 {
            let found = self.ask(token, query, json!({ "id": id })).await["operation"].clone();
            if found["state"] == "DONE" || found["state"] == "FAILED" {
                return Ok(found);
            }
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the operation does not end")
    }

    /// Makes a clinic and gives back its id, as it is written.
    pub(super) async fn clinic(&self, slug: &str) -> Result<String> {
        Ok(TenantId(self.installation.provision(slug).await?.id.0).to_string())
    }
}

async fn serve(
    installation: &TestInstallation,
    address: SocketAddr,
    variables: &[(&str, &str)],
) -> Result<Child> {
    let args = ["operator", "serve", "--listen", &address.to_string()];
    let mut process = installation.spawn_plainly(&args, variables)?;
    for _ in 0..600 {
        if TcpStream::connect(address).await.is_ok() {
            return Ok(process);
        }
        ensure!(process.try_wait()?.is_none(), "the control plane ended");
        sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the control plane does not listen")
}

/// Makes an account.
pub(super) fn operator(installation: &TestInstallation, email: &str, rights: &[&str]) -> Result<()> {
    let mut args = vec!["operator", "create", "--email", email, "--name", "Ops"];
    for right in rights {
        args.extend(["--right", right]);
    }
    with_password(installation, &args, PASSWORD)
}

/// Runs a command that reads a password.
pub(super) fn with_password(installation: &TestInstallation, args: &[&str], password: &str) -> Result<()> {
    let mut command = installation.command();
    let mut child =
        command.args(args).arg("--password-stdin").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    child.stdin.take().unwrap().write_all(password.as_bytes())?;
    ensure!(child.wait()?.success(), "{args:?}");
    Ok(())
}

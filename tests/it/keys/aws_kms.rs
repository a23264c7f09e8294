//! AWS KMS guards the keys, goes away, and comes back; spoken to as moto speaks.
//!
//! moto's server is looked for in `PRAXIS_TEST_MOTO` and on the path; `pip install 'moto[server]'`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets something else fails here, and says loudly when it can't run"
)]

use std::{
    env,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use praxis::{
    App,
    config::{Config, Overrides},
};
use praxis_platform::{
    clock::{Clock, SystemClock},
    key_service::{AwsCredentials, AwsKms, AwsKmsSettings, CredentialSource},
    vault::{KeyBinding, KeyWrapper, VaultError},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::{Child, Command},
};
use uuid::Uuid;

use crate::support::{
    clock::TestClock,
    installation::TestInstallation,
    server::{TestServer, send},
};

/// A KMS of one's own.
struct Moto {
    port: u16,
    child: Child,
}

impl Moto {
    /// Starts one with a key in it; nothing where moto is not installed.
    async fn start() -> Result<Option<(Self, String)>> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let Some(child) = Self::spawn(port)? else {
            eprintln!(
                "\n*** NOT TESTED: no moto_server. Install it with pip, or name it in PRAXIS_TEST_MOTO ***\n"
            );
            return Ok(None);
        };
        let moto = Self { port, child };
        moto.ready().await?;
        let created = moto.post("TrentService.CreateKey", "{}").await?;
        let key = created["KeyMetadata"]["KeyId"].as_str().context("no key")?.to_owned();
        Ok(Some((moto, key)))
    }

    fn spawn(port: u16) -> Result<Option<Child>> {
        let program = env::var("PRAXIS_TEST_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        match child {
            Ok(child) => Ok(Some(child)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn ready(&self) -> Result<()> {
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("moto did not start")
    }

    /// Stops the process where it is, or lets it go on.
    async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().context("moto ended")?.to_string();
        ensure!(Command::new("kill").args([signal, &id]).status().await?.success());
        Ok(())
    }

    /// A call that is not ours to make otherwise.
    async fn post(&self, target: &str, body: &str) -> Result<Value> {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await?;
        let head = format!(
            "POST / HTTP/1.1\r\nHost: kms.us-east-1.amazonaws.com\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, json) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(serde_json::from_str(json.trim())?)
    }

    fn settings(&self, key: &str) -> AwsKmsSettings {
        AwsKmsSettings {
            key_id: key.to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            credentials: CredentialSource::Given(AwsCredentials {
                access_key_id: "x".to_owned(),
                secret_access_key: "y".to_owned().into(),
                session_token: Some("z".to_owned().into()),
            }),
        }
    }
}

const BINDING: KeyBinding = KeyBinding { tenant: Uuid::from_u128(1), version: 3 };

#[tokio::test]
async fn a_key_returns_only_for_its_tenant_and_version() -> Result<()> {
    let Some((moto, key)) = Moto::start().await? else { return Ok(()) };
    let kms = AwsKms::new(moto.settings(&key), Arc::new(SystemClock))?;
    let guarded = kms.wrap(BINDING, b"secret").await?;
    assert!(!guarded.bytes.windows(6).any(|bytes| bytes == b"secret"));
    assert_eq!(*kms.unwrap(BINDING, &guarded).await?, b"secret");
    for other in [KeyBinding { tenant: Uuid::from_u128(2), ..BINDING }, KeyBinding { version: 4, ..BINDING }]
    {
        assert_eq!(kms.unwrap(other, &guarded).await.unwrap_err(), VaultError::Tampered);
    }
    let other = moto.post("TrentService.CreateKey", "{}").await?;
    let other = other["KeyMetadata"]["KeyId"].as_str().unwrap();
    let elsewhere = AwsKms::new(moto.settings(other), Arc::new(SystemClock))?;
    assert!(!elsewhere.opens(&guarded.wrapper));
    assert!(elsewhere.unwrap(BINDING, &guarded).await.is_err());
    let nowhere = AwsKms::new(moto.settings("00000000-0000-0000-0000-000000000000"), Arc::new(SystemClock))?;
    // The key that all share is not there: that befalls everybody.
    assert!(matches!(nowhere.wrap(BINDING, b"secret").await, Err(VaultError::Away(_))));
    Ok(())
}

/// The configuration of an installation that moves to KMS.
fn config(installation: &TestInstallation, moto: &Moto, key: &str, wrapper: &str) -> Result<Config> {
    let values = vec![
        ("database.url", installation.url.clone()),
        ("keys.root_key", installation.root_key.clone()),
        ("keys.wrapper", wrapper.to_owned()),
        ("keys.aws_kms_key_id", key.to_owned()),
        ("keys.aws_region", "us-east-1".to_owned()),
        ("keys.aws_kms_endpoint", format!("http://127.0.0.1:{}", moto.port)),
        ("keys.aws_access_key_id", "x".to_owned()),
        ("keys.aws_secret_access_key", "y".to_owned()),
        ("keys.cache_s", "1".to_owned()),
        ("keys.stale_s", "8".to_owned()),
        ("http.base_domain", "praxis.test".to_owned()),
        ("database.connections", "8".to_owned()),
        ("database.wait_ms", "15000".to_owned()),
    ];
    Ok(Config::explain(&Overrides { file: None, values }, &[].into())?.0)
}

/// `praxis key` with the same configuration.
async fn key(
    installation: &TestInstallation,
    moto: &Moto,
    id: &str,
    wrapper: &str,
    args: &[&str],
) -> Result<i32> {
    let output = Command::new(env!("CARGO_BIN_EXE_praxis"))
        .args(["-o", "ndjson", "key"])
        .args(args)
        .env_clear()
        .env("DATABASE_URL", &installation.url)
        .env("PRAXIS_ROOT_KEY", &installation.root_key)
        .env("PRAXIS_KEYS_WRAPPER", wrapper)
        .env("PRAXIS_AWS_KMS_KEY_ID", id)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL_KMS", format!("http://127.0.0.1:{}", moto.port))
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .output()
        .await?;
    let code = output.status.code().context("killed")?;
    ensure!(code != 1 && code != 2, "{}", String::from_utf8_lossy(&output.stderr));
    Ok(code)
}

const READ: &str =
    "query($id: ID!) { patient(by: { id: $id }) { id name { full } redactions { field reason } } }";

#[tokio::test]
async fn a_clinic_moves_to_kms_outlives_its_absence_for_a_while_and_recovers_by_itself() -> Result<()> {
    let Some((moto, id)) = Moto::start().await? else { return Ok(()) };
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    // Both guards are configured: the root key wraps, KMS is made ready.
    let config_of = config(&installation, &moto, &id, "local")?;
    let server = TestServer::over(installation, config_of).await?;
    let desk = server.person("northside", "receptionist").await;
    let patient = desk.register("Mairead", "Quill", "1980-02-03").await;
    let full = |data: &Value| data["patient"]["name"]["full"].clone();
    let ask = async || desk.ask(READ, json!({ "id": patient })).await;

    // From the root key to KMS, while the server goes on.
    assert_eq!(key(&server.installation, &moto, &id, "aws-kms", &["rewrap"]).await?, 0);
    assert_eq!(key(&server.installation, &moto, &id, "aws-kms", &["verify"]).await?, 0);
    let mut admin = server.installation.admin().await?;
    let by: Vec<String> = sqlx::query_scalar(
        "SELECT wrapper FROM control.tenant_key UNION SELECT wrapper FROM control.installation_key",
    )
    .fetch_all(&mut admin)
    .await?;
    assert_eq!(by, [format!("aws-kms:{id}")]);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(full(&ask().await), "Mairead Quill");

    // Away: stopped, so that calls hang until we lose patience. What is at hand goes on for a while.
    moto.signal("-STOP").await?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(full(&ask().await), "Mairead Quill");
    assert!(!server.app.platform.keyring.service_answers());
    assert!(ready(&server).await?.contains("\"keys\":false"));
    tokio::time::sleep(Duration::from_millis(9_000)).await;

    // Then nothing sealed is given or taken, and it is said why.
    let answer = desk.send(READ, json!({ "id": patient }), &[]).await;
    assert!(!answer.text.contains("Quill"), "{}", answer.text);
    assert!(answer.text.contains("KEY_UNAVAILABLE"), "{}", answer.text);
    let write = json!({ "input": { "name": { "given": ["A"], "family": "B" }, "birthDate": "1990-01-01" } });
    let begun = Instant::now();
    for attempt in 0..50 {
        let number = attempt.to_string();
        let headers = [("idempotency-key", number.as_str())];
        let refused = desk.send(crate::support::people::CREATE, write.clone(), &headers).await;
        assert!(refused.text.contains("KEY_UNAVAILABLE"), "{}", refused.text);
    }
    // Not each of them waited for a service that is known to be away.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());

    // A server that starts now says what is missing.
    let Err(error) = App::build(config(&server.installation, &moto, &id, "aws-kms")?).await else {
        anyhow::bail!("it started without its keys")
    };
    let error = format!("{:#}", anyhow::Error::from(error));
    assert!(error.contains("AWS KMS"), "{error}");

    // Back: within the longest pause everything is as before, without anybody's doing.
    moto.signal("-CONT").await?;
    let begun = Instant::now();
    loop {
        let answer = desk.send(READ, json!({ "id": patient }), &[]).await;
        if answer.body["data"]["patient"]["name"]["full"] == "Mairead Quill" {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    eprintln!("recovered {:?} after the key service", begun.elapsed());
    assert!(ready(&server).await?.contains("\"keys\":true"));

    // And back to the root key.
    assert_eq!(key(&server.installation, &moto, &id, "local", &["rewrap"]).await?, 0);
    assert_eq!(key(&server.installation, &moto, &id, "local", &["verify"]).await?, 0);
    Ok(())
}

async fn ready(server: &TestServer) -> Result<String> {
    let request = Request::get("/readyz").body(Body::empty())?;
    Ok(send(&server.app.admin_router, request).await.text)
}

/// What the metadata service of an instance and KMS were asked, in this order.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

/// An instance that lends credentials until an instant, and a KMS that answers what it was given.
async fn instance(asked: Asked, until: chrono::DateTime<chrono::Utc>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let answer = move |request: Request<Body>| {
        let asked = asked.clone();
        async move {
            let header = |name: &str| {
                request
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned()
            };
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            asked.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {path}"));
            let with_token = header("x-aws-ec2-metadata-token") == "a token";
            match (method.as_str(), path.as_str()) {
                ("PUT", "/latest/api/token") if header("x-aws-ec2-metadata-token-ttl-seconds") == "300" => {
                    (StatusCode::OK, "a token".to_owned())
                }
                ("GET", "/latest/meta-data/iam/security-credentials/") if with_token => {
                    (StatusCode::OK, "clinic-role\n".to_owned())
                }
                ("GET", "/latest/meta-data/iam/security-credentials/clinic-role") if with_token => {
                    let lent = json!({ "Code": "Success", "AccessKeyId": "LENT", "SecretAccessKey": "secret",
                        "Token": "session", "Expiration": until });
                    (StatusCode::OK, lent.to_string())
                }
                ("POST", "/") => {
                    let lent = header("authorization").contains("Credential=LENT/")
                        && header("authorization").contains("x-amz-security-token")
                        && header("x-amz-security-token") == "session";
                    let status = if lent { StatusCode::OK } else { StatusCode::FORBIDDEN };
                    (status, json!({ "CiphertextBlob": "Y2lwaGVy", "KeyId": "k" }).to_string())
                }
                _ => (StatusCode::UNAUTHORIZED, String::new()),
            }
        }
    };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

#[tokio::test]
async fn an_instance_lends_credentials_which_are_kept_until_shortly_before_they_end() -> Result<()> {
    let (asked, clock) = (Asked::default(), Arc::new(TestClock::default()));
    let address = instance(asked.clone(), clock.now() + chrono::TimeDelta::hours(1)).await?;
    let settings = AwsKmsSettings {
        key_id: "alias/praxis".to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: Some(address.clone()),
        credentials: CredentialSource::Instance(address),
    };
    let kms = AwsKms::new(settings, Arc::clone(&clock) as _)?;
    let calls = || std::mem::take(&mut *asked.0.lock().unwrap_or_else(PoisonError::into_inner));
    let folder = "/latest/meta-data/iam/security-credentials/";
    let borrowed =
        ["PUT /latest/api/token".to_owned(), format!("GET {folder}"), format!("GET {folder}clinic-role")];

    assert_eq!(kms.wrap(BINDING, b"secret").await?.bytes, b"cipher");
    assert_eq!(calls(), [&borrowed[..], &["POST /".to_owned()]].concat());
    kms.wrap(BINDING, b"secret").await?;
    assert_eq!(calls(), ["POST /"], "what was lent is still good");
    clock.advance(chrono::TimeDelta::minutes(56));
    kms.wrap(BINDING, b"secret").await?;
    assert_eq!(calls(), [&borrowed[..], &["POST /".to_owned()]].concat());
    Ok(())
}

#[tokio::test]
async fn without_an_instance_there_are_no_credentials_and_the_service_counts_as_away() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let settings = AwsKmsSettings {
        key_id: "alias/praxis".to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: None,
        credentials: CredentialSource::Instance(format!("http://127.0.0.1:{port}")),
    };
    let kms = AwsKms::new(settings, Arc::new(SystemClock))?;
    assert!(matches!(kms.wrap(BINDING, b"secret").await, Err(VaultError::Away(_))));
    Ok(())
}

//! The same at a provider that is certified (kit `oidc-idp`), where it is at hand.

use std::{path::PathBuf, process::Stdio, sync::Arc};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::*;
use crate::{
    mail::{mailer, send_all},
    support::smtp::MailServer,
};

/// One GET over a socket: status, and headers by lower-case name.
async fn fetch(url: &url::Url, cookie: &str) -> Result<(u16, Vec<(String, String)>)> {
    let address = format!("{}:{}", url.host_str().context("no host")?, url.port().context("no port")?);
    let mut socket = TcpStream::connect(&address).await?;
    let path = &url[url::Position::BeforePath..];
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let mut lines = answer.split("\r\n\r\n").next().context("no head")?.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let pairs = lines.filter_map(|line| line.split_once(": "));
    Ok((status, pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()))
}

/// Walks through the provider's pages as somebody until it sends the browser back to the clinic.
async fn walk(start: &str, login: &str) -> Result<String> {
    let (mut url, mut jar) = (url::Url::parse(start)?, HashMap::new());
    for _ in 0..12 {
        // Where the provider asks who is there.
        if url.path().starts_with("/i/") {
            url.query_pairs_mut().append_pair("login", login);
        }
        let cookie: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (status, headers) = fetch(&url, &cookie.join("; ")).await?;
        for (_, set) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) =
                set.split(';').next().and_then(|pair| pair.split_once('=')).context("cookie")?;
            jar.insert(name.to_owned(), value.to_owned());
        }
        let location = headers.iter().find(|(name, _)| name == "location");
        let (_, location) = location.with_context(|| format!("stuck at {url} with {status}"))?;
        url = url.join(location)?;
        if let Some(query) = url.as_str().strip_prefix(CALLBACK) {
            return Ok(query.trim_start_matches('?').to_owned());
        }
    }
    anyhow::bail!("the provider goes round in circles")
}

/// Where the kits are whose provider is certified, if they are here and installed.
fn kits() -> Option<PathBuf> {
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let candidates = std::env::var_os("PRAXIS_KITS").map(PathBuf::from).into_iter();
    let candidates = candidates.chain(["../shared/kits", "../kits"].map(|near| project.join(near)));
    candidates.into_iter().find(|kits| kits.join("_node/node_modules/oidc-provider").exists())
}

#[tokio::test]
async fn a_certified_provider_signs_people_in() -> Result<()> {
    let Some(kits) = kits() else {
        eprintln!(
            "SKIPPED: no certified identity provider; PRAXIS_KITS names the folder with the kit oidc-idp"
        );
        return Ok(());
    };
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let issuer = format!("http://127.0.0.1:{port}");
    let script = ". \"$0/common.sh\" && exec node \"$0/oidc-idp/idp.mjs\" \"$1\"";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(&kits).arg(port.to_string()).env("REDIRECT", CALLBACK);
    let _idp = command.kill_on_drop(true).stdin(Stdio::null()).spawn()?;
    let mut waited = 0;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        waited += 1;
        anyhow::ensure!(waited < 300, "the provider does not start");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let server = Arc::new(clinic().await?);
    let provider = add(&server, &issuer).await;
    let mut ann = Browser::new(&server);
    // Nobody knows them yet.
    let url = ann.start(&provider, "/").await;
    let answer = ann.callback(&walk(&url, "ann").await?).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{}", answer.text);
    ann.sign_in(ANN).await;
    let url = ann.start_link(&provider).await;
    let answer = ann.callback(&walk(&url, "ann").await?).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);

    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let brought = walk(&url, "ann").await?;
    let answer = browser.callback(&brought).await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/explorer".parse()?)
    );
    assert!(browser.signed_in().await);
    let viewer = browser.ask("{ viewer { sessions { methods current } } }", json!({})).await;
    eprintln!("the certified provider signed somebody in: {viewer}");

    // Nia is invited, and joins as who she is there; she comes in again, and Ann's identity stays Ann's.
    let post = MailServer::start(&[]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    send_all(&mailer).await?;
    let before = post.taken().len();
    let owner = server.proven("northside", "owner").await;
    let input = json!({ "email": "nia@praxis.test", "displayName": "Nia Okoro", "role": "nurse" });
    owner.run("userInvite", "invitation { id }", input).await;
    send_all(&mailer).await?;
    let secret = post.taken()[before].secret();
    for (login, status) in [("ann", StatusCode::FORBIDDEN), ("nia", StatusCode::SEE_OTHER)] {
        let mut nia = Browser::new(&server);
        let body = json!({ "token": secret, "provider": provider, "returnTo": "/explorer" });
        let begun = nia.post("/auth/oidc/invitation", body).await;
        let brought = walk(begun.body["url"].as_str().context("no address")?, login).await?;
        let answer = nia.callback(&brought).await;
        assert_eq!((answer.status, nia.signed_in().await), (status, login == "nia"), "{}", answer.text);
    }
    let mut nia = Browser::new(&server);
    let url = nia.start(&provider, "/").await;
    assert_eq!(nia.callback(&walk(&url, "nia").await?).await.status, StatusCode::SEE_OTHER);
    let viewer = nia.ask("{ viewer { displayName externalIdentities { providerName } } }", json!({})).await;
    assert_eq!(viewer["viewer"]["displayName"], "Nia Okoro");
    eprintln!("the certified provider let somebody join: {viewer}");
    Ok(())
}

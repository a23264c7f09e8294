//! Signing in at an identity provider: one that is certified, and one that lies.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{collections::HashMap, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use data_encoding::BASE32_NOPAD;
use praxis_entity::value::TotpSecret;
use praxis_platform::{clock::Clock, factor::totp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

use crate::support::{
    idp::{Idp, Twist},
    server::{Answer, PASSWORD, TestServer},
};

const HOST: &str = "northside.praxis.test";
const CALLBACK: &str = "https://northside.praxis.test/auth/oidc/callback";
const ANN: &str = "ann@praxis.test";

/// A browser with its cookies.
struct Browser<'a> {
    server: &'a TestServer,
    cookies: HashMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a TestServer) -> Self {
        Self { server, cookies: HashMap::new() }
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            for attribute in ["__Host-", "; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(attribute) && !cookie.contains("Domain"), "{cookie}");
            }
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let answer = self.server.get(HOST, path, &[("cookie", &self.cookie())]).await;
        self.keep(&answer);
        answer
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        let headers = [("cookie", self.cookie()), ("praxis-csrf", "1".to_owned())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.server.post(HOST, path, &headers, body).await;
        self.keep(&answer);
        answer
    }

    /// Signs in by password, with a second factor shown just now.
    async fn sign_in(&mut self, email: &str) {
        let answer = self.post("/auth/session", json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.server.show_second_factor().await;
    }

    /// Asks, twice under one key when it is for a change; any error fails the test.
    async fn ask(&mut self, query: &str, input: Value) -> Value {
        let body = json!({ "query": query, "variables": { "input": input } });
        let key = self.server.installation.clock.new_id().to_string();
        let (cookie, mut answers) = (self.cookie(), Vec::new());
        let headers = [("cookie", cookie.as_str()), ("praxis-csrf", "1"), ("idempotency-key", key.as_str())];
        for _ in 0..=usize::from(query.starts_with("mutation")) {
            let answer = self.server.post(HOST, "/graphql", &headers, body.clone()).await;
            assert!(answer.body["errors"].is_null(), "{}", answer.text);
            answers.push(answer.body["data"].clone());
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        answers.swap_remove(0)
    }

    /// Begins to sign in, and hands out the provider's page.
    async fn start(&mut self, provider: &str, return_to: &str) -> String {
        let answer = self.get(&format!("/auth/oidc/start?provider={provider}&returnTo={return_to}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// Begins to link, and hands out the provider's page.
    async fn start_link(&mut self, provider: &str) -> String {
        let answer = self.post("/auth/oidc/link", json!({ "provider": provider, "returnTo": "/me" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.body["url"].as_str().unwrap().to_owned()
    }

    async fn callback(&mut self, query: &str) -> Answer {
        self.get(&format!("/auth/oidc/callback?{query}")).await
    }

    async fn signed_in(&mut self) -> bool {
        self.get("/auth/whoami").await.status == StatusCode::OK
    }
}

impl TestServer {
    async fn show_second_factor(&self) {
        let schema = &self.app.directory.by_slug("northside").unwrap().schema;
        let now = self.clock.now().to_rfc3339();
        let sql = format!("UPDATE {schema}.session SET second_factor_at = '{now}'");
        self.installation.admin().await.unwrap().execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", ANN, "owner")]).await
}

const ADD: &str = "mutation($input: IdentityProviderAddInput!) { identityProviderAdd(input: $input) { identityProvider { id version hasSecret } userErrors { code path } } }";

/// Makes the provider known to the clinic.
async fn add(server: &TestServer, issuer: &str) -> String {
    let mut owner = Browser::new(server);
    owner.sign_in(ANN).await;
    let input = json!({ "name": "Hospital", "issuer": issuer, "clientId": "praxis", "scopes": ["email"],
        "clientSecret": "praxis-secret-praxis-secret-0123", "multiFactorAcr": ["urn:mfa"] });
    let data = owner.ask(ADD, input).await;
    assert_eq!(data["identityProviderAdd"]["userErrors"], json!([]));
    assert_eq!(data["identityProviderAdd"]["identityProvider"]["hasSecret"], true);
    data["identityProviderAdd"]["identityProvider"]["id"].as_str().unwrap().to_owned()
}

/// A clinic with a provider at which Ann is known.
async fn linked() -> Result<(TestServer, Idp, String)> {
    let server = clinic().await?;
    let idp = Idp::start(&server.clock).await;
    let provider = add(&server, &idp.issuer).await;
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    let url = ann.start_link(&provider).await;
    let answer = ann.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(answer.headers[header::LOCATION], "/me", "{}", answer.text);
    Ok((server, idp, provider))
}

#[tokio::test]
async fn a_person_signs_in_where_their_account_is_linked() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let listed = server.get(HOST, "/auth/providers", &[]).await;
    assert_eq!(listed.body["providers"], json!([{ "id": provider, "name": "Hospital" }]));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let answer = browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/explorer".parse()?)
    );
    assert!(browser.signed_in().await);
    let viewer = browser
        .ask("{ viewer { sessions { methods secondFactorAt current } linkedProviders { name } } }", json!({}))
        .await;
    let sessions = viewer["viewer"]["sessions"].as_array().unwrap();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!((&own["methods"], &own["secondFactorAt"]), (&json!(["EXTERNAL"]), &Value::Null));
    assert_eq!(viewer["viewer"]["linkedProviders"], json!([{ "name": "Hospital" }]));

    // A provider that asked for several factors saves asking for one here; freshness is its own matter.
    idp.twist(|_, claims| claims["acr"] = json!("urn:mfa"));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    browser.callback(&idp.authorize(&url, "ann-1")).await;
    let viewer = browser.ask("{ viewer { sessions { methods secondFactorAt current } } }", json!({})).await;
    let sessions = viewer["viewer"]["sessions"].as_array().unwrap();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(own["methods"], json!(["EXTERNAL_MULTI_FACTOR"]));
    let change = browser.post("/graphql", json!({ "query": "mutation($id: ID!) { identityProviderRemove(input: { id: $id, ifVersion: 1 }) { removedId } }", "variables": { "id": provider } })).await;
    assert_eq!(change.code(), "STEP_UP_REQUIRED");
    Ok(())
}

#[tokio::test]
async fn a_provider_does_not_stand_for_a_second_factor_that_a_role_asks_for() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    let require = "mutation($input: RoleRequireSecondFactorInput!) { roleRequireSecondFactor(input: $input) { required userErrors { code } } }";
    let required = ann.ask(require, json!({ "role": "owner", "required": true })).await;
    assert_eq!(required["roleRequireSecondFactor"], json!({ "required": true, "userErrors": [] }));
    // What a server remembers of roles it forgets within two seconds.
    tokio::time::sleep(Duration::from_millis(2_050)).await;

    // Nothing is enrolled yet: the session is good for that and nothing else.
    let patients = json!({ "query": "{ patients { totalCount } }" });
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(browser.post("/graphql", patients.clone()).await.code(), "SECOND_FACTOR_REQUIRED");
    let enrolled =
        browser.post("/graphql", json!({ "query": "mutation { totpEnrol { secret } }" })).await.body;
    let secret = BASE32_NOPAD.decode(enrolled["data"]["totpEnrol"]["secret"].as_str().unwrap().as_bytes())?;
    let secret = TotpSecret(secret.try_into().unwrap());
    let code = || totp::code(&secret, server.clock.now().timestamp() / 30);
    let confirm =
        format!("mutation {{ totpConfirm(input: {{ code: \"{}\" }}) {{ userErrors {{ code }} }} }}", code());
    let confirmed = browser.post("/graphql", json!({ "query": confirm })).await;
    assert_eq!(confirmed.body["data"]["totpConfirm"]["userErrors"], json!([]), "{}", confirmed.text);

    // From now on the way back from the provider opens no session, but leads to the page that asks for the code.
    server.clock.advance(TimeDelta::minutes(2));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let back = browser.callback(&idp.authorize(&url, "ann-1")).await;
    let page = back.headers[header::LOCATION].to_str()?;
    let challenge = page.strip_prefix("/sign-in?next=%2Fexplorer#challenge=").unwrap();
    assert!(!browser.signed_in().await);
    let shown = json!({ "challenge": challenge, "totp": code() });
    let entered = browser.post("/auth/second-factor", shown).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert!(browser.post("/graphql", patients.clone()).await.body["errors"].is_null());

    // Only a provider that says it asked for several itself saves asking here.
    idp.twist(|_, claims| claims["acr"] = json!("urn:mfa"));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let back = browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(back.headers[header::LOCATION], "/explorer");
    assert!(browser.post("/graphql", patients).await.body["errors"].is_null());
    Ok(())
}

#[tokio::test]
async fn an_e_mail_address_is_nobody() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    // The provider says that this is Ann's address, and that it was verified.
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    let answer = browser.callback(&idp.authorize(&url, "eve-1")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert!(!browser.signed_in().await);

    // Linking needs a session, a second factor, and the same person on the way back.
    let answer = browser.post("/auth/oidc/link", json!({ "provider": provider })).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    server.user("northside", "eve@praxis.test", "physician").await?;
    let answer =
        browser.post("/auth/session", json!({ "email": "eve@praxis.test", "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = browser.post("/auth/oidc/link", json!({ "provider": provider })).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let url = browser.start_link(&provider).await;
    let brought = idp.authorize(&url, "eve-1");
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    ann.cookies.insert("__Host-praxis-sign-in".to_owned(), browser.cookies["__Host-praxis-sign-in"].clone());
    assert_eq!(ann.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // Ann's identity is taken.
    let url = browser.start_link(&provider).await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_lies_lets_nobody_in() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let lies: &[(&str, Twist)] = &[
        ("another issuer", |_, claims| claims["iss"] = json!("https://other.example")),
        ("another nonce", |_, claims| claims["nonce"] = json!("x")),
        ("no nonce", |_, claims| claims["nonce"] = Value::Null),
        ("another audience", |_, claims| claims["aud"] = json!("other")),
        ("two audiences", |_, claims| claims["aud"] = json!(["praxis", "other"])),
        ("another party", |_, claims| claims["azp"] = json!("other")),
        ("expired", |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 120)),
        ("from the future", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 120)),
        ("of long ago", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 3_600)),
        ("no subject", |_, claims| claims["sub"] = json!("")),
        ("no signature", |header, _| header["alg"] = json!("none")),
        ("a symmetric key", |header, _| header["alg"] = json!("HS256")),
        ("another algorithm", |header, _| header["alg"] = json!("ES256")),
        ("an unknown key", |header, _| header["kid"] = json!("zzz")),
        ("something critical", |header, _| header["crit"] = json!(["x"])),
    ];
    for (lie, twist) in lies {
        idp.twist(*twist);
        let mut browser = Browser::new(&server);
        let url = browser.start(&provider, "/").await;
        let answer = browser.callback(&idp.authorize(&url, "ann-1")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{lie}");
        assert!(!browser.signed_in().await, "{lie}");
    }
    idp.twist(|_, _| {});
    idp.sign_with(Some(9));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::UNAUTHORIZED);
    idp.sign_with(None);
    let url = browser.start(&provider, "/").await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn a_sign_in_ends_once_in_the_browser_that_began_it() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    let brought = idp.authorize(&url, "ann-1");
    // Another browser, one with another sign-in under way, and one with an older cookie.
    let mut other = Browser::new(&server);
    assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    other.start(&provider, "/").await;
    assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // The answer of another provider, or of none.
    let cookies = browser.cookies.clone();
    for (twisted, status) in [
        (
            brought.replace(
                &url::form_urlencoded::byte_serialize(idp.issuer.as_bytes()).collect::<String>(),
                "https%3A%2F%2Fevil.example",
            ),
            StatusCode::UNAUTHORIZED,
        ),
        (brought.split("&iss=").next().unwrap().to_owned(), StatusCode::UNAUTHORIZED),
        (brought.replace("code=", "kode="), StatusCode::FORBIDDEN),
        (format!("{}&error=access_denied", brought.replace("code=", "kode=")), StatusCode::FORBIDDEN),
        (brought.replace("state=", "state=x"), StatusCode::BAD_REQUEST),
        (brought.replace("state=", "statt="), StatusCode::BAD_REQUEST),
        (format!("{brought}&state=x"), StatusCode::BAD_REQUEST),
        (brought.replace("code=code-", "code=code-9"), StatusCode::UNAUTHORIZED),
    ] {
        browser.cookies = cookies.clone();
        let answer = browser.callback(&twisted).await;
        assert_eq!(answer.status, status, "{twisted}: {}", answer.text);
        assert!(!browser.signed_in().await);
    }
    // The right answer is good once, even if the provider takes its code twice.
    browser.cookies = cookies.clone();
    assert_eq!(browser.callback(&brought).await.status, StatusCode::SEE_OTHER);
    assert!(browser.signed_in().await);
    assert!(!browser.cookies.contains_key("__Host-praxis-sign-in"));
    browser.cookies = cookies;
    assert_eq!(browser.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // Whoever comes back too late begins again.
    let url = browser.start(&provider, "/").await;
    let brought = idp.authorize(&url, "ann-1");
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(browser.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    Ok(())
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_else() -> Result<()> {
    let (server, _idp, provider) = linked().await?;
    let mut browser = Browser::new(&server);
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "evil",
        "",
    ] {
        let answer = browser.get(&format!("/auth/oidc/start?provider={provider}&returnTo={elsewhere}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
            "{elsewhere}"
        );
    }
    for unknown in ["", "nonsense", "idp_01jd3k5n8re6ktp1rb6z9q4x2m", "usr_01jd3k5n8re6ktp1rb6z9q4x2m"] {
        let answer = browser.get(&format!("/auth/oidc/start?provider={unknown}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "NOT_FOUND"), "{unknown}");
    }
    assert_eq!(browser.get("/auth/oidc/start").await.status, StatusCode::BAD_REQUEST);
    assert!(browser.cookies.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_provider_leads_this_server_nowhere() -> Result<()> {
    let server = clinic().await?;
    let start = async |idp: &Idp| {
        let provider = add(&server, &idp.issuer).await;
        let answer = Browser::new(&server).get(&format!("/auth/oidc/start?provider={provider}")).await;
        (answer.status, answer.code().to_owned())
    };
    let away = (StatusCode::BAD_GATEWAY, "UPSTREAM_UNAVAILABLE".to_owned());
    for status in [
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::ACCEPTED,
    ] {
        let idp = Idp::start(&server.clock).await;
        idp.answer(status);
        assert_eq!(start(&idp).await, away, "{status}");
    }
    for metadata in [
        json!({ "issuer": "https://other.example" }),
        json!({ "token_endpoint": "http://10.0.0.1/token" }),
        json!({ "jwks_uri": "http://169.254.169.254/latest/meta-data" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "token_endpoint": 5 }),
    ] {
        let idp = Idp::start(&server.clock).await;
        idp.publish(metadata.clone());
        assert_eq!(start(&idp).await, away, "{metadata}");
    }
    // Issuers that cannot be, are not even stored.
    let mut owner = Browser::new(&server);
    owner.sign_in(ANN).await;
    for issuer in [
        "http://login.example.org",
        "https://10.0.0.1",
        "https://u:p@login.example.org",
        "https://login.example.org/?a",
        "ftp://x",
        "x",
        "",
    ] {
        let data = owner.ask(ADD, json!({ "name": "X", "issuer": issuer, "clientId": "praxis" })).await;
        assert_eq!(data["identityProviderAdd"]["identityProvider"], Value::Null, "{issuer}");
        assert_eq!(
            data["identityProviderAdd"]["userErrors"][0]["path"],
            json!(["input", "issuer"]),
            "{issuer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_new_key_is_found_and_nobody_makes_us_ask_for_ever() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let sign_in = async || {
        let mut browser = Browser::new(&server);
        let url = browser.start(&provider, "/").await;
        browser.callback(&idp.authorize(&url, "ann-1")).await.status
    };
    assert_eq!(sign_in().await, StatusCode::SEE_OTHER);
    assert_eq!(idp.key_requests(), 1);
    tokio::time::sleep(Duration::from_secs(5)).await;
    idp.rotate();
    assert_eq!(sign_in().await, StatusCode::SEE_OTHER);
    assert_eq!(idp.key_requests(), 2);
    idp.twist(|header, _| header["kid"] = json!("never"));
    for _ in 0..10 {
        assert_eq!(sign_in().await, StatusCode::UNAUTHORIZED);
    }
    assert!(idp.key_requests() <= 4, "{}", idp.key_requests());
    Ok(())
}

#[tokio::test]
async fn providers_are_changed_by_whoever_may_and_shows_a_second_factor() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut owner = Browser::new(&server);
    let answer = owner.post("/auth/session", json!({ "email": ANN, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK);
    const CHANGE: &str = "mutation($input: IdentityProviderChangeInput!) { identityProviderChange(input: $input) { identityProvider { name version hasSecret active issuer } userErrors { code path } } }";
    let change =
        json!({ "query": CHANGE, "variables": { "input": { "id": provider, "ifVersion": 1, "name": "H" } } });
    assert_eq!(owner.post("/graphql", change).await.code(), "STEP_UP_REQUIRED");
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let data = owner
        .ask(CHANGE, json!({ "id": provider, "ifVersion": 1, "clientSecret": null, "active": false }))
        .await;
    let changed = &data["identityProviderChange"]["identityProvider"];
    assert_eq!(
        (&changed["hasSecret"], &changed["active"], &changed["name"]),
        (&json!(false), &json!(false), &json!("Hospital"))
    );
    let data = owner.ask(CHANGE, json!({ "id": provider, "ifVersion": 1, "active": true })).await;
    assert_eq!(data["identityProviderChange"]["userErrors"][0]["code"], "VERSION_CONFLICT");
    // Nobody signs in there any more, even who had begun.
    let answer = Browser::new(&server).get(&format!("/auth/oidc/start?provider={provider}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(HOST, "/auth/providers", &[]).await.body["providers"], json!([]));
    let data = owner.ask(ADD, json!({ "name": "Again", "issuer": idp.issuer, "clientId": "praxis" })).await;
    assert_eq!(data["identityProviderAdd"]["userErrors"][0]["code"], "ALREADY_EXISTS");
    const REMOVE: &str = "mutation($input: IdentityProviderRemoveInput!) { identityProviderRemove(input: $input) { removedId userErrors { code } } }";
    let data = owner.ask(REMOVE, json!({ "id": provider, "ifVersion": 2 })).await;
    assert_eq!(data["identityProviderRemove"]["removedId"], json!(provider));
    let data = owner.ask("{ identityProviders { id } viewer { linkedProviders { name } } }", json!({})).await;
    assert_eq!(data, json!({ "identityProviders": [], "viewer": { "linkedProviders": [] } }));
    Ok(())
}

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

/// Walks through the provider's pages until it sends the browser back to the clinic.
async fn walk(start: &str) -> Result<String> {
    let (mut url, mut jar) = (url::Url::parse(start)?, HashMap::new());
    for _ in 0..12 {
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
    let answer = ann.callback(&walk(&url).await?).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{}", answer.text);
    ann.sign_in(ANN).await;
    let url = ann.start_link(&provider).await;
    let answer = ann.callback(&walk(&url).await?).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);

    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let brought = walk(&url).await?;
    let answer = browser.callback(&brought).await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/explorer".parse()?)
    );
    assert!(browser.signed_in().await);
    let viewer = browser.ask("{ viewer { sessions { methods current } } }", json!({})).await;
    eprintln!("the certified provider signed somebody in: {viewer}");
    Ok(())
}

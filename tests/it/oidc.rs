//! Signing in at an identity provider: one that is certified, and one that lies.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{collections::HashMap, time::Duration};

use anyhow::Result;
use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use praxis_platform::clock::Clock;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{
    idp::Idp,
    server::{Answer, PASSWORD, TestServer},
};

mod administration;
mod joining;
mod kit;
mod lies;
mod linking;
mod signing_in;

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

/// How often somebody was told that their identities changed.
async fn identity_mails(server: &TestServer, to: &str) -> i64 {
    let mut sql = server.installation.tenant_connection("northside").await.unwrap();
    let count = "SELECT count(*) FROM mail_message WHERE to_address = $1 AND template = 'identity-changed'";
    sqlx::query_scalar(count).bind(to).fetch_one(&mut sql).await.unwrap()
}

async fn entries(server: &TestServer, action: &str, outcome: &str) -> i64 {
    let mut sql = server.installation.tenant_connection("northside").await.unwrap();
    let count = "SELECT count(*) FROM audit_entry WHERE action = $1 AND outcome = $2";
    sqlx::query_scalar(count).bind(action).bind(outcome).fetch_one(&mut sql).await.unwrap()
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

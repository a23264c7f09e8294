//! Second factors: enrolled, asked for, shown once, required, stepped up with, lost.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets something else fails here"
)]

#[path = "../../platform/src/factor/webauthn/tests/authenticator.rs"]
#[expect(dead_code, reason = "shared with the unit tests, which use all of it")]
pub mod authenticator;

use std::cell::Cell;

use anyhow::Result;
use authenticator::{Authenticator, Kind};
use axum::http::StatusCode;
use chrono::TimeDelta;
use data_encoding::BASE32_NOPAD;
use praxis_entity::value::TotpSecret;
use praxis_platform::{clock::Clock, factor::totp};
use serde_json::{Value, json};

use crate::support::{
    people,
    server::{Answer, PASSWORD, TestServer},
};

mod codes;
mod passkeys;
mod required;

/// The clinic's host.
pub const HOST: &str = "northside.praxis.test";
/// What browsers say that they are at.
pub const ORIGIN: &str = "https://northside.praxis.test";

/// Somebody with an account, whatever they have to show.
struct Staff<'a> {
    server: &'a TestServer,
    email: String,
    bearer: String,
    refresh: String,
}

/// An authenticator app.
pub struct App {
    secret: TotpSecret,
    /// The step whose code it showed the last time.
    shown: Cell<i64>,
}

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

impl<'a> Staff<'a> {
    /// A new account, signed in by password.
    async fn new(server: &'a TestServer, role: &str) -> Self {
        let email = format!("{role}-{}@praxis.test", server.clock.new_id().simple());
        server.user("northside", &email, role).await.unwrap();
        let mut staff = Self { server, email, bearer: String::new(), refresh: String::new() };
        let answer = staff.password().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        staff.enter(&answer);
        staff
    }

    fn enter(&mut self, answer: &Answer) {
        let token = answer.body["accessToken"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
        self.bearer = format!("Bearer {token}");
        self.refresh = answer.body["refreshToken"].as_str().unwrap().to_owned();
    }

    /// Renews the session, which is the same as before.
    async fn renew(&mut self) -> Answer {
        let answer = server_post(self.server, "/auth/refresh", json!({ "refreshToken": self.refresh })).await;
        self.enter(&answer);
        answer
    }

    async fn password(&self) -> Answer {
        self.server.login(HOST, &self.email, PASSWORD).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.server.post(HOST, path, &[("authorization", &self.bearer)], body).await
    }

    async fn ask(&self, query: &str, variables: Value) -> Answer {
        self.post("/graphql", json!({ "query": query, "variables": variables })).await
    }

    /// Runs a mutation and hands out its payload; an error in `errors[]` fails the test.
    async fn run(&self, field: &str, select: &str, input: Value) -> Value {
        let answer = self.ask(&mutation(field, select, &input), json!({ "input": input })).await;
        assert!(answer.body["errors"].is_null(), "{field}: {}", answer.text);
        answer.body["data"][field].clone()
    }

    /// Sets an authenticator app up.
    async fn enrol(&self) -> (App, Vec<String>) {
        let payload = self.run("totpEnrol", "uri secret", Value::Null).await;
        let secret = payload["secret"].as_str().unwrap_or_else(|| panic!("{payload}"));
        assert!(payload["uri"].as_str().unwrap().starts_with("otpauth://totp/NORTHSIDE:"), "{payload}");
        let app = App::new(secret);
        let confirmed = self
            .run(
                "totpConfirm",
                "recoveryCodes secondFactors { totpConfirmedAt }",
                json!({ "code": app.code(self.server) }),
            )
            .await;
        assert_eq!(confirmed["userErrors"], json!([]));
        assert!(confirmed["secondFactors"]["totpConfirmedAt"].is_string());
        (app, texts(&confirmed["recoveryCodes"]))
    }

    /// Makes a passkey.
    async fn make_passkey(&self, kind: Kind, seed: u8) -> (Authenticator, Value) {
        let options = self.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
        let mut authenticator = Authenticator::new(kind, seed, HOST, ORIGIN);
        let credential = authenticator.create(&options);
        let input = json!({ "name": "Key", "credential": credential });
        let select = "passkey { id name host } recoveryCodes";
        (authenticator, self.run("passkeyRegisterFinish", select, input).await)
    }

    /// Signs in by password and second factor.
    async fn second_factor(&self, shown: Value) -> Answer {
        let asked = self.password().await;
        assert_eq!(asked.body["mfaRequired"], true, "{}", asked.text);
        self.answer(&asked, shown).await
    }

    async fn answer(&self, asked: &Answer, mut shown: Value) -> Answer {
        shown["challenge"] = asked.body["challenge"].clone();
        self.server.post(HOST, "/auth/second-factor", &[], shown).await
    }
}

impl App {
    /// One that a secret was typed into.
    pub fn new(secret: &str) -> Self {
        let secret = TotpSecret(BASE32_NOPAD.decode(secret.as_bytes()).unwrap().try_into().unwrap());
        Self { secret, shown: Cell::new(0) }
    }

    /// The code of the moment.
    pub fn code(&self, server: &TestServer) -> String {
        self.shown.set(server.clock.now().timestamp() / 30);
        self.shown()
    }

    /// The code that it showed the last time, though another may have taken its place meanwhile.
    fn shown(&self) -> String {
        totp::code(&self.secret, self.shown.get())
    }

    /// The code of the next step: the present one may have been used.
    fn next(&self, server: &TestServer) -> String {
        server.clock.advance(TimeDelta::seconds(30));
        self.code(server)
    }
}

async fn server_post(server: &TestServer, path: &str, body: Value) -> Answer {
    server.post(HOST, path, &[], body).await
}

fn mutation(field: &str, select: &str, input: &Value) -> String {
    people::mutation(field, &format!("{select} userErrors {{ code message path }}"), input)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

async fn mails(server: &TestServer, to: &str) -> i64 {
    let mut sql = server.installation.tenant_connection("northside").await.unwrap();
    let count =
        "SELECT count(*) FROM mail_message WHERE to_address = $1 AND template = 'second-factor-changed'";
    sqlx::query_scalar(count).bind(to).fetch_one(&mut sql).await.unwrap()
}

async fn entries(server: &TestServer, action: &str, outcome: &str) -> i64 {
    let mut sql = server.installation.tenant_connection("northside").await.unwrap();
    let count = "SELECT count(*) FROM audit_entry WHERE action = $1 AND outcome = $2";
    sqlx::query_scalar(count).bind(action).bind(outcome).fetch_one(&mut sql).await.unwrap()
}

//! Second factors: enrolled, asked for, shown once, required, stepped up with, lost.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets something else fails here"
)]

#[path = "../../platform/src/factor/webauthn/tests/authenticator.rs"]
#[expect(dead_code, reason = "shared with the unit tests, which use all of it")]
mod authenticator;

use anyhow::Result;
use authenticator::{Authenticator, Kind, PRESENT};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use data_encoding::BASE32_NOPAD;
use futures::future::join_all;
use praxis_entity::value::TotpSecret;
use praxis_platform::{clock::Clock, factor::totp};
use serde_json::{Value, json};

use crate::support::server::{Answer, PASSWORD, TestServer, send};

const HOST: &str = "northside.praxis.test";
const ORIGIN: &str = "https://northside.praxis.test";

/// Somebody with an account, whatever they have to show.
struct Staff<'a> {
    server: &'a TestServer,
    email: String,
    bearer: String,
    refresh: String,
}

/// An authenticator app.
struct App(TotpSecret);

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
        let app = App(TotpSecret(BASE32_NOPAD.decode(secret.as_bytes()).unwrap().try_into().unwrap()));
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
    fn code(&self, server: &TestServer) -> String {
        totp::code(&self.0, server.clock.now().timestamp() / 30)
    }

    /// The code of the next step: the present one may have been used.
    fn next(&self, server: &TestServer) -> String {
        server.clock.advance(TimeDelta::seconds(30));
        self.code(server)
    }
}

fn mutation(field: &str, select: &str, input: &Value) -> String {
    let errors = "userErrors { code message path }";
    if input.is_null() {
        return format!("mutation {{ {field} {{ {select} {errors} }} }}");
    }
    let (first, rest) = field.split_at(1);
    let input = format!("{}{rest}Input", first.to_uppercase());
    format!("mutation($input: {input}!) {{ {field}(input: $input) {{ {select} {errors} }} }}")
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

#[tokio::test]
async fn a_confirmed_app_is_asked_for_and_each_code_works_once() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    // Set up but not confirmed, it counts for nothing.
    nurse.run("totpEnrol", "uri", Value::Null).await;
    assert_eq!(nurse.password().await.status, StatusCode::OK);
    let wrong = nurse.run("totpConfirm", "recoveryCodes", json!({ "code": "000000" })).await;
    assert_eq!(wrong["userErrors"][0]["code"], "INVALID");

    let (app, codes) = nurse.enrol().await;
    assert_eq!(codes.len(), 10);
    assert_eq!(mails(&server, &nurse.email).await, 1);
    let asked = nurse.password().await;
    assert_eq!((asked.status, asked.code()), (StatusCode::UNAUTHORIZED, "SECOND_FACTOR_REQUIRED"));
    assert_eq!(asked.body["methods"], json!(["TOTP", "RECOVERY_CODE"]));
    assert!(asked.body["accessToken"].is_null());
    // The challenge is no session.
    let bearer = format!("Bearer {}", asked.body["challenge"].as_str().unwrap());
    let whoami = server.get(HOST, "/auth/whoami", &[("authorization", &bearer)]).await;
    assert_eq!(whoami.status, StatusCode::UNAUTHORIZED);

    // The code that confirmed the app is used up.
    let confirmed = app.code(&server);
    assert_eq!(nurse.answer(&asked, json!({ "totp": confirmed })).await.status, StatusCode::UNAUTHORIZED);
    let code = app.next(&server);
    let entered = nurse.answer(&asked, json!({ "totp": code })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert_eq!(nurse.second_factor(json!({ "totp": code })).await.status, StatusCode::UNAUTHORIZED);
    // So is the challenge.
    let next = app.next(&server);
    assert_eq!(nurse.answer(&asked, json!({ "totp": next })).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nurse.second_factor(json!({ "totp": next })).await.status, StatusCode::OK, "it was not spent");
    Ok(())
}

#[tokio::test]
async fn of_sixty_four_clients_with_one_code_one_gets_in() -> Result<()> {
    let server = clinic().await?;
    let another = server.another().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, _) = nurse.enrol().await;
    let challenges = join_all((0..64).map(|_| nurse.password())).await;
    let code = app.next(&server);
    let race = challenges.iter().enumerate().map(|(number, asked)| {
        let router = if number % 2 == 0 { &server.app.router } else { &another.router };
        let body = json!({ "challenge": asked.body["challenge"], "totp": code }).to_string();
        let request = axum::http::Request::post("/auth/second-factor")
            .header("host", HOST)
            .header("content-type", "application/json");
        send(router, request.body(body.into()).unwrap())
    });
    let answers = join_all(race).await;
    let entered = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(entered, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 401)), "a replay is no guess");
    Ok(())
}

#[tokio::test]
async fn a_challenge_ends_with_its_time_the_password_and_the_account() -> Result<()> {
    let server = TestServer::new(&[
        ("northside", "root@northside.test", "owner"),
        ("southside", "root@southside.test", "owner"),
    ])
    .await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, _) = nurse.enrol().await;
    let asked = nurse.password().await;
    server.clock.advance(TimeDelta::minutes(5));
    let code = app.next(&server);
    assert_eq!(nurse.answer(&asked, json!({ "totp": code })).await.status, StatusCode::UNAUTHORIZED);

    let asked = nurse.password().await;
    let shown = json!({ "challenge": asked.body["challenge"], "totp": code });
    let elsewhere = server.post("southside.praxis.test", "/auth/second-factor", &[], shown).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    for changed in ["password_hash = password_hash", "active = false"] {
        let mut sql = server.installation.tenant_connection("northside").await?;
        let asked = nurse.password().await;
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE user_account SET {changed} WHERE email = $1")))
            .bind(&nurse.email)
            .execute(&mut sql)
            .await?;
        let answer = nurse.answer(&asked, json!({ "totp": code })).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{changed}");
    }
    for broken in ["", "x", "AAAA", &"A".repeat(5000)] {
        let body = json!({ "challenge": broken, "totp": code });
        let answer = server.post(HOST, "/auth/second-factor", &[], body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{broken:.9}");
    }
    for body in [
        json!({}),
        json!({ "challenge": "x" }),
        json!({ "challenge": "x", "totp": "1", "recoveryCode": "2" }),
    ] {
        let answer = server.post(HOST, "/auth/second-factor", &[], body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    }
    Ok(())
}

#[tokio::test]
async fn guessing_is_slowed_down_for_all_servers_and_forgiven_in_time() -> Result<()> {
    let server = clinic().await?;
    let another = server.another().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, codes) = nurse.enrol().await;
    let asked = nurse.password().await;
    for guess in 0..5 {
        let shown =
            if guess % 2 == 0 { json!({ "totp": "000000" }) } else { json!({ "recoveryCode": "nonsense" }) };
        assert_eq!(nurse.answer(&asked, shown).await.status, StatusCode::UNAUTHORIZED, "{guess}");
    }
    let right = app.next(&server);
    let closed = nurse.answer(&asked, json!({ "totp": right })).await;
    assert_eq!((closed.status, closed.code()), (StatusCode::TOO_MANY_REQUESTS, "THROTTLED"));
    assert!(closed.headers.contains_key("retry-after"));
    let body = json!({ "challenge": asked.body["challenge"], "recoveryCode": codes[0] }).to_string();
    let request = axum::http::Request::post("/auth/second-factor")
        .header("host", HOST)
        .header("content-type", "application/json");
    let elsewhere = send(&another.router, request.body(body.into())?).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(entries(&server, "second-factor", "DENIED").await, 7);

    server.clock.advance(TimeDelta::minutes(1));
    let entered = nurse.answer(&asked, json!({ "totp": app.code(&server) })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    Ok(())
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_its_owner_is_told() -> Result<()> {
    let server = clinic().await?;
    let mut nurse = Staff::new(&server, "nurse").await;
    let (_, codes) = nurse.enrol().await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    let entered = nurse.second_factor(json!({ "recoveryCode": typed })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert_eq!(mails(&server, &nurse.email).await, 2);
    assert_eq!(
        nurse.second_factor(json!({ "recoveryCode": codes[0] })).await.status,
        StatusCode::UNAUTHORIZED
    );
    nurse.enter(&entered);
    let left = nurse.ask("{ viewer { secondFactors { recoveryCodesLeft } } }", json!({})).await;
    assert_eq!(left.body["data"]["viewer"]["secondFactors"]["recoveryCodesLeft"], 9);

    let renewed =
        texts(&nurse.run("recoveryCodesRenew", "recoveryCodes", Value::Null).await["recoveryCodes"]);
    assert_eq!(renewed.len(), 10);
    assert_eq!(
        nurse.second_factor(json!({ "recoveryCode": codes[1] })).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(nurse.second_factor(json!({ "recoveryCode": renewed[1] })).await.status, StatusCode::OK);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT row_to_json(c)::text FROM recovery_code c").fetch_all(&mut sql).await?;
    let plain = renewed[0].replace('-', "");
    assert!(rows.iter().all(|row| !row.contains(&plain)), "codes are stored as hashes only");
    Ok(())
}

#[tokio::test]
async fn a_passkey_is_a_second_factor_and_can_be_both_at_once() -> Result<()> {
    let server = clinic().await?;
    for (kind, seed) in [(Kind::Es256, 1), (Kind::EdDsa, 2), (Kind::Rs256, 3)] {
        let nurse = Staff::new(&server, "nurse").await;
        let (mut key, made) = nurse.make_passkey(kind, seed).await;
        assert_eq!((&made["userErrors"], &made["passkey"]["host"]), (&json!([]), &json!(HOST)));
        assert_eq!(texts(&made["recoveryCodes"]).len(), 10);

        let asked = nurse.password().await;
        assert_eq!(asked.body["methods"], json!(["PASSKEY", "RECOVERY_CODE"]));
        let shown = key.get(&asked.body["passkey"]);
        let entered = nurse.answer(&asked, json!({ "passkey": shown })).await;
        assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
        assert_eq!(nurse.answer(&asked, json!({ "passkey": shown })).await.status, StatusCode::UNAUTHORIZED);

        let alone =
            async |passkey: Value| server_post(&server, "/auth/passkey", json!({ "passkey": passkey })).await;
        let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
        assert_eq!(options["userVerification"], "required");
        let shown = key.get(&options);
        let entered = alone(shown.clone()).await;
        assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
        assert_eq!(alone(shown).await.status, StatusCode::UNAUTHORIZED, "the challenge is spent");
        // Alone it has to verify its holder, and to say whose it is.
        let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
        key.flags = PRESENT;
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::UNAUTHORIZED);
        key.flags = PRESENT | authenticator::VERIFIED;
        let handle = key.user_handle.take();
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::UNAUTHORIZED);
        key.user_handle = handle;
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::OK);
    }
    Ok(())
}

async fn server_post(server: &TestServer, path: &str, body: Value) -> Answer {
    server.post(HOST, path, &[], body).await
}

#[tokio::test]
async fn a_challenge_answers_nothing_but_what_it_was_made_for() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, _) = nurse.make_passkey(Kind::EdDsa, 1).await;
    let asked = nurse.password().await;
    let step_up = nurse.post("/auth/step-up/options", json!({})).await.body;
    let alone = server_post(&server, "/auth/passkey/options", json!({})).await.body;
    let registration = nurse.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    for wrong in [&step_up["passkey"], &alone, &registration] {
        let shown = json!({ "passkey": key.get(wrong) });
        assert_eq!(nurse.answer(&asked, shown).await.status, StatusCode::UNAUTHORIZED);
    }
    for wrong in [&asked.body["passkey"], &step_up["passkey"], &registration] {
        let body = json!({ "passkey": key.get(wrong) });
        assert_eq!(server_post(&server, "/auth/passkey", body).await.status, StatusCode::UNAUTHORIZED);
    }
    for wrong in [&asked.body["passkey"], &alone, &registration] {
        let answer = nurse.post("/auth/step-up", json!({ "passkey": key.get(wrong) })).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    }
    // A challenge of another session is another challenge.
    let colleague = Staff::new(&server, "nurse").await;
    let (mut theirs, _) = colleague.make_passkey(Kind::EdDsa, 2).await;
    let options = colleague.post("/auth/step-up/options", json!({})).await.body;
    let body = json!({ "passkey": theirs.get(&options["passkey"]) });
    assert_eq!(nurse.post("/auth/step-up", body.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(colleague.post("/auth/step-up", body).await.status, StatusCode::OK);
    let start = colleague.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    let credential = Authenticator::new(Kind::EdDsa, 3, HOST, ORIGIN).create(&start);
    let input = json!({ "name": "Key", "credential": credential });
    let refused = nurse.run("passkeyRegisterFinish", "passkey { id }", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    // In its own session it is good once.
    let made = colleague.run("passkeyRegisterFinish", "passkey { id }", input.clone()).await;
    assert!(made["passkey"]["id"].is_string(), "{made}");
    let again = colleague.run("passkeyRegisterFinish", "passkey { id }", input).await;
    assert_eq!(again["userErrors"][0]["code"], "INVALID");
    Ok(())
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person_and_one_place() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, made) = nurse.make_passkey(Kind::EdDsa, 1).await;
    // The same credential again, for oneself or for somebody else.
    let colleague = Staff::new(&server, "nurse").await;
    let (_, stolen) = colleague.make_passkey(Kind::EdDsa, 1).await;
    assert_eq!(stolen["userErrors"][0]["code"], "ALREADY_EXISTS");
    let options = nurse.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
    // Somebody else's passkey after one's own password.
    let (mut theirs, _) = colleague.make_passkey(Kind::EdDsa, 2).await;
    let asked = nurse.password().await;
    assert_eq!(
        nurse.answer(&asked, json!({ "passkey": theirs.get(&asked.body["passkey"]) })).await.status,
        StatusCode::UNAUTHORIZED
    );
    key.origin = "https://northside.praxis.test.evil.example".to_owned();
    let phished = json!({ "passkey": key.get(&asked.body["passkey"]) });
    assert_eq!(nurse.answer(&asked, phished).await.status, StatusCode::UNAUTHORIZED);
    // Renamed and removed by its owner only.
    let id = made["passkey"]["id"].clone();
    let foreign = colleague.run("passkeyRemove", "secondFactors { required }", json!({ "id": id })).await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
    let renamed = nurse.run("passkeyRename", "passkey { name }", json!({ "id": id, "name": "Desk" })).await;
    assert_eq!(renamed["passkey"]["name"], "Desk");
    let removed = nurse.run("passkeyRemove", "secondFactors { passkeys { id } }", json!({ "id": id })).await;
    assert_eq!(removed["secondFactors"]["passkeys"], json!([]));
    assert_eq!(nurse.password().await.status, StatusCode::OK, "without a factor none is asked for");
    Ok(())
}

#[tokio::test]
async fn a_copied_passkey_is_shut_off_and_told_of() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, _) = nurse.make_passkey(Kind::Es256, 1).await;
    let entered = async |key: &mut Authenticator| {
        let asked = nurse.password().await;
        let shown = json!({ "passkey": key.get(&asked.body["passkey"]) });
        nurse.answer(&asked, shown).await.status
    };
    key.counter = 9;
    assert_eq!(entered(&mut key).await, StatusCode::OK);
    key.counter = 4;
    assert_eq!(entered(&mut key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(entries(&server, "passkey.cloned", "DENIED").await, 1);
    assert_eq!(mails(&server, &nurse.email).await, 2);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let alerts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mail_message WHERE template = 'passkey-cloned'")
            .fetch_one(&mut sql)
            .await?;
    assert!(alerts >= 1);
    // From now on neither copy is offered or believed.
    let asked = nurse.password().await;
    assert_eq!(asked.body["methods"], json!(["RECOVERY_CODE"]));
    let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
    key.counter = 100;
    let alone = json!({ "passkey": key.get(&options) });
    assert_eq!(server_post(&server, "/auth/passkey", alone).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

/// What somebody must not reach before a second factor was shown.
const CLOSED: [&str; 5] = [
    "{ viewer { id } }",
    "{ patients { nodes { id } } }",
    "{ node(id: \"pat_01m83y56tqexft0335kqm5vt9e\") { id } }",
    "mutation { recoveryCodesRenew { recoveryCodes } }",
    "mutation { facilityAdd(input: { code: \"A\", name: \"A\", timeZone: \"UTC\" }) { facility { id } } }",
];

async fn closed(staff: &Staff<'_>) {
    for query in CLOSED {
        let answer = staff.ask(query, json!({})).await;
        assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED", "{query}: {}", answer.text);
    }
}

async fn require(owner: &Staff<'_>, role: &str, required: bool) {
    let input = json!({ "role": role, "required": required });
    let payload = owner.run("roleRequireSecondFactor", "role required", input).await;
    assert_eq!(payload["required"], required, "{payload}");
}

#[tokio::test]
async fn a_role_that_asks_for_a_second_factor_is_passed_by_no_way() -> Result<()> {
    let server = clinic().await?;
    let owner = Staff::new(&server, "owner").await;
    let asking = json!({ "role": "nurse", "required": true });
    let refused =
        owner.ask(&mutation("roleRequireSecondFactor", "role", &asking), json!({ "input": asking })).await;
    assert_eq!(refused.code(), "STEP_UP_REQUIRED");
    owner.enrol().await;

    let before = Staff::new(&server, "nurse").await;
    let (enrolled, _) = {
        let staff = Staff::new(&server, "nurse").await;
        let (app, _) = staff.enrol().await;
        (staff, app)
    };
    // The step-up of `enrol` is remembered by no server for longer than a moment.
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    require(&owner, "nurse", true).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;

    // A session from before may only enrol; one that showed a factor goes on.
    closed(&before).await;
    assert!(enrolled.ask("{ viewer { id } }", json!({})).await.body["errors"].is_null());
    // So does a new one.
    let mut fresh =
        Staff { server: &server, email: before.email.clone(), bearer: String::new(), refresh: String::new() };
    let answer = fresh.password().await;
    assert_eq!(answer.body["enrolmentRequired"], true, "{}", answer.text);
    fresh.enter(&answer);
    closed(&fresh).await;
    let whoami = server.get(HOST, "/auth/whoami", &[("authorization", &fresh.bearer)]).await;
    assert_eq!(whoami.body["secondFactorRequired"], true);
    // Nor does renewing it help.
    assert_eq!(fresh.renew().await.body["enrolmentRequired"], true);
    closed(&fresh).await;
    // Enrolled, the same session is a whole one at once.
    fresh.enrol().await;
    let open = fresh.ask("{ viewer { secondFactors { required } } }", json!({})).await;
    assert_eq!(open.body["data"]["viewer"]["secondFactors"]["required"], true, "{}", open.text);
    // The last factor can't be taken away.
    let kept = fresh.run("totpRemove", "secondFactors { required }", Value::Null).await;
    assert_eq!(kept["userErrors"][0]["code"], "LOCKED");
    // The session from before now has something to show, and so can't enrol any more.
    let late = before.ask(&mutation("totpEnrol", "uri", &Value::Null), json!({})).await;
    assert_eq!(late.code(), "STEP_UP_REQUIRED");
    closed(&before).await;
    Ok(())
}

#[tokio::test]
async fn a_first_factor_is_enrolled_soon_after_signing_in_or_not_at_all() -> Result<()> {
    let server = clinic().await?;
    let mut nurse = Staff::new(&server, "nurse").await;
    server.clock.advance(TimeDelta::minutes(9));
    assert!(nurse.ask("{ viewer { id } }", json!({})).await.body["errors"].is_null());
    server.clock.advance(TimeDelta::minutes(6));
    nurse.renew().await;
    for field in ["totpEnrol", "passkeyRegisterStart"] {
        let select = if field == "totpEnrol" { "uri" } else { "options" };
        let late = nurse.ask(&mutation(field, select, &Value::Null), json!({})).await;
        assert_eq!(late.code(), "STEP_UP_REQUIRED", "{}", late.text);
    }
    Ok(())
}

#[tokio::test]
async fn stepping_up_opens_sensitive_actions_for_five_minutes() -> Result<()> {
    let server = clinic().await?;
    let mut owner = Staff::new(&server, "owner").await;
    let (app, codes) = owner.enrol().await;
    server.clock.advance(TimeDelta::minutes(5));
    let asking = json!({ "role": "nurse", "required": true });
    let ask = async |owner: &Staff<'_>| {
        owner.ask(&mutation("roleRequireSecondFactor", "role", &asking), json!({ "input": asking })).await
    };
    assert_eq!(ask(&owner).await.code(), "STEP_UP_REQUIRED");
    let options = owner.post("/auth/step-up/options", json!({})).await;
    assert_eq!(options.body["methods"], json!(["TOTP", "RECOVERY_CODE"]));
    let wrong = owner.post("/auth/step-up", json!({ "totp": "000000" })).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    let stepped_up = owner.post("/auth/step-up", json!({ "totp": app.next(&server) })).await;
    assert_eq!(stepped_up.status, StatusCode::OK, "{}", stepped_up.text);
    let until = DateTime::parse_from_rfc3339(stepped_up.body["freshUntil"].as_str().unwrap())?;
    assert!((until.to_utc() - server.clock.now()).num_seconds() >= 295);
    assert!(ask(&owner).await.body["errors"].is_null());
    server.clock.advance(TimeDelta::minutes(5));
    owner.renew().await;
    assert_eq!(ask(&owner).await.code(), "STEP_UP_REQUIRED");
    assert_eq!(owner.post("/auth/step-up", json!({ "recoveryCode": codes[3] })).await.status, StatusCode::OK);
    assert!(ask(&owner).await.body["errors"].is_null());
    let nobody = server_post(&server, "/auth/step-up", json!({ "totp": "000000" })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn whoever_lost_everything_is_let_enrol_anew_by_an_administrator() -> Result<()> {
    let server = clinic().await?;
    let owner = Staff::new(&server, "owner").await;
    let manager = Staff::new(&server, "practice_manager").await;
    let nurse = Staff::new(&server, "nurse").await;
    nurse.enrol().await;
    nurse.make_passkey(Kind::EdDsa, 1).await;
    let id = async |staff: &Staff<'_>| {
        staff.ask("{ viewer { id } }", json!({})).await.body["data"]["viewer"]["id"].clone()
    };
    let (owners, nurses) = (id(&owner).await, id(&nurse).await);
    let reset = async |by: &Staff<'_>, whom: &Value| {
        let input = json!({ "userId": whom });
        by.ask(&mutation("userResetSecondFactors", "user { id }", &input), json!({ "input": input })).await
    };
    assert_eq!(reset(&nurse, &owners).await.code(), "FORBIDDEN");
    assert_eq!(reset(&owner, &nurses).await.code(), "STEP_UP_REQUIRED");
    owner.enrol().await;
    manager.enrol().await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    // Nobody lifts themselves above what they may do.
    assert_eq!(reset(&manager, &owners).await.code(), "FORBIDDEN");
    let own = reset(&owner, &owners).await;
    assert_eq!(own.body["data"]["userResetSecondFactors"]["userErrors"][0]["code"], "LOCKED");

    let before = mails(&server, &nurse.email).await;
    let done = reset(&owner, &nurses).await;
    assert_eq!(done.body["data"]["userResetSecondFactors"]["user"]["id"], nurses, "{}", done.text);
    assert_eq!(mails(&server, &nurse.email).await, before + 1);
    assert_eq!(entries(&server, "user.reset-second-factors", "OK").await, 1);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(nurse.ask("{ viewer { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(nurse.password().await.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_secret_is_told_once_even_to_a_retry() -> Result<()> {
    let server = clinic().await?;
    let owner = Staff::new(&server, "owner").await;
    let nurse = Staff::new(&server, "nurse").await;
    let nurses = nurse.ask("{ viewer { id } }", json!({})).await.body["data"]["viewer"]["id"].clone();
    let twice = async |number: u32, field: &str, select: &str, input: Value| {
        let body = json!({ "query": mutation(field, select, &input), "variables": { "input": input } });
        let key = number.to_string();
        let headers = [("authorization", owner.bearer.as_str()), ("idempotency-key", key.as_str())];
        let first = server.post(HOST, "/graphql", &headers, body.clone()).await.body;
        assert!(first["errors"].is_null(), "{first}");
        assert_eq!(first["data"][field]["userErrors"], json!([]), "{first}");
        let again = server.post(HOST, "/graphql", &headers, body).await.body;
        assert_eq!(again["extensions"]["idempotentReplay"], json!([field]), "{again}");
        (first["data"][field].clone(), again["data"][field].clone())
    };
    // Until it is confirmed, the same secret is shown again.
    let (first, again) = twice(1, "totpEnrol", "uri secret", Value::Null).await;
    assert_eq!(first, again);
    let secret = BASE32_NOPAD.decode(first["secret"].as_str().unwrap().as_bytes())?;
    let app = App(TotpSecret(secret.try_into().unwrap()));
    let input = json!({ "code": app.code(&server) });
    let (first, again) = twice(2, "totpConfirm", "recoveryCodes secondFactors { required }", input).await;
    assert_eq!((texts(&first["recoveryCodes"]).len(), texts(&again["recoveryCodes"]).len()), (10, 0));
    let (first, again) = twice(3, "recoveryCodesRenew", "recoveryCodes", Value::Null).await;
    assert_eq!((texts(&first["recoveryCodes"]).len(), texts(&again["recoveryCodes"]).len()), (10, 0));
    let (first, _) = twice(4, "passkeyRegisterStart", "options", Value::Null).await;
    let credential = Authenticator::new(Kind::EdDsa, 1, HOST, ORIGIN).create(&first["options"]);
    let input = json!({ "name": "Key", "credential": credential });
    let (first, again) = twice(5, "passkeyRegisterFinish", "passkey { id }", input).await;
    assert_eq!(first, again);
    let id = first["passkey"]["id"].clone();
    let (first, again) =
        twice(6, "passkeyRename", "passkey { id name }", json!({ "id": id, "name": "Desk" })).await;
    assert_eq!(first, again);
    let (first, again) =
        twice(7, "passkeyRemove", "secondFactors { passkeys { id } }", json!({ "id": id })).await;
    assert_eq!(first, again);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let (first, again) = twice(8, "userResetSecondFactors", "user { id }", json!({ "userId": nurses })).await;
    assert_eq!(first, again);
    let input = json!({ "role": "nurse", "required": true });
    let (first, again) = twice(9, "roleRequireSecondFactor", "role required", input).await;
    assert_eq!(first, again);
    let (first, again) = twice(10, "totpRemove", "secondFactors { totpConfirmedAt }", Value::Null).await;
    assert_eq!(first, again);
    Ok(())
}

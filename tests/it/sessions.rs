//! Sessions and the tokens that stand for them: how they begin, how long they live, how they end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use futures::{StreamExt, stream};
use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{
    OpFactory, RequestInfo,
    access::Actor,
    clock::Clock,
    session::{self, Authenticator, Credential, Over, SessionKind, SignIn},
};
use ring::hmac;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::server::{Answer, PASSWORD, TestServer, send};

const HOST: &str = "northside.praxis.test";
const HARBOR: &str = "harbor.praxis.test";
const ANN: &str = "ann@praxis.test";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", ANN, "physician")]).await
}

/// Tokens of a client that signed in.
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

impl TestServer {
    async fn tokens(&self) -> Tokens {
        Tokens::of(&self.login(HOST, ANN, PASSWORD).await)
    }

    async fn cookie(&self) -> String {
        let body = json!({ "email": ANN, "password": PASSWORD });
        let answer = self.post(HOST, "/auth/session", &[], body).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn refresh(&self, token: &str, attempt: Option<&str>) -> Answer {
        let headers: Vec<_> = attempt.map(|attempt| ("idempotency-key", attempt)).into_iter().collect();
        self.post(HOST, "/auth/refresh", &headers, json!({ "refreshToken": token })).await
    }

    async fn knows(&self, access: &str) -> StatusCode {
        whoami(&self.app.router, HOST, "authorization", &format!("Bearer {access}")).await
    }

    fn system(&self) -> OpFactory {
        let tenant = self.app.directory.by_slug("northside").unwrap();
        let system = Arc::new(Actor::system());
        OpFactory::new(Arc::clone(&self.app.platform), tenant, system, RequestInfo::default(), true)
    }

    async fn execute(&self, sql: &str) -> Result<()> {
        let schema = &self.app.directory.by_slug("northside").unwrap().schema;
        let sql = format!("SET search_path = {schema}; {sql}");
        self.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(())
    }
}

async fn whoami(router: &Router, host: &str, name: &str, value: &str) -> StatusCode {
    let request = Request::get("/auth/whoami").header("host", host).header(name, value);
    send(router, request.body(Body::empty()).unwrap()).await.status
}

#[tokio::test]
async fn an_access_token_lasts_ten_minutes_and_is_renewed() -> Result<()> {
    let server = clinic().await?;
    let answer = server.login(HOST, ANN, PASSWORD).await;
    assert_eq!(answer.body["tokenType"], "Bearer");
    let first = Tokens::of(&answer);
    assert_eq!(server.knows(&first.access).await, StatusCode::OK);
    server.clock.advance(TimeDelta::seconds(601));
    assert_eq!(server.knows(&first.access).await, StatusCode::UNAUTHORIZED);
    let second = Tokens::of(&server.refresh(&first.refresh, None).await);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(server.knows(&second.access).await, StatusCode::OK);
    let third = Tokens::of(&server.refresh(&second.refresh, None).await);
    assert_eq!(server.knows(&third.access).await, StatusCode::OK);
    // A refresh token is no access token, and the other way round.
    assert_eq!(server.knows(&third.refresh).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&third.access, None).await.status, StatusCode::BAD_REQUEST);
    for body in
        [json!({}), json!({ "refreshToken": 3 }), json!([]), json!({ "refreshToken": "x".repeat(129) })]
    {
        assert_eq!(server.post(HOST, "/auth/refresh", &[], body).await.status, StatusCode::BAD_REQUEST);
    }
    for token in ["", "x", "\u{0}", "'; DROP TABLE session; --"] {
        assert_eq!(server.refresh(token, None).await.status, StatusCode::UNAUTHORIZED, "{token:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_whatever_carries_it() -> Result<()> {
    let server = clinic().await?;
    let (tokens, cookie) = (server.tokens().await, server.cookie().await);
    let by_cookie = async || whoami(&server.app.router, HOST, "cookie", &cookie).await;
    // Used now and then it goes on; a bearer renews its token meanwhile.
    let mut tokens = tokens;
    for _ in 0..4 {
        server.clock.advance(TimeDelta::minutes(9));
        assert_eq!((server.knows(&tokens.access).await, by_cookie().await), (StatusCode::OK, StatusCode::OK));
        tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    }
    // Renewing is no use: a program that does it by itself keeps nobody signed in.
    server.clock.advance(TimeDelta::minutes(8));
    tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    server.clock.advance(TimeDelta::seconds(6 * 60 + 50));
    assert_eq!(by_cookie().await, StatusCode::OK);
    server.clock.advance(TimeDelta::seconds(10));
    assert_eq!(server.knows(&tokens.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&tokens.refresh, None).await.status, StatusCode::UNAUTHORIZED);
    server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(by_cookie().await, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy() -> Result<()> {
    let server = clinic().await?;
    let cookie = server.cookie().await;
    let began = server.clock.now();
    let mut tokens = server.tokens().await;
    for _ in 0..79 {
        server.clock.advance(TimeDelta::minutes(9));
        assert_eq!(server.knows(&tokens.access).await, StatusCode::OK);
        assert_eq!(whoami(&server.app.router, HOST, "cookie", &cookie).await, StatusCode::OK);
        tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    }
    server.clock.advance_to(began + TimeDelta::hours(12) - TimeDelta::seconds(10));
    let last = server.refresh(&tokens.refresh, None).await;
    // The last token ends with its session.
    let ends: chrono::DateTime<chrono::Utc> = last.body["expiresAt"].as_str().unwrap().parse()?;
    assert!(ends <= began + TimeDelta::hours(12) + TimeDelta::seconds(10), "{ends}");
    let tokens = Tokens::of(&last);
    assert_eq!(server.knows(&tokens.access).await, StatusCode::OK);
    server.clock.advance(TimeDelta::seconds(20));
    assert_eq!(server.knows(&tokens.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&server.app.router, HOST, "cookie", &cookie).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&tokens.refresh, None).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn the_clinic_decides_how_long_a_session_may_idle() -> Result<()> {
    let server = clinic().await?;
    for minutes in [4, 61] {
        let sql = format!("INSERT INTO session_policy (idle_minutes) VALUES ({minutes})");
        assert!(server.execute(&sql).await.unwrap_err().to_string().contains("session_policy_idle_range"));
    }
    let cookie = server.cookie().await;
    let by_cookie = async || whoami(&server.app.router, HOST, "cookie", &cookie).await;
    server.execute("INSERT INTO session_policy (idle_minutes) VALUES (60)").await?;
    server.clock.advance(TimeDelta::minutes(59));
    assert_eq!(by_cookie().await, StatusCode::OK);
    // A shorter limit takes hold of sessions that are open already.
    server.execute("UPDATE session_policy SET idle_minutes = 5").await?;
    server.clock.advance(TimeDelta::seconds(5 * 60 + 1));
    assert_eq!(by_cookie().await, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_ends_its_family() -> Result<()> {
    let server = clinic().await?;
    let first = server.tokens().await;
    let second = Tokens::of(&server.refresh(&first.refresh, None).await);
    let bystander = server.tokens().await;
    let stolen = server.refresh(&first.refresh, None).await;
    assert_eq!((stolen.status, stolen.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    for token in [&first.refresh, &second.refresh] {
        assert_eq!(server.refresh(token, None).await.status, StatusCode::UNAUTHORIZED);
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(server.knows(&second.access).await, StatusCode::UNAUTHORIZED);
    // Another session of the same person goes on.
    assert_eq!(server.knows(&bystander.access).await, StatusCode::OK);
    assert_eq!(server.refresh(&bystander.refresh, None).await.status, StatusCode::OK);
    let noted = server.audited("session.token-reused").await?;
    assert_eq!(noted, ["DENIED"]);
    Ok(())
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_gets_an_equal_one() -> Result<()> {
    let server = clinic().await?;
    let first = server.tokens().await;
    let lost = Tokens::of(&server.refresh(&first.refresh, Some("attempt 1")).await);
    server.clock.advance(TimeDelta::seconds(5));
    let retried = Tokens::of(&server.refresh(&first.refresh, Some("attempt 1")).await);
    assert_eq!(lost.refresh, retried.refresh);
    assert_eq!(server.knows(&retried.access).await, StatusCode::OK);
    let second = Tokens::of(&server.refresh(&retried.refresh, Some("attempt 2")).await);
    // Too late, or by another name, it is somebody else's.
    for (wait, attempt) in [(0, Some("attempt 3")), (0, None), (11, Some("attempt 2"))] {
        let tokens = server.tokens().await;
        let next = Tokens::of(&server.refresh(&tokens.refresh, Some("attempt 2")).await);
        server.clock.advance(TimeDelta::seconds(wait));
        let again = server.refresh(&tokens.refresh, attempt).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{wait} {attempt:?}");
        assert_eq!(server.refresh(&next.refresh, None).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.refresh(&second.refresh, None).await.status, StatusCode::OK);
    Ok(())
}

impl TestServer {
    /// Outcomes of the audit entries of an action, newest last.
    async fn audited(&self, action: &str) -> Result<Vec<String>> {
        let schema = &self.app.directory.by_slug("northside").unwrap().schema;
        let sql = format!("SELECT outcome FROM {schema}.audit_entry WHERE action = $1 ORDER BY at");
        let mut admin = self.installation.admin().await?;
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(action).fetch_all(&mut admin).await?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_races_of_a_reused_token_leave_each_family_dead() -> Result<()> {
    let server = clinic().await?;
    let system = server.system();
    let schema = system.tenant().schema.clone();
    // A thousand families; opening them by password would measure argon2.
    let user: uuid::Uuid = sqlx::query_scalar(AssertSqlSafe(format!("SELECT id FROM {schema}.user_account")))
        .fetch_one(&mut server.installation.admin().await?)
        .await?;
    let user = UserId(user);
    let families = stream::iter(0..1_000).map(|_| async {
        let op = system.write().await.unwrap();
        let account = user_account::Entity::find_by_id(user).one(op.db()).await.unwrap().unwrap();
        let proven = &[session::Method::Password];
        let outcome = session::proceed(&op, &account, proven, SessionKind::Bearer).await.unwrap();
        op.commit().await.unwrap();
        let SignIn::Opened(signed_in) = outcome else { panic!("nothing else was asked for") };
        signed_in
    });
    let families: Vec<_> = families.buffer_unordered(6).collect().await;
    let mut most = 0;
    let races = stream::iter(&families).map(|family| async {
        let token = family.refresh_token.as_deref().unwrap();
        let pair = futures::future::join(
            session::refresh(&system, token, None),
            session::refresh(&system, token, None),
        );
        let (a, b) = pair.await;
        usize::from(a.is_ok()) + usize::from(b.is_ok())
    });
    let winners: Vec<_> = races.buffer_unordered(3).collect().await;
    for won in winners {
        most = most.max(won);
    }
    assert_eq!(most, 1, "a token worked twice");
    let alive: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) FROM {schema}.session WHERE ended_at IS NULL"
    )))
    .fetch_one(&mut server.installation.admin().await?)
    .await?;
    assert_eq!(alive, 0);
    Ok(())
}

/// A token with its parts to be changed.
struct Forge {
    header: Value,
    claims: Value,
    signature: String,
}

impl Forge {
    fn of(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let json =
            |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
        Self { header: json(parts[0]), claims: json(parts[1]), signature: parts[2].to_owned() }
    }

    fn signed(&self) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    fn token(&self) -> String {
        format!("{}.{}", self.signed(), self.signature)
    }
}

#[tokio::test]
async fn no_forged_token_is_believed() -> Result<()> {
    let server = TestServer::new(&[("northside", ANN, "physician"), ("harbor", ANN, "physician")]).await?;
    let good = server.tokens().await.access;
    let foreign = Tokens::of(&server.login(HARBOR, ANN, PASSWORD).await).access;
    assert_eq!(server.knows(&good).await, StatusCode::OK);
    let (north, harbor) = (Forge::of(&good), Forge::of(&foreign));
    let key = server.system().read().tenant_key().await?.token_signer()?;
    let public = key.public();
    let mut forged = vec![
        ("of another clinic", foreign.clone()),
        ("nothing", String::new()),
        ("without signature", north.signed()),
        ("with an empty signature", format!("{}.", north.signed())),
        ("with another's signature", format!("{}.{}", north.signed(), harbor.signature)),
        ("with garbage behind", format!("{good}x")),
        ("with a part too many", format!("{good}.e30")),
        ("huge", format!("{good}{}", "A".repeat(5_000))),
    ];
    for (what, name, value) in [
        ("as another user", "sub", json!("usr_01jd3k5n8re6ktp1rb6z9q4x2m")),
        ("in another session", "sid", harbor.claims["sid"].clone()),
        ("for another audience", "aud", harbor.claims["aud"].clone()),
        ("that lasts longer", "exp", json!(north.claims["exp"].as_i64().unwrap() + 3_600)),
    ] {
        let mut changed = Forge::of(&good);
        changed.claims[name] = value;
        forged.push((what, changed.token()));
        // Signed with what everybody may know, or not at all.
        for algorithm in ["HS256", "none"] {
            changed.header["alg"] = json!(algorithm);
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), changed.signed().as_bytes());
            changed.signature =
                if algorithm == "none" { String::new() } else { BASE64URL_NOPAD.encode(mac.as_ref()) };
            forged.push((what, changed.token()));
        }
    }
    // A key of our own, under the name of the clinic's and under its own.
    let own = praxis_platform::vault::SigningKey::from_seed(&[7; 32])?;
    for id in [north.header["kid"].clone(), json!(own.id())] {
        let mut changed = Forge::of(&good);
        changed.header["kid"] = id;
        changed.signature = BASE64URL_NOPAD.encode(&own.sign(changed.signed().as_bytes()));
        forged.push(("by another key", changed.token()));
    }
    for (what, token) in &forged {
        let answer = server.knows(token).await;
        assert_eq!(answer, StatusCode::UNAUTHORIZED, "a token {what} was believed");
        // Not even as a cookie.
        let cookie = format!("__Host-praxis={}", token.chars().take(4_000).collect::<String>());
        assert_eq!(whoami(&server.app.router, HOST, "cookie", &cookie).await, StatusCode::UNAUTHORIZED);
    }
    // The right one is nothing at the other clinic, and is still good here.
    let there = whoami(&server.app.router, HARBOR, "authorization", &format!("Bearer {good}")).await;
    assert_eq!((there, server.knows(&good).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    Ok(())
}

/// How long a server goes on believing a token.
async fn believed_for(router: &Router, access: &str) -> Duration {
    let start = Instant::now();
    let bearer = format!("Bearer {access}");
    while whoami(router, HOST, "authorization", &bearer).await == StatusCode::OK {
        assert!(start.elapsed() < Duration::from_secs(10), "it is believed for ever");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn what_ends_a_session_takes_effect_on_every_server_within_two_seconds() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let mut longest = Duration::ZERO;
    for ending in [
        "UPDATE session SET ended_at = now()",
        "UPDATE user_account SET active = false",
        "UPDATE session SET expires_at = now()",
    ] {
        server.execute("UPDATE user_account SET active = true").await?;
        for _ in 0..3 {
            let access = server.tokens().await.access;
            let bearer = format!("Bearer {access}");
            assert_eq!(whoami(&other.router, HOST, "authorization", &bearer).await, StatusCode::OK);
            assert_eq!(server.knows(&access).await, StatusCode::OK);
            server.execute(ending).await?;
            let (here, there) = futures::future::join(
                believed_for(&server.app.router, &access),
                believed_for(&other.router, &access),
            )
            .await;
            longest = longest.max(here).max(there);
            server.execute("UPDATE user_account SET active = true").await?;
        }
    }
    eprintln!("an ended session was believed for {longest:?} at the most");
    assert!(longest <= Duration::from_secs(2), "{longest:?}");
    Ok(())
}

#[tokio::test]
async fn a_changed_role_takes_effect_on_every_server_within_two_seconds() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let bearer = format!("Bearer {}", server.tokens().await.access);
    let may = async |router: &Router| {
        let request = Request::post("/graphql").header("host", HOST).header("authorization", &bearer);
        let body = json!({ "query": "{ patients(first: 1) { nodes { id } } }" }).to_string();
        let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        send(router, request).await.body["errors"].is_null()
    };
    assert!(may(&server.app.router).await && may(&other.router).await);
    server.execute("DELETE FROM membership").await?;
    let start = Instant::now();
    while may(&server.app.router).await || may(&other.router).await {
        assert!(start.elapsed() < Duration::from_secs(10), "the role is kept for ever");
    }
    eprintln!("a lost role was believed for {:?}", start.elapsed());
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_watched_session_is_over_when_it_is_idle_ended_or_changed() -> Result<()> {
    let server = clinic().await?;
    let system = server.system();
    let authenticator = Authenticator::default();
    let actor = async || {
        let credential = Credential { token: server.tokens().await.access, kind: SessionKind::Bearer };
        authenticator.actor(&system, &credential, None).await
    };
    // Watching is no use: it does not keep a session from going idle.
    let watched = actor().await?;
    for _ in 0..14 {
        server.clock.advance(TimeDelta::minutes(1));
        assert_eq!(session::check(&system, &watched).await?, None);
    }
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, Some(Over::Ended));

    // Kept from idling, it ends for good.
    let watched = actor().await?;
    server.execute("UPDATE session SET last_seen_at = last_seen_at + interval '1 day'").await?;
    server.clock.advance(TimeDelta::hours(12) - TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, None);
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, Some(Over::Ended));

    for (change, over) in [
        ("UPDATE session SET ended_at = now()", Over::Ended),
        ("UPDATE role SET retired = true", Over::Changed),
        ("DELETE FROM membership", Over::Changed),
        ("UPDATE user_account SET active = false", Over::Ended),
    ] {
        server.execute("UPDATE user_account SET active = true; UPDATE role SET retired = false").await?;
        let watched = actor().await?;
        let (start, watching) = (Instant::now(), session::watch(&system, &watched));
        let changing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.execute(change).await.unwrap();
            Instant::now()
        };
        let (found, changed) = futures::future::join(watching, changing).await;
        assert_eq!(found, over, "{change}");
        assert!(changed.elapsed() <= Duration::from_secs(2), "{change}: {:?}", start.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn people_see_their_sessions_and_end_them() -> Result<()> {
    let server = clinic().await?;
    let (here, there) = (server.person("northside", "owner").await, server.tokens().await);
    let mine = "{ viewer { sessions { id kind methods current endedAt userAgent } } }";
    let own = here.ask(mine, json!({})).await;
    let own = own["viewer"]["sessions"].as_array().unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(
        (&own[0]["current"], &own[0]["kind"], &own[0]["methods"]),
        (&json!(true), &json!("BEARER"), &json!(["PASSWORD"]))
    );

    // Ann's are hers, and whoever manages sessions sees and ends them.
    let ann = server.ask_as(&there, "{ viewer { id sessions { id current } } }", json!({})).await;
    let (user, session) = (&ann["viewer"]["id"], ann["viewer"]["sessions"][0]["id"].clone());
    let listed = here
        .ask("query($user: ID!) { userSessions(userId: $user) { id current } }", json!({ "user": user }))
        .await;
    assert_eq!(listed["userSessions"], json!([{ "id": session, "current": false }]));
    const END: &str = "mutation($input: SessionEndInput!) { sessionEnd(input: $input) { session { id endedAt } userErrors { code } } }";
    let foreign = server.ask_as(&there, END, json!({ "input": { "id": own[0]["id"] } })).await;
    assert_eq!(foreign["sessionEnd"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
    let key = [("idempotency-key", "once")];
    let ended = here.send(END, json!({ "input": { "id": session } }), &key).await;
    assert!(ended.body["data"]["sessionEnd"]["session"]["endedAt"].is_string(), "{}", ended.text);
    let again = here.send(END, json!({ "input": { "id": session } }), &key).await;
    assert_eq!(again.body["data"], ended.body["data"]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(server.knows(&there.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&there.refresh, None).await.status, StatusCode::UNAUTHORIZED);

    // One's others go, oneself stays; no right is needed for that, but for other people's.
    let (first, second) = (server.tokens().await, server.tokens().await);
    const OTHERS: &str = "mutation($input: SessionEndOthersInput!) { sessionEndOthers(input: $input) { ended userErrors { code } } }";
    let own = server.ask_as(&second, OTHERS, json!({ "input": {} })).await;
    assert_eq!(own["sessionEndOthers"], json!({ "ended": 1, "userErrors": [] }));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(server.knows(&first.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.knows(&second.access).await, StatusCode::OK);
    let viewer = here.ask("{ viewer { id } }", json!({})).await;
    let body = json!({ "query": OTHERS, "variables": { "input": { "userId": viewer["viewer"]["id"] } } });
    let bearer = format!("Bearer {}", second.access);
    let denied = server.post(HOST, "/graphql", &[("authorization", &bearer)], body).await;
    assert_eq!(denied.code(), "FORBIDDEN");
    assert_eq!(denied.body["errors"][0]["extensions"]["permission"], "session:manage");
    Ok(())
}

#[tokio::test]
async fn the_idle_limit_is_set_by_whoever_manages_settings() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let policy = "{ sessionPolicy { version idleMinutes absoluteMinutes } }";
    let before = owner.ask(policy, json!({})).await;
    assert_eq!(before["sessionPolicy"], json!({ "version": 0, "idleMinutes": 15, "absoluteMinutes": 720 }));
    let set = async |minutes: i32, version: i32| {
        let input = json!({ "idleMinutes": minutes, "ifVersion": version });
        owner
            .run("sessionPolicySet", "sessionPolicy { version idleMinutes } userErrors { code }", input)
            .await
    };
    for minutes in [4, 61, 0, -1] {
        assert_eq!(set(minutes, 0).await["userErrors"], json!([{ "code": "OUT_OF_RANGE" }]), "{minutes}");
    }
    assert_eq!(set(5, 0).await["sessionPolicy"], json!({ "version": 1, "idleMinutes": 5 }));
    assert_eq!(set(60, 0).await["userErrors"], json!([{ "code": "VERSION_CONFLICT" }]));
    assert_eq!(set(60, 1).await["sessionPolicy"], json!({ "version": 2, "idleMinutes": 60 }));
    Ok(())
}

impl TestServer {
    /// Asks as the holder of tokens; any error fails the test.
    async fn ask_as(&self, tokens: &Tokens, query: &str, variables: Value) -> Value {
        let bearer = format!("Bearer {}", tokens.access);
        let body = json!({ "query": query, "variables": variables });
        let answer = self.post(HOST, "/graphql", &[("authorization", &bearer)], body).await;
        assert!(answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"].clone()
    }
}

/// The middle of several measured times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() -> Result<()> {
    let server = clinic().await?;
    server
        .execute(
            "INSERT INTO user_account (id, email, display_name, password_hash, active) \
         SELECT gen_random_uuid(), 'gone@praxis.test', 'Gone', password_hash, false FROM user_account",
        )
        .await?;
    let (mut known, mut unknown, mut disabled) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does slows all of them alike; fewer than the throttle counts.
    for round in 0..9 {
        for (email, times) in [
            (ANN.to_owned(), &mut known),
            (format!("nobody{round}@praxis.test"), &mut unknown),
            ("gone@praxis.test".to_owned(), &mut disabled),
        ] {
            let password = if email == "gone@praxis.test" { PASSWORD } else { "wrong" };
            let start = Instant::now();
            let answer = server.login(HOST, &email, password).await;
            times.push(start.elapsed());
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{email}");
        }
    }
    let [known, unknown, disabled] = [known, unknown, disabled].map(median);
    eprintln!("medians: known {known:?}, unknown {unknown:?}, disabled {disabled:?}");
    // Without the decoy an unknown account would answer in a tenth of the time.
    for other in [unknown, disabled] {
        let ratio = other.as_secs_f64() / known.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{known:?} and {other:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_turned_away_and_not_kept_waiting() -> Result<()> {
    let server = clinic().await?;
    let start = Instant::now();
    let flood = (0..400).map(|number| {
        let (server, email) = (&server, format!("nobody{number}@praxis.test"));
        async move { server.login(HOST, &email, "wrong").await }
    });
    let answers = futures::future::join_all(flood).await;
    let took = start.elapsed();
    let busy: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::UNAUTHORIZED).collect();
    for answer in &busy {
        assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "THROTTLED"));
        assert_eq!(answer.headers[header::RETRY_AFTER], "2");
    }
    eprintln!("400 sign-ins at once: {} turned away, all answered in {took:?}", busy.len());
    assert!(!busy.is_empty() && busy.len() < 400, "{}", busy.len());
    // And then everybody gets in again.
    assert_eq!(server.login(HOST, ANN, PASSWORD).await.status, StatusCode::OK);
    Ok(())
}

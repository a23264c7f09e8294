//! Tokens: renewed, used again, raced for, forged.

use data_encoding::BASE64URL_NOPAD;
use futures::{StreamExt, stream};
use praxis_entity::{ids::UserId, user_account};
use praxis_platform::session::{self, SessionKind, SignIn};
use ring::hmac;
use sea_orm::EntityTrait;

use super::*;

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

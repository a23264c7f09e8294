//! Who is let in, and what each of them may do.

use anyhow::Result;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::kit::{OPS, Plane, operator, with_password};
use crate::support::server::{PASSWORD, TestServer, send};

const ASK: &str = "{ tenants { totalCount } }";

#[tokio::test]
async fn nobody_but_an_operator_who_is_signed_in_asks_there() -> Result<()> {
    let plane = Plane::start().await?;
    let wrong = plane.sign_in(OPS, "not the right one at all").await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    let digits = "A".repeat(43);
    for token in ["", "pxo_", &format!("pxo_{digits}"), &format!("pxo_{digits}A"), "eyJ"] {
        let answer = plane.send(token, ASK, json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{token}");
    }
    let signed_in = plane.sign_in("Ops@praxis.test", PASSWORD).await;
    assert!(signed_in.body["expiresAt"].is_string(), "{}", signed_in.text);
    let token = signed_in.body["accessToken"].as_str().unwrap().to_owned();
    plane.ask(&token, ASK, json!({})).await;
    // Of several tokens none is taken.
    let bearer = format!("Bearer {token}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(
        plane.post("/graphql", &twice, &json!({ "query": ASK })).await.status,
        StatusCode::BAD_REQUEST
    );
    // Neither the token nor its hash can be read out of the control schema and used.
    let mut admin = plane.installation.admin().await?;
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT token_hash FROM control.operator_session").fetch_one(&mut admin).await?;
    let replayed = format!("pxo_{}", data_encoding::BASE64URL_NOPAD.encode(&stored));
    assert_eq!(plane.send(&replayed, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED);

    // Unused for too long, at its end, signed out, another password, retired.
    for aged in ["used_at = now() - interval '31 minutes'", "expires_at = now() - interval '1 second'"] {
        let token = plane.token().await;
        let sql = format!("UPDATE control.operator_session SET {aged}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await?;
        assert_eq!(plane.send(&token, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED, "{aged}");
    }
    let token = plane.token().await;
    let (ended, _) = plane.plain("POST", "/auth/logout", &token, "").await?;
    assert_eq!(ended, StatusCode::NO_CONTENT);
    assert_eq!(plane.send(&token, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let token = plane.token().await;
    let another = "seven loud herons count the boats";
    with_password(&plane.installation, &["operator", "password", "--email", OPS], another)?;
    assert_eq!(plane.send(&token, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let answer = plane.sign_in(OPS, another).await;
    let token = answer.body["accessToken"].as_str().unwrap().to_owned();
    let run = |verb: &str| plane.installation.command().args(["operator", verb, "--email", OPS]).status();
    assert!(run("retire")?.success());
    assert_eq!(plane.send(&token, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(plane.sign_in(OPS, another).await.status, StatusCode::UNAUTHORIZED);
    assert!(run("reinstate")?.success());
    let token = plane.sign_in(OPS, another).await.body["accessToken"].as_str().unwrap().to_owned();

    // All of it is written down, in order, and stays so.
    let query = "{ operatorEvents(first: 100) { nodes { kind actor email sourceAddress } } operators { email isActive } }";
    let seen = plane.ask(&token, query, json!({})).await;
    let nodes = seen["operatorEvents"]["nodes"].as_array().unwrap();
    let kinds: Vec<_> = nodes.iter().rev().map(|node| node["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "CREATED",
            "SIGN_IN_REFUSED",
            "SIGNED_IN",
            "SIGNED_IN",
            "SIGNED_IN",
            "SIGNED_IN",
            "SIGNED_OUT",
            "SIGNED_IN",
            "PASSWORD_CHANGED",
            "SIGNED_IN",
            "RETIRED",
            "REINSTATED",
            "SIGNED_IN"
        ]
    );
    assert_eq!((&nodes[0]["sourceAddress"], &nodes[0]["actor"]), (&"127.0.0.1".into(), &OPS.into()));
    assert_eq!(seen["operators"], json!([{ "email": OPS, "isActive": true }]));
    assert!(sqlx::query("DELETE FROM control.operator_event").execute(&mut admin).await.is_err());
    assert!(sqlx::query("UPDATE control.operator_event SET actor = 'x'").execute(&mut admin).await.is_err());
    Ok(())
}

impl Plane {
    /// Shows the password again.
    async fn prove(&self, token: &str, password: &str) -> Result<StatusCode> {
        let body = json!({ "password": password }).to_string();
        Ok(self.plain("POST", "/auth/step-up", token, &body).await?.0)
    }
}

#[tokio::test]
async fn an_operator_does_what_they_have_the_right_to_and_shows_the_password_for_what_ends() -> Result<()> {
    let plane = Plane::start().await?;
    let id = plane.clinic("northside").await?;
    let mutations = [
        ("tenantSuspend(input: { $id })", "MANAGE", false),
        ("tenantResume(input: { $id })", "MANAGE", false),
        ("tenantNotePastDue(input: { $id })", "MANAGE", false),
        ("tenantLock(input: { $id })", "MANAGE", false),
        ("tenantRename(input: { $id, newSlug: \"north\" })", "MANAGE", false),
        ("tenantOffboard(input: { $id })", "MANAGE", false),
        ("tenantDomainAdd(input: { $id, host: \"a.example\" })", "MANAGE", false),
        ("tenantDomainRemove(input: { $id, host: \"a.example\" })", "MANAGE", false),
        ("tenantLimitsSet(input: { $id, points: 100 })", "MANAGE", false),
        ("tenantHold(input: { $id, reason: \"a claim\" })", "HOLD", false),
        ("tenantRelease(input: { $id })", "HOLD", true),
        ("tenantArchive(input: { $id })", "DESTROY", true),
        ("tenantDiscard(input: { $id })", "DESTROY", true),
        ("tenantShred(input: { $id, slug: \"north\" })", "DESTROY", true),
        ("tenantClone(input: { $id, asSlug: \"copy\", idempotencyKey: \"k\" })", "MANAGE", false),
        ("tenantMove(input: { $id, to: \"east\", idempotencyKey: \"k\" })", "MANAGE", false),
        ("tenantMoveCancel(input: { $id })", "MANAGE", false),
        ("poolFill(input: { size: 0, idempotencyKey: \"k\" })", "MANAGE", false),
        ("migrationRunStart(input: { idempotencyKey: \"k\" })", "MANAGE", false),
        (
            "tenantCreate(input: { idempotencyKey: \"k\", slug: \"s\", displayName: \"S\", template: \"general-practice\" })",
            "MANAGE",
            false,
        ),
    ];
    // No mutation is left out.
    let names = "{ __schema { mutationType { fields { name } } } }";
    let ops = plane.token().await;
    let known = plane.ask(&ops, names, json!({})).await["__schema"]["mutationType"]["fields"].clone();
    let mut known: Vec<_> =
        known.as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    let mut tried: Vec<_> =
        mutations.iter().map(|(field, ..)| field.split('(').next().unwrap().to_owned()).collect();
    known.sort();
    tried.sort();
    assert_eq!(known, tried);

    let answer = async |token: &str, field: &str| {
        let field = field.replace("$id", &format!("id: \"{id}\""));
        plane.send(token, &format!("mutation {{ {field} {{ userErrors {{ code }} }} }}"), json!({})).await
    };
    for (held, email) in
        [("read", "r@x.test"), ("manage", "m@x.test"), ("hold", "h@x.test"), ("destroy", "d@x.test")]
    {
        operator(&plane.installation, email, &[held])?;
        let token = plane.token_of(email).await;
        let asked = plane.send(&token, "{ tenants { totalCount } templates }", json!({})).await;
        assert_eq!(asked.code(), if held == "read" { "" } else { "FORBIDDEN" }, "{held}: {}", asked.text);
        for (field, needed, _) in mutations.iter().filter(|(_, needed, _)| needed.to_lowercase() != held) {
            assert_eq!(answer(&token, field).await.code(), "FORBIDDEN", "{held} has not {needed}: {field}");
        }
    }
    let sql = "SELECT (SELECT count(*) FROM control.tenant_event) + (SELECT count(*) FROM control.operation)";
    let mut admin = plane.installation.admin().await?;
    let written: i64 = sqlx::query_scalar(sql).fetch_one(&mut admin).await?;
    assert_eq!(written, 1, "nothing but that the clinic was made");

    // Signing in shows the password; after five minutes it has to be shown again.
    sqlx::query("UPDATE control.operator_session SET proved_at = now() - interval '6 minutes'")
        .execute(&mut admin)
        .await?;
    for (field, ..) in mutations.iter().filter(|(.., is_proof_needed)| *is_proof_needed) {
        assert_eq!(answer(&ops, field).await.code(), "STEP_UP_REQUIRED", "{field}");
    }
    assert_eq!(plane.prove(&ops, "not the right one at all").await?, StatusCode::FORBIDDEN);
    assert_eq!(answer(&ops, "tenantRelease(input: { $id })").await.code(), "STEP_UP_REQUIRED");
    assert_eq!(plane.prove(&ops, PASSWORD).await?, StatusCode::NO_CONTENT);
    assert_eq!(
        answer(&ops, "tenantRelease(input: { $id })").await.body["data"]["tenantRelease"]["userErrors"],
        json!([])
    );

    // A right that is taken is gone with the next request.
    let take = ["operator", "rights", "--email", OPS, "--take", "hold", "--take", "destroy"];
    assert!(plane.installation.command().args(take).status()?.success());
    assert_eq!(answer(&ops, "tenantRelease(input: { $id })").await.code(), "FORBIDDEN");
    let kinds = "{ operatorEvents(email: \"ops@praxis.test\") { nodes { kind detail } } }";
    let seen = plane.ask(&ops, kinds, json!({})).await["operatorEvents"]["nodes"].clone();
    let expected = json!({ "from": ["READ", "MANAGE", "HOLD", "DESTROY"], "to": ["READ", "MANAGE"] });
    assert_eq!(seen[0], json!({ "kind": "RIGHTS_CHANGED", "detail": expected }));
    assert_eq!((&seen[1]["kind"], &seen[2]["kind"]), (&"PROVED".into(), &"PROOF_REFUSED".into()));
    Ok(())
}

#[tokio::test]
async fn who_guesses_is_slowed_down_by_the_address_that_the_proxy_says() -> Result<()> {
    let plane = Plane::start_with(&[("PRAXIS_CLIENT_ADDRESS_HEADER", "x-client")]).await?;
    operator(&plane.installation, "second@praxis.test", &["read"])?;
    let from = async |address: &str, email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        plane.post("/auth/login", &[("x-client", address)], &body).await
    };
    for _ in 0..10 {
        let refused = from("192.0.2.1", OPS, "not the right one at all").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = from("192.0.2.2", OPS, PASSWORD).await;
    assert_eq!((slowed.status, slowed.code()), (StatusCode::TOO_MANY_REQUESTS, "THROTTLED"));
    assert!(slowed.headers.contains_key("retry-after"));
    // Forty more from there close the address, and nobody else's.
    for number in 0..40 {
        from("192.0.2.1", &format!("nobody-{number}@praxis.test"), "x").await;
    }
    let second = "second@praxis.test";
    assert_eq!(from("192.0.2.1", second, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(from("192.0.2.3", second, PASSWORD).await.status, StatusCode::OK);
    let mut admin = plane.installation.admin().await?;
    let from: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT source_address FROM control.operator_event WHERE kind = 'SIGNED_IN' ORDER BY id",
    )
    .fetch_all(&mut admin)
    .await?;
    assert_eq!(from, [Some("192.0.2.3".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn a_clinics_token_opens_nothing_here_and_an_operators_nothing_there() -> Result<()> {
    let server = TestServer::new(&[("northside", "someone@praxis.test", "owner")]).await?;
    let clinic = server.login("northside.praxis.test", "someone@praxis.test", PASSWORD).await;
    let clinics = clinic.body["accessToken"].as_str().unwrap().to_owned();
    operator(&server.installation, OPS, &["read"])?;
    let plane = Plane::over(server.installation).await?;
    assert_eq!(plane.send(&clinics, ASK, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let token = plane.token().await;
    plane.ask(&token, ASK, json!({})).await;
    let bearer = format!("Bearer {token}");
    let request = Request::post("/graphql")
        .header("host", "northside.praxis.test")
        .header("content-type", "application/json")
        .header("authorization", bearer)
        .body(Body::from("{\"query\":\"{ __typename }\"}"))?;
    assert_eq!(send(&server.app.router, request).await.status, StatusCode::UNAUTHORIZED);

    // Whoever takes over the clinics' server learns nothing of operators.
    let mut admin = plane.installation.admin().await?;
    let control = plane.installation.names.control_role();
    for table in ["operator", "operator_session", "operator_event", "operation"] {
        let sql = "SELECT has_table_privilege($1, $2, 'SELECT, INSERT, UPDATE, DELETE')";
        let may: bool = sqlx::query_scalar(sql)
            .bind(&control)
            .bind(format!("control.{table}"))
            .fetch_one(&mut admin)
            .await?;
        assert!(!may, "{table}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_never_outlives_the_password_that_opened_it() -> Result<()> {
    let plane = Plane::start().await?;
    let mut admin = plane.installation.admin().await?;
    // The change is under way while somebody signs in with the password of before.
    let mut changing = admin.begin().await?;
    sqlx::query("SELECT FROM control.operator FOR UPDATE").execute(&mut *changing).await?;
    let signing_in = plane.sign_in(OPS, PASSWORD);
    tokio::pin!(signing_in);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(2), &mut signing_in).await;
    assert!(waited.is_err(), "it waits for who changes the account");
    sqlx::query("UPDATE control.operator SET password_hash = password_hash || 'x'")
        .execute(&mut *changing)
        .await?;
    changing.commit().await?;
    assert_eq!(signing_in.await.status, StatusCode::UNAUTHORIZED);
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM control.operator_session").fetch_one(&mut admin).await?;
    assert_eq!(sessions, 0);
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_one_is_told_what_is_wrong_with_it() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let large = json!({ "query": "x".repeat(70_000) });
    let answer = plane.post("/graphql", &headers, &large).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "REQUEST_TOO_LARGE"));
    let answer = plane.post("/graphql", &headers, &json!({ "question": 1 })).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    let answer = plane.post("/auth/login", &[], &Value::Null).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    Ok(())
}

//! What reaches the server from outside: which clinic, who, and what is answered otherwise.

use std::time::Duration;

use anyhow::Result;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use praxis::{App, StartError};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::support::{
    installation::TestInstallation,
    server::{Answer, PASSWORD, TestServer, send},
};

const NORTH: &str = "northside.praxis.test";
const HARBOR: &str = "harbor.praxis.test:8080";

async fn two_clinics() -> Result<TestServer> {
    let ann = ("northside", "ann@praxis.test", "physician");
    let bob = ("harbor", "bob@praxis.test", "physician");
    TestServer::new(&[ann, bob]).await
}

async fn execute(installation: &TestInstallation, sql: &str) -> Result<()> {
    installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
    Ok(())
}

async fn admin(app: &App, path: &str) -> Result<Answer> {
    Ok(send(&app.admin_router, Request::get(path).body(Body::empty())?).await)
}

#[tokio::test]
async fn a_session_lives_from_signing_in_to_signing_out() -> Result<()> {
    let server = two_clinics().await?;
    let answer = server.login(NORTH, " Ann@Praxis.test", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let bearer = format!("Bearer {}", answer.body["accessToken"].as_str().unwrap());
    let bearer = [("authorization", bearer.as_str())];
    assert!(answer.body["expiresAt"].as_str().unwrap().ends_with('Z'));

    let me = server.get(NORTH, "/auth/whoami", &bearer).await;
    assert_eq!(me.body["tenant"], "NORTHSIDE");
    assert_eq!(me.body["tenantSlug"], "northside");
    assert_eq!(me.body["roles"], json!(["physician"]));
    // The same token is nothing at the other clinic, exactly as one that never was.
    let foreign = server.get(HARBOR, "/auth/whoami", &bearer).await;
    let never = server.get(HARBOR, "/auth/whoami", &[("authorization", "Bearer nonsense")]).await;
    assert_eq!((foreign.status, foreign.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    assert_eq!(foreign.body["errors"][0]["message"], never.body["errors"][0]["message"]);
    let query = json!({ "query": "{ __typename }" });
    assert_eq!(
        server.post(HARBOR, "/graphql", &bearer, query.clone()).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(server.post(NORTH, "/graphql", &bearer, query).await.body["data"]["__typename"], "Query");

    assert_eq!(server.post(NORTH, "/auth/logout", &bearer, json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get(NORTH, "/auth/whoami", &bearer).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.post(NORTH, "/auth/logout", &bearer, json!({})).await.status, StatusCode::NO_CONTENT);
    Ok(())
}

#[tokio::test]
async fn a_browser_session_needs_more_than_its_cookie_to_change_anything() -> Result<()> {
    let server = two_clinics().await?;
    let body = json!({ "email": "ann@praxis.test", "password": PASSWORD });
    let answer = server.post(NORTH, "/auth/session", &[], body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.get("accessToken").is_none());
    let cookie = answer.headers[header::SET_COOKIE].to_str()?.to_owned();
    for attribute in ["__Host-praxis=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let cookie = ("cookie", cookie.split(';').next().unwrap());
    let query = || json!({ "query": "{ __typename }" });
    assert_eq!(server.post(NORTH, "/graphql", &[cookie], query()).await.status, StatusCode::FORBIDDEN);
    let with_header = [cookie, ("praxis-csrf", "1")];
    assert_eq!(server.post(NORTH, "/graphql", &with_header, query()).await.status, StatusCode::OK);
    assert_eq!(server.get(NORTH, "/auth/whoami", &[cookie]).await.status, StatusCode::OK);
    // A cookie's token is no bearer token.
    let token = cookie.1.split_once('=').unwrap().1;
    let bearer = format!("Bearer {token}");
    assert_eq!(
        server.get(NORTH, "/auth/whoami", &[("authorization", &bearer)]).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        server.get(NORTH, "/auth/whoami", &[cookie, ("authorization", &bearer)]).await.status,
        StatusCode::BAD_REQUEST
    );
    let out = server.post(NORTH, "/auth/logout", &with_header, json!({})).await;
    assert!(out.headers[header::SET_COOKIE].to_str()?.contains("Max-Age=0"));
    assert_eq!(server.get(NORTH, "/auth/whoami", &[cookie]).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn only_the_host_decides_the_clinic() -> Result<()> {
    let server = two_clinics().await?;
    let mut answers = Vec::new();
    for host in
        ["nobody.praxis.test", "praxis.test", "other.test", "10.0.0.1", "northside.praxis.test.evil", "a b"]
    {
        let answer = server.get(host, "/graphql?query=%7B__typename%7D", &[]).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "TENANT_NOT_FOUND"), "{host}");
        answers.push(answer.without_id());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    for (value, status) in [("northside", 200), ("harbor", 403), ("nobody", 403)] {
        let answer = server.get(NORTH, "/graphql?query=%7B__typename%7D", &[("x-tenant-id", value)]).await;
        assert_eq!(answer.status, status, "{value}");
    }
    assert_eq!(server.get(NORTH, "/nowhere", &[]).await.code(), "NOT_FOUND");
    assert_eq!(server.get(NORTH, "/healthz", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(NORTH, "/auth/login", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);

    // States and versions take effect without a restart.
    execute(&server.installation, "UPDATE control.tenant SET state = 'SUSPENDED' WHERE slug = 'northside'")
        .await?;
    execute(
        &server.installation,
        "UPDATE control.tenant SET schema_version = schema_version - 1 WHERE slug = 'harbor'",
    )
    .await?;
    server.app.directory.refresh().await?;
    let suspended = server.get(NORTH, "/graphql?query=%7B__typename%7D", &[]).await;
    assert_eq!((suspended.status, suspended.code()), (StatusCode::FORBIDDEN, "TENANT_SUSPENDED"));
    let migrating = server.get(HARBOR, "/graphql?query=%7B__typename%7D", &[]).await;
    assert_eq!((migrating.status, migrating.code()), (StatusCode::SERVICE_UNAVAILABLE, "TENANT_MIGRATING"));
    assert!(migrating.headers.contains_key(header::RETRY_AFTER));
    Ok(())
}

#[tokio::test]
async fn signing_in_tells_nothing_and_slows_down_guessing() -> Result<()> {
    let server = two_clinics().await?;
    let mut wrong = Vec::new();
    // Unknown, wrong password, somebody of another clinic.
    for (email, password) in
        [("nobody@praxis.test", PASSWORD), ("ann@praxis.test", "wrong"), ("bob@praxis.test", PASSWORD)]
    {
        let answer = server.login(NORTH, email, password).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
        wrong.push(answer.without_id());
    }
    assert!(wrong.windows(2).all(|pair| pair[0] == pair[1]));
    for (body, status) in [
        (json!({ "email": "ann@praxis.test" }), 400),
        (json!({ "email": "ann@praxis.test\u{0}", "password": "x" }), 400),
        (json!({ "email": 3, "password": "x" }), 400),
        (json!([]), 400),
        (json!({ "email": "a".repeat(9_000), "password": "x" }), 413),
    ] {
        assert_eq!(server.post(NORTH, "/auth/login", &[], body.clone()).await.status, status, "{body}");
    }
    let form = Request::post("/auth/login").header("host", NORTH).header("content-type", "text/plain");
    let form =
        form.body(Body::from(json!({ "email": "ann@praxis.test", "password": PASSWORD }).to_string()))?;
    assert_eq!(send(&server.app.router, form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // Many successes hinder nobody, and forgive the failure above.
    let many = (0..30).map(|_| server.login(NORTH, "ann@praxis.test", PASSWORD));
    for answer in futures::future::join_all(many).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    for _ in 0..10 {
        assert_eq!(server.login(NORTH, "ann@praxis.test", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = server.login(NORTH, "ann@praxis.test", PASSWORD).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "THROTTLED"));
    assert!(refused.headers[header::RETRY_AFTER].to_str()?.parse::<u64>()? > 200);
    Ok(())
}

#[tokio::test]
async fn the_admin_port_tells_how_the_server_does() -> Result<()> {
    let server = two_clinics().await?;
    server.login(NORTH, "ann@praxis.test", "wrong").await;
    assert_eq!(admin(&server.app, "/healthz").await?.body, json!({ "alive": true }));
    let ready = admin(&server.app, "/readyz").await?;
    assert_eq!(
        ready.body,
        json!({ "ready": true, "database": true, "directory": true, "hardening": true, "keys": true })
    );
    let text = admin(&server.app, "/metrics").await?.text;
    for line in [
        "praxis_logins_total{result=\"refused\"}",
        "praxis_http_requests_total{kind=\"auth\",method=\"POST\",status=\"401\"}",
        "praxis_http_request_duration_seconds_bucket{kind=\"auth\",method=\"POST\",le=\"0.001\"}",
        "praxis_pool_connections{state=\"idle\"}",
        "praxis_tenants{schema=\"current\"} 2",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("northside") && !text.contains("ann"), "{text}");
    Ok(())
}

#[tokio::test]
async fn the_explorer_is_served_only_where_it_is_asked_for() -> Result<()> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    let mut config = installation.config()?;
    for (graphiql, status) in [(false, StatusCode::NOT_FOUND), (true, StatusCode::OK)] {
        config.http.graphiql = graphiql;
        let app = App::build(config.clone()).await?;
        for (host, status) in [(NORTH, status), ("nobody.praxis.test", StatusCode::NOT_FOUND)] {
            let request = Request::get("/explorer").header("host", host).body(Body::empty())?;
            assert_eq!(send(&app.router, request).await.status, status, "{host} {graphiql}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_server_without_hardening_does_not_start() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let sql = "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC";
    execute(&installation, sql).await?;
    let mut config = installation.config()?;
    assert!(matches!(App::build(config.clone()).await, Err(StartError::NotHardened)));
    config.database.require_hardening = false;
    let ready = admin(&App::build(config).await?, "/readyz").await?;
    assert_eq!((ready.status, &ready.body["hardening"]), (StatusCode::OK, &json!(false)));
    Ok(())
}

#[tokio::test]
async fn requests_under_way_are_finished_when_the_server_stops() -> Result<()> {
    let server = two_clinics().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.app.serve(
        vec![listener],
        None,
        Box::pin(async {
            let _ = stopped.await;
        }),
    ));
    let body = json!({ "email": "ann@praxis.test", "password": PASSWORD }).to_string();
    let mut client = TcpStream::connect(address).await?;
    let head = format!(
        "POST /auth/login HTTP/1.1\r\nhost: {NORTH}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).ok();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err(), "no new connections");
    client.write_all(body.as_bytes()).await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serving.await??;
    Ok(())
}

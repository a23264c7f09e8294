//! Sessions and the tokens that stand for them: how they begin, how long they live, how they end.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use anyhow::Result;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use chrono::{TimeDelta, Utc};

use crate::support::server::{PASSWORD, TestServer, send};

const HOST: &str = "northside.praxis.test";
const ANN: &str = "ann@praxis.test";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", ANN, "physician")]).await
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let answer = server.login(HOST, ANN, PASSWORD).await;
    let bearer = format!("Bearer {}", answer.body["accessToken"].as_str().unwrap());
    let whoami = async || {
        let request = Request::get("/auth/whoami").header("host", HOST).header("authorization", &bearer);
        send(&other.router, request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(whoami().await, StatusCode::OK);
    server.clock.advance(TimeDelta::minutes(16));
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    assert_eq!(whoami().await, StatusCode::UNAUTHORIZED);
    server.clock.advance_to(Utc::now() + TimeDelta::days(1));
    assert_eq!(whoami().await, StatusCode::UNAUTHORIZED);
    Ok(())
}

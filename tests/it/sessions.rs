//! Sessions and the tokens that stand for them: how they begin, how long they live, how they end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::sync::Arc;

use anyhow::Result;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use chrono::TimeDelta;
use praxis_platform::{OpFactory, RequestInfo, access::Actor};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::server::{Answer, PASSWORD, TestServer, send};

mod administration;
mod floods;
mod limits;
mod marks;
mod tokens;

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

/// Lists patients by a server.
async fn patients(router: &Router, bearer: &str) -> Answer {
    graphql(router, bearer, "{ patients(first: 1) { nodes { id } } }").await
}

async fn graphql(router: &Router, bearer: &str, query: &str) -> Answer {
    let request = Request::post("/graphql").header("host", HOST).header("authorization", bearer);
    let body = json!({ "query": query }).to_string();
    send(router, request.header("content-type", "application/json").body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_new_password_ends_a_sign_in_with_the_old_one_that_is_under_way() -> Result<()> {
    use sqlx::Connection;

    let server = clinic().await?;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    let mut admin = server.installation.admin().await?;
    let mut reset = admin.begin().await?;
    let update = format!("UPDATE {schema}.user_account SET password_hash = 'another' WHERE email = '{ANN}'");
    reset.execute(AssertSqlSafe(update)).await?;
    // The old password is still good when it is looked at, and no more when the session would be opened.
    let (answer, committed) = tokio::join!(server.login(HOST, ANN, PASSWORD), async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        reset.commit().await
    });
    committed?;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    let open: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {schema}.session")))
        .fetch_one(&mut admin)
        .await?;
    assert_eq!(open, 0);
    Ok(())
}

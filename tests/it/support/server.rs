//! A server over an installation of a test's own, and a client that speaks to it without a socket.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use praxis::{App, config::Config};
use praxis_domain::identity::{self, NewUser};
use praxis_entity::ids::FacilityId;
use praxis_platform::{Op, OpFactory, RequestInfo, Write, access::Actor, jobs::Outcome};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{clock::TestClock, installation::TestInstallation};

/// The password of every user of the tests.
pub const PASSWORD: &str = "seven quiet herons count boats";

/// A server and the installation below it.
pub struct TestServer {
    /// What it stands on.
    pub installation: TestInstallation,
    /// The server.
    pub app: App,
    /// Its clock, which tests move.
    pub clock: Arc<TestClock>,
}

impl TestServer {
    /// A server with clinics, each with one user: slug of the clinic, e-mail, role.
    pub async fn new(clinics: &[(&str, &str, &str)]) -> Result<Self> {
        Self::at("praxis.test", clinics).await
    }

    /// The same under another base domain.
    pub async fn at(base_domain: &str, clinics: &[(&str, &str, &str)]) -> Result<Self> {
        let installation = TestInstallation::new().await?;
        for (slug, ..) in clinics {
            installation.provision(slug).await?;
        }
        let clock = Arc::new(TestClock::default());
        let mut config = installation.config()?;
        config.http.base_domain = base_domain.to_owned();
        let app = App::build_with_clock(config, Arc::clone(&clock) as _).await?;
        let server = Self { installation, app, clock };
        for (slug, email, role) in clinics {
            server.user(slug, email, role).await?;
        }
        Ok(server)
    }

    /// A server over an installation, with a configuration of one's own.
    pub async fn over(installation: TestInstallation, config: Config) -> Result<Self> {
        let clock = Arc::new(TestClock::default());
        let app = App::build_with_clock(config, Arc::clone(&clock) as _).await?;
        Ok(Self { installation, app, clock })
    }

    /// Another server over the same installation, by the same clock.
    pub async fn another(&self) -> Result<App> {
        Ok(App::build_with_clock(self.installation.config()?, Arc::clone(&self.clock) as _).await?)
    }

    /// Lets a worker do whatever is due, until nothing is. How much was done.
    pub async fn work(&self) -> Result<usize> {
        let worker = self.app.worker.as_ref().context("the server has no worker")?;
        let mut done = 0;
        loop {
            let woken = worker.ready(16, &[]).await?;
            if woken.is_empty() {
                return Ok(done);
            }
            for woken in &woken {
                for ran in worker.serve(woken).await? {
                    assert!(matches!(ran.result, Outcome::Done), "{ran:?}");
                    done += 1;
                }
            }
        }
    }

    /// Makes a user who holds a role everywhere in the clinic.
    pub async fn user(&self, slug: &str, email: &str, role: &str) -> Result<()> {
        self.user_at(slug, email, role, None).await
    }

    /// The same with the role at one branch only.
    pub async fn user_at(
        &self,
        slug: &str,
        email: &str,
        role: &str,
        branch: Option<FacilityId>,
    ) -> Result<()> {
        let tenant = self.app.directory.by_slug(slug).context("no such clinic")?;
        let platform = Arc::clone(&self.app.platform);
        let operator = Arc::new(Actor::operator());
        let op = OpFactory::new(platform, tenant, operator, RequestInfo::default(), true).write().await?;
        let new = NewUser {
            email: email.to_owned(),
            display_name: format!("User {email}"),
            password: PASSWORD.to_owned(),
            practitioner: None,
        };
        let user = identity::create_user(&op, new).await?;
        identity::grant_role(&op, user.id, role, branch).await?;
        Ok(op.commit().await?)
    }

    /// A request with a JSON body.
    pub async fn post(&self, host: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let request = Request::post(path).header("host", host).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(&self.app.router, request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A request without a body.
    pub async fn get(&self, host: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::get(path).header("host", host);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(&self.app.router, request.body(Body::empty()).unwrap()).await
    }

    /// An operation of the system at a clinic.
    pub async fn as_system(&self, slug: &str) -> Result<Op<Write>> {
        let tenant = self.app.directory.by_slug(slug).context("no such clinic")?;
        let (platform, system) = (Arc::clone(&self.app.platform), Arc::new(Actor::system()));
        Ok(OpFactory::new(platform, tenant, system, RequestInfo::default(), true).write_always().await?)
    }

    /// Signs in for a token.
    pub async fn login(&self, host: &str, email: &str, password: &str) -> Answer {
        self.post(host, "/auth/login", &[], json!({ "email": email, "password": password })).await
    }
}

/// What came back.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Answer {
    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// The body without what differs between any two answers.
    pub fn without_id(mut self) -> Value {
        self.body["errors"][0]["extensions"]["requestId"] = Value::Null;
        self.body
    }
}

/// Sends a request to a router.
pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, 1_000_000).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, text, body }
}

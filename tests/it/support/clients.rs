//! People who work at clinics over the wire, as fast as they are answered or at a pace, and how long they waited.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{process::post, server::TestServer};

const LIST: &str =
    "{ patients(first: 10) { nodes { id name { family } appointments(first: 3) { nodes { id } } } } }";
const REGISTER: &str = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } userErrors { code } } }";

/// No limit but the machine, which may be busy with other tests.
pub const UNLIMITED: [(&str, &str); 5] = [
    ("PRAXIS_DATABASE_WAIT_MS", "15000"),
    ("PRAXIS_RATES_TENANT_POINTS", "100000000"),
    ("PRAXIS_RATES_TENANT_RESTORE", "100000000"),
    ("PRAXIS_RATES_ACTOR_POINTS", "100000000"),
    ("PRAXIS_RATES_ACTOR_RESTORE", "100000000"),
];

/// Somebody who works.
pub struct Client {
    host: String,
    bearer: String,
    /// From one request to the next, at least.
    pace: Duration,
}

/// What somebody met with.
#[derive(Debug, Default)]
pub struct Worked {
    /// How long each request took that was answered.
    pub took: Vec<Duration>,
    /// How many were refused because the clinic asked too much.
    pub limited: usize,
}

impl Client {
    /// A new owner of a clinic.
    pub async fn at(server: &TestServer, slug: &str) -> Self {
        let person = server.person(slug, "owner").await;
        Self { host: person.host.clone(), bearer: person.bearer.clone(), pace: Duration::ZERO }
    }

    /// Asks no sooner than so long after having asked.
    pub fn paced(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    /// Somebody who signed in at a server.
    pub async fn signed_in(address: SocketAddr, host: &str, email: &str, password: &str) -> Self {
        let credentials = json!({ "email": email, "password": password });
        let answer = post(address, host, "/auth/login", &[], &credentials).await.expect("an answer");
        let token = answer.body["accessToken"].as_str().expect("a token");
        Self { host: host.to_owned(), bearer: format!("Bearer {token}"), pace: Duration::ZERO }
    }

    /// Reads, and each fifth time registers somebody, until told to stop. Any error but that of a limit fails the test.
    pub async fn work(&self, address: SocketAddr, until: &(dyn Fn() -> bool + Sync)) -> Worked {
        let mut worked = Worked::default();
        for number in 0_u32.. {
            if until() {
                break;
            }
            let begun = Instant::now();
            let key = format!("{number}-{begun:?}");
            let headers = [("authorization", self.bearer.as_str()), ("idempotency-key", key.as_str())];
            let body = match number % 5 {
                4 => json!({ "query": REGISTER, "variables": { "input": somebody() } }),
                _ => json!({ "query": LIST }),
            };
            let answer = post(address, &self.host, "/graphql", &headers, &body).await.expect("an answer");
            let took = begun.elapsed();
            if took < self.pace {
                tokio::time::sleep(self.pace - took).await;
            }
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                worked.limited += 1;
                continue;
            }
            let refused = &answer.body["data"]["patientCreate"]["userErrors"];
            let fine = answer.body["errors"].is_null() && refused.as_array().is_none_or(Vec::is_empty);
            assert!(answer.status == StatusCode::OK && fine, "{}", answer.text);
            worked.took.push(took);
        }
        worked
    }
}

/// Somebody whom no clinic knows.
fn somebody() -> Value {
    static MET: AtomicU32 = AtomicU32::new(0);
    let number = MET.fetch_add(1, Ordering::Relaxed);
    let (day, month, year) = (1 + number % 28, 1 + number / 28 % 12, 1920 + number / 336 % 90);
    let name = json!({ "given": [format!("Ada{number}")], "family": format!("Worker{number}") });
    json!({ "name": name, "birthDate": format!("{year}-{month:02}-{day:02}") })
}

/// All clients at the same time; what they met with together.
pub async fn work(clients: &[Client], address: SocketAddr, until: &(dyn Fn() -> bool + Sync)) -> Worked {
    let each = futures::future::join_all(clients.iter().map(|client| client.work(address, until))).await;
    each.into_iter().fold(Worked::default(), |mut all, worked| {
        all.took.extend(worked.took);
        all.limited += worked.limited;
        all
    })
}

/// True once so much time has passed.
pub fn after(span: Duration) -> impl Fn() -> bool + Sync {
    let end = Instant::now() + span;
    move || Instant::now() >= end
}

/// The longest wait of all but the slowest.
pub fn quantile(mut took: Vec<Duration>, percent: usize) -> Duration {
    took.sort();
    took[took.len() * percent / 100]
}

//! Clinics work while the fleet is migrated, and none of them notices.
//!
//! Small by itself; `PRAXIS_TEST_TENANTS=1000 PRAXIS_TEST_SECONDS=20` is the whole of it, and prints the figures.

use std::{
    env,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use praxis_fleet::migrate::{Options, Outcome};
use praxis_migration::Step;
use serde_json::json;

use super::{clinics, count, with_steps};
use crate::support::{
    process::{free_address, post},
    server::TestServer,
};

/// Who works at the same time; each at a clinic of their own, if there are so many.
const CLIENTS: usize = 32;

const LIST: &str =
    "{ patients(first: 10) { nodes { id name { family } appointments(first: 3) { nodes { id } } } } }";
const REGISTER: &str = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } userErrors { code } } }";

/// Somebody who works.
struct Client {
    host: String,
    bearer: String,
}

impl Client {
    /// Reads, and now and then registers somebody, until told to stop; how long each request took.
    async fn work(&self, address: SocketAddr, until: impl Fn() -> bool) -> Vec<Duration> {
        let mut took = Vec::new();
        while !until() {
            let begun = Instant::now();
            let number = took.len();
            let key = format!("{}-{:?}", self.bearer, begun);
            let headers =
                [("authorization", self.bearer.as_str()), ("idempotency-key", &key[key.len() - 60..])];
            let body = match number % 5 {
                4 => json!({ "query": REGISTER, "variables": { "input": {
                    "name": { "given": ["Ada"], "family": format!("Worker {number}") }, "birthDate": "1980-01-02"
                } } }),
                _ => json!({ "query": LIST }),
            };
            let answer = post(address, &self.host, "/graphql", &headers, &body).await.expect("an answer");
            assert!(answer.status == 200 && answer.body["errors"].is_null(), "{}", answer.text);
            assert!(
                answer.body["data"]["patientCreate"]["userErrors"].as_array().is_none_or(Vec::is_empty),
                "{}",
                answer.text
            );
            took.push(begun.elapsed());
        }
        took
    }
}

/// The slowest of the fastest 95 %.
fn p95(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() * 95 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clinics_work_while_the_fleet_is_migrated_and_none_of_them_notices() -> Result<()> {
    let seconds = env::var("PRAXIS_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let server = TestServer::new(&[]).await?;
    let begun = Instant::now();
    let tenants = clinics(&server.installation, count(8)).await?;
    eprintln!("{} clinics made in {:?}", tenants.len(), begun.elapsed());
    server.app.directory.refresh().await?;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        // Spread over the fleet, so that all ages are among them.
        let slug = &tenants[number * tenants.len() / CLIENTS].slug;
        let person = server.person(slug, "owner").await;
        clients.push(Client { host: person.host.clone(), bearer: person.bearer.clone() });
    }
    let address = free_address().await?;
    let plenty = "100000000";
    let rates = [
        ("PRAXIS_RATES_TENANT_POINTS", plenty),
        ("PRAXIS_RATES_TENANT_RESTORE", plenty),
        ("PRAXIS_RATES_ACTOR_POINTS", plenty),
        ("PRAXIS_RATES_ACTOR_RESTORE", plenty),
    ];
    let mut process = server.installation.spawn_server(address, &rates).await?;
    let work = async |until: &(dyn Fn() -> bool + Sync)| -> Vec<Duration> {
        let work = clients.iter().map(|client| client.work(address, until));
        futures::future::join_all(work).await.into_iter().flatten().collect()
    };
    let wait = |span: Duration| {
        let end = Instant::now() + span;
        move || Instant::now() >= end
    };
    work(&wait(Duration::from_secs(seconds))).await;
    let quiet = work(&wait(Duration::from_secs(seconds))).await;

    let migrator = with_steps(
        &server.installation.url,
        [
            Step::new("m9998_column", "ALTER TABLE patient ADD COLUMN nickname text"),
            Step::new(
                "m9999_index",
                "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY patient_by_nickname ON patient (nickname)",
            ),
        ],
    );
    let done = std::sync::OnceLock::new();
    let options = Options::default();
    let up = async {
        let begun = Instant::now();
        let report =
            migrator.up(&*server.installation.keys, &server.installation.clock, &options, &|_| {}).await;
        let _ = done.set(begun.elapsed());
        report
    };
    let until = || done.get().is_some();
    let (report, under_way) = tokio::join!(up, work(&until));
    let report = report?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, tenants.len()));
    assert!(process.try_wait()?.is_none(), "the server ended");
    let begun = Instant::now();
    let again =
        migrator.up(&*server.installation.keys, &server.installation.clock, &options, &|_| {}).await?;
    assert_eq!((again.outcome, again.run), (Outcome::Done, None));
    let nothing = begun.elapsed();
    let (requests, quiet, busy) = (under_way.len(), p95(quiet), p95(under_way));
    eprintln!(
        "{} clinics in {:?}, nothing to do in {nothing:?}; {requests} requests meanwhile, p95 {quiet:?} quiet and {busy:?} meanwhile (x{:.2}), no error",
        tenants.len(),
        done.get().copied().unwrap_or_default(),
        busy.as_secs_f64() / quiet.as_secs_f64(),
    );
    Ok(())
}

//! Clinics work while the fleet is migrated, and none of them notices.
//!
//! Small by itself; `PRAXIS_TEST_TENANTS=1000 PRAXIS_TEST_SECONDS=20` is the whole of it, and prints the figures.

use std::{
    env,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::Result;
use praxis_fleet::migrate::{Options, Outcome};
use praxis_migration::Step;

use super::{clinics, count, with_steps};
use crate::support::{
    clients::{Client, UNLIMITED, after, quantile, work},
    process::free_address,
    server::TestServer,
};

/// Who works at the same time; each at a clinic of their own, if there are so many.
const CLIENTS: usize = 32;

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
        clients.push(Client::at(&server, &tenants[number * tenants.len() / CLIENTS].slug).await);
    }
    let address = free_address().await?;
    let mut process = server.installation.spawn_server(address, &UNLIMITED).await?;
    let span = Duration::from_secs(seconds);
    work(&clients, address, &after(span)).await;
    let quiet = work(&clients, address, &after(span)).await;

    let index = "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY patient_by_nickname ON patient (nickname)";
    let steps = [
        Step::new("m9998_column", "ALTER TABLE patient ADD COLUMN nickname text"),
        Step::new("m9999_index", index),
    ];
    let migrator = with_steps(&server.installation.url, steps);
    let options = Options::default();
    let up = || migrator.up(&*server.installation.keys, &server.installation.clock, &options, &|_| {});
    let done = OnceLock::new();
    let run = async {
        let begun = Instant::now();
        let report = up().await;
        done.get_or_init(|| begun.elapsed());
        report
    };
    let until = || done.get().is_some();
    let (report, under_way) = tokio::join!(run, work(&clients, address, &until));
    let report = report?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, tenants.len()));
    assert!(process.try_wait()?.is_none(), "the server ended");

    let begun = Instant::now();
    let again = up().await?;
    assert_eq!((again.outcome, again.run), (Outcome::Done, None));
    let nothing = begun.elapsed();
    let requests = under_way.took.len();
    let (quiet, busy) = (quantile(quiet.took, 95), quantile(under_way.took, 95));
    eprintln!(
        "{} clinics in {:?}, nothing to do in {nothing:?}; {requests} requests meanwhile, p95 {quiet:?} quiet and {busy:?} meanwhile (x{:.2}), no error",
        tenants.len(),
        done.get().copied().unwrap_or_default(),
        busy.as_secs_f64() / quiet.as_secs_f64(),
    );
    Ok(())
}

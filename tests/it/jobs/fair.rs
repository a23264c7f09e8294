//! How fast work is done, and that no clinic waits for another's.
//!
//! Small by itself; with `PRAXIS_NOISY_JOBS=100000` and an optimised build, what the documentation reports.

#![expect(
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "what it measured is worth reading; a round that is missing fails here"
)]

use std::env;

use super::*;

/// How much longer a clinic's work may take beside another that has very much to do.
const MOST: f64 = 2.0;
/// Rounds of each measurement.
const ROUNDS: usize = 9;

fn size(name: &str, usual: usize) -> usize {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn queued(server: &TestServer, slug: &str, prefix: &str, jobs: usize) -> Result<()> {
    let now = server.clock.now();
    for chunk in (0..jobs).collect::<Vec<_>>().chunks(5_000) {
        let jobs = chunk.iter().map(|n| new_job(&format!("{prefix}{n}"), now)).collect();
        enqueue(server, slug, jobs).await?;
    }
    Ok(())
}

/// How long it takes until a clinic's jobs of a prefix are done, from before they are written down.
async fn time_to_do(
    server: &TestServer,
    watching: &mut sqlx::PgConnection,
    prefix: &str,
    jobs: usize,
) -> Result<Duration> {
    let begun = Instant::now();
    queued(server, "harbor", prefix, jobs).await?;
    let counted = "SELECT count(*) FROM counter WHERE name LIKE $1";
    loop {
        let done: i64 =
            sqlx::query_scalar(counted).bind(format!("job:{prefix}%")).fetch_one(&mut *watching).await?;
        if done as usize >= jobs {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The middle of several rounds: of a single job, and of many at once.
async fn measure(server: &TestServer, when: &str, many: usize) -> Result<[Duration; 2]> {
    let mut watching = server.installation.tenant_connection("harbor").await?;
    let mut middles = [Duration::ZERO; 2];
    for (middle, jobs) in middles.iter_mut().zip([1, many]) {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            let prefix = format!("{when}-{jobs}-{round}-");
            rounds.push(time_to_do(server, &mut watching, &prefix, jobs).await?);
        }
        rounds.sort_unstable();
        eprintln!("{when}, {jobs} jobs: {rounds:?}");
        *middle = rounds[ROUNDS / 2];
    }
    Ok(middles)
}

/// Whether it is run by itself, for its figures.
fn is_measured() -> bool {
    std::env::var_os("PRAXIS_NOISY_JOBS").is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_with_very_much_to_do_holds_up_no_other() -> Result<()> {
    let noisy_jobs = size("PRAXIS_NOISY_JOBS", 4_000);
    let quiet_jobs = size("PRAXIS_QUIET_JOBS", 40);
    let server =
        TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")])
            .await?;
    let worker = Arc::new(worker(&server, &server.app, Counting::default()).await?);
    let stop = CancellationToken::new();
    let running = tokio::spawn(working::run(Arc::clone(&worker), stop.clone()));
    measure(&server, "warm", quiet_jobs).await?;
    let alone = measure(&server, "alone", quiet_jobs).await?;
    queued(&server, "northside", "noise", noisy_jobs).await?;
    let (begun, before) = (Instant::now(), done(&server, "northside").await?.0);
    let beside = measure(&server, "beside", quiet_jobs).await?;
    let after = done(&server, "northside").await?.0;
    let left = noisy_jobs as i64 - after;
    let rate = (after - before) as f64 / begun.elapsed().as_secs_f64();
    let ratios = [0, 1].map(|n| beside[n].as_secs_f64() / alone[n].as_secs_f64());
    eprintln!(
        "one job {:?}, {quiet_jobs} jobs {:?} alone; beside a clinic with {noisy_jobs}, which did {rate:.0}/s meanwhile, {:.2} and {:.2} times as long",
        alone[0], alone[1], ratios[0], ratios[1]
    );
    assert!(left > 0, "the noise was over before the test was");
    // Of a single job a few milliseconds more are no delay, where other tests take what they can get of the machine.
    let barely = |n: usize| !is_measured() && beside[n] <= alone[n] + Duration::from_millis(25);
    assert!((0..2).all(|n| ratios[n] <= MOST || barely(n)), "{ratios:?}");

    // What is done when nobody else has anything to do.
    let (begun, some) = (Instant::now(), left.min(size("PRAXIS_NOISY_DRAIN", 400) as i64));
    while done(&server, "northside").await?.0 < after + some {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{some} jobs in {:?}: {:.0}/s", begun.elapsed(), some as f64 / begun.elapsed().as_secs_f64());
    stop.cancel();
    running.await?;
    Ok(())
}

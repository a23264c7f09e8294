//! How fast work is done, and that no clinic waits for another's.
//!
//! Small by itself; with `PRAXIS_NOISY_JOBS=100000` and an optimised build, what the documentation reports.

use std::env;

use super::*;

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

/// How long it takes until a clinic's jobs of a prefix are done.
async fn time_to_do(server: &TestServer, slug: &str, prefix: &str, jobs: usize) -> Result<Duration> {
    let mut runtime = server.installation.tenant_connection(slug).await?;
    let begun = Instant::now();
    queued(server, slug, prefix, jobs).await?;
    let counted = "SELECT count(*) FROM counter WHERE name LIKE $1";
    loop {
        let done: i64 =
            sqlx::query_scalar(counted).bind(format!("job:{prefix}%")).fetch_one(&mut runtime).await?;
        if done as usize >= jobs {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_with_very_much_to_do_holds_up_no_other() -> Result<()> {
    let noisy_jobs = size("PRAXIS_NOISY_JOBS", 3_000);
    let quiet_jobs = size("PRAXIS_QUIET_JOBS", 40);
    let server =
        TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")])
            .await?;
    let worker = Arc::new(worker(&server, &server.app, Counting::default()).await?);
    let stop = CancellationToken::new();
    let running = tokio::spawn(working::run(Arc::clone(&worker), stop.clone()));
    time_to_do(&server, "harbor", "warm", quiet_jobs).await?;
    let mut alone = Vec::new();
    for round in 0..5 {
        alone.push(time_to_do(&server, "harbor", &format!("alone{round}-"), quiet_jobs).await?);
    }
    queued(&server, "northside", "noise", noisy_jobs).await?;
    let (begun, before) = (Instant::now(), done(&server, "northside").await?.0);
    let mut beside = Vec::new();
    for round in 0..5 {
        beside.push(time_to_do(&server, "harbor", &format!("beside{round}-"), quiet_jobs).await?);
    }
    let after = done(&server, "northside").await?.0;
    let rate = (after - before) as f64 / begun.elapsed().as_secs_f64();
    let left = noisy_jobs as i64 - after;
    alone.sort_unstable();
    beside.sort_unstable();
    let ratio = beside[2].as_secs_f64() / alone[2].as_secs_f64();
    eprintln!(
        "{quiet_jobs} jobs alone: {alone:?}; beside a clinic with {noisy_jobs}: {beside:?}; {ratio:.2} times; the other did {rate:.0}/s meanwhile"
    );
    assert!(left > 0, "the noise was over before the test was");
    assert!(ratio < 3.0, "{ratio}");
    if noisy_jobs <= 10_000 {
        stop.cancel();
    } else {
        let begun = Instant::now();
        while done(&server, "northside").await?.0 < noisy_jobs as i64 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        eprintln!(
            "{left} jobs in {:?}: {:.0}/s",
            begun.elapsed(),
            left as f64 / begun.elapsed().as_secs_f64()
        );
        stop.cancel();
    }
    running.await?;
    Ok(())
}

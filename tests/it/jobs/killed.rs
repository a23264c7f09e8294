//! Workers that are killed while they work.

use std::process::Stdio;

use tokio::process::{Child, Command};

use super::*;

/// A worker in a process of its own, over the test's installation.
fn spawn(server: &TestServer) -> Result<Child> {
    let installation = &server.installation;
    Ok(Command::new(env!("CARGO_BIN_EXE_praxis"))
        .args(["worker", "--admin-listen", "127.0.0.1:0"])
        .env_clear()
        .envs([
            ("DATABASE_URL", installation.url.as_str()),
            ("PRAXIS_ROOT_KEY", installation.root_key.as_str()),
            ("PRAXIS_BASE_DOMAIN", "praxis.test"),
        ])
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

/// How many jobs of the test were done by the log: each end is an entry of the transaction with its effects.
async fn ends(server: &TestServer) -> Result<(i64, i64)> {
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let counted = "SELECT count(*), coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM audit_entry e
        JOIN job j ON j.id = e.object_id AND j.dedupe_key LIKE 'k%' WHERE e.action = 'job.done' GROUP BY e.object_id) d";
    Ok(sqlx::query_as(counted).fetch_one(&mut runtime).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_workers_lose_nothing_and_double_nothing() -> Result<()> {
    const JOBS: i64 = 1_500;
    let server = clinic().await?;
    let now = server.clock.now();
    let job = |n| NewJob { name: "FORGET_OLD_JOBS".to_owned(), ..new_job(&format!("k{n}"), now) };
    enqueue(&server, "northside", (0..JOBS).map(job).collect()).await?;
    let mut kills = 0;
    for round in 0..6 {
        let before = ends(&server).await?.0;
        let mut process = spawn(&server)?;
        let begun = Instant::now();
        while ends(&server).await?.0 < before + 20 + 30 * round && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        process.kill().await?;
        kills += 1;
        // What the killed one had taken up is nobody's until its lease ends; there is more to do meanwhile.
    }
    let (ended, _) = ends(&server).await?;
    assert!(ended > 20 * kills && ended < JOBS, "{ended} after {kills} kills");
    let worker = worker(&server, &server.app, Jobs).await?;
    for _ in 0..3 {
        server.clock.advance(TimeDelta::minutes(3));
        work_off(&worker).await?;
    }
    assert_eq!(ends(&server).await?, (JOBS, 1));
    Ok(())
}

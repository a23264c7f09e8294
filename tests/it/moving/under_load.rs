//! Six clients write through two servers and a worker while the clinic moves there and back.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use serde_json::json;
use tokio::time::sleep;

use super::kit::Moving;
use crate::{
    chaos::{judge, ledger::Ledger, load},
    support::process::free_address,
    tasks::work_off,
};

/// Who sends at once.
const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_nothing_acknowledged_is_lost_nobody_sees_an_error_and_writers_wait_for_less_than_a_second()
-> Result<()> {
    let moves: u32 = env::var("PRAXIS_TEST_MOVES").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let moving = Moving::new().await?;
    let server = &moving.server;
    let clinic = load::Clinic::open(server, CLIENTS).await?;
    let servers = [free_address().await?, free_address().await?];
    let mut processes = Vec::new();
    for address in servers {
        processes.push(server.installation.spawn_server(address, &[("PRAXIS_WORKER", "false")]).await?);
    }
    processes.push(server.installation.spawn(&["worker"], &[])?);
    let ledger = Ledger::create()?;
    let (start, times) = (Instant::now(), std::sync::Mutex::new(Vec::new()));
    let moved = async {
        sleep(Duration::from_secs(3)).await;
        let mut moved = Vec::new();
        for number in 0..moves {
            let begun = Instant::now();
            moved.push(moving.to(if number % 2 == 0 { "east" } else { "main" }).await?);
            times.lock().unwrap().push((begun, Instant::now()));
            sleep(Duration::from_secs(2)).await;
        }
        anyhow::Ok(moved)
    };
    // They work until the clinic has moved, however long that takes.
    let (stop, until) = (Instant::now() + Duration::from_secs(600), std::sync::Mutex::new(None));
    let moved = async {
        let moved = moved.await;
        *until.lock().unwrap() = Some(Instant::now());
        moved
    };
    let working =
        clinic.work_while(&servers, &ledger, || until.lock().unwrap().is_none() && Instant::now() < stop);
    let (moved, worked) = tokio::try_join!(moved, working)?;

    for process in &mut processes {
        ensure!(process.try_wait()?.is_none(), "a process ended by itself");
        process.kill().await?;
    }
    let times = times.into_inner().unwrap();
    eprintln!("answers took at the most, and half of them: before {:?}", clinic.took(start, times[0].0));
    for (from, to) in times {
        eprintln!("during a move of {:?}: {:?}", to - from, clinic.took(from, to));
    }
    let pauses: Vec<_> = moved.iter().map(|moved| moved["longestPauseMs"].as_u64().unwrap()).collect();
    for moved in &moved {
        eprintln!("{moved}");
        assert!(moved["changed"].as_u64().unwrap() > 0, "nobody wrote");
        assert_eq!(moved["compared"].as_u64().map(|n| n > 0), moved["comparedAfter"].as_u64().map(|n| n > 0));
    }
    server.app.directory.refresh().await?;
    for _ in 0..3 {
        work_off(server).await?;
        server.clock.advance(TimeDelta::minutes(3));
    }
    work_off(server).await?;
    let found = clinic.found().await?;
    let verdict = ledger.judge(&found);
    eprintln!("pauses {pauses:?} ms; {worked:?}; {verdict:?}");
    assert!(verdict.is_clean(), "{verdict:?}");
    assert!(verdict.acknowledged > 50, "{verdict:?}");
    assert!(worked.refusals.keys().all(|code| code == "TENANT_MOVING"), "{worked:?}");
    assert!(pauses.iter().all(|pause| *pause < 1_000), "{pauses:?}");
    ledger.judged_by_the_kit(&found).await?;
    judge::what_follows(server).await?;
    judge::effects(server).await?;
    assert_eq!(moving.row().await?.1, i64::from(moves));
    let (here, there) = if moves.is_multiple_of(2) { ("main", "east") } else { ("east", "main") };
    assert_eq!(moving.left(there).await?, Vec::<String>::new());
    assert_eq!(moving.traces(here).await?, Vec::<String>::new());
    moving.is_whole().await?;
    let operations = moving.done(&["tenant", "operations", "northside"]).await?;
    assert!(operations.as_array().unwrap().iter().all(|one| one["state"] == json!("DONE")));
    Ok(())
}

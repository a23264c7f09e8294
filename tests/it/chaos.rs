//! A clinic at work while its servers and workers are killed: what was acknowledged is there, once, and what follows
//! from it happened, once.
//!
//! A quarter of a minute by itself; `PRAXIS_CHAOS_SECONDS=300` for longer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets something else fails here; what it measured is worth reading"
)]

use std::{
    env,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use praxis_platform::vault::crypto;
use serde_json::json;
use tokio::process::Child;

use crate::{
    support::{process::free_address, server::TestServer},
    tasks::work_off,
};

pub(crate) mod judge;
pub(crate) mod ledger;
pub(crate) mod load;

use ledger::Ledger;

/// Who sends at once.
const CLIENTS: usize = 6;

/// A process that is killed and started again.
enum Victim {
    Server(SocketAddr),
    Worker,
}

impl Victim {
    async fn start(&self, server: &TestServer) -> Result<Child> {
        match self {
            Self::Server(address) => {
                server.installation.spawn_server(*address, &[("PRAXIS_WORKER", "false")]).await
            }
            Self::Worker => server.installation.spawn(&["worker"], &[]),
        }
    }

    /// Lives and is killed until the time is over, and then lives on; how often it was killed.
    async fn suffer(&self, server: &TestServer, until: Instant) -> Result<(Child, u32)> {
        let mut kills = 0;
        loop {
            let mut process = self.start(server).await?;
            // A worker needs a moment until it has anything in its hands.
            tokio::time::sleep(Duration::from_millis(1_000 + random(4_000))).await;
            ensure!(process.try_wait()?.is_none(), "a process ended by itself");
            if Instant::now() >= until {
                return Ok((process, kills));
            }
            // SIGKILL.
            process.kill().await?;
            kills += 1;
            tokio::time::sleep(Duration::from_millis(random(500))).await;
        }
    }
}

/// Something below a bound.
fn random(below: u64) -> u64 {
    u64::from_le_bytes(crypto::random::<8>().unwrap()) % below
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_acknowledged_is_lost_nothing_doubled_and_all_that_follows_happens_once()
-> Result<()> {
    let seconds = env::var("PRAXIS_CHAOS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let clinic = load::Clinic::open(&server, CLIENTS).await?;
    let servers = [free_address().await?, free_address().await?];
    let ledger = Ledger::create()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let victims = [Victim::Server(servers[0]), Victim::Server(servers[1]), Victim::Worker, Victim::Worker];
    let killing = futures::future::try_join_all(victims.iter().map(|victim| victim.suffer(&server, until)));
    let working = clinic.work(&servers, &ledger, until);
    let (survivors, worked) = tokio::try_join!(killing, working)?;
    let (mut survivors, kills): (Vec<Child>, Vec<u32>) = survivors.into_iter().unzip();
    for survivor in &mut survivors {
        survivor.kill().await?;
    }

    let done = judge::jobs_done(&server).await?;
    assert!(done > 0, "the workers that were killed did nothing");
    // What the killed ones had taken up is due when their leases end.
    for _ in 0..3 {
        work_off(&server).await?;
        server.clock.advance(TimeDelta::minutes(3));
    }
    work_off(&server).await?;
    let found = clinic.found().await?;
    let verdict = ledger.judge(&found);
    eprintln!("{kills:?} kills in {seconds} s; {worked:?}; {done} jobs done under fire; {verdict:?}");
    assert!(verdict.is_clean(), "{verdict:?}");
    assert!(verdict.acknowledged > 20 && kills.iter().all(|kills| *kills > 0), "{verdict:?} {kills:?}");
    ledger.judged_by_the_kit(&found).await?;
    judge::what_follows(&server).await?;
    judge::effects(&server).await?;
    let verify = ["audit", "verify", "--tenant", "northside"];
    let audit = server.installation.command().args(verify).output()?;
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    Ok(())
}

//! One clinic asks ten times of what it may, and the others go on as before.
//!
//! Short by itself; `PRAXIS_TEST_SECONDS=20` measures longer, and prints the figures. What they say is about a release
//! build: a debug build needs a core and more for refusing.

use std::{env, time::Duration};

use anyhow::Result;

use crate::support::{
    clients::{Client, UNLIMITED, after, quantile, work},
    process::free_address,
    server::TestServer,
};

/// Who works at the quiet clinic.
const QUIET: usize = 4;
/// Who works at the noisy one: each asks 14 times a second, so all of them ten times what the clinic may.
const NOISY: usize = 40;
const PACE: Duration = Duration::from_millis(70);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_that_asks_ten_times_of_what_it_may_is_held_to_it_and_others_go_on() -> Result<()> {
    let seconds = env::var("PRAXIS_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let span = Duration::from_secs(seconds);
    let server =
        TestServer::new(&[("quiet", "q@praxis.test", "owner"), ("noisy", "n@praxis.test", "owner")]).await?;
    let (mut quiet, mut noisy) = (Vec::new(), Vec::new());
    for _ in 0..QUIET {
        quiet.push(Client::at(&server, "quiet").await);
    }
    for _ in 0..NOISY {
        noisy.push(Client::at(&server, "noisy").await.paced(PACE));
    }
    let limits = ["tenant", "limits", "noisy", "--points", "500", "--restore", "200"];
    let limited = server.installation.command().args(limits).output()?;
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
    let address = free_address().await?;
    let _process = server.installation.spawn_server(address, &UNLIMITED).await?;

    work(&quiet, address, &after(span)).await;
    let alone = work(&quiet, address, &after(span)).await.took;
    let (end, too) = (after(span), after(span));
    let (beside, loud) = tokio::join!(work(&quiet, address, &end), work(&noisy, address, &too));
    let beside = beside.took;
    assert!(!beside.is_empty() && loud.limited > 0);
    let ratio = |percent: usize| {
        let of = |took: &Vec<Duration>| quantile(took.clone(), percent).as_secs_f64();
        of(&beside) / of(&alone)
    };
    let p99 = quantile(alone.clone(), 99);
    eprintln!(
        "quiet clinic: {} requests alone, p99 {p99:?}; {} beside a noisy one, p50 x{:.2}, p99 x{:.2}; noisy: {} answered, {} refused",
        alone.len(),
        beside.len(),
        ratio(50),
        ratio(99),
        loud.took.len(),
        loud.limited,
    );
    // On a machine that is busy with other tests only the long measurement says anything.
    if seconds >= 20 {
        assert!(loud.limited > 6 * loud.took.len(), "that is not ten times of what it may");
        assert!(ratio(99) <= 2.0, "p99 x{:.2}", ratio(99));
    }
    Ok(())
}

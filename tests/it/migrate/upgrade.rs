//! An installation is brought from the build before to this one while clinics work, at servers of both.
//!
//! `PRAXIS_TEST_OLD_BINARY` names the program of the build before, `PRAXIS_TEST_TENANTS` how many clinics there are.

use std::{
    env,
    ffi::OsStr,
    io::Write,
    net::SocketAddr,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use praxis_fleet::migrate::{MigrateError, Migrator, Options, Outcome};
use praxis_migration::{Step, tenant};
use tokio::process::Child;

use super::{count, with_steps};
use crate::support::{
    clients::{Client, UNLIMITED, after, quantile, work},
    installation::TestInstallation,
    process::free_address,
    server::PASSWORD,
};

const CLIENTS: usize = 16;
const EMAIL: &str = "physician@praxis.test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_from_the_build_before_is_noticed_by_nobody() -> Result<()> {
    let Some(old) = env::var_os("PRAXIS_TEST_OLD_BINARY") else {
        eprintln!("NOT RUN: PRAXIS_TEST_OLD_BINARY names no program of the build before");
        return Ok(());
    };
    let installation = TestInstallation::made_by(&old).await?;
    let tenants = count(4);
    for number in 0..tenants {
        clinic_of(&installation, &old, &format!("clinic-{number}"))?;
    }
    let (at_old, at_new) = (free_address().await?, free_address().await?);
    let mut old_server = installation.spawn_server_of(&old, at_old, &UNLIMITED).await?;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let host = format!("clinic-{}.praxis.test", number % tenants);
        clients.push(Client::signed_in(at_old, &host, EMAIL, PASSWORD).await);
    }
    let span = Duration::from_secs(3);
    work(&clients, at_old, &after(span)).await;
    let quiet = work(&clients, at_old, &after(span)).await;

    let before = version(&installation).await?;
    let build = i32::try_from(tenant::steps().len())?;
    ensure!(before < build, "both builds have {build} steps: there is nothing to upgrade");

    // Everything grows while the old server is at work; one of this build comes and works beside it.
    let migrator = Migrator::new(&installation.url);
    let options = Options::default();
    let (report, mut served) =
        during(&clients, at_old, migrator.up(&*installation.keys, &installation.clock, &options, &|_| {}))
            .await?;
    assert_eq!((report.outcome, report.migrated, report.target), (Outcome::Done, tenants, build));
    let mut new_server = installation.spawn_server(at_new, &UNLIMITED).await?;
    let (left, right) = clients.split_at(CLIENTS / 2);
    let end = after(span);
    let (at_the_old, at_the_new) = tokio::join!(work(left, at_old, &end), work(right, at_new, &end));
    served.extend(at_the_old.took);
    served.extend(at_the_new.took);

    // What the old build needs is not taken away while its server is there.
    let gone = format!("-- praxis: contract {build}\nDROP INDEX session_by_user");
    let contraction = with_steps(&installation.url, [Step::new("m9999_gone", gone)]);
    let up = || contraction.up(&*installation.keys, &installation.clock, &options, &|_| {});
    let (report, more) = during(left, at_old, up()).await?;
    served.extend(more);
    let needed = report.waiting.and_then(|waiting| waiting.oldest_server);
    assert_eq!((report.outcome, report.migrated, needed), (Outcome::Waiting, 0, Some(before)));

    // Its clients go over, it is stopped as an operator stops it, and nothing waits any more.
    stop(&mut old_server).await?;
    let (report, more) = during(&clients, at_new, up()).await?;
    served.extend(more);
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, tenants));
    assert!(new_server.try_wait()?.is_none(), "the server ended");
    let requests = served.len();
    let (quiet, meanwhile) = (quantile(quiet.took, 95), quantile(served, 95));
    eprintln!(
        "{tenants} clinics from {before} to {build} and a contraction: {requests} requests, no error, p95 {quiet:?} quiet and {meanwhile:?} meanwhile",
    );
    Ok(())
}

/// Has clients work while something is done: what came of it, and how long they waited.
async fn during<T>(
    clients: &[Client],
    address: SocketAddr,
    what: impl Future<Output = Result<T, MigrateError>>,
) -> Result<(T, Vec<Duration>)> {
    let done = AtomicBool::new(false);
    let done_at = async {
        let outcome = what.await;
        done.store(true, Ordering::Relaxed);
        outcome
    };
    let until = || done.load(Ordering::Relaxed);
    let (outcome, worked) = tokio::join!(done_at, work(clients, address, &until));
    Ok((outcome?, worked.took))
}

/// A clinic with a physician, made by a build's own commands.
fn clinic_of(installation: &TestInstallation, program: &OsStr, slug: &str) -> Result<()> {
    let made = installation
        .command_of(program)
        .args(["tenant", "create", "--slug", slug, "--name", slug, "--template", "general-practice"])
        .output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut user = installation
        .command_of(program)
        .args(["user", "create", "--tenant", slug, "--email", EMAIL, "--name", "Physician"])
        .args(["--role", "physician", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    user.stdin.take().context("a pipe")?.write_all(PASSWORD.as_bytes())?;
    ensure!(user.wait()?.success(), "no physician at {slug}");
    Ok(())
}

/// The version that all clinics have.
async fn version(installation: &TestInstallation) -> Result<i32> {
    let sql = "SELECT DISTINCT schema_version FROM control.tenant";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut installation.admin().await?).await?)
}

/// Asks a server to end, and waits for it.
async fn stop(server: &mut Child) -> Result<()> {
    let pid = server.id().context("it ended")?.to_string();
    ensure!(std::process::Command::new("kill").arg(pid).status()?.success());
    ensure!(server.wait().await?.success(), "the server did not end well");
    Ok(())
}

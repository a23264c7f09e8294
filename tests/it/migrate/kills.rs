//! The runner is killed at random moments, and Postgres under it: every tenant is at one version or at the next, the
//! ledger says so, the server goes on, and another run ends what was begun.
//!
//! A few times by itself; `PRAXIS_TEST_KILLS=20` for more.

use std::{
    env, fs,
    path::Path,
    process::{self, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use praxis::cli::demo::cluster::{Cluster, Options as ClusterOptions};
use praxis_fleet::migrate::{Migrator, Options, Outcome, Selection};
use praxis_migration::{Step, control, tenant};
use praxis_platform::{clock::SystemClock, tenancy::connect_admin, vault::LocalKeyWrapper, vault::crypto};
use serde_json::json;
use sqlx::{AssertSqlSafe, postgres::PgConnection};
use tokio::process::Command;

use super::{URL, clinics, count};
use crate::support::{
    installation::TestInstallation,
    process::{free_address, post},
};

const ROUNDS: &str = "PRAXIS_TEST_STEP_ROUNDS";

/// A build that is so many rounds ahead, each of a column, an index of it and a change of rows.
fn ahead(url: &str, rounds: usize) -> Migrator {
    let mut steps = tenant::steps();
    for round in 0..rounds {
        steps.extend([
            Step::new(
                format!("m9{round:02}0_column"),
                format!("ALTER TABLE counter ADD COLUMN extra_{round} bigint; SELECT pg_sleep(0.02)"),
            ),
            Step::new(
                format!("m9{round:02}1_index"),
                format!("-- praxis: concurrent\nCREATE INDEX CONCURRENTLY counter_by_extra_{round} ON counter (extra_{round})"),
            ),
            Step::new(
                format!("m9{round:02}2_rows"),
                format!(
                    "-- praxis: batches
                    UPDATE counter SET extra_{round} = {round} WHERE name IN (SELECT name FROM counter WHERE extra_{round} IS NULL LIMIT 2)"
                ),
            ),
        ]);
    }
    Migrator::with_steps(url, control::steps(), steps)
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
#[ignore = "run by killed_at_random_it_is_never_between_two_versions"]
async fn migrate_rounds_until_killed() -> Result<()> {
    let (Ok(url), Ok(rounds)) = (env::var(URL), env::var(ROUNDS)) else { return Ok(()) };
    let keys = LocalKeyWrapper::from_env("PRAXIS_TEST_ROOT_KEY")?;
    let clock = std::sync::Arc::new(SystemClock) as _;
    ahead(&url, rounds.parse()?).up(&keys, &clock, &Options::default(), &|_| {}).await?;
    Ok(())
}

fn kills(few: usize) -> usize {
    env::var("PRAXIS_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(few)
}

/// A moment below a bound.
fn moment(milliseconds: u64) -> Result<Duration> {
    Ok(Duration::from_millis(u64::from_le_bytes(crypto::random::<8>()?) % milliseconds))
}

/// Fails if a tenant's schema is not what its version says, or the control schema does not know it. How many are at
/// which version.
async fn judge(admin: &mut PgConnection, migrator: &Migrator) -> Result<Vec<(i32, i64)>> {
    // Each tenant is compared with what the steps of its own version make. A half-built index is the one thing that
    // may be ahead: nothing uses it, and the rerun takes it away.
    let drifted = migrator.drift(&Selection::default(), 2).await?.drifted;
    for tenant in drifted {
        for difference in tenant.differences {
            let ahead = difference.expected.is_none() && difference.object.name.contains("counter_by_extra");
            assert!(ahead, "{} at {}: {difference:?}", tenant.tenant, tenant.version);
        }
    }
    let schemas: Vec<(String, i32)> =
        sqlx::query_as("SELECT schema_name, schema_version FROM control.tenant")
            .fetch_all(&mut *admin)
            .await?;
    for (schema, told) in schemas {
        let sql = format!("SELECT schema_version FROM {schema}.tenant_self");
        let is: i32 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *admin).await?;
        assert_eq!(is, told, "{schema}");
    }
    // What the ledger calls done is done, step by step.
    let untrue =
        "SELECT count(*) FROM control.migration_run_step s JOIN control.tenant t ON t.id = s.tenant_id
        WHERE s.version > t.schema_version";
    assert_eq!(sqlx::query_scalar::<_, i64>(untrue).fetch_one(&mut *admin).await?, 0);
    // Every item of a run that ended says what became of its tenant.
    let unsaid = "SELECT count(*) FROM control.migration_run_item i JOIN control.migration_run r ON r.id = i.run_id
        JOIN control.tenant t ON t.id = i.tenant_id
        WHERE r.state <> 'RUNNING' AND i.state <> 'DONE' AND t.schema_version >= r.target_version AND r.started_at = (
            SELECT max(started_at) FROM control.migration_run)";
    assert_eq!(sqlx::query_scalar::<_, i64>(unsaid).fetch_one(&mut *admin).await?, 0);
    let sql = "SELECT schema_version, count(*) FROM control.tenant GROUP BY 1 ORDER BY 1";
    Ok(sqlx::query_as(sql).fetch_all(admin).await?)
}

async fn steps_done(admin: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM control.migration_run_step").fetch_one(admin).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_it_is_never_between_two_versions() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, count(6)).await?;
    let mut admin = installation.admin().await?;
    let address = free_address().await?;
    let mut server = installation.spawn_server(address, &[]).await?;
    let kills = kills(3);
    let (mut in_between, mut done) = (0, 0);
    for round in 1..=kills {
        let mut child = Command::new(env::current_exe()?)
            .args(["migrate::kills::migrate_rounds_until_killed", "--exact", "--ignored"])
            .env(URL, &installation.url)
            .env(ROUNDS, round.to_string())
            .env("PRAXIS_TEST_ROOT_KEY", &installation.root_key)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // From its first step on, at any moment of those that a few steps take.
        while steps_done(&mut admin).await? == done {
            assert!(child.try_wait()?.is_none(), "the run ended before it could be killed");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(moment(30 * u64::try_from(tenants.len())?)?).await;
        child.kill().await?;
        done = steps_done(&mut admin).await?;
        let versions = judge(&mut admin, &ahead(&installation.url, round)).await?;
        in_between += usize::from(versions.len() > 1);
        let ask = json!({ "query": "{ __typename }" });
        let host = format!("{}.praxis.test", tenants[round % tenants.len()].slug);
        let answer =
            post(address, &host, "/graphql", &[], &ask).await.context("the server does not answer")?;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert!(server.try_wait()?.is_none(), "the server ended");
    assert!(in_between > 0, "no kill met a run in its middle");
    let migrator = ahead(&installation.url, kills);
    let report = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await?;
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(judge(&mut admin, &migrator).await?.len(), 1);
    assert!(migrator.drift(&Selection::default(), 2).await?.drifted.is_empty());
    eprintln!("{kills} kills, {in_between} of them with tenants at several versions");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgres_is_killed_another_run_ends_what_was_begun() -> Result<()> {
    let folder = env::temp_dir().join(format!("praxis-kills-{}", process::id()));
    let start = async || Cluster::start(&folder, ClusterOptions { durable: false, reset: false }).await;
    let mut cluster = start().await?;
    let url = cluster.superuser_dsn("postgres");
    let installation = TestInstallation::in_database(url.clone()).await?;
    clinics(&installation, count(6)).await?;
    let kills = kills(2).min(5);
    for round in 1..=kills {
        let migrator = ahead(&url, round);
        let options = Options::default();
        let run = migrator.up(&*installation.keys, &installation.clock, &options, &|_| {});
        let (ended, killed) = tokio::join!(run, async {
            tokio::time::sleep(Duration::from_millis(50) + moment(400)?).await;
            kill_postgres(&folder)
        });
        killed?;
        // It may have been done already; if not, it has to say so.
        if let Ok(report) = &ended {
            assert!(report.outcome == Outcome::Done || report.failed > 0, "{report:?}");
        }
        drop(cluster);
        cluster = start().await?;
        let mut admin = connect_admin(&url).await?;
        judge(&mut admin, &migrator).await?;
        let report = migrator.up(&*installation.keys, &installation.clock, &options, &|_| {}).await?;
        assert_eq!(report.outcome, Outcome::Done);
        assert!(migrator.drift(&Selection::default(), 2).await?.drifted.is_empty());
    }
    cluster.stop().await?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// SIGKILL for the postmaster and all that it started.
fn kill_postgres(folder: &Path) -> Result<()> {
    let file = fs::read_to_string(folder.join("pg/data/postmaster.pid"))?;
    let postmaster = file.lines().next().context("no pid")?;
    process::Command::new("kill").args(["-STOP", postmaster]).status()?;
    process::Command::new("pkill").args(["-9", "-P", postmaster]).status()?;
    process::Command::new("kill").args(["-9", postmaster]).status()?;
    Ok(())
}

//! A migration run leaves every tenant at the old version or at the new one, whatever happens to it.

use std::{env, process::Stdio, time::Duration};

use anyhow::Result;
use praxis_fleet::migrate::{Event, MigrateError, Migrator, Options, Outcome, RUN_LOCK, Selection};
use praxis_migration::{Step, Steps, control, tenant};
use praxis_platform::{tenancy::Tenant, vault::LocalKeyWrapper};
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};
use tokio::process::Command;

use crate::support::installation::TestInstallation;

mod drift;
mod gone;
mod kills;
mod load;
mod locks;
mod outside;
mod upgrade;
mod waves;
mod window;

/// How long the extra step takes per tenant, so that there is a middle to be killed in.
const PAUSE: &str = "PRAXIS_TEST_STEP_SECONDS";
const URL: &str = "PRAXIS_TEST_MIGRATE_URL";

/// One more column for every tenant.
fn nickname() -> Step {
    let pause = env::var(PAUSE).unwrap_or_else(|_| "0".to_owned());
    let sql = format!("ALTER TABLE patient ADD COLUMN nickname bytea; SELECT pg_sleep({pause})");
    Step::new("m9999_nickname", sql)
}

fn next_version(url: &str) -> Migrator {
    with_steps(url, [nickname()])
}

/// A build with steps after those of this one.
fn with_steps<const N: usize>(url: &str, more: [Step; N]) -> Migrator {
    let mut steps: Steps = tenant::steps();
    steps.extend(more);
    Migrator::with_steps(url, control::steps(), steps)
}

/// The version that a tenant's schema says to have.
async fn version(admin: &mut PgConnection, schema: &str) -> Result<i32> {
    let sql = format!("SELECT schema_version FROM {schema}.tenant_self");
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(admin).await?)
}

/// How many clinics a story is about; `PRAXIS_TEST_TENANTS` for more.
fn count(few: usize) -> usize {
    env::var("PRAXIS_TEST_TENANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}

async fn clinics(installation: &TestInstallation, count: usize) -> Result<Vec<Tenant>> {
    let mut tenants = Vec::new();
    for number in 0..count {
        tenants.push(installation.provision(&format!("clinic-{number}")).await?);
    }
    Ok(tenants)
}

/// The tenants at the new version; fails if one is between the versions.
async fn migrated(admin: &mut PgConnection, tenants: &[Tenant]) -> Result<usize> {
    let old = i32::try_from(tenant::steps().len())?;
    let mut new = 0;
    for tenant in tenants {
        let sql = format!(
            "SELECT (SELECT schema_version FROM {0}.tenant_self), (SELECT schema_version FROM control.tenant WHERE schema_name = '{0}'),
                EXISTS (SELECT FROM information_schema.columns WHERE table_schema = '{0}' AND column_name = 'nickname')",
            tenant.schema
        );
        let found: (i32, i32, bool) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *admin).await?;
        assert!(
            found == (old, old, false) || found == (old + 1, old + 1, true),
            "{}: {found:?}",
            tenant.slug
        );
        new += usize::from(found.2);
    }
    Ok(new)
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
#[ignore = "run by killed_in_the_middle_it_goes_on"]
async fn migrate_until_killed() -> Result<()> {
    let Ok(url) = env::var(URL) else { return Ok(()) };
    let keys = LocalKeyWrapper::from_env("PRAXIS_TEST_ROOT_KEY")?;
    let clock = std::sync::Arc::new(praxis_platform::clock::SystemClock) as _;
    next_version(&url).up(&keys, &clock, &Options::default(), &|_| {}).await?;
    Ok(())
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on() -> Result<()> {
    let count = count(12);
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, count).await?;
    let mut admin = installation.admin().await?;
    let mut child = Command::new(env::current_exe()?)
        .args(["migrate::migrate_until_killed", "--exact", "--ignored"])
        .env(URL, &installation.url)
        .env(PAUSE, "0.05")
        .env("PRAXIS_TEST_ROOT_KEY", &installation.root_key)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let progress = "SELECT count(*) FROM control.migration_run_item WHERE state = 'DONE'";
    while sqlx::query_scalar::<_, i64>(progress).fetch_one(&mut admin).await? < i64::try_from(count / 3)? {
        assert!(child.try_wait()?.is_none(), "the run ended before it could be killed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().await?;

    let events = std::sync::Mutex::new(Vec::new());
    let begun = std::time::Instant::now();
    let listener = |event: &Event| events.lock().unwrap().push(event.clone());
    let report = next_version(&installation.url)
        .up(&*installation.keys, &installation.clock, &Options::default(), &listener)
        .await?;
    eprintln!("rerun after kill -9: {} of {count} in {:?}", report.migrated, begun.elapsed());
    assert_eq!(report.outcome, Outcome::Done);
    assert!(report.migrated > 0 && report.migrated < count, "{report:?}");
    assert_eq!(migrated(&mut admin, &tenants).await?, count);
    let continued = events.into_inner().unwrap();
    assert!(
        continued
            .iter()
            .any(|event| matches!(event, Event::Started { continues, .. } if continues.len() == 1))
    );
    let runs: Vec<String> = sqlx::query_scalar("SELECT state FROM control.migration_run ORDER BY started_at")
        .fetch_all(&mut admin)
        .await?;
    assert_eq!(runs, ["PARTIAL", "DONE"]);

    let begun = std::time::Instant::now();
    let again = next_version(&installation.url)
        .up(&*installation.keys, &installation.clock, &Options::default(), &|_| {})
        .await?;
    eprintln!("nothing to do: {:?}", begun.elapsed());
    assert_eq!((again.outcome, again.run, again.migrated), (Outcome::Done, None, 0));
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_cannot_be_migrated_stays_as_it_is() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, 4).await?;
    let mut admin = installation.admin().await?;
    // The second has a column of that name already: the step fails there.
    let sql = format!("ALTER TABLE {}.patient ADD COLUMN nickname text", tenants[1].schema);
    admin.execute(AssertSqlSafe(sql)).await?;
    let others: Vec<_> = tenants.iter().filter(|tenant| tenant.slug != "clinic-1").cloned().collect();
    let migrator = next_version(&installation.url);

    let stop = Options { parallel: 1, ..Options::default() };
    let report = migrator.up(&*installation.keys, &installation.clock, &stop, &|_| {}).await?;
    // Whoever comes after it is not begun.
    let first = report.migrated;
    assert_eq!((report.failed, first + report.remaining), (1, 3));
    assert_eq!(migrated(&mut admin, &others).await?, first);

    let go_on = Options { max_failures: usize::MAX, ..Options::default() };
    let report = migrator.up(&*installation.keys, &installation.clock, &go_on, &|_| {}).await?;
    assert_eq!((report.migrated, report.failed, report.remaining), (3 - first, 1, 0));
    assert_eq!(migrated(&mut admin, &others).await?, 3);
    let fleet = migrator.fleet().await?;
    assert_eq!(fleet.behind().map(|tenant| tenant.slug.as_str()).collect::<Vec<_>>(), ["clinic-1"]);
    let noted: String =
        sqlx::query_scalar("SELECT error FROM control.migration_run_item WHERE state = 'FAILED' LIMIT 1")
            .fetch_one(&mut admin)
            .await?;
    assert!(noted.contains("m9999_nickname"), "{noted}");

    let report = migrator.up(&*installation.keys, &installation.clock, &go_on, &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated, report.failed), (Outcome::Failed, 0, 1));
    Ok(())
}

#[tokio::test]
async fn a_tenant_in_use_is_tried_again() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, 2).await?;
    let mut reader = installation.admin().await?;
    let mut reading = reader.begin().await?;
    let sql = format!("SELECT count(*) FROM {}.patient", tenants[0].schema);
    reading.execute(AssertSqlSafe(sql)).await?;
    let options = Options { lock_timeout: Duration::from_millis(50), ..Options::default() };
    let events = std::sync::Mutex::new(Vec::new());
    let listener = |event: &Event| events.lock().unwrap().push(event.clone());
    let migrator = next_version(&installation.url);
    let (report, released) =
        tokio::join!(migrator.up(&*installation.keys, &installation.clock, &options, &listener), async {
            // The other one is done, and then this one is waited for several times over.
            let done = || events.lock().unwrap().iter().any(|event| matches!(event, Event::Migrated { .. }));
            while !done() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            reading.commit().await
        });
    released?;
    assert_eq!(report?.outcome, Outcome::Done);
    let attempts = |slug: &str| {
        let events = events.lock().unwrap();
        events.iter().find_map(|event| match event {
            Event::Migrated { tenant, attempts, .. } if tenant == slug => Some(*attempts),
            _ => None,
        })
    };
    assert!(attempts("clinic-0") > Some(1) && attempts("clinic-1").is_some(), "{events:?}");
    Ok(())
}

#[tokio::test]
async fn only_one_run_at_a_time_and_only_of_tenants_there_are() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let migrator = Migrator::new(&installation.url);
    let selection = Selection { tenants: vec!["nobody".to_owned()], ..Selection::default() };
    let named = Options { selection, ..Options::default() };
    let unknown = migrator.up(&*installation.keys, &installation.clock, &named, &|_| {}).await;
    assert!(matches!(unknown, Err(MigrateError::UnknownTenant(_))), "{unknown:?}");
    let mut other = installation.admin().await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(RUN_LOCK).execute(&mut other).await?;
    let refused = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await;
    assert!(matches!(refused, Err(MigrateError::Locked)), "{refused:?}");
    Ok(())
}

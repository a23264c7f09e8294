//! A connection is bound to one clinic: Postgres refuses every other, whatever befell those who had it before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use praxis_platform::{
    error::sqlstate,
    tenancy::{Control, Pool, PoolLimits, StatementClass, Tenant, TenantDb},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::installation::TestInstallation;

fn sql(text: impl Into<String>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, text, [])
}

async fn pool(installation: &TestInstallation, connections: usize) -> Result<Pool> {
    let control = Control::connect(&installation.url, &*installation.keys).await?;
    // None more are kept open than are at work, so that they change tenants all the time.
    let open = connections;
    let limits = PoolLimits { connections, open, wait: Duration::from_secs(60), ..PoolLimits::default() };
    Ok(Pool::new(control, limits))
}

#[tokio::test]
async fn postgres_refuses_another_clinics_schema() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let (a, b) = (Arc::new(installation.provision("a").await?), installation.provision("b").await?);
    let db = TenantDb::new(pool(&installation, 1).await?, a, StatementClass::Interactive);
    let denied = |error: sea_orm::DbErr| sqlstate(&error).unwrap_or_else(|| error.to_string());
    let foreign = format!("SELECT id FROM {}.patient", b.schema);
    assert_eq!(denied(db.query_all_raw(sql(foreign)).await.unwrap_err()), "42501");
    for attempt in [
        format!("SELECT set_config('role', '{}', false)", b.schema),
        format!("SELECT set_config('search_path', '{}', false)", b.schema),
        format!("UPDATE pg_settings SET setting = '{}' WHERE name = 'role'", b.schema),
        "DELETE FROM audit_entry".to_owned(),
        "TRUNCATE audit_entry".to_owned(),
        "ALTER TABLE patient ADD COLUMN x int".to_owned(),
        "DROP TABLE patient_token".to_owned(),
        "SELECT * FROM control.tenant".to_owned(),
    ] {
        assert_eq!(denied(db.execute_raw(sql(attempt.clone())).await.unwrap_err()), "42501", "{attempt}");
    }
    // Two statements in one are no statement.
    assert_eq!(
        denied(db.execute_raw(sql(format!("RESET ROLE; SET ROLE {}", b.schema))).await.unwrap_err()),
        "42601"
    );
    assert!(db.execute_unprepared("SELECT 1").await.is_err());
    // And after all of that the connection still is A's.
    assert_eq!(db.query_all_raw(sql("SELECT id FROM patient")).await?.len(), 0);
    Ok(())
}

/// A stream of numbers that need not be random, only uneven.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Clinics, each with one branch named after its schema.
async fn marked(installation: &TestInstallation, clinics: usize) -> Result<Vec<Arc<Tenant>>> {
    let mut tenants = Vec::with_capacity(clinics);
    let mut admin = installation.admin().await?;
    for number in 0..clinics {
        let tenant = installation.provision(&format!("clinic{number}")).await?;
        let marker = format!(
            "INSERT INTO {0}.facility (id, code, name, time_zone) VALUES ('00000000-0000-7000-8000-000000000001', 'M', '{0}', 'UTC')",
            tenant.schema
        );
        admin.execute(sqlx::raw_sql(AssertSqlSafe(marker))).await?;
        tenants.push(Arc::new(tenant));
    }
    Ok(tenants)
}

/// Reads the marker of random clinics from many tasks at once, cancelling, failing and panicking in
/// between, and counts answers and foreign answers.
async fn torture(pool: &Pool, tenants: &[Arc<Tenant>], reads: u64) -> (u64, u64) {
    let (answers, foreign) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks = (0..16_u64).map(|seed| {
        let (pool, tenants) = (pool.clone(), tenants.to_vec());
        let (answers, foreign) = (Arc::clone(&answers), Arc::clone(&foreign));
        tokio::spawn(async move {
            let mut noise = Noise(seed);
            while answers.load(Ordering::Relaxed) < reads {
                let tenant = Arc::clone(&tenants[noise.next(tenants.len() as u64) as usize]);
                let expected = tenant.schema.as_str().to_owned();
                let db = TenantDb::new(pool.clone(), tenant, StatementClass::Interactive);
                let twist = noise.next(100);
                let patience = Duration::from_micros(noise.next(1500));
                let work = async move {
                    let read =
                        || sql("SELECT name FROM facility WHERE id = '00000000-0000-7000-8000-000000000001'");
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "what is left of an abandoned transaction is the point"
                    )]
                    if twist < 4 {
                        let transaction = db.begin().await.ok()?;
                        transaction.execute_raw(sql("SELECT pg_sleep(0.001)")).await.ok()?;
                        return None;
                    }
                    if twist < 8 {
                        db.execute_raw(sql("SELECT 1 / 0")).await.unwrap_err();
                    }
                    let row = db.query_one_raw(read()).await.ok()??;
                    assert!(twist != 9, "a panic on purpose");
                    row.try_get::<String>("", "name").ok()
                };
                let marker = if twist == 9 {
                    tokio::spawn(work).await.ok().flatten()
                } else if twist < 25 {
                    tokio::time::timeout(patience, work).await.ok().flatten()
                } else {
                    work.await
                };
                if let Some(marker) = marker {
                    answers.fetch_add(1, Ordering::Relaxed);
                    foreign.fetch_add(u64::from(marker != expected), Ordering::Relaxed);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    (answers.load(Ordering::Relaxed), foreign.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_interleaved_reads_on_four_connections_never_see_a_foreign_row() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = marked(&installation, 20).await?;
    let (answers, foreign) = torture(&pool(&installation, 4).await?, &tenants, 100_000).await;
    assert!(answers >= 100_000);
    assert_eq!(foreign, 0);
    Ok(())
}

/// The same question to a pool that sets the path on a connection and forgets it there: the classic leak.
#[tokio::test]
async fn the_torture_would_see_a_leak() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = marked(&installation, 4).await?;
    let leaky = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(&installation.url)?;
    let mut foreign = 0;
    let reads = (0..200).map(|number: usize| {
        let (leaky, tenant) = (leaky.clone(), Arc::clone(&tenants[number % 4]));
        tokio::spawn(async move {
            leaky
                .execute(sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {}", tenant.schema))))
                .await
                .unwrap();
            let marker: String =
                sqlx::query_scalar("SELECT name FROM facility").fetch_one(&leaky).await.unwrap();
            marker != tenant.schema.as_str()
        })
    });
    for read in reads.collect::<Vec<_>>() {
        foreign += u32::from(read.await?);
    }
    assert!(foreign > 0);
    Ok(())
}

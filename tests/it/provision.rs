//! A new clinic is there wholly or not at all, and its runtime role owns nothing.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use futures::future::join_all;
use praxis_fleet::migrate::Migrator;
use praxis_platform::{tenancy::ProvisionError, vault::crypto};
use sqlx::postgres::PgConnection;

use crate::support::installation::{TestInstallation, empty_database};

#[tokio::test]
async fn the_snapshot_is_what_the_steps_make() -> Result<()> {
    let snapshot = Migrator::new(&empty_database().await?).snapshot().await?;
    let committed = praxis_platform::tenancy::SNAPSHOT;
    assert!(snapshot == committed, "tenant-templates/schema.sql is out of date: run `make generate`");
    Ok(())
}

#[tokio::test]
async fn one_slug_is_given_once_and_different_ones_do_not_disturb_each_other() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let same = join_all((0..6).map(|_| installation.provision("same"))).await;
    assert_eq!(same.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(same.iter().all(|result| matches!(result, Ok(_) | Err(ProvisionError::SlugTaken))), "{same:?}");
    let slugs: Vec<_> = (0..6).map(|number| format!("clinic-{number}")).collect();
    let different = join_all(slugs.iter().map(|slug| installation.provision(slug))).await;
    assert!(different.iter().all(Result::is_ok), "{different:?}");
    nothing_is_half_made(&mut installation.admin().await?).await
}

#[tokio::test]
async fn cancelled_at_any_point_it_leaves_nothing() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let mut admin = installation.admin().await?;
    for attempt in 0..20 {
        let [noise] = crypto::random::<1>()?;
        let patience = Duration::from_millis(u64::from(noise));
        let slug = format!("clinic-{attempt}");
        drop(tokio::time::timeout(patience, installation.provision(&slug)).await);
        // Its backend goes on until it notices that nobody is there any more.
        let others = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut admin).await? > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        nothing_is_half_made(&mut admin).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_runtime_role_owns_nothing_and_reaches_only_its_own_schema() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let (a, b) = (installation.provision("a").await.unwrap(), installation.provision("b").await.unwrap());
    let mut admin = installation.admin().await?;
    let owned: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM pg_class WHERE relowner = $1::regrole)
              + (SELECT count(*) FROM pg_proc WHERE proowner = $1::regrole)
              + (SELECT count(*) FROM pg_namespace WHERE nspowner = $1::regrole)",
    )
    .bind(a.schema.as_str())
    .fetch_one(&mut admin)
    .await?;
    assert_eq!(owned, 0);
    let reach: Vec<(String, bool)> = sqlx::query_as(
        "SELECT nspname::text, has_schema_privilege($1, oid, 'USAGE') FROM pg_namespace
         WHERE nspname IN ($1, $2, 'control')",
    )
    .bind(a.schema.as_str())
    .bind(b.schema.as_str())
    .fetch_all(&mut admin)
    .await?;
    assert_eq!(reach.len(), 3);
    for (schema, reachable) in reach {
        assert_eq!(reachable, schema == a.schema.as_str(), "{schema}");
    }
    Ok(())
}

/// Schemas, roles, keys and control rows belong together, one of each.
async fn nothing_is_half_made(admin: &mut PgConnection) -> Result<()> {
    let schemas = names(admin, r"SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 't\_%'").await?;
    let tenants = names(admin, "SELECT schema_name FROM control.tenant WHERE state = 'ACTIVE'").await?;
    let rows = names(admin, "SELECT schema_name FROM control.tenant").await?;
    let keys = names(
        admin,
        "SELECT t.schema_name FROM control.tenant t JOIN control.tenant_key k ON k.tenant_id = t.id",
    )
    .await?;
    // Roles are shared by the whole cluster: those of this installation are known by their member.
    let roles = names(
        admin,
        r"SELECT r.rolname::text FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid
          JOIN pg_namespace n ON n.nspname = 'control' AND n.nspowner = m.member WHERE r.rolname LIKE 't\_%'",
    )
    .await?;
    assert!(
        schemas == tenants && tenants == rows && rows == keys && keys == roles,
        "{schemas:?} {rows:?} {roles:?}"
    );
    Ok(())
}

async fn names(admin: &mut PgConnection, sql: &'static str) -> Result<BTreeSet<String>> {
    Ok(sqlx::query_scalar(sql).fetch_all(admin).await?.into_iter().collect())
}

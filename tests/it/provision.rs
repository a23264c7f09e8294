//! A new clinic is there wholly or not at all, from the warm pool or not, and its runtime role owns nothing.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
    collections::BTreeSet,
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::join_all;
use praxis_fleet::migrate::Migrator;
use praxis_platform::{
    template::{Source, Template},
    tenancy::{Filled, InstallationError, MAIN, PoolOf, ProvisionError, WarmPool, fill_pool, warm_pool},
    vault::crypto,
};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor,
    postgres::{PgConnectOptions, PgConnection},
};
use tokio_util::task::AbortOnDropHandle;

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
        alone(&mut admin).await?;
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

#[tokio::test]
#[expect(clippy::print_stderr, reason = "figures are for reading")]
async fn a_clinic_from_the_pool_is_like_any_other_and_is_made_in_a_fraction_of_the_time() -> Result<()> {
    let installation = TestInstallation::new().await?;
    // What has to be looked up once is.
    let first = installation.provision("first").await.unwrap();
    let cold = mean_of(&installation, "cold").await;
    assert_eq!(fill(&installation, 50).await?.made, 50);
    let warm = mean_of(&installation, "warm").await;
    let mut admin = installation.admin().await?;
    nothing_is_half_made(&mut admin).await?;
    assert_eq!(warm_pool(&mut admin, None).await?, pool(0, 0, 0));
    eprintln!("a new clinic, mean of 50: {cold:?}; from the pool {warm:?}");
    assert!(warm * 2 < cold, "{cold:?} {warm:?}");

    let last = "SELECT schema_name FROM control.tenant WHERE slug = 'warm-49'";
    let last: String = sqlx::query_scalar(last).fetch_one(&mut admin).await?;
    let shape = "SELECT string_agg(replace(format('%s %s %s', relname, relkind, relacl), $1, 't'), ' ' ORDER BY relname)
        FROM pg_class WHERE relnamespace = $1::regnamespace";
    let mut shapes = Vec::new();
    for schema in [first.schema.as_str(), &last] {
        shapes.push(sqlx::query_scalar::<_, String>(shape).bind(schema).fetch_one(&mut admin).await?);
    }
    assert_eq!(shapes[0], shapes[1]);
    let seeded = "SELECT (SELECT count(*) FROM role_permission) + (SELECT count(*) FROM visit_type)
        + (SELECT count(*) FROM rule WHERE status = 'ACTIVE') + (SELECT count(*) FROM tenant_self)";
    let of = async |slug| -> Result<i64> {
        let mut runtime = installation.tenant_connection(slug).await?;
        Ok(sqlx::query_scalar(seeded).fetch_one(&mut runtime).await?)
    };
    assert_eq!(of("first").await?, of("warm-49").await?);
    Ok(())
}

#[tokio::test]
async fn two_at_once_take_different_schemas_and_when_none_is_left_one_is_made() -> Result<()> {
    let installation = TestInstallation::new().await?;
    // Two who fill at once fill once.
    let filled = join_all((0..2).map(|_| fill(&installation, 4))).await;
    assert_eq!(filled.into_iter().map(|filled| filled.unwrap().made).sum::<usize>(), 4);
    let mut admin = installation.admin().await?;
    assert_eq!(warm_pool(&mut admin, None).await?, pool(4, 0, 0));
    let slugs: Vec<_> = (0..6).map(|number| format!("clinic-{number}")).collect();
    let made = join_all(slugs.iter().map(|slug| installation.provision(slug))).await;
    let schemas: BTreeSet<_> = made.iter().map(|made| made.as_ref().unwrap().schema.to_string()).collect();
    assert_eq!(schemas.len(), 6);
    let warm =
        "SELECT count(*) FROM control.tenant_event WHERE kind = 'PROVISIONED' AND (detail->>'warm')::boolean";
    assert_eq!(sqlx::query_scalar::<_, i64>(warm).fetch_one(&mut admin).await?, 4);
    // A taken slug gives the schema back.
    fill(&installation, 1).await?;
    assert!(matches!(installation.provision("clinic-0").await, Err(ProvisionError::SlugTaken)));
    assert_eq!(warm_pool(&mut admin, None).await?, pool(1, 0, 0));
    nothing_is_half_made(&mut admin).await
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "figures are for reading")]
async fn schemas_that_hold_a_template_are_for_its_clinics_and_have_its_rows_once() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let begun = Instant::now();
    installation.provision("cold").await.unwrap();
    eprintln!("made as a whole in {:?}", begun.elapsed());
    let load = |name| Template::load(&Source::shipped(), name);
    let (template, other) = (load("general-practice")?, load("hospital")?);
    let fill = async |template: Option<&Template>, size| {
        let mut admin = installation.admin().await.unwrap();
        let (names, keys, clock) = (&installation.names, &*installation.keys, &installation.clock);
        let mut home = installation.admin().await.unwrap();
        let pool = PoolOf { cell: MAIN, template };
        fill_pool(&mut admin, &mut home, pool, names, keys, clock, size).await.map(|filled| filled.made)
    };
    // Each has a size of its own.
    assert_eq!(fill(Some(&template), 2).await?, 2);
    assert_eq!(fill(Some(&other), 1).await?, 1);
    assert_eq!(fill(None, 1).await?, 1);
    assert_eq!(fill(Some(&template), 2).await?, 0);
    let left = "SELECT array_agg(coalesce(template, '-') ORDER BY 1) FROM control.warm_schema";
    let left = async || -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(left).fetch_one(&mut installation.admin().await?).await?)
    };

    // First those that are like it, then empty ones, and never another template's.
    for (number, rest) in [(1, 3), (2, 2), (3, 1)] {
        let begun = Instant::now();
        installation.provision(&format!("warm-{number}")).await.unwrap();
        eprintln!("from the pool in {:?}", begun.elapsed());
        assert_eq!(left().await?.len(), rest);
    }
    assert_eq!(left().await?, [other.manifest.name.as_str()]);
    installation.provision("none-left").await.unwrap();
    assert_eq!(left().await?, [other.manifest.name.as_str()]);
    let seeded = "SELECT (SELECT count(*) FROM role_permission) + (SELECT count(*) FROM visit_type)
        + (SELECT count(*) FROM rule WHERE status = 'ACTIVE') + (SELECT count(*) FROM tenant_self)";
    let of = async |slug| -> Result<i64> {
        let mut runtime = installation.tenant_connection(slug).await?;
        Ok(sqlx::query_scalar(seeded).fetch_one(&mut runtime).await?)
    };
    let cold = of("cold").await?;
    for slug in ["warm-1", "warm-3", "none-left"] {
        assert_eq!(of(slug).await?, cold, "{slug}");
    }

    // What holds an older version of the template is made anew, and not taken until then.
    let older = "UPDATE control.warm_schema SET template_version = '0.0.0'";
    let mut admin = installation.admin().await?;
    sqlx::query(older).execute(&mut admin).await?;
    assert_eq!(fill(Some(&other), 1).await?, 1);
    nothing_is_half_made(&mut admin).await
}

#[tokio::test]
async fn a_schema_that_is_made_in_parts_beside_others_is_as_any_other() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let mut admin = installation.admin().await?;
    installation.provision("northside").await.unwrap();
    let _asking = somebody_asks(&installation).await?;
    assert_eq!(fill(&installation, 1).await?.made, 1);
    assert_eq!(warm_pool(&mut admin, None).await?, pool(1, 0, 0));

    // Others see how it grows. Killed meanwhile, the next one begins anew.
    let grows =
        "SELECT EXISTS (SELECT FROM pg_tables t JOIN control.warm_schema w ON w.schema_name = t.schemaname
        WHERE w.schema_version IS NULL)";
    let grown = async {
        while !sqlx::query_scalar::<_, bool>(grows).fetch_one(&mut admin).await? {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        filled = fill(&installation, 2) => panic!("nobody saw it half made: {filled:?}"),
        grown = grown => grown?,
    }
    alone(&mut admin).await?;
    nothing_is_half_made(&mut admin).await?;
    assert_eq!(warm_pool(&mut admin, None).await?, pool(1, 0, 1));
    assert_eq!(fill(&installation, 2).await?.made, 1);
    for slug in ["harbor", "hillside"] {
        installation.provision(slug).await.unwrap();
    }
    assert_eq!(warm_pool(&mut admin, None).await?, pool(0, 0, 0));
    nothing_is_half_made(&mut admin).await?;
    let drift = installation.command().args(["migrate", "drift"]).output()?;
    assert!(drift.status.success(), "{}", String::from_utf8_lossy(&drift.stdout));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_somebody_is_served_a_clinic_is_made_in_parts_and_leaves_no_place_behind() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let mut admin = installation.admin().await?;
    let create = |slug: &str| {
        let names = ["--slug", slug, "--name", "A clinic", "--template", "general-practice"];
        installation.command().args(["tenant", "create"]).args(names).output()
    };
    let how = "SELECT detail->'warm' FROM control.tenant_event JOIN control.tenant t ON t.id = tenant_id
        WHERE kind = 'PROVISIONED' ORDER BY slug";
    assert!(create("a")?.status.success());
    let _asking = somebody_asks(&installation).await?;
    assert!(create("b")?.status.success());
    let how: Vec<Value> = sqlx::query_scalar(how).fetch_all(&mut admin).await?;
    assert_eq!(how, [json!(false), json!(true)]);
    // Nothing is made for one that can't be.
    assert!(!create("b")?.status.success());
    assert_eq!(warm_pool(&mut admin, None).await?, pool(0, 0, 0));
    nothing_is_half_made(&mut admin).await
}

#[tokio::test]
async fn a_schema_of_an_older_version_is_not_taken_but_made_anew() -> Result<()> {
    let installation = TestInstallation::new().await?;
    fill(&installation, 2).await?;
    let mut admin = installation.admin().await?;
    sqlx::query("UPDATE control.warm_schema SET schema_version = schema_version - 1")
        .execute(&mut admin)
        .await?;
    installation.provision("northside").await.unwrap();
    assert_eq!(warm_pool(&mut admin, None).await?, pool(0, 2, 0));
    assert_eq!(fill(&installation, 2).await?.made, 2);
    assert_eq!(warm_pool(&mut admin, None).await?, pool(2, 0, 0));
    // One that is newer is for builds that know it.
    sqlx::query("UPDATE control.warm_schema SET schema_version = schema_version + 1")
        .execute(&mut admin)
        .await?;
    installation.provision("harbor").await.unwrap();
    assert_eq!(warm_pool(&mut admin, None).await?, WarmPool { newer: 2, ..pool(0, 0, 0) });
    assert_eq!(fill(&installation, 1).await?.made, 1);
    nothing_is_half_made(&mut admin).await
}

#[tokio::test]
async fn a_fill_that_is_cancelled_at_any_point_is_gone_on_with_by_the_next() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let mut admin = installation.admin().await?;
    for attempt in 1..=12 {
        let [noise] = crypto::random::<1>()?;
        let patience = Duration::from_millis(u64::from(noise) * 2);
        drop(tokio::time::timeout(patience, fill(&installation, attempt * 2)).await);
        alone(&mut admin).await?;
        nothing_is_half_made(&mut admin).await?;
    }
    fill(&installation, 24).await?;
    assert_eq!(warm_pool(&mut admin, None).await?, pool(24, 0, 0));
    nothing_is_half_made(&mut admin).await
}

#[tokio::test]
async fn an_operator_fills_the_pool_and_sees_what_is_in_it() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let praxis = |arguments: &[&str]| -> Result<Value> {
        let output = installation.command().args(arguments).output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let filled = praxis(&["tenant", "pool", "fill", "--size", "2"])?;
    assert_eq!((&filled["made"], &filled["ready"], &filled["reserved"]), (&json!(2), &json!(2), &json!(0)));
    praxis(&["tenant", "create", "--slug", "northside", "--name", "Northside", "--template", "hospital"])?;
    let left = praxis(&["tenant", "pool", "status"])?;
    assert_eq!(left, json!({ "ready": 1, "outdated": 0, "reserved": 0, "newer": 0 }));
    let filled = praxis(&["tenant", "pool", "fill", "--size", "1", "--template", "hospital"])?;
    assert_eq!((&filled["made"], &filled["ready"]), (&json!(1), &json!(2)));
    Ok(())
}

/// Has a server's login ask something all the while.
async fn somebody_asks(installation: &TestInstallation) -> Result<AbortOnDropHandle<()>> {
    let login = installation.names.app_role(0);
    let password = AssertSqlSafe(format!("ALTER ROLE {login} PASSWORD 'known'"));
    installation.admin().await?.execute(password).await?;
    let options = PgConnectOptions::from_str(&installation.url)?.username(&login).password("known");
    let mut connection = options.connect().await?;
    let asking = async move {
        while connection.execute("SELECT").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(asking)))
}

async fn fill(installation: &TestInstallation, size: i64) -> Result<Filled, InstallationError> {
    let (mut admin, mut home) = (installation.admin().await.unwrap(), installation.admin().await.unwrap());
    let (names, keys, clock) = (&installation.names, &*installation.keys, &installation.clock);
    let pool = PoolOf { cell: MAIN, template: None };
    fill_pool(&mut admin, &mut home, pool, names, keys, clock, size).await
}

/// How long one of fifty clinics takes to make.
async fn mean_of(installation: &TestInstallation, slug: &str) -> Duration {
    let begun = Instant::now();
    for number in 0..50 {
        installation.provision(&format!("{slug}-{number}")).await.unwrap();
    }
    begun.elapsed() / 50
}

fn pool(ready: i64, outdated: i64, reserved: i64) -> WarmPool {
    WarmPool { ready, outdated, reserved, newer: 0 }
}

/// Waits until nobody else is there: a backend goes on until it notices that its client is gone.
async fn alone(admin: &mut PgConnection) -> Result<()> {
    let others = r"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND usename NOT LIKE '%\_app\_%'";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut *admin).await? > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Schemas, roles, keys and control rows belong together, one of each; what waits in the pool has no key and is no tenant.
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
    let warm = names(admin, "SELECT schema_name FROM control.warm_schema").await?;
    let built = "SELECT schema_name FROM control.warm_schema WHERE schema_version IS NOT NULL";
    let built = names(admin, built).await?;
    assert!(warm.is_disjoint(&rows) && built.is_subset(&schemas));
    let schemas: BTreeSet<_> = schemas.difference(&warm).cloned().collect();
    let roles: BTreeSet<_> = roles.difference(&warm).cloned().collect();
    assert!(
        schemas == tenants && tenants == rows && rows == keys && keys == roles,
        "{schemas:?} {rows:?} {roles:?}"
    );
    Ok(())
}

async fn names(admin: &mut PgConnection, sql: &'static str) -> Result<BTreeSet<String>> {
    Ok(sqlx::query_scalar(sql).fetch_all(admin).await?.into_iter().collect())
}

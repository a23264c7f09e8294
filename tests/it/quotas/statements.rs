//! How long a statement may take, by who waits for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Result;
use praxis::config::{Config, Overrides};
use praxis_platform::{Failure, Op, OpFactory, Read, RequestInfo, access::Actor};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use sqlx::Executor;

use crate::support::{installation::TestInstallation, server::TestServer};

/// Runs a statement, and says whether it had the time.
async fn run(op: &Op<Read>, sql: &str) -> Result<(), Failure> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, []);
    op.db().query_one_raw(statement).await.map(|_| ()).map_err(Failure::from)
}

/// How long a statement may take at this moment.
async fn allowed(op: &Op<Read>) -> String {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SHOW statement_timeout", []);
    let row = op.db().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// A server with one connection and short times.
async fn server() -> Result<TestServer> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    installation.provision("southside").await?;
    let config = installation.config_with(&[
        ("database.connections", "1"),
        ("database.open_connections", "1"),
        ("database.statement_timeout_ms", "400"),
        ("database.background_statement_timeout_ms", "1500"),
        ("database.operator_statement_timeout_ms", "60000"),
    ])?;
    TestServer::over(installation, config).await
}

fn factory(server: &TestServer, slug: &str, actor: Actor, request: RequestInfo) -> OpFactory {
    let tenant = server.app.directory.by_slug(slug).unwrap();
    OpFactory::new(Arc::clone(&server.app.platform), tenant, Arc::new(actor), request, true)
}

fn request() -> RequestInfo {
    RequestInfo { authority: Some("northside.praxis.test".to_owned()), ..RequestInfo::default() }
}

#[tokio::test]
async fn a_statement_may_take_as_long_as_whoever_waits_for_it_can_wait() -> Result<()> {
    let server = server().await?;
    let of_request = factory(&server, "northside", Actor::system(), request());
    let of_job = factory(&server, "northside", Actor::system(), RequestInfo::default());
    let of_operator = factory(&server, "northside", Actor::operator(), RequestInfo::default());
    let elsewhere = factory(&server, "southside", Actor::system(), request());
    // All by turns on the same connection: it never keeps the time of the one before.
    for _ in 0..2 {
        for (factory, time) in
            [(&of_request, "400ms"), (&of_job, "1500ms"), (&elsewhere, "400ms"), (&of_operator, "1min")]
        {
            let op = factory.read();
            assert_eq!(allowed(&op).await, time);
            op.release().await;
        }
    }
    let slow = "SELECT pg_sleep(0.8)";
    let op = of_request.read();
    assert!(matches!(run(&op, slow).await, Err(Failure::TimedOut(_))));
    // The connection is as good as before.
    run(&op, "SELECT 1").await?;
    op.release().await;
    let op = of_job.read();
    run(&op, slow).await?;
    assert!(matches!(run(&op, "SELECT pg_sleep(5)").await, Err(Failure::TimedOut(_))));
    op.release().await;
    let op = of_operator.read();
    run(&op, "SELECT pg_sleep(2)").await?;
    op.release().await;
    assert_eq!(server.app.platform.pool.idle(), 1, "none was given up for it");
    Ok(())
}

#[tokio::test]
async fn a_request_that_runs_out_of_its_time_is_told_so() -> Result<()> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    let config = installation.config_with(&[("database.statement_timeout_ms", "600")])?;
    let server = TestServer::over(installation, config).await?;
    let owner = server.person("northside", "owner").await;
    let mut admin = server.installation.admin().await?;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let lock = format!("BEGIN; LOCK TABLE {schema}.facility IN ACCESS EXCLUSIVE MODE");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(lock))).await?;
    let query = "{ facilities { name } }";
    let late = owner.send(query, json!({}), &[]).await;
    assert_eq!(late.code(), "TIMEOUT", "{}", late.text);
    assert_eq!(late.body["errors"][0]["extensions"]["retryable"], true);
    admin.execute("ROLLBACK").await?;
    owner.ask(query, json!({})).await;
    Ok(())
}

#[test]
fn whoever_can_wait_for_longer_may_take_longer_and_nobody_for_ever() {
    let read = |values: &[(&'static str, &str)]| {
        let values = values.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        Config::explain(&Overrides { file: None, values }, &HashMap::new()).map(|(config, _)| config)
    };
    let times = read(&[]).unwrap().database.pool.statements;
    assert_eq!(
        (times.interactive, times.background, times.operator),
        (Duration::from_secs(5), Duration::from_secs(20), Duration::from_mins(10))
    );
    for (values, wrong) in [
        (vec![("database.statement_timeout_ms", "0")], "database.statement_timeout_ms"),
        (vec![("database.statement_timeout_ms", "soon")], "database.statement_timeout_ms"),
        (
            vec![("database.background_statement_timeout_ms", "4000")],
            "database.background_statement_timeout_ms",
        ),
        (vec![("database.statement_timeout_ms", "900000")], "database.operator_statement_timeout_ms"),
        (
            vec![("database.operator_statement_timeout_ms", "86400001")],
            "database.operator_statement_timeout_ms",
        ),
    ] {
        let error = read(&values).unwrap_err();
        assert!(format!("{error:?} {error}").contains(wrong), "{values:?}: {error}");
    }
}

//! Stories of a private cluster, on a real one.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use anyhow::Result;
use sqlx::{Connection, PgConnection};

use super::{Cluster, Options, percent_encoded, sleep};

const KEEP: Options = Options { durable: false, reset: false };

#[tokio::test]
async fn data_outlive_the_server_until_a_reset() -> Result<()> {
    let dir = folder("data");
    let cluster = Cluster::start(&dir, KEEP).await?;
    run(&cluster, "CREATE ROLE kept").await?;
    assert!(Cluster::start(&dir, KEEP).await.is_err(), "one owner at a time");
    cluster.stop().await?;

    let cluster = Cluster::start(&dir, KEEP).await?;
    assert!(run(&cluster, "CREATE ROLE kept").await.is_err(), "the role is still there");
    cluster.stop().await?;

    let cluster = Cluster::start(&dir, Options { reset: true, ..KEEP }).await?;
    run(&cluster, "CREATE ROLE kept").await?;
    cluster.stop().await?;
    Ok(fs::remove_dir_all(dir)?)
}

#[tokio::test]
async fn a_dropped_cluster_stops_and_can_be_started_at_once() -> Result<()> {
    let dir = folder("drop");
    drop(Cluster::start(&dir, KEEP).await?);
    drop(Cluster::start(&dir, KEEP).await?);
    let pid_file = dir.join("pg/data/postmaster.pid");
    for _ in 0..100 {
        if !pid_file.exists() {
            return Ok(fs::remove_dir_all(dir)?);
        }
        sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the server goes on without its owner");
}

#[tokio::test]
async fn what_statements_hold_is_not_logged() -> Result<()> {
    let dir = folder("log");
    let cluster = Cluster::start(&dir, KEEP).await?;
    assert!(run(&cluster, "SELECT 'Ms Marple'::int").await.is_err());
    assert!(run(&cluster, "SELECT * FROM (VALUES (1)) v, nowhere WHERE 'Ms Marple' = ''").await.is_err());
    run(&cluster, "CREATE TABLE t (name text PRIMARY KEY); INSERT INTO t VALUES ('Ms Marple')").await?;
    assert!(run(&cluster, "INSERT INTO t VALUES ('Ms Marple')").await.is_err());
    cluster.stop().await?;
    let log = fs::read_to_string(dir.join("postgres.log"))?;
    assert!(log.contains("ready to accept connections") && !log.contains("Marple"), "{log}");
    Ok(fs::remove_dir_all(dir)?)
}

#[tokio::test]
async fn a_login_needs_the_password() -> Result<()> {
    let dir = folder("login");
    let cluster = Cluster::start(&dir, KEEP).await?;
    run(&cluster, "CREATE ROLE \"o'dd @/?\" LOGIN PASSWORD 'p:w@/?#%'").await?;
    run(&cluster, "CREATE DATABASE \"d b\"").await?;
    PgConnection::connect(&cluster.dsn("d b", "o'dd @/?", "p:w@/?#%")).await?.close().await?;
    assert!(PgConnection::connect(&cluster.dsn("d b", "o'dd @/?", "p:w@")).await.is_err());
    assert!(PgConnection::connect(&cluster.dsn("postgres", "postgres", "")).await.is_err());
    cluster.stop().await?;
    Ok(fs::remove_dir_all(dir)?)
}

#[test]
fn addresses_keep_odd_characters() {
    assert_eq!(percent_encoded("a-b.c_d~9"), "a-b.c_d~9");
    assert_eq!(percent_encoded("ü/ @:"), "%C3%BC%2F%20%40%3A");
}

fn folder(name: &str) -> PathBuf {
    env::temp_dir().join(format!("praxis-cluster-{}-{name}", process::id()))
}

async fn run(cluster: &Cluster, sql: &'static str) -> Result<()> {
    let mut connection = PgConnection::connect(&cluster.superuser_dsn("postgres")).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    Ok(())
}

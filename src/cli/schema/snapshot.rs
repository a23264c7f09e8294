//! `praxis schema snapshot`: the text of `tenant-templates/schema.sql`.

use std::{
    env, fs,
    io::{self, Write},
    process,
};

use anyhow::Result;
use praxis_fleet::migrate::Migrator;

use crate::cli::{
    demo::cluster::{Cluster, Options},
    exit::Exit,
};

/// Starts a PostgreSQL of its own, so that nothing but the steps has a say in the result.
pub async fn run() -> Result<Exit> {
    let folder = env::temp_dir().join(format!("praxis-snapshot-{}", process::id()));
    let cluster = Cluster::start(&folder, Options { durable: false, reset: true }).await?;
    let result = Migrator::new(&cluster.superuser_dsn("postgres")).snapshot().await;
    cluster.stop().await?;
    fs::remove_dir_all(&folder)?;
    io::stdout().write_all(result?.as_bytes())?;
    Ok(Exit::Done)
}

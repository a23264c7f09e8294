//! The one PostgreSQL cluster that all tests of a run share.
//!
//! It is the demo's private cluster in the target folder. The first test process starts
//! it and the others join, in parallel or later; it stops by itself an hour after the
//! last one, or with `make clean-test`. `PRAXIS_TEST_DATABASE_URL` names another server
//! instead, by the address of a superuser. `PRAXIS_TEST_TRACE` names a folder for logs at TRACE.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use praxis::{
    cli::demo::cluster::{Cluster, Options},
    config::{Log, LogFormat},
    telemetry,
};
use tokio::sync::OnceCell;

/// The same for a second one, which has a socket, roles and databases of its own: a further cell is in it.
pub async fn other_cluster() -> Result<&'static TestCluster> {
    static CLUSTER: OnceCell<TestCluster> = OnceCell::const_new();
    let join = async || {
        let dsn =
            Cluster::join(&folder()?.with_file_name("praxis-test-pg-other")).await?.superuser_dsn("postgres");
        Ok(TestCluster { dsn })
    };
    CLUSTER.get_or_try_init(join).await
}

/// A cluster of a test's own, in a folder of that name, which it stops and starts again.
pub async fn own_cluster(name: &str, reset: bool) -> Result<Cluster> {
    let folder = folder()?.with_file_name(format!("praxis-test-pg-{name}"));
    Cluster::start(&folder, Options { durable: false, reset }).await
}

/// Where the tests find their databases.
pub struct TestCluster {
    /// Address of the superuser.
    dsn: String,
}

/// Starts or joins the cluster; once per process.
pub async fn test_cluster() -> Result<&'static TestCluster> {
    static CLUSTER: OnceCell<TestCluster> = OnceCell::const_new();
    CLUSTER.get_or_try_init(TestCluster::find).await
}

impl TestCluster {
    /// The address of a database for the superuser.
    pub fn url(&self, database: &str) -> String {
        let (address, query) = self.dsn.split_once('?').unwrap_or((&self.dsn, ""));
        let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
        format!("{server}/{database}?{query}")
    }

    async fn find() -> Result<Self> {
        trace()?;
        let dsn = match env::var("PRAXIS_TEST_DATABASE_URL") {
            Ok(dsn) => dsn,
            Err(_) => Cluster::join(&folder()?).await?.superuser_dsn("postgres"),
        };
        Ok(Self { dsn })
    }
}

/// Logs at TRACE into a file of this process's own, in the folder that `PRAXIS_TEST_TRACE` names.
fn trace() -> Result<()> {
    let Some(folder) = env::var_os("PRAXIS_TEST_TRACE").map(PathBuf::from) else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    let log = Log { filter: "trace".to_owned(), format: LogFormat::Json };
    telemetry::init_to(&log, fs::File::create(folder.join(format!("{}.log", std::process::id())))?);
    Ok(())
}

fn folder() -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target folder")?;
    Ok(target.join("praxis-test-pg"))
}

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
    cli::demo::cluster::Cluster,
    config::{Log, LogFormat},
    telemetry,
};
use tokio::sync::OnceCell;

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

/// The same of another server, for cells; without one of one's own, `PRAXIS_TEST_CELL_URL` or databases of the first.
pub async fn further_cluster() -> Result<&'static TestCluster> {
    static CLUSTER: OnceCell<TestCluster> = OnceCell::const_new();
    CLUSTER.get_or_try_init(TestCluster::find_further).await
}

impl TestCluster {
    /// The address of a database for the superuser.
    pub fn url(&self, database: &str) -> String {
        let (address, query) = self.dsn.split_once('?').unwrap_or((&self.dsn, ""));
        let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
        format!("{server}/{database}?{query}")
    }

    async fn find_further() -> Result<Self> {
        let given = env::var("PRAXIS_TEST_CELL_URL").or_else(|_| env::var("PRAXIS_TEST_DATABASE_URL"));
        let dsn = match given {
            Ok(dsn) => dsn,
            Err(_) => {
                let folder = folder()?.with_file_name("praxis-test-pg-cell");
                Cluster::join(&folder).await?.superuser_dsn("postgres")
            }
        };
        Ok(Self { dsn })
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

//! The log can't be changed unseen: not as the application, and not as the superuser either.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets something else fails here"
)]

mod alerts;
mod changes;
mod coverage;
mod figures;
mod long;
mod outcomes;
mod reading;
mod rights;
mod tampering;
mod together;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, ensure};
use praxis::App;
use praxis_domain::audit;
use praxis_platform::{
    OpFactory, RequestInfo,
    access::Actor,
    audit::{Entry, Waiting},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use crate::support::server::TestServer;

/// One clinic with a log.
pub struct Clinic {
    pub server: TestServer,
    pub schema: String,
    pub admin: PgConnection,
    folder: PathBuf,
}

impl Drop for Clinic {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Clinic {
    pub async fn new() -> Result<Self> {
        let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
        let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
        let admin = server.installation.admin().await?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&schema);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { server, schema, admin, folder })
    }

    /// What the server does as the system.
    pub fn system(&self) -> OpFactory {
        Self::system_of(&self.server.app)
    }

    /// What another server does as the system.
    pub fn system_of(app: &App) -> OpFactory {
        let tenant = app.directory.by_slug("northside").unwrap();
        let platform = Arc::clone(&app.platform);
        OpFactory::new(platform, tenant, Arc::new(Actor::system()), RequestInfo::default(), true)
    }

    /// Seals what waits.
    pub async fn seal(&self) -> Result<()> {
        Ok(audit::keep(&self.system(), &Waiting::default()).await?)
    }

    /// Writes entries and seals them.
    pub async fn entries(&self, count: usize) -> Result<()> {
        let op = self.system().read();
        let patient = op.new_id();
        for _ in 0..count.div_ceil(1_000) {
            let entries = (0..count.min(1_000)).map(|_| Entry::done("test").of(patient)).collect();
            op.record_all(entries).await?;
        }
        self.seal().await
    }

    /// Runs statements as the superuser, without triggers and foreign keys.
    pub async fn tamper(&mut self, sql: &str) -> Result<()> {
        let sql = format!(
            "BEGIN; SET LOCAL search_path = {}; SET LOCAL session_replication_role = replica; {sql}; COMMIT",
            self.schema
        );
        self.admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(())
    }

    pub async fn number(&mut self, select: &str) -> Result<i64> {
        let sql = format!("SET search_path = {}", self.schema);
        self.admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(sqlx::query_scalar(AssertSqlSafe(select.to_owned())).fetch_one(&mut self.admin).await?)
    }

    /// `praxis audit …`, on the command line.
    pub fn audit(&self, arguments: &[&str]) -> (bool, Value) {
        let output = self.server.installation.command().arg("audit").args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = serde_json::from_str(&text).unwrap_or_else(
            |_| json!({ "out": text, "err": String::from_utf8_lossy(&output.stderr).into_owned() }),
        );
        (output.status.success(), said)
    }

    /// What `praxis audit verify` says is the first bad entry, and what is wrong with it.
    pub fn first_bad(&self, checkpoints: &[&Path]) -> Option<(String, String)> {
        let mut arguments = vec!["verify", "--tenant", "northside"];
        for checkpoint in checkpoints {
            arguments.extend(["--checkpoint", checkpoint.to_str().unwrap()]);
        }
        let (good, said) = self.audit(&arguments);
        assert_eq!(good, said[0]["findings"] == json!([]), "{said}");
        let first = said[0]["findings"].as_array().unwrap().first()?;
        Some((said[0]["first_bad"].as_str().unwrap().to_owned(), first["fault"].as_str().unwrap().to_owned()))
    }

    /// Everything that `praxis audit verify` finds.
    pub fn faults(&self) -> Vec<String> {
        let (_, said) = self.audit(&["verify", "--tenant", "northside"]);
        let findings = said[0]["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["fault"].as_str().unwrap().to_owned()).collect()
    }

    /// Exports the log into a folder of this name.
    pub fn export(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        let (good, said) =
            self.audit(&["export", "--tenant", "northside", "--out", folder.to_str().unwrap()]);
        ensure!(said["holes"].as_u64().is_some_and(|holes| good == (holes == 0)), "{said}");
        Ok(folder)
    }
}

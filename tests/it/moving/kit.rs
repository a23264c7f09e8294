//! An installation with a further cell, and the command line beside it.

use std::{process::Stdio, time::Duration};

use anyhow::{Result, ensure};
use praxis_platform::vault::crypto;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};
use tokio::process::Child;

use crate::support::{installation::TestInstallation, server::TestServer};

/// A clinic `northside` in the cell `main`, beside a cell `east`.
pub(super) struct Moving {
    pub(super) server: TestServer,
}

impl Moving {
    pub(super) async fn new() -> Result<Self> {
        let installation = TestInstallation::new().await?.with_cell("east").await?;
        installation.provision("northside").await?;
        let config = installation.config()?;
        let server = TestServer::over(installation, config).await?;
        server.user("northside", "someone@praxis.test", "owner").await?;
        Ok(Self { server })
    }

    /// `praxis …`: the exit code, what was printed, and what was told.
    pub(super) async fn praxis(&self, arguments: &[&str]) -> Result<(i32, Value, String)> {
        let mut command = tokio::process::Command::from(self.server.installation.command());
        let output = command.args(arguments).output().await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told))
    }

    /// The same where it must go well.
    pub(super) async fn done(&self, arguments: &[&str]) -> Result<Value> {
        let (code, printed, told) = self.praxis(arguments).await?;
        ensure!(code == 0, "praxis {}: {code} {told}", arguments.join(" "));
        Ok(printed)
    }

    /// Moves the clinic.
    pub(super) async fn to(&self, cell: &str) -> Result<Value> {
        self.done(&["tenant", "move", "northside", "--to", cell]).await
    }

    /// Begins a move in a process of its own.
    pub(super) fn begin(&self, cell: &str, key: &str) -> Result<Child> {
        let mut command = tokio::process::Command::from(self.server.installation.command());
        let arguments = ["tenant", "move", "northside", "--to", cell, "--idempotency-key", key];
        Ok(command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?)
    }

    /// A connection to a cell with the operator's rights.
    pub(super) async fn cell(&self, name: &str) -> Result<PgConnection> {
        self.server.installation.cell(name).await
    }

    /// Something of the clinic's row.
    pub(super) async fn row(&self) -> Result<(String, i64, Option<String>)> {
        let sql = "SELECT cell_id, moves, moving_to FROM control.tenant WHERE slug = 'northside'";
        Ok(sqlx::query_as(sql).fetch_one(&mut self.server.installation.admin().await?).await?)
    }

    pub(super) async fn schema(&self) -> Result<String> {
        let sql = "SELECT schema_name FROM control.tenant WHERE slug = 'northside'";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.server.installation.admin().await?).await?)
    }

    /// What is left of the clinic in a cell: schemas, roles, hints, marks.
    pub(super) async fn left(&self, cell: &str) -> Result<Vec<String>> {
        let digits = self.schema().await?.trim_start_matches("t_").to_owned();
        let sql = "SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE '%' || $1
            UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE '%' || $1
            UNION ALL SELECT DISTINCT 'ready' FROM cell.ready WHERE tenant LIKE '%' || $1
            UNION ALL SELECT DISTINCT 'planned' FROM cell.planned WHERE tenant LIKE '%' || $1
            UNION ALL SELECT 'moved' FROM cell.moved WHERE tenant LIKE '%' || $1";
        Ok(sqlx::query_scalar(sql).bind(digits).fetch_all(&mut self.cell(cell).await?).await?)
    }

    /// What a move leaves at the home that the clinic stays at: nothing.
    pub(super) async fn traces(&self, cell: &str) -> Result<Vec<String>> {
        let digits = self.schema().await?.trim_start_matches("t_").to_owned();
        let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname IN ('moving_' || $1, 'moved_' || $1)
            UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgname = 'px_moving'
                AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('t_' || $1))
            UNION ALL SELECT 'moved' FROM cell.moved WHERE tenant = 't_' || $1";
        Ok(sqlx::query_scalar(sql).bind(digits).fetch_all(&mut self.cell(cell).await?).await?)
    }

    /// Runs statements in a cell with the operator's rights.
    pub(super) async fn sql(&self, cell: &str, sql: &str) -> Result<()> {
        self.cell(cell).await?.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
        Ok(())
    }

    /// Waits until a question of the control schema is answered with yes.
    pub(super) async fn until(&self, question: &'static str) -> Result<()> {
        let mut admin = self.server.installation.admin().await?;
        for _ in 0..2_400 {
            if sqlx::query_scalar(question).fetch_one(&mut admin).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("it never came: {question}")
    }

    /// That the log, the keys and the tables of the clinic are whole.
    pub(super) async fn is_whole(&self) -> Result<()> {
        self.done(&["audit", "verify", "--tenant", "northside"]).await?;
        self.done(&["key", "verify", "--tenant", "northside"]).await?;
        Ok(())
    }
}

/// Something below a bound.
pub(super) fn random(below: u64) -> u64 {
    u64::from_le_bytes(crypto::random::<8>().unwrap()) % below
}

/// The family name of a patient; null where there is none.
pub(super) async fn family(person: &crate::support::people::Person<'_>, id: &str) -> Value {
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { family } } }";
    let answer = person.send(query, json!({ "id": id }), &[]).await;
    assert!(answer.body["errors"].is_null(), "{}", answer.text);
    answer.body["data"]["patient"]["name"]["family"].clone()
}

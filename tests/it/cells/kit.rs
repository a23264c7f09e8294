//! An installation with a further cell, `east`, and the command line beside it.

use anyhow::{Result, ensure};
use praxis_platform::tenancy::{Cells, connect_admin};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;

use crate::support::{
    installation::{TestInstallation, database_elsewhere},
    server::TestServer,
};

/// An installation, and the database of its cell `east`.
pub(super) struct Land {
    pub(super) installation: TestInstallation,
    /// Address of the cell's database.
    pub(super) east: String,
}

impl Land {
    /// The cell is there, and empty.
    pub(super) async fn new() -> Result<Self> {
        let land = Self::bare(database_elsewhere().await?).await?;
        assert_eq!(land.done(&["cell", "add", "east"])["changed"], true);
        Ok(land)
    }

    /// The cell is configured, and nothing was made of it.
    pub(super) async fn bare(east: String) -> Result<Self> {
        Ok(Self { installation: TestInstallation::new().await?, east })
    }

    /// What `PRAXIS_CELLS` says.
    pub(super) fn setting(&self) -> String {
        format!("east={}", self.east)
    }

    pub(super) fn cells(&self) -> Cells {
        Cells::with_further(&self.installation.url, &self.setting()).unwrap()
    }

    /// A connection to the cell with the operator's rights.
    pub(super) async fn home(&self) -> Result<PgConnection> {
        Ok(connect_admin(&self.east).await?)
    }

    /// `praxis …`: the exit code, what was printed, and what was told.
    pub(super) fn praxis(&self, arguments: &[&str]) -> (i32, Value, String) {
        self.with(&self.setting(), arguments)
    }

    /// The same where the cells are configured otherwise.
    pub(super) fn with(&self, cells: &str, arguments: &[&str]) -> (i32, Value, String) {
        let mut command = self.installation.command();
        let output = command.env("PRAXIS_CELLS", cells).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
    }

    /// The same where it must go well.
    pub(super) fn done(&self, arguments: &[&str]) -> Value {
        let (code, printed, told) = self.praxis(arguments);
        assert_eq!(code, 0, "praxis {}: {told}", arguments.join(" "));
        printed
    }

    /// Makes a clinic of the cell.
    pub(super) fn create(&self, slug: &str) -> Value {
        self.done(&create(slug))
    }

    /// Makes `northside` in the control database and `harbor` in the cell, and serves both.
    pub(super) async fn served(self) -> Result<(TestServer, Elsewhere)> {
        self.installation.provision("northside").await?;
        assert_eq!(self.create("harbor")["cell"], "east");
        let config = self.installation.config_with(&[("database.cells", &self.setting())])?;
        let elsewhere = Elsewhere { cells: self.cells(), setting: self.setting() };
        Ok((TestServer::over(self.installation, config).await?, elsewhere))
    }

    /// Every schema and role of a clinic in the cell is known to the control schema, and nobody is half-made.
    pub(super) async fn nothing_is_half_made(&self) -> Result<()> {
        let mut control = self.installation.admin().await?;
        let known: Vec<String> = sqlx::query_scalar(
            "SELECT schema_name FROM control.tenant WHERE cell_id = 'east'
             UNION SELECT schema_name FROM control.warm_schema WHERE cell_id = 'east'",
        )
        .fetch_all(&mut control)
        .await?;
        let states: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT state FROM control.tenant").fetch_all(&mut control).await?;
        ensure!(states.iter().all(|state| state == "ACTIVE"), "{states:?}");
        let mut home = self.home().await?;
        let schemas: Vec<String> =
            sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_'")
                .fetch_all(&mut home)
                .await?;
        ensure!(schemas.iter().all(|schema| known.contains(schema)), "{schemas:?} of {known:?}");
        // Other installations share the cluster: a role is this one's where this one's owner is its member.
        let roles: Vec<String> = sqlx::query_scalar(
            "SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
                JOIN pg_roles o ON o.oid = m.member WHERE o.rolname = $1 AND r.rolname ~ '^t_'",
        )
        .bind(self.installation.names.owner_role())
        .fetch_all(&mut home)
        .await?;
        ensure!(roles.iter().all(|role| known.contains(role)), "{roles:?} of {known:?}");
        Ok(())
    }
}

/// What a story still needs of the cell when a server has the installation.
pub(super) struct Elsewhere {
    pub(super) cells: Cells,
    pub(super) setting: String,
}

/// How a clinic of the cell is asked for.
pub(super) fn create(slug: &str) -> [&str; 10] {
    let name = "Harbor Clinic";
    ["tenant", "create", "--slug", slug, "--name", name, "--template", "general-practice", "--cell", "east"]
}

/// What a server says to somebody who asks for themself.
pub(super) const PATIENTS: &str = "{ patients(first: 1) { nodes { id } } }";

/// No variables.
pub(super) fn none() -> Value {
    json!({})
}

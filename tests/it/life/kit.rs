//! A clinic with patients, and the command line beside it.

use std::{fs, path::PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

/// A clinic with a server, and a folder for what is written.
pub(super) struct Life {
    pub(super) server: TestServer,
    pub(super) folder: PathBuf,
}

impl Drop for Life {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Life {
    /// The clinic `northside`.
    pub(super) async fn new() -> Result<Self> {
        let server = TestServer::new(&[("northside", "someone@praxis.test", "owner")]).await?;
        let name = format!("praxis-life-{}", server.installation.clock.new_id().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        Ok(Self { server, folder })
    }

    /// A file of the folder.
    pub(super) fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// `praxis tenant …`: the exit code, what was printed, and what was told.
    pub(super) fn tenant(&self, arguments: &[&str]) -> (i32, Value, String) {
        self.praxis(&[&["tenant"], arguments].concat())
    }

    /// `praxis …`.
    pub(super) fn praxis(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.server.installation.command().args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
    }

    /// The same where it must go well.
    pub(super) fn done(&self, arguments: &[&str]) -> Value {
        let (code, printed, told) = self.tenant(arguments);
        assert_eq!(code, 0, "praxis tenant {}: {told}", arguments.join(" "));
        printed
    }

    /// Lets the server see what was changed.
    pub(super) async fn refresh(&self) -> Result<()> {
        Ok(self.server.app.directory.refresh().await?)
    }

    /// The schema of a clinic.
    pub(super) async fn schema(&self, slug: &str) -> Result<String> {
        let find = "SELECT schema_name FROM control.tenant WHERE slug = $1";
        let mut admin = self.server.installation.admin().await?;
        Ok(sqlx::query_scalar(find).bind(slug).fetch_one(&mut admin).await?)
    }

    /// Runs statements with the operator's rights.
    pub(super) async fn sql(&self, sql: &str) -> Result<()> {
        use sqlx::Executor;
        let mut admin = self.server.installation.admin().await?;
        admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))).await?;
        Ok(())
    }

    /// How many schemas of clinics there are.
    pub(super) async fn schemas(&self) -> Result<i64> {
        let count = r"SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\_%'";
        Ok(sqlx::query_scalar(count).fetch_one(&mut self.server.installation.admin().await?).await?)
    }
}

/// The family name of a patient; null where there is none.
pub(super) async fn family(person: &Person<'_>, id: &str) -> Value {
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { family } } }";
    person.send(query, json!({ "id": id }), &[]).await.body["data"]["patient"]["name"]["family"].clone()
}

/// The sums of a manifest's tables, without the log of what was done since.
pub(super) fn sums(manifest: &Value) -> Vec<Value> {
    let of_log = |table: &Value| table["name"].as_str().unwrap().starts_with("audit_");
    manifest["tables"].as_array().unwrap().iter().filter(|table| !of_log(table)).cloned().collect()
}

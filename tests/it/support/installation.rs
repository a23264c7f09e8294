//! An installation of a test's own: a database with the control schema, and a root key.

use std::{collections::HashMap, ffi::OsStr, process::Command, sync::Arc};

use anyhow::{Result, ensure};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use praxis::config::{Config, Overrides};
use praxis_fleet::migrate::{Migrator, Options};
use praxis_platform::{
    clock::{SharedClock, SystemClock},
    template::{Source, Template},
    tenancy::{Installation, NewTenant, ProvisionError, Tenant, connect_admin, installed, provision},
    vault::{LocalKeyWrapper, RootKey, crypto},
};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::cluster::{TestCluster, other_cluster, test_cluster};

/// An installation of a test's own.
pub struct TestInstallation {
    /// Address of its database, for the superuser.
    pub url: String,
    /// Guards its keys.
    pub keys: Arc<LocalKeyWrapper>,
    /// The machine's clock.
    pub clock: SharedClock,
    /// The names of its roles.
    pub names: Installation,
    /// The root key, in hexadecimal.
    pub root_key: String,
    /// Further cells, by name and address.
    pub further: Vec<(String, String)>,
    template: Template,
}

impl TestInstallation {
    /// Makes one, without tenants.
    pub async fn new() -> Result<Self> {
        Self::in_database(empty_database().await?).await
    }

    /// Makes one in an empty database of one's own.
    pub async fn in_database(url: String) -> Result<Self> {
        Self::made(url, async |url, keys, clock, _| {
            Migrator::new(url).up(keys, clock, &Options::default(), &|_| {}).await?;
            Ok(())
        })
        .await
    }

    /// Has another build make one.
    pub async fn made_by(program: &OsStr) -> Result<Self> {
        Self::made(empty_database().await?, async |url, _, _, root_key| {
            let done = command(program, url, root_key).args(["migrate", "up"]).output()?;
            ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            Ok(())
        })
        .await
    }

    async fn made(
        url: String,
        migrate: impl AsyncFnOnce(&str, &LocalKeyWrapper, &SharedClock, &str) -> Result<()>,
    ) -> Result<Self> {
        let root_key = HEXLOWER.encode(&crypto::random::<32>()?);
        let keys = Arc::new(LocalKeyWrapper::new("test", &RootKey::parse(&root_key)?));
        let clock: SharedClock = Arc::new(SystemClock);
        migrate(&url, &keys, &clock, &root_key).await?;
        let mut admin = connect_admin(&url).await?;
        let names = installed(&mut admin).await?.ok_or_else(|| anyhow::anyhow!("not installed"))?;
        Ok(Self {
            url,
            keys,
            clock,
            names,
            root_key,
            further: Vec::new(),
            template: Template::load(&Source::shipped(), "general-practice")?,
        })
    }

    /// The same with a further cell, on another server.
    pub async fn with_cell(mut self, name: &str) -> Result<Self> {
        let url = database_elsewhere().await?;
        self.further.push((name.to_owned(), url));
        let done = self.command().args(["cell", "add", name]).output()?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(self)
    }

    /// The further cells, as the environment names them.
    pub fn cells(&self) -> String {
        self.further.iter().map(|(name, url)| format!("{name}={url} ")).collect()
    }

    /// A connection to a cell with the superuser's rights.
    pub async fn cell(&self, name: &str) -> Result<PgConnection> {
        let further = self.further.iter().find(|(known, _)| known == name);
        Ok(connect_admin(further.map_or(&self.url, |(_, url)| url)).await?)
    }

    /// What a server over it is configured with: clinics are at `<slug>.praxis.test`.
    pub fn config(&self) -> Result<Config> {
        self.config_with(&[])
    }

    /// The same with more settings.
    pub fn config_with(&self, more: &[(&'static str, &str)]) -> Result<Config> {
        let mut values = vec![
            ("database.url", self.url.clone()),
            ("keys.root_key", self.root_key.clone()),
            ("http.base_domain", "praxis.test".to_owned()),
            ("http.local_identity_providers", "true".to_owned()),
            // Many tests share one cluster, and an unoptimised build takes long to log in to it.
            ("database.connections", "8".to_owned()),
            ("database.wait_ms", "15000".to_owned()),
        ];
        if !self.further.is_empty() {
            values.push(("database.cells", self.cells()));
        }
        values.extend(more.iter().map(|(key, text)| (*key, (*text).to_owned())));
        let environment = HashMap::new();
        Ok(Config::explain(&Overrides { file: None, values }, &environment)?.0)
    }

    /// The command line, run as the operator of this installation.
    pub fn command(&self) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_praxis").as_ref())
    }

    /// The command line of another build.
    pub fn command_of(&self, program: &OsStr) -> Command {
        let mut command = command(program, &self.url, &self.root_key);
        if !self.further.is_empty() {
            command.env("PRAXIS_CELLS", self.cells());
        }
        command
    }

    /// The root key, as the environment holds it.
    pub fn root_key(&self) -> &str {
        &self.root_key
    }

    /// A connection with the superuser's rights.
    pub async fn admin(&self) -> Result<PgConnection> {
        Ok(connect_admin(&self.url).await?)
    }

    /// A connection with the rights that the server has at a clinic.
    pub async fn tenant_connection(&self, slug: &str) -> Result<PgConnection> {
        let find = "SELECT schema_name, cell_id FROM control.tenant WHERE slug = $1";
        let (schema, cell): (String, String) =
            sqlx::query_as(find).bind(slug).fetch_one(&mut self.admin().await?).await?;
        let mut connection = self.cell(&cell).await?;
        let bind = format!("SET search_path = {schema}; SET ROLE {schema}");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(bind))).await?;
        Ok(connection)
    }

    /// Makes a clinic.
    pub async fn provision(&self, slug: &str) -> Result<Tenant, ProvisionError> {
        let mut admin = connect_admin(&self.url).await?;
        let new = NewTenant {
            slug: slug.to_owned(),
            display_name: slug.to_uppercase(),
            locale: None,
            time_zone: None,
        };
        provision(&mut admin, &self.names, &*self.keys, &self.clock, &self.template, &new).await
    }
}

fn command(program: &OsStr, url: &str, root_key: &str) -> Command {
    let mut command = Command::new(program);
    command.env("DATABASE_URL", url).env("PRAXIS_ROOT_KEY", root_key);
    command.env("PRAXIS_BASE_DOMAIN", "praxis.test").args(["--output", "json"]);
    command
}

/// Makes a database with nothing in it and returns its address.
pub async fn empty_database() -> Result<String> {
    empty_database_of(test_cluster().await?).await
}

/// The same in the second cluster.
pub async fn database_elsewhere() -> Result<String> {
    empty_database_of(other_cluster().await?).await
}

async fn empty_database_of(cluster: &TestCluster) -> Result<String> {
    let name = format!("test_{}", BASE32_NOPAD.encode(&crypto::random::<10>()?).to_ascii_lowercase());
    let mut admin = connect_admin(&cluster.url("postgres")).await?;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    Ok(cluster.url(&name))
}

//! Where the suite works: the cluster that the environment names, or the tests' own.

use std::env;

use anyhow::{Result, ensure};
use praxis_platform::tenancy::connect_admin;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use crate::support::installation::{TestInstallation, empty_database};

const URL: &str = "PRAXIS_TEST_PORTABILITY_URL";

/// An empty database of a cluster, this test's alone.
pub(super) struct Ground {
    /// Its address, for the superuser.
    pub url: String,
    /// The version of Citus, where it is there.
    pub citus: Option<String>,
    /// Holds the others off: they work in the same database.
    _turn: Option<PgConnection>,
}

impl Ground {
    /// The ground to work on.
    pub(super) async fn new() -> Result<Self> {
        let (url, turn) = match env::var(URL) {
            Ok(url) => {
                let turn = cleared(&url).await?;
                (url, Some(turn))
            }
            Err(_) => (empty_database().await?, None),
        };
        let mut admin = connect_admin(&url).await?;
        let find = "SELECT extversion FROM pg_extension WHERE extname = 'citus'";
        let citus: Option<String> = sqlx::query_scalar(find).fetch_optional(&mut admin).await?;
        let postgres: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut admin).await?;
        match &citus {
            Some(citus) => eprintln!("PORTABILITY: on Citus {citus}, PostgreSQL {postgres}"),
            None => eprintln!(
                "PORTABILITY: ONLY ON PLAIN PostgreSQL {postgres}; {URL} points the suite at a Citus cluster"
            ),
        }
        Ok(Self { url, citus, _turn: turn })
    }

    /// An installation on it, without clinics. On Citus what it makes stays on the coordinator, until it is spread.
    pub(super) async fn installation(&self) -> Result<TestInstallation> {
        let url = match self.citus {
            Some(_) => {
                let sign = if self.url.contains('?') { '&' } else { '?' };
                format!("{}{sign}options=-c%20citus.enable_ddl_propagation%3Doff", self.url)
            }
            None => self.url.clone(),
        };
        let installation = TestInstallation::in_database(url).await?;
        if self.citus.is_some() {
            self.let_in(&installation.names.owner_role()).await?;
        }
        Ok(installation)
    }

    /// Puts a clinic's schema onto a node, where there are any.
    pub(super) async fn spread(&self, schema: &str) -> Result<()> {
        if self.citus.is_some() {
            let mut admin = self.admin().await?;
            sqlx::query("SELECT citus_schema_distribute(to_regnamespace($1))")
                .bind(schema)
                .execute(&mut admin)
                .await?;
            self.let_in(schema).await?;
            self.judge_placement(schema).await?;
        }
        Ok(())
    }

    /// The coordinator goes to a node as the role that is set, which there has to be one that may log in. None has a
    /// password, so from outside nobody can.
    async fn let_in(&self, role: &str) -> Result<()> {
        self.admin().await?.execute(AssertSqlSafe(format!("ALTER ROLE {role} LOGIN"))).await?;
        Ok(())
    }

    /// A connection with the superuser's rights.
    pub(super) async fn admin(&self) -> Result<PgConnection> {
        Ok(connect_admin(&self.url).await?)
    }

    /// On Citus, a clinic's schema lies on one node, with all its tables. Elsewhere there is nothing to look at.
    pub(super) async fn judge_placement(&self, schema: &str) -> Result<()> {
        if self.citus.is_none() {
            return Ok(());
        }
        let mut admin = self.admin().await?;
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_dist_schema WHERE schemaid = to_regnamespace($1))",
        )
        .bind(schema)
        .fetch_one(&mut admin)
        .await?;
        assert!(known, "{schema} is not in pg_dist_schema");
        let (tables, distributed, nodes): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*), count(p.logicalrelid), (SELECT count(DISTINCT (s.nodename, s.nodeport))
                FROM citus_shards s JOIN pg_class sc ON sc.oid = s.table_name::regclass
                WHERE sc.relnamespace = to_regnamespace($1))
             FROM pg_class c LEFT JOIN pg_dist_partition p ON p.logicalrelid = c.oid
             WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'",
        )
        .bind(schema)
        .fetch_one(&mut admin)
        .await?;
        assert_eq!((distributed, nodes), (tables, 1), "{schema}");
        Ok(())
    }
}

/// Takes one's turn at the database and throws away what is in it.
async fn cleared(url: &str) -> Result<PgConnection> {
    let mut admin = connect_admin(url).await?;
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut admin).await?;
    ensure!(
        database.ends_with("portability"),
        "what is in \"{database}\" would be thrown away: {URL} must name a database called …portability"
    );
    admin.execute("SELECT pg_advisory_lock(hashtext('praxis portability'))").await?;
    admin.execute("SET client_min_messages = warning").await?;
    let find = r"SELECT nspname FROM pg_namespace
        WHERE nspname IN ('control', 'cell', 'ext') OR nspname LIKE 't\_%' ORDER BY nspname LIKE 't\_%' DESC";
    let schemas: Vec<String> = sqlx::query_scalar(find).fetch_all(&mut admin).await?;
    for schema in schemas {
        admin.execute(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).await?;
    }
    Ok(admin)
}

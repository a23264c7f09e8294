//! The life of a single clinic: its states, and what is done with it as a whole.
//!
//! A change of state is one transaction by the legal transitions, and leaves a `tenant_event`. What takes
//! longer (export, restore, shredding) is an [`Operation`](operation): a row that says what is going on, that can
//! be asked for twice and is done once, and that is taken up again where it was killed. What is written about
//! it holds counts, hashes and file names, and nothing of a patient.

mod certificate;
mod control_rows;
mod copy;
mod create;
mod domains;
mod error;
mod export;
mod frames;
mod holder;
mod limits;
mod manifest;
pub mod operation;
mod relocation;
mod restore;
mod sandbox;
mod sealed_file;
mod shred;
mod sides;
mod stage;
mod state;
mod swap;

pub use certificate::{Certificate, Certified, certificate};
pub(crate) use create::create_further;
pub use create::{NewClinic, create, fill, fits_this_build, prepare, shipped};
pub use domains::{add_domain, remove_domain};
pub use error::LifeError;
pub use export::{Exported, Exporting, export};
pub use holder::Holder;
pub use limits::{Change, LimitChanges, Usage, UsageOfClinics, set_limits, usage};
pub use manifest::{AuditHead, Manifest, TableSum};
pub use operation::Operation;
pub use relocation::{Relocated, Relocating, call_off, clear_called_off, may_move_to, relocate};
pub use restore::{Placed, Restored, Restoring, restore};
pub use sandbox::{Cloned, Cloning, clone};
pub use shred::{ONCE, shred};
pub use sides::Places;
pub use state::{Changed, State, archive, hold, offboard, release, rename, turn_into};
pub use swap::{Swapped, discard, swap, swap_once};

use std::fmt;

use praxis_entity::ids::TenantId;
use praxis_platform::{
    clock::SharedClock,
    tenancy::{Cells, Installation, MAIN, SchemaName},
    vault::KeyWrapper,
};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::operators::act_as;

/// What long work stands on: the operator's rights on the database, and the keys of the installation.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Where the control database and the clinics are.
    pub cells: &'a Cells,
    /// The installation.
    pub installation: &'a Installation,
    /// Guards its keys.
    pub wrapper: &'a dyn KeyWrapper,
    /// Gives ids.
    pub clock: &'a SharedClock,
    /// Who asked for it, where that is not the login on the database.
    pub actor: Option<&'a str>,
    /// Is told what the work is at, and how many rows are done.
    pub progress: &'a (dyn Fn(&str, u64) + Send + Sync),
}

impl Ground<'_> {
    /// Where the clinics are.
    pub fn places(&self) -> Places<'_> {
        Places { cells: self.cells, installation: self.installation }
    }

    /// A connection to a cell, if its address leads to it: nothing is to be made in another one.
    pub(crate) async fn home(&self, cell: &str) -> Result<PgConnection, LifeError> {
        self.places().home(cell).await
    }

    /// A connection to the control schema, on which whatever is done is done by whoever asked for it.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.cells.connect(MAIN).await?;
        if let Some(actor) = self.actor {
            act_as(&mut connection, actor).await?;
        }
        Ok(connection)
    }
}

/// How a clinic is named: by people by its subdomain, by programs by its id, which is never another's.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// By its subdomain.
    Slug(&'a str),
    /// By its id.
    Id(Uuid),
}

impl<'a> From<&'a str> for Named<'a> {
    fn from(slug: &'a str) -> Self {
        Self::Slug(slug)
    }
}

impl<'a> From<&'a String> for Named<'a> {
    fn from(slug: &'a String) -> Self {
        Self::Slug(slug)
    }
}

impl From<Uuid> for Named<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slug(slug) => f.write_str(slug),
            Self::Id(id) => TenantId(*id).fmt(f),
        }
    }
}

/// A clinic as operators handle it.
#[derive(Debug, Clone)]
pub struct Clinic {
    /// Its id.
    pub id: Uuid,
    /// Its subdomain.
    pub slug: String,
    /// Its schema.
    pub schema: SchemaName,
    /// Which cell holds it.
    pub cell: String,
    /// Where it stands.
    pub state: String,
    /// Which login role serves it.
    pub login_shard: i32,
    /// Number of migrations applied to its schema.
    pub schema_version: i32,
}

impl Clinic {
    /// The clinic of a name; nobody else changes it until the transaction ends.
    pub async fn of<'a>(
        connection: &mut PgConnection,
        named: impl Into<Named<'a>>,
    ) -> Result<Self, LifeError> {
        let named = named.into();
        Self::find(connection, named).await?.ok_or_else(|| LifeError::Unknown(named.to_string()))
    }

    /// Refuses a clinic that is on its way to another cell: nothing else is done with it as a whole.
    async fn must_not_be_moving(&self, control: &mut PgConnection) -> Result<(), LifeError> {
        let to: Option<String> = sqlx::query_scalar("SELECT moving_to FROM control.tenant WHERE id = $1")
            .bind(self.id)
            .fetch_one(control)
            .await?;
        to.map_or(Ok(()), |to| Err(LifeError::Refused(format!("the tenant is moving to the cell \"{to}\""))))
    }

    async fn find(connection: &mut PgConnection, named: Named<'_>) -> Result<Option<Self>, LifeError> {
        let (slug, id) = match named {
            Named::Slug(slug) => (Some(slug), None),
            Named::Id(id) => (None, Some(id)),
        };
        let row: Option<(Uuid, String, String, String, String, i32, i32)> = sqlx::query_as(
            "SELECT id, slug, schema_name, cell_id, state, login_shard, schema_version FROM control.tenant
             WHERE slug = $1 OR id = $2 FOR NO KEY UPDATE",
        )
        .bind(slug)
        .bind(id)
        .fetch_optional(connection)
        .await?;
        row.map(|(id, slug, schema, cell, state, login_shard, schema_version)| {
            let schema = SchemaName::stored(&schema).ok_or(LifeError::Malformed("tenant.schema_name"))?;
            Ok(Self { id, slug, schema, cell, state, login_shard, schema_version })
        })
        .transpose()
    }

    /// Writes down what was done to the clinic.
    async fn note(
        &self,
        connection: &mut PgConnection,
        kind: &str,
        detail: serde_json::Value,
    ) -> Result<(), sqlx::Error> {
        note(connection, self.id, kind, detail).await
    }
}

/// Writes down what was done to a clinic.
pub async fn note(
    connection: &mut PgConnection,
    clinic: Uuid,
    kind: &str,
    detail: serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, $2, control.actor(), $3)",
    )
    .bind(clinic)
    .bind(kind)
    .bind(detail)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Whether a schema is there.
async fn schema_exists(connection: &mut PgConnection, schema: &SchemaName) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(schema.as_str())
        .fetch_one(connection)
        .await
}

/// Runs statements that carry no values.
async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    use sqlx::Executor;
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.map(|_| ())
}

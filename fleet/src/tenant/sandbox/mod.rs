//! A clinic that looks like another one and tells nothing of its patients: to try things out in.
//!
//! It is de-identified by not reading: what is sealed at the original is never opened. Only tables that stand in a
//! list are carried, so that one that is added later stays empty until somebody thinks of it. Of their rows, ids are
//! replaced under a salt that is thrown away, times are shifted by weeks, sealed values are made up under keys of
//! the sandbox's own, and blind indexes stay empty. Nobody can sign in: accounts are not carried.

mod carry;
mod made_up;
mod values;

use std::collections::HashMap;

use praxis_entity::sealed_columns::SEALED;
use praxis_platform::{
    rotation::turn,
    tenancy::{MAIN, SchemaName, installation_key, is_slug, next_shard, take_turn},
    vault::TenantKey,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, postgres::PgConnection};
use uuid::Uuid;

use self::{
    carry::{CARRIED, carry},
    values::Sandbox,
};
use super::{
    Clinic, Ground, LifeError, Named,
    control_rows::{let_serve, let_serve_there},
    copy::qualified,
    limits::recount,
    note,
    operation::{Begun, Kind, Work, abandoned},
    run, schema_exists, stage,
};

/// Which clinic is copied, and as what.
pub struct Cloning<'a> {
    /// The original.
    pub clinic: Named<'a>,
    /// The sandbox's.
    pub as_slug: &'a str,
    /// What the operation is known by.
    pub key: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cloned {
    /// The sandbox's subdomain.
    pub slug: String,
    /// Its id.
    pub tenant: Uuid,
    /// Its patients.
    pub patients: u64,
    /// Values that were made up.
    pub made_up: u64,
}

/// Makes a sandbox of a clinic. It is there wholly or not at all.
pub async fn clone(ground: &Ground<'_>, wanted: &Cloning<'_>) -> Result<Cloned, LifeError> {
    if !is_slug(wanted.as_slug) {
        return Err(LifeError::SlugInvalid);
    }
    let mut admin = ground.connect().await?;
    let clinic = Clinic::of(&mut admin, wanted.clinic).await?;
    let mut home = ground.home(&clinic.cell).await?;
    if !schema_exists(&mut home, &clinic.schema).await? {
        return Err(LifeError::Refused("the tenant has no data".to_owned()));
    }
    let ledger = ground.connect().await?;
    let asked = json!({ "as": wanted.as_slug });
    match Work::begin(ledger, clinic.id, Kind::Clone, (wanted.key, &asked), ground.clock.new_id()).await? {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = make(ground, &mut admin, &mut home, &clinic, wanted, &mut work).await;
            work.end(result).await
        }
    }
}

/// The rows first, as they were at one moment; then the control rows, in a transaction that waits for nobody's.
async fn make(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wanted: &Cloning<'_>,
    work: &mut Work,
) -> Result<Cloned, LifeError> {
    // Known by the operation: what a killed one left is found again, and gives way.
    let id = work.id();
    let schema = stage::schema_of(id)?;
    drop_left(home, &schema).await?;
    drop_leavings(admin, home, clinic.id).await?;
    let made = match fill(ground, home, clinic, id, &schema, work).await {
        Ok((sandbox, made_up)) => {
            open(ground, (&mut *admin, &mut *home), clinic, wanted, &sandbox, made_up, work).await
        }
        Err(error) => Err(error),
    };
    if made.is_err() {
        drop_left(home, &schema).await?;
    }
    made
}

/// Drops what clones of a clinic left that were killed, whoever began them and whether they are ever taken up.
pub(super) async fn drop_leavings(
    admin: &mut PgConnection,
    home: &mut PgConnection,
    original: Uuid,
) -> Result<(), LifeError> {
    let mut transaction = admin.begin().await?;
    for (id, _) in abandoned(&mut transaction, original, Kind::Clone).await? {
        drop_left(home, &stage::schema_of(id)?).await?;
    }
    Ok(transaction.commit().await?)
}

async fn drop_left(home: &mut PgConnection, schema: &SchemaName) -> Result<(), LifeError> {
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
    Ok(run(home, format!("SET client_min_messages = warning; {sql}")).await?)
}

async fn fill(
    ground: &Ground<'_>,
    home: &mut PgConnection,
    clinic: &Clinic,
    id: Uuid,
    schema: &SchemaName,
    work: &mut Work,
) -> Result<(Sandbox, u64), LifeError> {
    let key = TenantKey::generate(id, 1)?;
    let mut sandbox = Sandbox { id, schema: schema.clone(), key, patients: HashMap::new() };
    let version = clinic.schema_version;
    let mut transaction = home.begin().await?;
    let one_moment = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout = 0";
    run(&mut transaction, one_moment.to_owned()).await?;
    stage::make(&mut transaction, ground.installation, schema, schema, version).await?;
    run(&mut transaction, "SET LOCAL session_replication_role = replica".to_owned()).await?;
    work.at("carry", 0).await?;
    carry(&mut transaction, clinic, schema).await?;
    let own = qualified(schema.as_str(), "tenant_self");
    let own = format!("INSERT INTO {own} (tenant_id, schema_version) VALUES ($1, $2)");
    sqlx::query(AssertSqlSafe(own)).bind(id).bind(version).execute(&mut *transaction).await?;
    sandbox.give_keys(&mut transaction).await?;
    let mut made_up = 0;
    for table in SEALED.iter().filter(|table| CARRIED.contains(&table.name)) {
        made_up += sandbox.make_up(&mut transaction, table).await?;
        work.at(table.name, made_up).await?;
        (ground.progress)(table.name, made_up);
    }
    recount(&mut transaction, schema.as_str()).await?;
    transaction.commit().await?;
    Ok((sandbox, made_up))
}

async fn open(
    ground: &Ground<'_>,
    (admin, home): (&mut PgConnection, &mut PgConnection),
    clinic: &Clinic,
    wanted: &Cloning<'_>,
    sandbox: &Sandbox,
    made_up: u64,
    work: &Work,
) -> Result<Cloned, LifeError> {
    let mut transaction = admin.begin().await?;
    sandbox.settle(ground, (&mut transaction, home), clinic, wanted.as_slug).await?;
    let patients = sandbox.patients.len() as u64;
    let cloned = Cloned { slug: wanted.as_slug.to_owned(), tenant: sandbox.id, patients, made_up };
    clinic.note(&mut transaction, "CLONED", json!({ "sandbox": sandbox.id })).await?;
    work.keep(&mut transaction, &cloned, true).await?;
    transaction.commit().await?;
    Ok(cloned)
}

impl Sandbox {
    /// The rows of the control schema, last: whoever changes a clinic keeps others waiting that are changed.
    async fn settle(
        &self,
        ground: &Ground<'_>,
        (transaction, home): (&mut PgConnection, &mut PgConnection),
        original: &Clinic,
        slug: &str,
    ) -> Result<(), LifeError> {
        take_turn(transaction).await?;
        turn::wrapping(transaction).await?;
        let key = self.key.wrapped(ground.wrapper).await?;
        let shard = next_shard(transaction, &original.cell).await?;
        if original.cell == MAIN {
            let_serve(transaction, ground.installation, ground.wrapper, shard, &self.schema).await?;
        } else {
            let key = installation_key(transaction, ground.wrapper).await?;
            let_serve_there(home, ground.installation, &key, shard, &self.schema).await?;
        }
        let inserted = sqlx::query(
            "INSERT INTO control.tenant (id, schema_name, slug, display_name, locale, time_zone, cell_id, login_shard,
                schema_version, oldest_build, template, template_version)
             SELECT $1, $2, $3, display_name || ' (sandbox)', locale, time_zone, cell_id, $4, $5, oldest_build, template,
                template_version
             FROM control.tenant WHERE id = $6",
        )
        .bind(self.id)
        .bind(self.schema.as_str())
        .bind(slug)
        .bind(shard)
        .bind(original.schema_version)
        .bind(original.id)
        .execute(&mut *transaction)
        .await;
        match inserted {
            Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_unique") => {
                return Err(LifeError::SlugTaken);
            }
            inserted => inserted?,
        };
        sqlx::query(
            "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, 1, $2, $3)",
        )
        .bind(self.id)
        .bind(&key.bytes)
        .bind(&key.wrapper)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE control.tenant SET state = 'ACTIVE' WHERE id = $1")
            .bind(self.id)
            .execute(&mut *transaction)
            .await?;
        note(transaction, self.id, "PROVISIONED", json!({ "sandboxOf": original.id })).await?;
        Ok(())
    }
}

//! A clinic that looks like another one and tells nothing of its patients: to try things out in.
//!
//! It is de-identified by not reading: what is sealed at the original is never opened. Only tables that stand in a
//! list are carried, so that one that is added later stays empty until somebody thinks of it. Of their rows, ids are
//! replaced under a salt that is thrown away, times are shifted by weeks, sealed values are made up under keys of
//! the sandbox's own, and blind indexes stay empty. Nobody can sign in: accounts are not carried.

use std::collections::HashMap;

use praxis_entity::sealed_columns::{SEALED, SealedTable};
use praxis_platform::{
    rotation::turn,
    tenancy::{SchemaName, connect_admin, ensure_login_role, is_slug, next_shard},
    vault::{DataKey, Place, TenantKey, crypto},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, postgres::PgConnection};
use uuid::Uuid;

use super::{
    Clinic, Ground, LifeError,
    copy::{self, Table, qualified},
    made_up,
    operation::{Begun, Kind, Work},
    run, schema_exists, stage,
};

/// What a sandbox has of the original: how the clinic is set up, and the patients with their charts.
pub(super) const CARRIED: &[&str] = &[
    "role",
    "role_permission",
    "field_policy",
    "specialty",
    "visit_type",
    "visit_policy",
    "note_template",
    "note_template_version",
    "rule",
    "alert_rule",
    "session_policy",
    "workflow_definition",
    "workflow_step",
    "facility",
    "room",
    "device",
    "practitioner",
    "availability_rule",
    "counter",
    "patient",
    "patient_facility",
    "related_person",
    "appointment",
    "encounter",
    "encounter_note",
    "observation",
    "condition",
    "allergy",
    "medication_statement",
    "immunization",
    "procedure",
    "family_history",
    "social_history",
];

/// Values in the clear that say who somebody is, or hang together with what is not carried.
const REPLACED: &[(&str, &str, &str)] = &[
    ("practitioner", "family", "'Practitioner ' || row_number() OVER ()"),
    ("practitioner", "given", "'{Sam}'"),
    ("practitioner", "prefix", "NULL"),
    ("facility", "phone", "NULL"),
    ("encounter_note", "document_version", "NULL"),
];

/// Rows that are sealed at a time.
const BATCH: i64 = 500;

/// Which clinic is copied, and as what.
pub struct Cloning<'a> {
    /// The original's subdomain.
    pub slug: &'a str,
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
    let mut admin = connect_admin(ground.database_url).await?;
    let clinic = Clinic::of_slug(&mut admin, wanted.slug).await?;
    if !schema_exists(&mut admin, &clinic.schema).await? {
        return Err(LifeError::Refused("the tenant has no data".to_owned()));
    }
    let ledger = connect_admin(ground.database_url).await?;
    match Work::begin(ledger, clinic.id, Kind::Clone, wanted.key, ground.clock.new_id()).await? {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = make(ground, &mut admin, &clinic, wanted, &mut work).await;
            work.end(result).await
        }
    }
}

/// The sandbox while it is made.
struct Sandbox {
    id: Uuid,
    schema: SchemaName,
    key: TenantKey,
    /// The data keys of its patients, and their numbers.
    patients: HashMap<Uuid, (DataKey, u64)>,
}

/// The rows first, as they were at one moment; then the control rows, in a transaction that waits for nobody's.
async fn make(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: &Clinic,
    wanted: &Cloning<'_>,
    work: &mut Work,
) -> Result<Cloned, LifeError> {
    // Known by the operation: what a killed one left is found again, and gives way.
    let id = work.id();
    let schema = stage::beside(id)?;
    drop_left(admin, &schema).await?;
    let made = match fill(ground, admin, clinic, id, &schema, work).await {
        Ok((sandbox, made_up)) => open(ground, admin, clinic, wanted, &sandbox, made_up, work).await,
        Err(error) => Err(error),
    };
    if made.is_err() {
        drop_left(admin, &schema).await?;
    }
    made
}

async fn drop_left(admin: &mut PgConnection, schema: &SchemaName) -> Result<(), LifeError> {
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
    Ok(run(admin, format!("SET client_min_messages = warning; {sql}")).await?)
}

async fn fill(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: &Clinic,
    id: Uuid,
    schema: &SchemaName,
    work: &mut Work,
) -> Result<(Sandbox, u64), LifeError> {
    let key = TenantKey::generate(id, 1)?;
    let mut sandbox = Sandbox { id, schema: schema.clone(), key, patients: HashMap::new() };
    let version = clinic.schema_version;
    let mut transaction = admin.begin().await?;
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
    transaction.commit().await?;
    Ok((sandbox, made_up))
}

async fn open(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: &Clinic,
    wanted: &Cloning<'_>,
    sandbox: &Sandbox,
    made_up: u64,
    work: &Work,
) -> Result<Cloned, LifeError> {
    let mut transaction = admin.begin().await?;
    sandbox.settle(ground, &mut transaction, clinic, wanted.as_slug).await?;
    let patients = sandbox.patients.len() as u64;
    let cloned = Cloned { slug: wanted.as_slug.to_owned(), tenant: sandbox.id, patients, made_up };
    clinic.note(&mut transaction, "CLONED", json!({ "sandbox": sandbox.id })).await?;
    work.keep(&mut transaction, &cloned, true).await?;
    transaction.commit().await?;
    Ok(cloned)
}

/// Copies the rows of all tables of the list, changed so that they say nothing of anybody.
async fn carry(transaction: &mut PgConnection, from: &Clinic, to: &SchemaName) -> Result<(), LifeError> {
    let salt: [u8; 32] = crypto::random()?;
    let [noise] = crypto::random::<1>()?;
    let weeks = 4 + i32::from(noise % 100);
    for table in copy::tables(transaction, from.schema.as_str()).await? {
        if !CARRIED.contains(&table.name.as_str()) {
            continue;
        }
        let expressions = expressions(transaction, from, &table).await?;
        // What the steps wrote gives way to what the clinic made of it.
        run(transaction, format!("DELETE FROM {}", qualified(to.as_str(), &table.name))).await?;
        let sql = format!(
            "WITH made AS (SELECT $1::bytea AS salt, $2::int AS weeks)
             INSERT INTO {} ({}) SELECT {} FROM {} t, made",
            qualified(to.as_str(), &table.name),
            table.columns.join(", "),
            expressions.join(", "),
            qualified(from.schema.as_str(), &table.name),
        );
        sqlx::query(AssertSqlSafe(sql)).bind(&salt[..]).bind(weeks).execute(&mut *transaction).await?;
    }
    Ok(())
}

/// What each column of a table becomes.
async fn expressions(
    transaction: &mut PgConnection,
    from: &Clinic,
    table: &Table,
) -> Result<Vec<String>, LifeError> {
    // A reference to what is not carried leads nowhere.
    let columns: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT quote_ident(a.attname), format_type(a.atttypid, NULL), NOT a.attnotnull AND EXISTS (
            SELECT FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid
            WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY(c.conkey) AND r.relname <> ALL($2))
         FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0",
    )
    .bind(qualified(from.schema.as_str(), &table.name))
    .bind(CARRIED)
    .fetch_all(transaction)
    .await?;
    let mut expressions = Vec::with_capacity(table.columns.len());
    for name in &table.columns {
        let found = columns.iter().find(|column| column.0 == *name);
        let (_, kind, leads_nowhere) = found.ok_or(LifeError::Malformed("column"))?;
        let replaced = REPLACED.iter().find(|one| one.0 == table.name && one.1 == name);
        expressions.push(match (replaced, kind.as_str()) {
            (Some((.., expression)), _) => (*expression).to_owned(),
            (None, _) if *leads_nowhere => "NULL".to_owned(),
            (None, "uuid") => {
                format!("substr(encode(sha256(made.salt || uuid_send(t.{name})), 'hex'), 1, 32)::uuid")
            }
            (None, "timestamp with time zone") => format!("t.{name} - make_interval(weeks => made.weeks)"),
            (None, "date") => format!("t.{name} - 7 * made.weeks"),
            // Filled later; what was not there is not there again.
            (None, "bytea") => format!("CASE WHEN t.{name} IS NOT NULL THEN ''::bytea END"),
            (None, "bytea[]") => "'{}'".to_owned(),
            (None, "uuid[]" | "timestamp with time zone[]" | "inet") => {
                return Err(LifeError::Malformed("a column that must not be carried as it is"));
            }
            (None, _) => format!("t.{name}"),
        });
    }
    Ok(expressions)
}

impl Sandbox {
    /// Gives each patient a data key of their own.
    async fn give_keys(&mut self, transaction: &mut PgConnection) -> Result<(), LifeError> {
        let find = format!("SELECT id FROM {} ORDER BY id", qualified(self.schema.as_str(), "patient"));
        let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(find)).fetch_all(&mut *transaction).await?;
        let insert = format!(
            "INSERT INTO {} (subject, version, wrapped, commitment)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[])",
            qualified(self.schema.as_str(), "phi_key")
        );
        let (mut versions, mut wrapped, mut commitments) = (Vec::new(), Vec::new(), Vec::new());
        for (number, subject) in (1..).zip(&ids) {
            let key = DataKey::generate(self.id, *subject, 1)?;
            let stored = self.key.wrap_data_key(&key)?;
            versions.push(1);
            wrapped.push(stored.bytes);
            commitments.push(stored.commitment.to_vec());
            self.patients.insert(*subject, (key, number));
        }
        sqlx::query(AssertSqlSafe(insert))
            .bind(&ids)
            .bind(versions)
            .bind(wrapped)
            .bind(commitments)
            .execute(transaction)
            .await?;
        Ok(())
    }

    /// Makes up the sealed values of a table, and says how many.
    async fn make_up(&self, transaction: &mut PgConnection, table: &SealedTable) -> Result<u64, LifeError> {
        let name = qualified(self.schema.as_str(), table.name);
        // Tables of the clinic itself have secrets in them, and are not carried.
        let subject = table.subject.ok_or(LifeError::Malformed("a table of no patient"))?;
        let columns: String = table.columns.iter().map(|(column, _)| format!(", {column}")).collect();
        let select = format!(
            "SELECT {key}, {row}, {subject}{columns} FROM {name} WHERE {key} > $1 ORDER BY {key} LIMIT {BATCH}",
            key = table.key,
            row = table.row
        );
        let (mut after, mut made) = (Uuid::nil(), 0);
        loop {
            let rows =
                sqlx::query(AssertSqlSafe(select.clone())).bind(after).fetch_all(&mut *transaction).await?;
            if rows.is_empty() {
                return Ok(made);
            }
            let mut keys = Vec::with_capacity(rows.len());
            let mut values: Vec<Vec<Option<Vec<u8>>>> = vec![Vec::new(); table.columns.len()];
            for row in &rows {
                let (key, id, subject): (Uuid, Uuid, Uuid) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let (data, number) = self.patients.get(&subject).ok_or(LifeError::Malformed("patient"))?;
                let place = Place { tenant: self.id, table: table.bound, row: id, subject };
                for (at, ((column, _), values)) in table.columns.iter().zip(&mut values).enumerate() {
                    let was: Option<Vec<u8>> = row.try_get(3 + at)?;
                    let value = was
                        .map(|_| made_up::sealed(table.name, column, *number, data, &place))
                        .transpose()?;
                    made += u64::from(value.is_some());
                    values.push(value);
                }
                keys.push(key);
                after = key;
            }
            let mut query = sqlx::query(AssertSqlSafe(update(&name, table))).bind(keys);
            for values in values {
                query = query.bind(values);
            }
            query.execute(&mut *transaction).await?;
        }
    }

    /// The rows of the control schema, last: whoever changes a clinic keeps others waiting that are changed.
    async fn settle(
        &self,
        ground: &Ground<'_>,
        transaction: &mut PgConnection,
        original: &Clinic,
        slug: &str,
    ) -> Result<(), LifeError> {
        sqlx::query("SELECT FROM control.cell WHERE id = 'main' FOR NO KEY UPDATE")
            .execute(&mut *transaction)
            .await?;
        turn::wrapping(transaction).await?;
        let key = self.key.wrapped(ground.wrapper).await?;
        let shard = next_shard(transaction).await?;
        ensure_login_role(transaction, ground.installation, shard, ground.wrapper).await?;
        let (app, owner) = (ground.installation.app_role(shard), ground.installation.owner_role());
        run(transaction, format!("GRANT {0} TO {app}; GRANT {0} TO {owner}", self.schema)).await?;
        let inserted = sqlx::query(
            "INSERT INTO control.tenant (id, schema_name, slug, display_name, locale, time_zone, cell_id, login_shard,
                schema_version, template, template_version)
             SELECT $1, $2, $3, display_name || ' (sandbox)', locale, time_zone, cell_id, $4, $5, template, template_version
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
        sqlx::query(
            "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, 'PROVISIONED', session_user, $2)",
        )
        .bind(self.id)
        .bind(json!({ "sandboxOf": original.id }))
        .execute(transaction)
        .await?;
        Ok(())
    }
}

fn update(name: &str, table: &SealedTable) -> String {
    let (mut set, mut arrays, mut names) =
        (Vec::new(), vec!["$1::uuid[]".to_owned()], vec!["key".to_owned()]);
    for (at, (column, _)) in (2..).zip(table.columns) {
        set.push(format!("{column} = n.{column}"));
        arrays.push(format!("${at}::bytea[]"));
        names.push((*column).to_owned());
    }
    format!(
        "UPDATE {name} t SET {} FROM unnest({}) AS n ({}) WHERE t.{} = n.key",
        set.join(", "),
        arrays.join(", "),
        names.join(", "),
        table.key
    )
}

//! Which rows of a clinic a sandbox gets, and what becomes of their values.

use praxis_platform::{tenancy::SchemaName, vault::crypto};
use sqlx::{AssertSqlSafe, postgres::PgConnection};

use crate::tenant::{
    Clinic, LifeError,
    copy::{self, Table, qualified},
    run,
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
    // Whoever approved it is not carried, and without them no rule of the clinic's own is in use.
    (
        "rule",
        "status",
        "CASE WHEN t.template_key IS NULL AND t.status = 'ACTIVE' THEN 'RETIRED' ELSE t.status END",
    ),
    // As long as it is, be it less than a minute.
    ("rule", "starts_at", "t.starts_at - make_interval(weeks => made.weeks)"),
    ("rule", "ends_at", "t.ends_at - make_interval(weeks => made.weeks)"),
];

/// When a row was written, which no two rows share to the microsecond: of it the day is left.
const WRITTEN: &[&str] = &["created_at", "updated_at", "recorded_at"];

/// Copies the rows of all tables of the list, changed so that they say nothing of anybody.
pub(super) async fn carry(
    transaction: &mut PgConnection,
    from: &Clinic,
    to: &SchemaName,
) -> Result<(), LifeError> {
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
            (None, "timestamp with time zone") => {
                let left = if WRITTEN.contains(&name.as_str()) { "day" } else { "minute" };
                format!("date_trunc('{left}', t.{name}, 'UTC') - make_interval(weeks => made.weeks)")
            }
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

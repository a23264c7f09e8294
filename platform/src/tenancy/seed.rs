//! What a template puts into a tenant's schema.
//!
//! The id of a row follows from tenant, kind and key. A row is JSON whose members are named like the columns, so that
//! all rows of a table go in one statement, whether a clinic is new or brought up to date.

mod rows;
mod statements;

pub use rows::{Kind, SeedRow, seed_rows};
pub use statements::{SeedStatement, insert, renew, retire};

use sqlx::{AssertSqlSafe, postgres::PgConnection};
use uuid::Uuid;

use crate::template::{Manifest, Template};

/// Writes the rows of a template into a schema that has none. The search path must be the tenant's.
pub(super) async fn apply_template(
    connection: &mut PgConnection,
    tenant: Uuid,
    template: &Template,
) -> Result<(), sqlx::Error> {
    let rows = seed_rows(template, tenant);
    for kind in Kind::ALL {
        let rows: Vec<_> = rows.iter().filter(|row| row.kind == kind).collect();
        for SeedStatement { sql, rows } in insert(kind, &rows) {
            sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Writes down in the control schema which template a clinic has been brought to, and what that did. Nothing is written
/// when nothing is new.
pub async fn note_template(
    admin: &mut PgConnection,
    (tenant, actor): (Uuid, &str),
    manifest: &Manifest,
    did: serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH before AS (SELECT template, template_version FROM control.tenant WHERE id = $1 FOR UPDATE),
            moved AS (UPDATE control.tenant SET template = $3, template_version = $4
                WHERE id = $1 AND (template, template_version) IS DISTINCT FROM ($3, $4))
         INSERT INTO control.tenant_event (tenant_id, kind, actor, detail)
            SELECT $1, 'TEMPLATE_APPLIED', $2, jsonb_build_object('template', $3::text, 'version', $4::text,
                'from_template', template, 'from_version', template_version) || $5 FROM before",
    )
    .bind(tenant)
    .bind(actor)
    .bind(&manifest.name)
    .bind(&manifest.version)
    .bind(did)
    .execute(admin)
    .await
    .map(|_| ())
}

/// Writes down which template a clinic follows, before it is brought to it: killed in between, it does not go back to the
/// one before.
pub async fn follow_template(
    admin: &mut PgConnection,
    tenant: Uuid,
    (name, version): (&str, &str),
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE control.tenant SET template = $2, template_version = $3 WHERE id = $1")
        .bind(tenant)
        .bind(name)
        .bind(version)
        .execute(admin)
        .await
        .map(|_| ())
}

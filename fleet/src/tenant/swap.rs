//! What was restored beside a clinic takes the place of the live data, in one transaction; or is thrown away.
//!
//! The two schemas exchange their names. The clinic keeps its id, role, keys and host names, and what was live
//! lies beside from then on, so that the exchange can be taken back; work that waits in it waits there. Every table
//! of the live schema is locked first: what was being written ends before, and what comes later finds the restored
//! tables.

use praxis_platform::tenancy::SchemaName;
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{
    Clinic, LifeError, Named, Restored,
    control_rows::{plan_anew, set_version, wake},
    copy::{qualified, tables},
    export::{schema_version, waiting},
    limits::copy_quotas,
    run, schema_exists,
};

/// What lies beside a clinic: what was restored, or what was live before the exchange. There is no more than one.
pub(super) async fn lying_beside(
    connection: &mut PgConnection,
    tenant: Uuid,
) -> Result<Option<(Restored, SchemaName)>, LifeError> {
    let found: Option<Value> = sqlx::query_scalar(
        "SELECT detail FROM control.operation WHERE tenant_id = $1 AND kind = 'RESTORE' AND state = 'DONE'
            AND detail->>'placed' = 'beside' AND to_regnamespace(detail->>'schema') IS NOT NULL
         ORDER BY created_at DESC LIMIT 1",
    )
    .bind(tenant)
    .fetch_optional(connection)
    .await?;
    let Some(detail) = found else { return Ok(None) };
    let restored: Restored = serde_json::from_value(detail).map_err(|_| LifeError::Malformed("operation"))?;
    let schema = SchemaName::stored(&restored.schema).ok_or(LifeError::Malformed("operation"))?;
    Ok(Some((restored, schema)))
}

pub(super) fn something_lies_beside() -> LifeError {
    LifeError::Refused(
        "something lies beside the tenant already: `praxis tenant discard` throws it away".to_owned(),
    )
}

fn nothing_lies_beside() -> LifeError {
    LifeError::Refused("nothing lies beside the tenant: restore an export first".to_owned())
}

/// What was exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Swapped {
    /// What had been restored.
    pub restored: Restored,
    /// Whether that is live now; else it lies beside again.
    pub is_live: bool,
}

/// Exchanges what lies beside the clinic with what is live. The clinic must not be served meanwhile.
pub async fn swap<'a>(admin: &mut PgConnection, clinic: impl Into<Named<'a>>) -> Result<Swapped, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    clinic.must_be_in_main()?;
    let (restored, aside) =
        lying_beside(&mut transaction, clinic.id).await?.ok_or_else(nothing_lies_beside)?;
    let before = times(&mut transaction, &clinic, &aside).await?;
    exchange(&mut transaction, &clinic, (&restored, &aside), &before).await?;
    transaction.commit().await?;
    Ok(Swapped { restored, is_live: before.len() % 2 == 0 })
}

/// The same for what a restore put there, if it was not done before: asked for again, it is not taken back.
pub async fn swap_once(admin: &mut PgConnection, restored: Restored) -> Result<Swapped, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::find(&mut transaction, Named::Id(restored.manifest.tenant)).await?;
    let clinic = clinic.ok_or_else(|| LifeError::Unknown(restored.slug.clone()))?;
    clinic.must_be_in_main()?;
    let aside = SchemaName::stored(&restored.schema).ok_or(LifeError::Malformed("operation"))?;
    let before = times(&mut transaction, &clinic, &aside).await?;
    if !before.is_empty() {
        return Ok(Swapped { restored, is_live: before.len() % 2 == 1 });
    }
    if !schema_exists(&mut transaction, &aside).await? {
        return Err(nothing_lies_beside());
    }
    exchange(&mut transaction, &clinic, (&restored, &aside), &before).await?;
    transaction.commit().await?;
    Ok(Swapped { restored, is_live: true })
}

/// The exchanges with what lies beside that there were, oldest first: the work that waited in what was put aside.
async fn times(
    transaction: &mut PgConnection,
    clinic: &Clinic,
    aside: &SchemaName,
) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(detail->'waiting', '[]') FROM control.tenant_event
         WHERE tenant_id = $1 AND kind = 'SWAPPED' AND detail->>'aside' = $2 ORDER BY id",
    )
    .bind(clinic.id)
    .bind(aside.as_str())
    .fetch_all(transaction)
    .await
}

async fn exchange(
    transaction: &mut PgConnection,
    clinic: &Clinic,
    (restored, other): (&Restored, &SchemaName),
    before: &[Value],
) -> Result<(), LifeError> {
    if clinic.state != "SUSPENDED" && clinic.state != "ARCHIVED" {
        return Err(LifeError::Refused(
            "servers remember what they read: suspend the tenant, swap, and resume it".to_owned(),
        ));
    }
    let live = &clinic.schema;
    run(transaction, "SET LOCAL lock_timeout = '10s'".to_owned()).await?;
    let names: Vec<_> = tables(transaction, live.as_str())
        .await?
        .iter()
        .map(|table| qualified(live.as_str(), &table.name))
        .collect();
    run(transaction, format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "))).await?;
    let exchange = format!(
        "ALTER SCHEMA {live} RENAME TO {live}_away; ALTER SCHEMA {other} RENAME TO {live};
         ALTER SCHEMA {live}_away RENAME TO {other}"
    );
    run(transaction, exchange).await?;
    for schema in [live, other] {
        point_functions(transaction, schema).await?;
    }
    let version = schema_version(transaction, live.as_str()).await?;
    set_version(transaction, clinic.id, version).await?;
    let waiting = waiting(transaction, live).await?;
    // What the clinic may have is not brought back.
    copy_quotas(transaction, clinic).await?;
    // What comes back was put aside by the exchange before.
    wake(transaction, live, before.last().unwrap_or(&restored.waiting)).await?;
    plan_anew(transaction, live).await?;
    let detail = json!({ "export": restored.manifest.export, "aside": other.as_str(), "waiting": waiting });
    Ok(clinic.note(transaction, "SWAPPED", detail).await?)
}

/// Functions name the schema that they work in; they follow it.
async fn point_functions(transaction: &mut PgConnection, schema: &SchemaName) -> Result<(), LifeError> {
    let functions: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1",
    )
    .bind(schema.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    let statements: Vec<_> = functions
        .iter()
        .map(|function| format!("ALTER FUNCTION {function} SET search_path = {schema}"))
        .collect();
    Ok(run(transaction, statements.join("; ")).await?)
}

/// Throws away what lies beside a clinic: what was restored, or what was live before the exchange.
pub async fn discard<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
) -> Result<Restored, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    clinic.must_be_in_main()?;
    // What lies beside may be what was live before the exchange.
    let held: bool = sqlx::query_scalar("SELECT legal_hold FROM control.tenant WHERE id = $1")
        .bind(clinic.id)
        .fetch_one(&mut *transaction)
        .await?;
    if held {
        return Err(LifeError::Held);
    }
    let (restored, schema) =
        lying_beside(&mut transaction, clinic.id).await?.ok_or_else(nothing_lies_beside)?;
    run(&mut transaction, format!("SET LOCAL client_min_messages = warning; DROP SCHEMA {schema} CASCADE"))
        .await?;
    clinic.note(&mut transaction, "DISCARDED", json!({ "schema": schema.as_str() })).await?;
    transaction.commit().await?;
    Ok(restored)
}

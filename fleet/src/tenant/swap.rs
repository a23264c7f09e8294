//! What was restored beside a clinic takes the place of the live data, in one transaction; or is thrown away.
//!
//! The two schemas exchange their names. The clinic keeps its id, role, keys and host names, and what was live
//! lies beside from then on, so that the exchange can be taken back. Every table of the live schema is locked
//! first: what was being written ends before, and what comes later finds the restored tables.

use praxis_platform::tenancy::SchemaName;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};

use super::{
    Clinic, LifeError, Named, Placed, Restored,
    control_rows::wake,
    copy::{qualified, tables},
    operation::{Kind, newest_done},
    run, schema_exists,
};

/// What lies beside a clinic.
async fn lying_beside(
    connection: &mut PgConnection,
    clinic: &Clinic,
) -> Result<(Restored, SchemaName), LifeError> {
    let none = || LifeError::Refused("nothing lies beside the tenant: restore an export first".to_owned());
    let operation = newest_done(connection, clinic.id, Kind::Restore).await?.ok_or_else(none)?;
    let restored: Restored =
        serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))?;
    let schema = SchemaName::stored(&restored.schema).ok_or(LifeError::Malformed("operation"))?;
    let lies = restored.placed == Placed::Beside && schema_exists(connection, &schema).await?;
    if lies { Ok((restored, schema)) } else { Err(none()) }
}

/// Exchanges what lies beside the clinic with what is live. The clinic must not be served meanwhile.
pub async fn swap<'a>(admin: &mut PgConnection, clinic: impl Into<Named<'a>>) -> Result<Restored, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    if clinic.state != "SUSPENDED" && clinic.state != "ARCHIVED" {
        return Err(LifeError::Refused(
            "servers remember what they read: suspend the tenant, swap, and resume it".to_owned(),
        ));
    }
    let (restored, other) = lying_beside(&mut transaction, &clinic).await?;
    let live = &clinic.schema;
    run(&mut transaction, "SET LOCAL lock_timeout = '10s'".to_owned()).await?;
    let names: Vec<_> = tables(&mut transaction, live.as_str())
        .await?
        .iter()
        .map(|table| qualified(live.as_str(), &table.name))
        .collect();
    run(&mut transaction, format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "))).await?;
    let exchange = format!(
        "ALTER SCHEMA {live} RENAME TO {live}_away; ALTER SCHEMA {other} RENAME TO {live};
         ALTER SCHEMA {live}_away RENAME TO {other}"
    );
    run(&mut transaction, exchange).await?;
    for schema in [live, &other] {
        point_functions(&mut transaction, schema).await?;
    }
    let version = format!(
        "UPDATE control.tenant SET key_epoch = key_epoch + 1,
            schema_version = (SELECT schema_version FROM {}) WHERE id = $1",
        qualified(live.as_str(), "tenant_self")
    );
    sqlx::query(sqlx::AssertSqlSafe(version)).bind(clinic.id).execute(&mut *transaction).await?;
    wake(&mut transaction, live, &restored.waiting).await?;
    let detail = json!({ "export": restored.manifest.export, "aside": other.as_str() });
    clinic.note(&mut transaction, "SWAPPED", detail).await?;
    transaction.commit().await?;
    Ok(restored)
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
    // What lies beside may be what was live before the exchange.
    let held: bool = sqlx::query_scalar("SELECT legal_hold FROM control.tenant WHERE id = $1")
        .bind(clinic.id)
        .fetch_one(&mut *transaction)
        .await?;
    if held {
        return Err(LifeError::Held);
    }
    let (restored, schema) = lying_beside(&mut transaction, &clinic).await?;
    run(&mut transaction, format!("SET LOCAL client_min_messages = warning; DROP SCHEMA {schema} CASCADE"))
        .await?;
    clinic.note(&mut transaction, "DISCARDED", json!({ "schema": schema.as_str() })).await?;
    transaction.commit().await?;
    Ok(restored)
}

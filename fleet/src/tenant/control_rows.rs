//! What the control schema says of a clinic that comes back: its row, its keys, its login role, its waiting work.

use praxis_platform::{
    rotation::{self, turn},
    tenancy::{Installation, SchemaName, ensure_login_role, next_shard},
    vault::{ExportKey, KeyWrapper},
};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{
    Clinic, Ground, LifeError, Named, Placed,
    export::rotation_clinic,
    manifest::{Head, KeptKey},
    run,
};

/// Takes turns with all others that are given a place in a login shard, until the end of the transaction.
pub(super) async fn take_turn(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT FROM control.cell WHERE id = 'main' FOR NO KEY UPDATE")
        .execute(transaction)
        .await
        .map(|_| ())
}

/// Lets a login role serve the clinic.
pub(super) async fn let_serve(
    transaction: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    shard: i32,
    role: &SchemaName,
) -> Result<(), LifeError> {
    ensure_login_role(transaction, installation, shard, wrapper).await?;
    let (app, owner) = (installation.app_role(shard), installation.owner_role());
    Ok(run(transaction, format!("GRANT {role} TO {app}; GRANT {role} TO {owner}")).await?)
}

/// Gives the clinic a row, a login role and its own host names, where it has none.
pub(super) async fn settle(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    placed: Placed,
    head: &Head,
    role: &SchemaName,
    tenant: Uuid,
    slug: &str,
) -> Result<(), LifeError> {
    if placed == Placed::Beside {
        return Ok(());
    }
    take_turn(transaction).await?;
    let known: Option<i32> = sqlx::query_scalar("SELECT login_shard FROM control.tenant WHERE id = $1")
        .bind(tenant)
        .fetch_optional(&mut *transaction)
        .await?;
    let shard = match known {
        Some(shard) => shard,
        None => {
            let shard = next_shard(transaction).await?;
            insert_row(transaction, head, tenant, slug, shard).await?;
            shard
        }
    };
    let_serve(transaction, ground.installation, ground.wrapper, shard, role).await
}

/// The row as it was, as far as the control schema still has its columns.
async fn insert_row(
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    slug: &str,
    shard: i32,
) -> Result<(), LifeError> {
    let mut row = head.tenant.clone();
    let fields = row.as_object_mut().ok_or(LifeError::Malformed("head"))?;
    for (name, value) in [
        ("id", json!(tenant)),
        ("slug", json!(slug)),
        ("cell_id", json!("main")),
        ("login_shard", json!(shard)),
        ("state", json!("PROVISIONING")),
    ] {
        fields.insert(name.to_owned(), value);
    }
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(attname) FROM pg_attribute
         WHERE attrelid = 'control.tenant'::regclass AND attnum > 0 AND NOT attisdropped AND attname = ANY($1)",
    )
    .bind(fields.keys().cloned().collect::<Vec<_>>())
    .fetch_all(&mut *transaction)
    .await?;
    let columns = columns.join(", ");
    let sql = format!(
        "INSERT INTO control.tenant ({columns})
         SELECT {columns} FROM jsonb_populate_record(NULL::control.tenant, $1)"
    );
    let inserted = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&row).execute(&mut *transaction).await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_unique") => {
            return Err(LifeError::SlugTaken);
        }
        inserted => inserted?,
    };
    // A name that leads to another clinic by now stays with it.
    sqlx::query(
        "INSERT INTO control.tenant_domain (host, tenant_id, verified_at)
         SELECT d.host, $1, d.verified_at FROM jsonb_populate_recordset(NULL::control.tenant_domain, $2) d
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant)
    .bind(Value::Array(head.domains.clone()))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Puts back the versions of the clinic's key that are gone. Those that are there are the same.
pub(super) async fn keep_keys(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    key: &ExportKey,
) -> Result<(), LifeError> {
    turn::wrapping(transaction).await?;
    let inside = key.wrapper();
    for kept in &head.keys {
        let moved = KeptKey::moved(tenant, &kept.guarded()?, &inside, ground.wrapper).await?;
        sqlx::query(
            "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, version) DO NOTHING",
        )
        .bind(tenant)
        .bind(i32::try_from(moved.version).map_err(|_| LifeError::Malformed("key"))?)
        .bind(&moved.bytes)
        .bind(&moved.wrapper)
        .execute(&mut *transaction)
        .await?;
    }
    // Fails where they are not all versions of one and the same key.
    if let Some(clinic) = Clinic::find(transaction, Named::Id(tenant)).await? {
        rotation::tenant_key(transaction, &rotation_clinic(&clinic), ground.wrapper).await?;
    }
    Ok(())
}

/// Has somebody look at the work that waited.
pub(super) async fn wake(
    transaction: &mut PgConnection,
    schema: &SchemaName,
    waiting: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cell.ready (tenant, queue, run_at)
         SELECT $1, w->>0, (w->>1)::timestamptz FROM jsonb_array_elements($2) w",
    )
    .bind(schema.as_str())
    .bind(waiting)
    .execute(transaction)
    .await
    .map(|_| ())
}

pub(super) async fn plan(
    transaction: &mut PgConnection,
    schema: &SchemaName,
    names: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cell.planned (tenant, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(schema.as_str())
    .bind(names)
    .execute(transaction)
    .await
    .map(|_| ())
}

/// Tells the servers, and brings a clinic that is new here to the state that it was in.
pub(super) async fn finish(
    transaction: &mut PgConnection,
    placed: Placed,
    head: &Head,
    tenant: Uuid,
    version: i32,
) -> Result<(), LifeError> {
    sqlx::query("UPDATE control.tenant SET schema_version = $2, key_epoch = key_epoch + 1 WHERE id = $1")
        .bind(tenant)
        .bind(version)
        .execute(&mut *transaction)
        .await?;
    if placed == Placed::New {
        // By the legal transitions. Who had left is read only at first: to be archived is another decision.
        let way: &[&str] = match head.tenant.get("state").and_then(Value::as_str) {
            Some("PAST_DUE") => &["ACTIVE", "PAST_DUE"],
            Some("SUSPENDED") => &["ACTIVE", "SUSPENDED"],
            Some("LOCKED") => &["ACTIVE", "PAST_DUE", "LOCKED"],
            Some("OFFBOARDING" | "ARCHIVED") => &["ACTIVE", "OFFBOARDING"],
            _ => &["ACTIVE"],
        };
        for state in way {
            sqlx::query("UPDATE control.tenant SET state = $2 WHERE id = $1")
                .bind(tenant)
                .bind(state)
                .execute(&mut *transaction)
                .await?;
        }
    }
    Ok(())
}

//! What the control schema says of a clinic that comes back: its row, its keys, its login role, its waiting work.

use praxis_migration::{oldest_build, tenant::steps};
use praxis_platform::{
    rotation::{self, turn},
    tenancy::{
        Host, Installation, MAIN, SchemaName, ensure_cell_login_role, ensure_login_role, next_shard,
        take_turn,
    },
    vault::{ExportKey, InstallationKey, KeyWrapper},
};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{
    Clinic, Ground, LifeError, Named, Placed,
    export::rotation_clinic,
    manifest::{Head, KeptKey},
    run,
    swap::{lying_beside, none_is_open, something_lies_beside},
};

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

/// The same in a further cell, at once: whose role it is has no row yet, and without one nobody is served.
pub(super) async fn let_serve_there(
    home: &mut PgConnection,
    installation: &Installation,
    key: &InstallationKey,
    shard: i32,
    role: &SchemaName,
) -> Result<(), LifeError> {
    let mut transaction = home.begin().await?;
    ensure_cell_login_role(&mut transaction, installation, shard, key).await?;
    let (app, owner) = (installation.app_role(shard), installation.owner_role());
    run(&mut transaction, format!("GRANT {role} TO {app}; GRANT {role} TO {owner}")).await?;
    Ok(transaction.commit().await?)
}

/// Gives the clinic a row where it has none, and makes sure that it can still be brought back; the login role that is to
/// serve it, unless it lies beside the live one.
pub(super) async fn settle(
    control: &mut PgConnection,
    home: Option<&mut PgConnection>,
    placed: Placed,
    head: &Head,
    tenant: Uuid,
    slug: &str,
) -> Result<Option<i32>, LifeError> {
    if placed != Placed::Beside {
        take_turn(control).await?;
    }
    // The restore was long: whatever became of the clinic meanwhile, nothing more does until it is over.
    let clinic = Clinic::find(control, Named::Id(tenant)).await?;
    if clinic.as_ref().is_some_and(|clinic| clinic.state == "SHREDDED") {
        return Err(shredded());
    }
    if let Some(clinic) = &clinic {
        clinic.must_not_be_moving(control).await?;
        none_is_open(control, tenant).await?;
    }
    match (placed, clinic) {
        (Placed::Beside, _) => match lying_beside(control, home, tenant).await? {
            Some(_) => Err(something_lies_beside()),
            None => Ok(None),
        },
        (_, Some(clinic)) => Ok(Some(clinic.login_shard)),
        (_, None) => {
            let shard = next_shard(control, MAIN).await?;
            insert_row(control, head, tenant, slug, shard).await?;
            Ok(Some(shard))
        }
    }
}

pub(super) fn shredded() -> LifeError {
    LifeError::Refused("the tenant was shredded, and does not come back".to_owned())
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
        ("cell_id", json!(MAIN)),
        ("login_shard", json!(shard)),
        ("state", json!("PROVISIONING")),
        ("moving_to", Value::Null),
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
        inserted => inserted.map(|_| ())?,
    }
    Ok(())
}

/// Gives a clinic that is new here its own host names, as far as they can be its own here, and says which. They lead
/// nowhere until they are verified: the file proves nothing to this installation.
pub(super) async fn give_domains(
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    base_domain: &str,
) -> Result<Vec<String>, LifeError> {
    let hosts =
        head.domains.iter().filter_map(|domain| Host::own(domain.get("host")?.as_str()?, base_domain));
    let hosts: Vec<String> = hosts.map(|host| host.as_str().to_owned()).collect();
    // A name that is another clinic's by now stays with it.
    Ok(sqlx::query_scalar(
        "INSERT INTO control.tenant_domain (host, tenant_id) SELECT host, $1 FROM unnest($2::text[]) AS own (host)
         ON CONFLICT DO NOTHING RETURNING host",
    )
    .bind(tenant)
    .bind(hosts)
    .fetch_all(transaction)
    .await?)
}

/// Puts back the versions of the clinic's key that are gone, and says how many. Those that are there are the same.
pub(super) async fn keep_keys(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    key: &ExportKey,
) -> Result<u64, LifeError> {
    turn::wrapping(transaction).await?;
    let (inside, mut put_back) = (key.wrapper(), 0);
    for kept in &head.keys {
        let moved = KeptKey::moved(tenant, &kept.guarded()?, &inside, ground.wrapper).await?;
        let put = sqlx::query(
            "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, version) DO NOTHING",
        )
        .bind(tenant)
        .bind(i32::try_from(moved.version).map_err(|_| LifeError::Malformed("key"))?)
        .bind(&moved.bytes)
        .bind(&moved.wrapper)
        .execute(&mut *transaction)
        .await?;
        put_back += put.rows_affected();
    }
    // Fails where they are not all versions of one and the same key.
    if let Some(clinic) = Clinic::find(transaction, Named::Id(tenant)).await? {
        rotation::tenant_key(transaction, &rotation_clinic(&clinic), ground.wrapper).await?;
    }
    Ok(put_back)
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

/// Has workers write recurring work down anew: what was noted of it was of other tables. What is there is not there twice.
pub(super) async fn plan_anew(
    transaction: &mut PgConnection,
    schema: &SchemaName,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM cell.planned WHERE tenant = $1")
        .bind(schema.as_str())
        .execute(transaction)
        .await
        .map(|_| ())
}

/// Says which version the clinic's tables have, and lets the servers read everything anew.
pub(super) async fn set_version(
    transaction: &mut PgConnection,
    tenant: Uuid,
    version: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE control.tenant SET schema_version = $2, oldest_build = $3, key_epoch = key_epoch + 1 WHERE id = $1",
    )
    .bind(tenant)
    .bind(version)
    .bind(oldest_build(&steps(), version))
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
    set_version(transaction, tenant, version).await?;
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

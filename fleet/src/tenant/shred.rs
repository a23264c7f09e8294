//! A clinic's keys are destroyed, and with them everything that was ever sealed under them, backups included.
//!
//! Destroying the keys is the delete, in one transaction with the certificate. The schema and the role go after
//! it: where that is killed, running it again goes on there. What an export holds that was handed out under
//! another key is not in reach, and the certificate says so.

use praxis_platform::{rotation, tenancy::installation_key, vault::TenantKey};
use sqlx::{Connection, postgres::PgConnection};

use super::{
    AuditHead, Certified, Clinic, Ground, LifeError, Named,
    certificate::{Certificate, DestroyedKey},
    copy::{qualified, tables},
    export::{handed_out, rotation_clinic},
    operation::{Begun, Kind, Work, is_under_way, of_clinic},
    run,
    sandbox::drop_leavings,
    schema_exists,
    stage::schema_of,
};

const STATEMENT: &str = "All versions of the key of this tenant were destroyed. Whatever was sealed under them, here or in \
    any copy of the tenant's data, can't be opened any more.";

/// What the operation is known by: it is done once in a clinic's life.
pub const ONCE: &str = "shred";

/// Destroys a clinic that has left: its grace is over, and no legal hold keeps it.
pub async fn shred<'a>(ground: &Ground<'_>, clinic: impl Into<Named<'a>>) -> Result<Certified, LifeError> {
    let mut admin = ground.connect().await?;
    let clinic = Clinic::of(&mut admin, clinic).await?;
    if clinic.state != "ARCHIVED" && clinic.state != "SHREDDED" {
        return Err(LifeError::Transition { from: clinic.state, to: "SHREDDED".to_owned() });
    }
    let ledger = ground.connect().await?;
    let asked = (ONCE, &serde_json::json!({}));
    match Work::begin(ledger, clinic.id, Kind::Shred, asked, ground.clock.new_id()).await? {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = match ground.home(&clinic.cell).await {
                Ok(mut home) => destroy(ground, &mut admin, &mut home, &clinic, &mut work).await,
                Err(error) => Err(error),
            };
            work.end(result).await
        }
    }
}

async fn destroy(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    work: &mut Work,
) -> Result<Certified, LifeError> {
    let certified = if clinic.state == "SHREDDED" {
        work.kept().await?
    } else {
        work.at("certify", 0).await?;
        destroy_keys(ground, admin, home, clinic, work).await?
    };
    work.at("drop", 0).await?;
    drop_schemas(admin, home, clinic).await?;
    drop_leavings(admin, home, clinic.id).await?;
    // What was deleted still lies in the pages of the table, which has few: it is written anew. Where its bytes lay on the
    // disk, and in the log of the database, they lie until they are written over.
    run(admin, "SET lock_timeout = '10s'".to_owned()).await?;
    run(admin, "VACUUM FULL control.tenant_key".to_owned()).await?;
    Ok(certified)
}

/// The keys and the certificate, in one transaction.
async fn destroy_keys(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    work: &Work,
) -> Result<Certified, LifeError> {
    let mut transaction = admin.begin().await?;
    // Nobody changes it from here on: the certificate says what there was when the keys went.
    let found = Clinic::find(&mut transaction, Named::Id(clinic.id)).await?;
    let clinic = &found.ok_or_else(|| LifeError::Unknown(clinic.slug.clone()))?;
    if is_under_way(&mut transaction, clinic.id, work.id()).await? {
        return Err(LifeError::Locked);
    }
    let certificate = certificate(ground, &mut transaction, home, clinic).await?;
    let key = installation_key(&mut transaction, ground.wrapper).await?;
    let certified = Certified::sign(&certificate, &key)?;
    let shredded = sqlx::query(
        "UPDATE control.tenant SET state = 'SHREDDED', key_epoch = key_epoch + 1 WHERE id = $1 AND state = 'ARCHIVED'",
    )
    .bind(clinic.id)
    .execute(&mut *transaction)
    .await
    .map_err(|error| LifeError::of_change(error, &clinic.state, "SHREDDED"))?;
    if shredded.rows_affected() != 1 {
        return Err(LifeError::Refused("the tenant is not archived any more".to_owned()));
    }
    for sql in [
        "DELETE FROM control.tenant_key WHERE tenant_id = $1",
        "DELETE FROM control.tenant_domain WHERE tenant_id = $1",
    ] {
        sqlx::query(sql).bind(clinic.id).execute(&mut *transaction).await?;
    }
    work.keep(&mut transaction, &certified, false).await?;
    let detail = serde_json::json!({ "keys": certificate.keys, "dataKeys": certificate.data_keys });
    clinic.note(&mut transaction, "SHREDDED", detail).await?;
    transaction.commit().await?;
    Ok(certified)
}

async fn certificate(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
) -> Result<Certificate, LifeError> {
    let (at, actor) = sqlx::query_as("SELECT now(), control.actor()").fetch_one(&mut *transaction).await?;
    let (mut rows, mut audit, mut data_keys) = (Vec::new(), None, 0);
    // A schema that was lost already has nothing to be counted.
    if schema_exists(home, &clinic.schema).await? {
        for table in tables(home, clinic.schema.as_str()).await? {
            let sql = format!("SELECT count(*) FROM {}", qualified(clinic.schema.as_str(), &table.name));
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *home).await?;
            if table.name == "phi_key" {
                data_keys = count;
            }
            if count > 0 {
                rows.push((table.name, count));
            }
        }
        audit = AuditHead::of(home, clinic.schema.as_str()).await?;
    }
    Ok(Certificate {
        statement: STATEMENT.to_owned(),
        installation: ground.installation.id().to_owned(),
        tenant: clinic.id,
        slug: clinic.slug.clone(),
        schema: clinic.schema.to_string(),
        at,
        actor,
        keys: keys(ground, transaction, clinic).await?,
        data_keys,
        rows,
        audit,
        exports_handed_out: handed_out(transaction, clinic.id).await?,
    })
}

/// The versions of the clinic's key. One that can't be opened any more is destroyed all the same.
async fn keys(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    clinic: &Clinic,
) -> Result<Vec<DestroyedKey>, LifeError> {
    let stored = rotation::stored_keys(transaction, &rotation_clinic(clinic)).await?;
    let names = match TenantKey::unwrap(clinic.id, &stored, ground.wrapper).await {
        Ok(key) => key.fingerprints(),
        Err(_) => Vec::new(),
    };
    let destroyed = |key: praxis_platform::vault::GuardedKey| DestroyedKey {
        version: i32::try_from(key.version).unwrap_or(i32::MAX),
        fingerprint: names.iter().find(|name| name.0 == key.version).map(|name| name.1.clone()),
        wrapper: key.wrapper,
    };
    Ok(stored.into_iter().map(destroyed).collect())
}

/// The clinic's own schema, what was restored beside it, the role, and what waited to be done for it.
async fn drop_schemas(
    admin: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
) -> Result<(), LifeError> {
    // A restore makes a schema that is called like itself; one that was killed may have left it.
    let restores = of_clinic(admin, clinic.id).await?.into_iter().filter(|work| work.kind == "RESTORE");
    let beside = restores.filter_map(|work| schema_of(work.id).ok());
    let mut transaction = home.begin().await?;
    let quiet = "SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'";
    run(&mut transaction, quiet.to_owned()).await?;
    for schema in beside.chain([clinic.schema.clone()]) {
        run(&mut transaction, format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?;
    }
    run(&mut transaction, format!("DROP ROLE IF EXISTS {}", clinic.schema)).await?;
    for sql in ["DELETE FROM cell.ready WHERE tenant = $1", "DELETE FROM cell.planned WHERE tenant = $1"] {
        sqlx::query(sql).bind(clinic.schema.as_str()).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

//! What was migrated, when and how it went.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use praxis_entity::ids::TenantId;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use uuid::Uuid;

use super::{MigrateError, Outcome, TenantVersion, Waves, control::statement};

/// Closes the runs that ended without saying so; returns their ids.
///
/// Only the holder of the migration lock may ask this: to everybody else they may be alive.
pub(super) async fn close_abandoned(db: &DatabaseConnection) -> Result<Vec<Uuid>, MigrateError> {
    let sql = "UPDATE control.migration_run SET state = 'PARTIAL', finished_at = now() WHERE state = 'RUNNING' RETURNING id";
    let rows = db.query_all_raw(statement(sql, [])).await?;
    let runs: Vec<Uuid> = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    for run in &runs {
        settle(db, *run).await?;
    }
    Ok(runs)
}

/// Calls done what is: a run may have been killed, or lost its connection, after a tenant's last step was committed and
/// before that was said.
async fn settle(db: &DatabaseConnection, run: Uuid) -> Result<(), MigrateError> {
    let sql = "UPDATE control.migration_run_item i SET state = 'DONE', error = NULL, updated_at = now()
        FROM control.migration_run r, control.tenant t
        WHERE r.id = $1 AND i.run_id = r.id AND t.id = i.tenant_id AND i.state <> 'DONE' AND t.schema_version >= r.target_version";
    db.execute_raw(statement(sql, [run.into()])).await?;
    Ok(())
}

/// Opens a run over the tenants of each wave.
pub(super) async fn open(
    db: &DatabaseConnection,
    run: Uuid,
    target: i32,
    waves: &Waves,
    shared: &[(String, Vec<TenantVersion>)],
) -> Result<(), MigrateError> {
    let tenants = || {
        (1..).zip(shared).flat_map(|(wave, (_, tenants))| tenants.iter().map(move |tenant| (wave, tenant)))
    };
    let numbers: Vec<i32> = tenants().map(|(wave, _)| wave).collect();
    let ids: Vec<Uuid> = tenants().map(|(_, tenant)| tenant.id.0).collect();
    let versions: Vec<i32> = tenants().map(|(_, tenant)| tenant.version).collect();
    let sql = "WITH run AS (INSERT INTO control.migration_run (id, target_version, waves) VALUES ($1, $2, $3) RETURNING id)
        INSERT INTO control.migration_run_item (run_id, tenant_id, from_version, wave)
        SELECT run.id, item.tenant_id, item.from_version, item.wave
        FROM run, unnest($4::uuid[], $5::integer[], $6::integer[]) AS item (tenant_id, from_version, wave)";
    let values =
        [run.into(), target.into(), waves.to_string().into(), ids.into(), versions.into(), numbers.into()];
    db.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// In which order a run went.
pub(super) async fn waves(db: &DatabaseConnection, run: Uuid) -> Result<Waves, MigrateError> {
    let sql = "SELECT waves AS n FROM control.migration_run WHERE id = $1";
    let row = db.query_one_raw(statement(sql, [run.into()])).await?;
    let stored: Option<String> = row.map(|row| row.try_get("", "n")).transpose()?;
    Ok(stored.and_then(|stored| stored.parse().ok()).unwrap_or_default())
}

/// Shares tenants out as an earlier run did: nobody gets into a first wave because others went before.
pub(super) async fn shared_as_in(
    db: &DatabaseConnection,
    run: Uuid,
    tenants: Vec<TenantVersion>,
) -> Result<Vec<(String, Vec<TenantVersion>)>, MigrateError> {
    let sql = "SELECT tenant_id, wave FROM control.migration_run_item WHERE run_id = $1";
    let rows = db.query_all_raw(statement(sql, [run.into()])).await?;
    let wave_of: HashMap<Uuid, i32> = rows
        .iter()
        .map(|row| Ok((row.try_get("", "tenant_id")?, row.try_get("", "wave")?)))
        .collect::<Result<_, sea_orm::DbErr>>()?;
    let mut waves: BTreeMap<i32, Vec<TenantVersion>> = BTreeMap::new();
    for tenant in tenants {
        waves.entry(wave_of.get(&tenant.id.0).copied().unwrap_or(i32::MAX)).or_default().push(tenant);
    }
    Ok(waves.into_iter().map(|(number, tenants)| (number.to_string(), tenants)).collect())
}

/// Notes, in the step's own transaction, that it is done.
pub(super) async fn step_done(
    db: &impl ConnectionTrait,
    run: Uuid,
    tenant: TenantId,
    version: i32,
    attempts: u32,
    took: Duration,
) -> Result<(), MigrateError> {
    let sql = "INSERT INTO control.migration_run_step (run_id, tenant_id, version, attempts, duration_ms)
        VALUES ($1, $2, $3, $4, $5)";
    let values = [
        run.into(),
        tenant.0.into(),
        version.into(),
        count(attempts).into(),
        (took.as_secs_f64() * 1000.0).into(),
    ];
    db.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// Notes that a tenant is at its version. Its steps say so themselves, each in its own transaction.
pub(super) async fn item_done(
    db: &DatabaseConnection,
    run: Uuid,
    tenant: TenantId,
    attempts: u32,
    took: Duration,
) -> Result<(), MigrateError> {
    let sql = "UPDATE control.migration_run_item SET state = 'DONE', attempts = $3, duration_ms = $4, updated_at = now()
        WHERE run_id = $1 AND tenant_id = $2";
    let took = i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
    db.execute_raw(statement(sql, [run.into(), tenant.0.into(), count(attempts).into(), took.into()]))
        .await?;
    Ok(())
}

fn count(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// Notes that a tenant could not be migrated.
pub(super) async fn item_failed(
    db: &DatabaseConnection,
    run: Uuid,
    tenant: TenantId,
    attempts: u32,
    error: &str,
) -> Result<(), MigrateError> {
    let sql = "UPDATE control.migration_run_item SET state = 'FAILED', attempts = $3, error = $4, updated_at = now()
        WHERE run_id = $1 AND tenant_id = $2";
    db.execute_raw(statement(sql, [run.into(), tenant.0.into(), count(attempts).into(), error.into()]))
        .await?;
    Ok(())
}

/// Closes a run.
pub(super) async fn close(db: &DatabaseConnection, run: Uuid, outcome: Outcome) -> Result<(), MigrateError> {
    settle(db, run).await?;
    let state = match outcome {
        Outcome::Done | Outcome::Waiting => "DONE",
        Outcome::Failed => "FAILED",
        Outcome::Partial | Outcome::Interrupted => "PARTIAL",
    };
    let sql = "UPDATE control.migration_run SET state = $2, finished_at = now() WHERE id = $1";
    db.execute_raw(statement(sql, [run.into(), state.into()])).await?;
    Ok(())
}

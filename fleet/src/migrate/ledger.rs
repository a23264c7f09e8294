//! What was migrated, when and how it went.

use praxis_entity::ids::TenantId;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use uuid::Uuid;

use super::{MigrateError, TenantVersion, control::statement};

/// Closes the runs that ended without saying so; returns their ids.
///
/// Only the holder of the migration lock may ask this: to everybody else they may be alive.
pub(super) async fn close_abandoned(db: &DatabaseConnection) -> Result<Vec<Uuid>, MigrateError> {
    let sql = "UPDATE control.migration_run SET state = 'PARTIAL', finished_at = now() WHERE state = 'RUNNING' RETURNING id";
    let rows = db.query_all_raw(statement(sql, [])).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}

/// Opens a run over the tenants.
pub(super) async fn open(
    db: &DatabaseConnection,
    run: Uuid,
    target: i32,
    tenants: &[TenantVersion],
) -> Result<(), MigrateError> {
    let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.id.0).collect();
    let versions: Vec<i32> = tenants.iter().map(|tenant| tenant.version).collect();
    let sql =
        "WITH run AS (INSERT INTO control.migration_run (id, target_version) VALUES ($1, $2) RETURNING id)
        INSERT INTO control.migration_run_item (run_id, tenant_id, from_version)
        SELECT run.id, item.tenant_id, item.from_version
        FROM run, unnest($3::uuid[], $4::integer[]) AS item (tenant_id, from_version)";
    db.execute_raw(statement(sql, [run.into(), target.into(), ids.into(), versions.into()])).await?;
    Ok(())
}

/// Notes, in the tenant's own transaction, that it is done.
pub(super) async fn item_done(
    db: &impl ConnectionTrait,
    run: Uuid,
    tenant: TenantId,
    attempts: u32,
) -> Result<(), MigrateError> {
    let sql =
        "UPDATE control.migration_run_item SET state = 'DONE', attempts = $3, updated_at = clock_timestamp(),
            duration_ms = extract(epoch FROM clock_timestamp() - now()) * 1000
        WHERE run_id = $1 AND tenant_id = $2";
    db.execute_raw(statement(
        sql,
        [run.into(), tenant.0.into(), i32::try_from(attempts).unwrap_or(i32::MAX).into()],
    ))
    .await?;
    Ok(())
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
    let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
    db.execute_raw(statement(sql, [run.into(), tenant.0.into(), attempts.into(), error.into()])).await?;
    Ok(())
}

/// Closes a run.
pub(super) async fn close(db: &DatabaseConnection, run: Uuid, state: &str) -> Result<(), MigrateError> {
    let sql = "UPDATE control.migration_run SET state = $2, finished_at = now() WHERE id = $1";
    db.execute_raw(statement(sql, [run.into(), state.into()])).await?;
    Ok(())
}

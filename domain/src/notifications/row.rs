//! The rows of notices that are being sent: each in one hand at a time.

use chrono::{DateTime, Utc};
use praxis_entity::notification;
use praxis_platform::{Op, tenancy::Queue};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};

use crate::Result;

/// Whoever takes a notice in hand has it until the lease ends; the number of the try tells a late result from the
/// one that counts.
const CLAIM: &str = "WITH due AS (
        SELECT id FROM notification
        WHERE status IN ('SCHEDULED', 'SENDING', 'FAILED') AND next_attempt_at <= $1
        ORDER BY next_attempt_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE notification n SET status = 'SENDING', attempts = n.attempts + 1,
        next_attempt_at = CASE n.channel WHEN 'EMAIL' THEN $3 ELSE $4 END
    FROM due WHERE n.id = due.id
    RETURNING n.id, n.version, n.created_at, n.updated_at, n.topic, n.subject_kind, n.subject_id, n.about_at,
        n.user_id, n.patient_id, n.channel, n.dedupe_key, n.status, n.scheduled_for, n.expires_at, n.attempts,
        n.last_attempt, n.next_attempt_at, n.sent_at, n.delivered_at, n.read_at, n.reason";

const NEXT: &str =
    "SELECT min(next_attempt_at) AS at FROM notification WHERE status IN ('SCHEDULED', 'SENDING', 'FAILED')";

/// Takes what has been due for longest; nobody else gets it until its lease ends.
pub(super) async fn claim<M>(
    op: &Op<M>,
    most: u32,
    mail_lease: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> Result<Vec<notification::Model>> {
    let values: [Value; 4] = [op.now().into(), i64::from(most).into(), mail_lease.into(), lease.into()];
    let rows = op.db().query_all_raw(statement(CLAIM, values)).await?;
    let rows: std::result::Result<Vec<_>, _> =
        rows.iter().map(|row| notification::Model::from_query_result(row, "")).collect();
    Ok(rows?)
}

/// When something is due next: what waits, and what a worker may have left behind.
pub(super) async fn next_due<M>(op: &Op<M>) -> Result<Option<DateTime<Utc>>> {
    let row = op.db().query_one_raw(statement(NEXT, [])).await?;
    Ok(row.map(|row| row.try_get("", "at")).transpose()?.flatten())
}

/// Lets somebody look at that time.
pub(super) async fn wake<M>(op: &Op<M>, at: DateTime<Utc>) -> Result<()> {
    let values: [Value; 2] = [Queue::Notices.code().into(), at.into()];
    op.db().query_one_raw(statement("SELECT cell.wake($1, $2)", values)).await?;
    Ok(())
}

pub(super) fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

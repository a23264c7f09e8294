//! Forgetting mails that are long past: to whom something was sent, and when.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Failure, Op, Write};

/// For how long it is kept that a mail was sent or given up: to answer whoever asks where it went.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// So many at a time: a round never holds rows for long.
const AT_ONCE: &str = "DELETE FROM mail_message WHERE id IN \
    (SELECT id FROM mail_message WHERE status <> 'QUEUED' AND created_at < $1 LIMIT 10000)";

/// Forgets mails that are past; how many.
pub async fn forget(op: &Op<Write>) -> Result<u64, Failure> {
    let values = [(op.now() - KEPT).into()];
    let forget = Statement::from_sql_and_values(DbBackend::Postgres, AT_ONCE, values);
    Ok(op.db().execute_raw(forget).await?.rows_affected())
}

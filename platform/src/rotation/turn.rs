//! Whose turn it is with the root keys.
//!
//! A root key may go only when nothing is wrapped by it, and nothing is about to be. So whoever stores a
//! wrapped key says so before wrapping it, until the end of the transaction; many can at once. Whoever
//! takes a root key away waits for them, and they for it. Of commands that change the root keys
//! themselves there is one at a time.

use sqlx::postgres::PgConnection;

/// Advisory locks of this database; the other is that of migrations, `RUN_LOCK`.
const WRAPPING: i64 = i64::from_be_bytes(*b"px-wraps");
const CHANGING: i64 = i64::from_be_bytes(*b"px-roots");

/// Until the end of the transaction, no root key is taken away.
pub async fn wrapping(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    lock("SELECT pg_advisory_xact_lock_shared($1)", WRAPPING, transaction).await
}

/// Until the end of the transaction, nothing is wrapped that is stored.
pub async fn retiring(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    lock("SELECT pg_advisory_xact_lock($1)", WRAPPING, transaction).await
}

/// Until the connection ends, no other command changes the root keys; false where one is at it.
pub async fn changing(admin: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(CHANGING).fetch_one(admin).await
}

async fn lock(sql: &'static str, key: i64, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(sql).bind(key).execute(connection).await.map(|_| ())
}

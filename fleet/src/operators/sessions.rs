//! How operators sign in.
//!
//! A session is a random token, kept as its hash. It ends after half an hour without use, after twelve hours, when the
//! operator signs out, and when the account is retired or gets another password. Whoever showed the password within five
//! minutes may do what can't be taken back.
//!
//! No connection is held while a password is looked at: that takes long, and anybody can ask for it.

use chrono::{DateTime, Utc};
use praxis_platform::{
    session::{NO_PASSWORD, verify_password},
    vault::crypto,
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Happened, Operator, OperatorError};

/// Begins every token, so that one is known for what it is wherever it turns up.
const PREFIX: &str = "pxo_";
/// 256 bits in base64.
const DIGITS: usize = 43;

/// An operator who is signed in.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Session {
    /// Who.
    #[sqlx(flatten)]
    pub operator: Operator,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// The password was shown within the last five minutes.
    pub is_proved: bool,
}

const SESSION: &str = "o.id, o.email, o.display_name, o.active, o.rights, s.expires_at,
    s.proved_at > now() - interval '5 minutes' AS is_proved";

/// Opens a session for whoever knows the password. A wrong address, a wrong password and a retired account are one
/// answer, in the same time.
pub async fn sign_in(
    pool: &PgPool,
    email: &str,
    password: &str,
    from: Option<&str>,
) -> Result<Option<(Session, String)>, OperatorError> {
    let email = email.trim().to_lowercase();
    let found: Option<(Uuid, String)> =
        sqlx::query_as("SELECT id, password_hash FROM control.operator WHERE email = $1 AND active")
            .bind(&email)
            .fetch_optional(pool)
            .await?;
    let hash = found.as_ref().map_or(NO_PASSWORD, |(_, hash)| hash.as_str());
    let is_right = verify_password(password, Some(hash)).await?;
    let Some((operator, hash)) = found else { return Ok(None) };
    let happened = |kind| Happened { operator, kind, actor: Some(&email), from, detail: json!({}) };
    if !is_right {
        happened("SIGN_IN_REFUSED").note(pool).await?;
        return Ok(None);
    }
    let token = format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&crypto::random::<32>()?));
    let mut transaction = pool.begin().await?;
    sqlx::query("DELETE FROM control.operator_session WHERE expires_at < now()")
        .execute(&mut *transaction)
        .await?;
    // Only if the account is still what was looked at. Whoever changes the password waits for this row, and then
    // finds the session.
    let sql = format!(
        "WITH still AS (SELECT * FROM control.operator WHERE id = $2 AND active AND password_hash = $3 FOR SHARE),
         s AS (INSERT INTO control.operator_session (token_hash, operator_id, expires_at)
            SELECT $1, id, now() + interval '12 hours' FROM still RETURNING *)
         SELECT {SESSION} FROM s JOIN still o ON o.id = s.operator_id"
    );
    let session: Option<Session> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(hashed(&token))
        .bind(operator)
        .bind(hash)
        .fetch_optional(&mut *transaction)
        .await?;
    if session.is_some() {
        happened("SIGNED_IN").note(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(session.map(|session| (session, token)))
}

/// Whose token this is, if its session goes on.
pub async fn authenticate(pool: &PgPool, token: &str) -> Result<Option<Session>, sqlx::Error> {
    if !is_token(token) {
        return Ok(None);
    }
    let sql = format!(
        "UPDATE control.operator_session s SET used_at = now() FROM control.operator o
         WHERE s.token_hash = $1 AND s.operator_id = o.id AND o.active
            AND s.expires_at > now() AND s.used_at > now() - interval '30 minutes'
         RETURNING {SESSION}"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(hashed(token)).fetch_optional(pool).await
}

/// Notes in a session that its operator showed the password again; false where it is wrong.
pub async fn prove(
    pool: &PgPool,
    token: &str,
    session: &Session,
    password: &str,
    from: Option<&str>,
) -> Result<bool, OperatorError> {
    let Operator { id: operator, email, .. } = &session.operator;
    let hash: Option<String> =
        sqlx::query_scalar("SELECT password_hash FROM control.operator WHERE id = $1 AND active")
            .bind(operator)
            .fetch_optional(pool)
            .await?;
    let is_right = verify_password(password, Some(hash.as_deref().unwrap_or(NO_PASSWORD))).await?;
    let happened = |kind| Happened { operator: *operator, kind, actor: Some(email), from, detail: json!({}) };
    if !is_right {
        happened("PROOF_REFUSED").note(pool).await?;
        return Ok(false);
    }
    let mut transaction = pool.begin().await?;
    // A session that the password's change has ended is there no more.
    let proved = sqlx::query("UPDATE control.operator_session SET proved_at = now() WHERE token_hash = $1")
        .bind(hashed(token))
        .execute(&mut *transaction)
        .await?;
    if proved.rows_affected() == 1 {
        happened("PROVED").note(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(proved.rows_affected() == 1)
}

/// Ends a session.
pub async fn sign_out(pool: &PgPool, token: &str, from: Option<&str>) -> Result<(), sqlx::Error> {
    if !is_token(token) {
        return Ok(());
    }
    let sql = "WITH ended AS (DELETE FROM control.operator_session WHERE token_hash = $1 RETURNING operator_id)
        INSERT INTO control.operator_event (operator_id, kind, actor, source_address)
        SELECT o.id, 'SIGNED_OUT', o.email, $2 FROM ended JOIN control.operator o ON o.id = ended.operator_id";
    sqlx::query(sql).bind(hashed(token)).bind(from).execute(pool).await.map(|_| ())
}

/// Whether it looks like one of ours: else the database is not asked.
fn is_token(token: &str) -> bool {
    token.strip_prefix(PREFIX).is_some_and(|digits| digits.len() == DIGITS)
}

fn hashed(token: &str) -> Vec<u8> {
    crypto::sha256(token.as_bytes()).to_vec()
}

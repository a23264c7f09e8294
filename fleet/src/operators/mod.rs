//! People who run the installation: their accounts, and how they sign in. They hold no rights inside any clinic.
//!
//! A session is a random token, kept as its hash. It ends after half an hour without use, after twelve hours, when the
//! operator signs out, and when the account is retired or gets another password.

use praxis_platform::{
    Failure,
    clock::SharedClock,
    session::{NO_PASSWORD, PasswordRefused, hash_password, verify_password},
    vault::{VaultError, crypto},
};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

/// Begins every token, so that one is known for what it is wherever it turns up.
const PREFIX: &str = "pxo_";

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Operator {
    /// Id.
    pub id: Uuid,
    /// What they sign in with.
    pub email: String,
    /// Name as shown.
    pub display_name: String,
    /// May sign in.
    pub active: bool,
}

/// Why something could not be done with an operator's account.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is an operator of that address.
    #[error("there is an operator with this e-mail address already")]
    EmailTaken,
    /// It is no address.
    #[error("this is no e-mail address")]
    EmailInvalid,
    /// There is none of that address.
    #[error("there is no operator with this e-mail address")]
    Unknown,
    /// The password may not be used.
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    /// No random number could be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The password could not be looked at.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

const COLUMNS: &str = "id, email, display_name, active";

/// Makes an account.
pub async fn create(
    connection: &mut PgConnection,
    clock: &SharedClock,
    email: &str,
    display_name: &str,
    password: &str,
) -> Result<Operator, OperatorError> {
    let email = email.trim().to_lowercase();
    let shaped = email.len() <= 320
        && email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
    if !shaped || email.contains(['\0', ' ']) {
        return Err(OperatorError::EmailInvalid);
    }
    let hash = hash_password(password, &[&email, display_name]).await??;
    let sql = "INSERT INTO control.operator (id, email, display_name, password_hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (email) DO NOTHING RETURNING id, email, display_name, active";
    let made = sqlx::query_as(sql)
        .bind(clock.new_id())
        .bind(&email)
        .bind(display_name)
        .bind(hash)
        .fetch_optional(connection)
        .await?;
    made.ok_or(OperatorError::EmailTaken)
}

/// All operators, by address.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<Operator>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM control.operator ORDER BY email");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await
}

/// Lets an operator sign in no more, and ends their sessions.
pub async fn retire(connection: &mut PgConnection, email: &str) -> Result<(), OperatorError> {
    let sql = "WITH gone AS (UPDATE control.operator SET active = false WHERE email = $1 RETURNING id),
        ended AS (DELETE FROM control.operator_session s USING gone WHERE s.operator_id = gone.id)
        SELECT count(*) FROM gone";
    let found: i64 = sqlx::query_scalar(sql).bind(email.trim().to_lowercase()).fetch_one(connection).await?;
    if found == 0 { Err(OperatorError::Unknown) } else { Ok(()) }
}

/// Gives an operator another password, and ends their sessions.
pub async fn set_password(
    connection: &mut PgConnection,
    email: &str,
    password: &str,
) -> Result<(), OperatorError> {
    let email = email.trim().to_lowercase();
    let hash = hash_password(password, &[&email]).await??;
    let sql =
        "WITH changed AS (UPDATE control.operator SET password_hash = $2 WHERE email = $1 RETURNING id),
        ended AS (DELETE FROM control.operator_session s USING changed WHERE s.operator_id = changed.id)
        SELECT count(*) FROM changed";
    let found: i64 = sqlx::query_scalar(sql).bind(email).bind(hash).fetch_one(connection).await?;
    if found == 0 { Err(OperatorError::Unknown) } else { Ok(()) }
}

/// Opens a session for whoever knows the password. A wrong address, a wrong password and a retired account are one
/// answer, in the same time.
pub async fn sign_in(
    connection: &mut PgConnection,
    email: &str,
    password: &str,
) -> Result<Option<(Operator, String)>, OperatorError> {
    let found: Option<(Uuid, String)> =
        sqlx::query_as("SELECT id, password_hash FROM control.operator WHERE email = $1 AND active")
            .bind(email.trim().to_lowercase())
            .fetch_optional(&mut *connection)
            .await?;
    let hash = found.as_ref().map_or(NO_PASSWORD, |(_, hash)| hash.as_str());
    if !verify_password(password, Some(hash)).await? {
        return Ok(None);
    }
    let Some((id, hash)) = found else { return Ok(None) };
    let token = format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&crypto::random::<32>()?));
    // Only if the account is still what was looked at: a password that was changed meanwhile opens nothing.
    let sql = format!(
        "WITH old AS (DELETE FROM control.operator_session WHERE expires_at < now()),
        made AS (INSERT INTO control.operator_session (token_hash, operator_id, expires_at)
            SELECT $1, id, now() + interval '12 hours' FROM control.operator WHERE id = $2 AND active AND password_hash = $3
            RETURNING operator_id)
        SELECT {COLUMNS} FROM control.operator WHERE id = (SELECT operator_id FROM made)"
    );
    let operator = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(hashed(&token))
        .bind(id)
        .bind(hash)
        .fetch_optional(connection)
        .await?;
    Ok(operator.map(|operator| (operator, token)))
}

/// Whose token this is, if its session goes on.
pub async fn authenticate(
    connection: &mut PgConnection,
    token: &str,
) -> Result<Option<Operator>, sqlx::Error> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let sql = "UPDATE control.operator_session s SET used_at = now() FROM control.operator o
        WHERE s.token_hash = $1 AND s.operator_id = o.id AND o.active
            AND s.expires_at > now() AND s.used_at > now() - interval '30 minutes'
        RETURNING o.id, o.email, o.display_name, o.active";
    sqlx::query_as(sql).bind(hashed(token)).fetch_optional(connection).await
}

/// Ends a session.
pub async fn sign_out(connection: &mut PgConnection, token: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM control.operator_session WHERE token_hash = $1")
        .bind(hashed(token))
        .execute(connection)
        .await
        .map(|_| ())
}

fn hashed(token: &str) -> Vec<u8> {
    crypto::sha256(token.as_bytes()).to_vec()
}

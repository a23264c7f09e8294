//! Accounts of operators: made, changed and retired by whoever holds the database.

use praxis_platform::{clock::SharedClock, session::hash_password};
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{COLUMNS, Happened, Operator, OperatorError, Right, Rights};

/// An account to be made.
pub struct NewOperator<'a> {
    /// What they sign in with.
    pub email: &'a str,
    /// Name as shown.
    pub display_name: &'a str,
    /// The password.
    pub password: &'a str,
    /// What they may do.
    pub rights: Rights,
}

/// Makes an account.
pub async fn create(
    connection: &mut PgConnection,
    clock: &SharedClock,
    new: &NewOperator<'_>,
) -> Result<Operator, OperatorError> {
    let email = new.email.trim().to_lowercase();
    let shaped = email.len() <= 320
        && email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
    if !shaped || email.contains(['\0', ' ']) {
        return Err(OperatorError::EmailInvalid);
    }
    let hash = hash_password(new.password, &[&email, new.display_name]).await??;
    let mut transaction = connection.begin().await?;
    let sql = format!(
        "INSERT INTO control.operator (id, email, display_name, password_hash, rights) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email) DO NOTHING RETURNING {COLUMNS}"
    );
    let made: Option<Operator> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(clock.new_id())
        .bind(&email)
        .bind(new.display_name)
        .bind(hash)
        .bind(new.rights.codes())
        .fetch_optional(&mut *transaction)
        .await?;
    let made = made.ok_or(OperatorError::EmailTaken)?;
    happened(&mut transaction, made.id, "CREATED", json!({ "rights": made.rights.codes() })).await?;
    transaction.commit().await?;
    Ok(made)
}

/// All operators, by address.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<Operator>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM control.operator ORDER BY email");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await
}

/// Lets an operator sign in no more, and ends their sessions.
pub async fn retire(connection: &mut PgConnection, email: &str) -> Result<(), OperatorError> {
    let mut transaction = connection.begin().await?;
    let operator = locked(&mut transaction, email).await?;
    sqlx::query("UPDATE control.operator SET active = false WHERE id = $1")
        .bind(operator.id)
        .execute(&mut *transaction)
        .await?;
    end_sessions(&mut transaction, operator.id).await?;
    if operator.active {
        happened(&mut transaction, operator.id, "RETIRED", json!({})).await?;
    }
    Ok(transaction.commit().await?)
}

/// Lets an operator who was retired sign in again, with the password and the rights of before.
pub async fn reinstate(connection: &mut PgConnection, email: &str) -> Result<(), OperatorError> {
    let mut transaction = connection.begin().await?;
    let operator = locked(&mut transaction, email).await?;
    if !operator.active {
        sqlx::query("UPDATE control.operator SET active = true WHERE id = $1")
            .bind(operator.id)
            .execute(&mut *transaction)
            .await?;
        happened(&mut transaction, operator.id, "REINSTATED", json!({})).await?;
    }
    Ok(transaction.commit().await?)
}

/// Gives an operator another password, and ends their sessions.
pub async fn set_password(
    connection: &mut PgConnection,
    email: &str,
    password: &str,
) -> Result<(), OperatorError> {
    let hash = hash_password(password, &[&email.trim().to_lowercase()]).await??;
    let mut transaction = connection.begin().await?;
    let operator = locked(&mut transaction, email).await?;
    sqlx::query("UPDATE control.operator SET password_hash = $2 WHERE id = $1")
        .bind(operator.id)
        .bind(hash)
        .execute(&mut *transaction)
        .await?;
    end_sessions(&mut transaction, operator.id).await?;
    happened(&mut transaction, operator.id, "PASSWORD_CHANGED", json!({})).await?;
    Ok(transaction.commit().await?)
}

/// Gives and takes rights; what an open session may do changes with its next request.
pub async fn change_rights(
    connection: &mut PgConnection,
    email: &str,
    given: &[Right],
    taken: &[Right],
) -> Result<Operator, OperatorError> {
    let mut transaction = connection.begin().await?;
    let mut operator = locked(&mut transaction, email).await?;
    let rights = operator.rights.clone().changed(given, taken);
    if rights != operator.rights {
        sqlx::query("UPDATE control.operator SET rights = $2 WHERE id = $1")
            .bind(operator.id)
            .bind(rights.codes())
            .execute(&mut *transaction)
            .await?;
        let detail = json!({ "from": operator.rights.codes(), "to": rights.codes() });
        happened(&mut transaction, operator.id, "RIGHTS_CHANGED", detail).await?;
        operator.rights = rights;
    }
    transaction.commit().await?;
    Ok(operator)
}

/// The account, which nobody else changes and with which nobody signs in until the transaction ends.
async fn locked(transaction: &mut PgConnection, email: &str) -> Result<Operator, OperatorError> {
    let sql = format!("SELECT {COLUMNS} FROM control.operator WHERE email = $1 FOR UPDATE");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(email.trim().to_lowercase());
    found.fetch_optional(transaction).await?.ok_or(OperatorError::Unknown)
}

/// A statement of its own, behind the lock: it sees the sessions that were opened until then.
async fn end_sessions(transaction: &mut PgConnection, operator: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM control.operator_session WHERE operator_id = $1")
        .bind(operator)
        .execute(transaction)
        .await
        .map(|_| ())
}

async fn happened(
    connection: &mut PgConnection,
    operator: Uuid,
    kind: &'static str,
    detail: serde_json::Value,
) -> Result<(), sqlx::Error> {
    Happened { operator, kind, actor: None, from: None, detail }.note(connection).await
}

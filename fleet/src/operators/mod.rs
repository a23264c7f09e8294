//! People who run the installation: their accounts, their rights, and how they sign in. They hold none inside any clinic.
//!
//! What becomes of an account and who comes in is an event, written in the transaction of the thing itself and never changed.

mod accounts;
mod rights;
mod sessions;

pub use accounts::{NewOperator, change_rights, create, list, reinstate, retire, set_password};
pub use rights::{Right, Rights};
pub use sessions::{Session, authenticate, prove, sign_in, sign_out};

use praxis_platform::{Failure, session::PasswordRefused, vault::VaultError};
use serde_json::Value;
use sqlx::{
    PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnection, PgExecutor},
};
use uuid::Uuid;

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
    /// What they may do.
    #[sqlx(try_from = "Vec<String>")]
    pub rights: Rights,
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

const COLUMNS: &str = "id, email, display_name, active, rights";

/// A connection of a pool on which whatever is done is done by an operator, and noted so. The pool has to forget it when
/// the connection comes back.
pub async fn connect_as(pool: &PgPool, operator: &Operator) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    act_as(&mut connection, &operator.email).await?;
    Ok(connection)
}

/// Whatever is done on a connection from here on, somebody does.
pub(crate) async fn act_as(connection: &mut PgConnection, actor: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('praxis.actor', $1, false)")
        .bind(actor)
        .execute(connection)
        .await
        .map(|_| ())
}

/// What happened to an account.
struct Happened<'a> {
    operator: Uuid,
    kind: &'static str,
    /// Whoever the connection belongs to, where it is not somebody else.
    actor: Option<&'a str>,
    from: Option<&'a str>,
    detail: Value,
}

impl Happened<'_> {
    async fn note(self, connection: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO control.operator_event (operator_id, kind, actor, source_address, detail)
            VALUES ($1, $2, coalesce($3, control.actor()), $4, $5)";
        sqlx::query(sql)
            .bind(self.operator)
            .bind(self.kind)
            .bind(self.actor)
            .bind(self.from)
            .bind(self.detail)
            .execute(connection)
            .await
            .map(|_| ())
    }
}

//! Those who run the installation, and what became of their accounts.

use async_graphql::{Enum, SimpleObject};
use praxis_fleet::{
    operators::{Operator as Account, Right as Held},
    registry::OperatorEventRecord,
};

use crate::scalar::{DateTime, Json};

/// What an operator may do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Held")]
pub(crate) enum Right {
    /// Look at the installation.
    Read,
    /// Make clinics and change them, in ways that can be taken back.
    Manage,
    /// Put clinics under legal hold, and release them.
    Hold,
    /// What can't be taken back: archive, discard, shred.
    Destroy,
}

/// Who runs the installation.
#[derive(SimpleObject)]
pub(crate) struct Operator {
    /// What they sign in with.
    email: String,
    /// Their name as shown.
    display_name: String,
    /// They may sign in.
    is_active: bool,
    /// What they may do.
    rights: Vec<Right>,
}

impl From<Account> for Operator {
    fn from(account: Account) -> Self {
        let rights = account.rights.iter().map(Right::from).collect();
        let Account { email, display_name, active, .. } = account;
        Self { email, display_name, is_active: active, rights }
    }
}

/// Something that happened to an operator's account.
#[derive(SimpleObject, Clone)]
pub(crate) struct OperatorEvent {
    /// The account's address.
    email: String,
    /// When.
    at: DateTime,
    /// What, such as `SIGNED_IN`.
    kind: String,
    /// Who did it: an operator's address, or a login on the database.
    actor: String,
    /// From where.
    source_address: Option<String>,
    /// More about it.
    detail: Json,
}

impl From<OperatorEventRecord> for OperatorEvent {
    fn from(row: OperatorEventRecord) -> Self {
        let OperatorEventRecord { email, at, kind, actor, source_address, detail, .. } = row;
        Self { email, at: DateTime(at), kind, actor, source_address, detail: Json(detail) }
    }
}

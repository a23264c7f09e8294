//! What guards the keys of an installation: root keys of its own, a key service, or both during a move.
//!
//! The configuration says so. Where it does not, the installation does: it remembers the path (never
//! the key) of the file it was made with, so that a command on the same machine needs nothing but the
//! address of the database. A file that was named and is not there is a mistake, and no other takes its place.

use std::{path::PathBuf, sync::Arc};

use praxis_platform::{
    clock::SystemClock,
    key_service::AwsKms,
    vault::{KeyWrapper, KeyWrappers, LocalKeyWrapper, VaultError},
};
use sqlx::postgres::PgConnection;

use crate::config::{Guard, Keys};

/// What guards the keys of an installation.
#[derive(Clone)]
pub struct RootKeys {
    /// Wraps and unwraps.
    pub wrapper: Arc<dyn KeyWrapper>,
    /// The root keys that this machine holds, if it holds any.
    pub local: Option<Arc<LocalKeyWrapper>>,
}

impl RootKeys {
    /// Those of the configured places.
    pub fn of(keys: &Keys) -> Result<Self, VaultError> {
        let local = if needs_local(keys) { Some(keys.local(false)?) } else { None };
        Self::new(keys, local)
    }

    fn new(keys: &Keys, local: Option<LocalKeyWrapper>) -> Result<Self, VaultError> {
        let local = local.map(Arc::new);
        let kms = match keys.aws_kms.clone() {
            Some(settings) => Some(Arc::new(AwsKms::new(settings, Arc::new(SystemClock))?) as _),
            None => None,
        };
        let root = local.clone().map(|local| local as Arc<dyn KeyWrapper>);
        let (current, former) = match keys.guard {
            Guard::Local => (root, kms),
            Guard::AwsKms => (kms, root),
        };
        let current = current.ok_or_else(|| VaultError::KeyFile("there is none".to_owned()))?;
        Ok(Self { wrapper: Arc::new(KeyWrappers::new(current, former.into_iter().collect())), local })
    }
}

/// A root key of the machine's own is optional where a key service guards the keys.
fn needs_local(keys: &Keys) -> bool {
    keys.guard == Guard::Local || !keys.is_absent()
}

/// Those of a new installation: a root key file is made where none is and one is needed.
pub fn make(keys: &Keys) -> Result<RootKeys, VaultError> {
    RootKeys::new(keys, if needs_local(keys) { Some(keys.local(true)?) } else { None })
}

/// Those of the configured places, or of the one that the installation remembers.
pub async fn find(keys: &Keys, admin: &mut PgConnection) -> Result<RootKeys, VaultError> {
    let remembered = if keys.is_unnamed() { remembered(admin).await } else { None };
    match remembered {
        Some(path) => RootKeys::new(keys, Some(LocalKeyWrapper::from_file(&path, false)?)),
        None => RootKeys::of(keys),
    }
}

async fn remembered(admin: &mut PgConnection) -> Option<PathBuf> {
    let path: Option<Option<String>> = sqlx::query_scalar("SELECT root_key_file FROM control.installation")
        .fetch_optional(admin)
        .await
        .ok()?;
    path.flatten().map(PathBuf::from).filter(|path| path.is_file())
}

/// Lets the installation remember the file that its root key is in.
pub async fn remember(keys: &Keys, admin: &mut PgConnection) -> Result<(), sqlx::Error> {
    let Some(path) = keys.file() else { return Ok(()) };
    let Some(path) = std::fs::canonicalize(path).ok().and_then(|path| path.to_str().map(str::to_owned))
    else {
        return Ok(());
    };
    sqlx::query("UPDATE control.installation SET root_key_file = $1 WHERE root_key_file IS DISTINCT FROM $1")
        .bind(path)
        .execute(admin)
        .await
        .map(|_| ())
}

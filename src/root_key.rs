//! Where the root key of an installation lies.
//!
//! The configuration says so. Where it does not, the installation does: it remembers the path (never
//! the key) of the file it was made with, so that a command on the same machine needs nothing but the
//! address of the database.

use std::{path::PathBuf, sync::Arc};

use praxis_platform::vault::{LocalKeyWrapper, VaultError};
use sqlx::postgres::PgConnection;

use crate::config::Keys;

/// The root key, from the configured place or from the one that the installation remembers.
pub async fn find(keys: &Keys, admin: &mut PgConnection) -> Result<Arc<LocalKeyWrapper>, VaultError> {
    match keys.wrapper(false) {
        Err(error) if keys.is_absent() => match remembered(admin).await {
            Some(path) => Ok(Arc::new(LocalKeyWrapper::from_file(&path, false)?)),
            None => Err(error),
        },
        configured => configured,
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

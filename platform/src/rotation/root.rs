//! Under another root key, or another key service: the wrapping of what is right below it.

use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{RotationError, turn};
use crate::vault::{GuardedKey, KeyBinding, KeyWrapper, VaultError, installation_key};

/// Keys wrapped anew in one transaction; each may cost three calls to a key service.
const BATCH: i64 = 10;

/// What the keys of clinics and of the installation are wrapped by, each name once.
pub async fn wrapped_by(admin: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT wrapper FROM control.tenant_key UNION SELECT wrapper FROM control.installation_key",
    )
    .fetch_all(admin)
    .await
}

/// How many keys are not under the current root key: those of clinics, and the installation's own.
pub async fn wrapped_otherwise(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
) -> Result<usize, sqlx::Error> {
    let by: Vec<String> = sqlx::query_scalar(
        "SELECT wrapper FROM control.tenant_key UNION ALL SELECT wrapper FROM control.installation_key",
    )
    .fetch_all(admin)
    .await?;
    Ok(by.iter().filter(|by| !wrapper.is_current(by)).count())
}

/// Notes in the history of every clinic what is about to be done to the key above theirs.
pub async fn note_root(admin: &mut PgConnection, kind: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail)
         SELECT id, $1, control.actor(), '{}' FROM control.tenant WHERE state <> 'SHREDDED'",
    )
    .bind(kind)
    .execute(admin)
    .await
    .map(|_| ())
}

/// Wraps every key that is not under the current root key anew, and says how many. Those that somebody
/// else is at are left to the next pass.
///
/// The keys themselves stay the same, so no server has to fetch them again.
pub async fn rewrap_tenant_keys(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<usize, RotationError> {
    let mut done = rewrap_installation_key(admin, wrapper).await?;
    progress(done);
    loop {
        let batch = rewrap_batch(admin, wrapper).await?;
        if batch == 0 {
            return Ok(done);
        }
        done += batch;
        progress(batch);
    }
}

async fn rewrap_installation_key(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
) -> Result<usize, RotationError> {
    let mut transaction = admin.begin().await?;
    turn::wrapping(&mut transaction).await?;
    let stored: Option<(Vec<u8>, String)> =
        sqlx::query_as("SELECT wrapped, wrapper FROM control.installation_key FOR UPDATE SKIP LOCKED")
            .fetch_optional(&mut *transaction)
            .await?;
    let Some((bytes, by)) = stored.filter(|(_, by)| !wrapper.is_current(by)) else { return Ok(0) };
    let binding = installation_key::BINDING;
    let stored = GuardedKey { version: binding.version, bytes, wrapper: by };
    let key = anew(wrapper, binding, &stored).await?;
    sqlx::query("UPDATE control.installation_key SET wrapped = $1, wrapper = $2")
        .bind(key.bytes)
        .bind(key.wrapper)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(1)
}

async fn rewrap_batch(admin: &mut PgConnection, wrapper: &dyn KeyWrapper) -> Result<usize, RotationError> {
    let by: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT wrapper FROM control.tenant_key").fetch_all(&mut *admin).await?;
    let other: Vec<String> = by.into_iter().filter(|by| !wrapper.is_current(by)).collect();
    let mut transaction = admin.begin().await?;
    turn::wrapping(&mut transaction).await?;
    let rows: Vec<(Uuid, i32, Vec<u8>, String)> = sqlx::query_as(
        "SELECT tenant_id, version, wrapped, wrapper FROM control.tenant_key WHERE wrapper = ANY($1)
         ORDER BY tenant_id, version LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind(other)
    .bind(BATCH)
    .fetch_all(&mut *transaction)
    .await?;
    let count = rows.len();
    for (tenant, number, bytes, by) in rows {
        let malformed = |_| RotationError::Malformed { table: "tenant_key", row: tenant };
        let version = number.try_into().map_err(malformed)?;
        let stored = GuardedKey { version, bytes, wrapper: by };
        let key = anew(wrapper, KeyBinding { tenant, version }, &stored).await?;
        sqlx::query(
            "UPDATE control.tenant_key SET wrapped = $1, wrapper = $2 WHERE tenant_id = $3 AND version = $4",
        )
        .bind(key.bytes)
        .bind(key.wrapper)
        .bind(tenant)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(count)
}

/// The same key under the current wrapper, tried: it takes the place of the only copy there is.
async fn anew(
    wrapper: &dyn KeyWrapper,
    binding: KeyBinding,
    stored: &GuardedKey,
) -> Result<GuardedKey, VaultError> {
    let plain = wrapper.unwrap(binding, stored).await?;
    let wrapped = wrapper.wrap(binding, &plain).await?;
    if wrapper.unwrap(binding, &wrapped).await? == plain { Ok(wrapped) } else { Err(VaultError::Tampered) }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use zeroize::Zeroizing;

    use super::*;
    use crate::vault::{LocalKeyWrapper, RootKey, WrapFuture};

    /// Opens what others wrapped, and wraps what nobody opens.
    struct OneWay(LocalKeyWrapper);

    impl KeyWrapper for OneWay {
        fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey> {
            Box::pin(async move {
                let mut wrapped = self.0.wrap(binding, key).await?;
                wrapped.bytes.reverse();
                Ok(wrapped)
            })
        }

        fn unwrap<'a>(
            &'a self,
            binding: KeyBinding,
            key: &'a GuardedKey,
        ) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
            self.0.unwrap(binding, key)
        }

        fn id(&self) -> String {
            self.0.id()
        }

        fn opens(&self, id: &str) -> bool {
            self.0.opens(id)
        }

        fn is_current(&self, id: &str) -> bool {
            self.0.is_current(id)
        }
    }

    #[test]
    fn a_key_is_not_given_up_for_one_that_does_not_open() {
        let binding = KeyBinding { tenant: Uuid::from_u128(1), version: 1 };
        let local = LocalKeyWrapper::new("test", &RootKey::generate().unwrap());
        let stored = block_on(local.wrap(binding, b"secret")).unwrap();
        let moved = block_on(anew(&local, binding, &stored)).unwrap();
        assert_eq!(*block_on(local.unwrap(binding, &moved)).unwrap(), b"secret");
        assert!(block_on(anew(&OneWay(local), binding, &stored)).is_err());
    }
}

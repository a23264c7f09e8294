//! Passwords: argon2id, with a bound on how many are checked at once and on how many wait for it.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use tokio::sync::Semaphore;

use super::password_policy::{PasswordRefused, judge, normalised};
use crate::{Failure, vault::crypto};

/// Each check takes 19 MiB; more than this many at once wait.
const AT_ONCE: usize = 8;
/// A check takes some 25 ms of a core; who would wait for more than this many others is turned away.
const WAITING: usize = 120;
static SLOTS: Semaphore = Semaphore::const_new(AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE + WAITING);

/// In bytes: what is longer is not looked at.
const LONGEST_INPUT: usize = 1024;

/// OWASP's minimum for argon2id: 19 MiB, two passes. The stored text carries its own parameters.
fn argon2() -> Result<Argon2<'static>, Failure> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a new password, if it may be used. `about` is what belongs to the person or the clinic.
pub async fn hash_password(
    password: &str,
    about: &[&str],
) -> Result<Result<String, PasswordRefused>, Failure> {
    if password.len() > LONGEST_INPUT {
        return Ok(Err(PasswordRefused::TooLong));
    }
    let password = normalised(password);
    let about: Vec<String> = about.iter().map(|&text| text.to_owned()).collect();
    let salt: [u8; 16] = crypto::random()?;
    on_a_slot(move || {
        if let Err(refused) = judge(&password, &about) {
            return Ok(Err(refused));
        }
        let hash = argon2()?
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(Ok(hash.to_string()))
    })
    .await
}

/// Compares a password with a stored hash. Without one it takes as long and answers no.
pub async fn verify_password(password: &str, stored: Option<&str>) -> Result<bool, Failure> {
    if password.len() > LONGEST_INPUT {
        return Ok(false);
    }
    let password = normalised(password);
    let known = stored.is_some();
    let stored = match stored {
        Some(stored) => stored.to_owned(),
        // A hash of nothing in particular: an unknown account takes as long as a known one.
        None => NO_PASSWORD.to_owned(),
    };
    on_a_slot(move || {
        let parsed = PasswordHash::new(&stored).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(argon2()?.verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await
}

/// What an account without a password has in its place: the hash of nothing in particular, so that comparing with it
/// takes as long as with any, and says no.
pub const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn on_a_slot<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let place = PLACES.try_acquire().map_err(|_| Failure::Busy)?;
    let slot = SLOTS.acquire().await.map_err(|error| Failure::Internal(error.to_string()))?;
    // The slot goes with the work: who hangs up does not make room for another while theirs still runs.
    let work = move || {
        let _held = (place, slot);
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.to_string()))?
}

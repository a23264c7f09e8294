//! Whether a session still is what it was: for connections that outlive one request.
//!
//! A request asks once, at its beginning. A socket goes on for hours, so whoever serves one asks
//! again every second, and closes it when the session is over or its holder's rights have changed.
//! Watching is no use of a session: a screen that only receives goes idle.

use std::time::Duration;

use praxis_entity::session;
use sea_orm::EntityTrait;

use super::live::live;
use crate::{
    Failure, OpFactory,
    access::{Actor, load_grants},
};

/// How often a watched session is looked at. Twice this is less than the two seconds we promise.
const EVERY: Duration = Duration::from_secs(1);
/// When nothing could be learnt of the session for so many times, it counts as over.
const BLIND: u32 = 10;

/// Why a connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The session ended: signed out, idle, past its end, or the account was disabled.
    Ended,
    /// The session goes on with other rights than the actor has.
    Changed,
}

/// Why the actor of a session may not go on as they are, if so. The factory is the system's.
pub async fn check(system: &OpFactory, actor: &Actor) -> Result<Option<Over>, Failure> {
    let Some(id) = actor.session else { return Ok(None) };
    let op = system.read();
    if live(&op, session::Entity::find_by_id(id)).await?.is_none() {
        return Ok(Some(Over::Ended));
    }
    let held = match actor.user {
        Some(user) => load_grants(op.db(), user, actor.facility).await?,
        None => None,
    };
    let same = held.is_some_and(|held| held.roles == actor.roles && held.list == actor.grants);
    Ok((!same).then_some(Over::Changed))
}

/// Returns once the actor may not go on as they are.
pub async fn watch(system: &OpFactory, actor: &Actor) -> Over {
    let mut blind = 0;
    loop {
        match check(system, actor).await {
            Ok(Some(over)) => return over,
            Ok(None) => blind = 0,
            Err(error) => {
                tracing::warn!(%error, "a watched session could not be looked at");
                blind += 1;
            }
        }
        if blind >= BLIND {
            return Over::Ended;
        }
        tokio::time::sleep(EVERY).await;
    }
}

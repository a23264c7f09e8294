//! How far a tenant may be brought now: a step that takes something away waits for servers that use it.

use super::{MigrateError, Migrator, control::one, event::Waiting, steps_after};
use praxis_migration::Step;
use sea_orm::DatabaseConnection;

/// The oldest build of a server that said within half a minute that it is there.
const OLDEST: &str =
    "SELECT min(build) AS n FROM control.server WHERE seen_at > now() - interval '30 seconds'";

/// How far tenants may be brought.
pub(super) struct Reach {
    target: i32,
    /// Steps that have to wait, by their version.
    waiting: Vec<(i32, Waiting)>,
}

impl Reach {
    /// The version that a tenant of this version may be brought to.
    pub(super) fn of(&self, version: i32) -> i32 {
        self.next(version).map_or(self.target, |(waits, _)| waits - 1)
    }

    /// The step that a tenant of this version has to wait with.
    pub(super) fn waiting(&self, version: i32) -> Option<&Waiting> {
        self.next(version).map(|(_, waiting)| waiting)
    }

    fn next(&self, version: i32) -> Option<&(i32, Waiting)> {
        self.waiting.iter().find(|(waits, _)| *waits > version)
    }
}

impl Migrator {
    /// Looks which servers there are, and what has to wait for them.
    pub(super) async fn reach(
        &self,
        db: &DatabaseConnection,
        expand_only: bool,
    ) -> Result<Reach, MigrateError> {
        let oldest_server: Option<i32> = one::<Option<i32>>(db, OLDEST).await?.flatten();
        let waits = |needs: i32| expand_only || oldest_server.is_some_and(|build| build < needs);
        let waiting = steps_after(&self.tenant, 0)
            .filter_map(|(version, step)| {
                let needs = step.oldest_build().filter(|needs| waits(*needs))?;
                Some((version, Waiting { step: step.name().to_owned(), needs, oldest_server }))
            })
            .collect();
        Ok(Reach { target: self.tenant_target(), waiting })
    }

    /// Fails if a server is there that uses what a step takes away. One that comes later finds the clinic closed to it.
    pub(super) async fn nobody_uses(&self, db: &DatabaseConnection, step: &Step) -> Result<(), MigrateError> {
        let Some(needs) = step.oldest_build() else { return Ok(()) };
        match one::<Option<i32>>(db, OLDEST).await?.flatten() {
            Some(build) if build < needs => Err(MigrateError::InUse { step: step.name().to_owned(), build }),
            _ => Ok(()),
        }
    }
}

//! Writers wait; what is left is carried; and the clinic is at its new home.
//!
//! Three servers take part, and there is no moment that they share. So the order is what keeps writes from being lost: the
//! new home is complete and committed, then the old one is closed, and only then the control schema says where the clinic is.
//! Killed before the old home is closed, nothing has happened. Killed between that and the last step, the old home is read
//! and not written, until the move is taken up. After it, the rest is clearing away.

use std::time::Instant;

use sqlx::{Connection, postgres::PgConnection};

use super::{Journey, Keyed, carry, old_home};
use crate::tenant::{
    LifeError, copy,
    operation::is_under_way,
    run,
    swap::{lying_beside, something_lies_beside},
};

/// What came of a try.
pub(super) enum Attempt {
    /// The clinic is at its new home. The connection sees that as it was before anybody was served from it.
    Moved(PgConnection),
    /// Somebody was writing for longer than others can be kept waiting.
    Busy,
    /// Another operation on the clinic is to come to its end first.
    Others,
}

impl Journey<'_, '_> {
    pub(super) async fn flip(&mut self, tables: &[Keyed]) -> Result<Attempt, LifeError> {
        let mut witness = self.ground.home(&self.told.to).await?;
        let mut control = self.control.begin().await?;
        run(&mut control, "SET LOCAL lock_timeout = '2s'".to_owned()).await?;
        // First what may have to be waited for, while nobody else waits: the clinic's row, and the turn to change the directory.
        let moved = sqlx::query(
            "UPDATE control.tenant SET cell_id = $2, login_shard = $4, moving_to = NULL
             WHERE id = $1 AND moving_to = $2 AND schema_version = $3",
        )
        .bind(self.clinic.id)
        .bind(&self.told.to)
        .bind(self.clinic.schema_version)
        .bind(self.shard)
        .execute(&mut *control)
        .await;
        match moved {
            Err(error) if old_home::is_contention(&error) => {
                control.rollback().await?;
                return Ok(Attempt::Others);
            }
            Err(error) => return Err(error.into()),
            Ok(moved) if moved.rows_affected() == 0 => return Err(LifeError::CalledOff),
            Ok(_) => {}
        }
        if is_under_way(&mut control, self.clinic.id, self.work.id()).await? {
            control.rollback().await?;
            return Ok(Attempt::Others);
        }
        if lying_beside(&mut control, Some(&mut self.source), self.clinic.id).await?.is_some() {
            return Err(something_lies_beside());
        }

        let mut source = self.source.begin().await?;
        let begun = Instant::now();
        self.told.pauses += 1;
        if let Err(error) = old_home::hold_writers(&mut source, &self.names, tables).await {
            source.rollback().await?;
            control.rollback().await?;
            self.told.longest_pause_ms = self.told.longest_pause_ms.max(millis(begun));
            return if old_home::is_contention(&error) { Ok(Attempt::Busy) } else { Err(error.into()) };
        }
        run(&mut source, copy::FORM.to_owned()).await?;
        let mut target = self.target.begin().await?;
        copy::to_write(&mut target).await?;
        let changes = old_home::take(&mut source, &self.names).await?;
        carry::changed(&mut source, &mut target, &self.names, tables, &changes).await?;
        carry::compare_changed(&mut source, &mut target, &self.names, tables, &changes).await?;
        carry::sequences(&mut source, &mut target, &self.names).await?;
        carry::hints(&mut source, &mut target, &self.names).await?;
        target.commit().await?;
        // From now on it sees what there is, whatever is done to it.
        let one_moment = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1";
        run(&mut witness, one_moment.to_owned()).await?;

        self.told.rounds += 1;
        self.told.changed += changes.len() as u64;
        old_home::fence(&mut source, &self.names).await?;
        let before = self.told.longest_pause_ms;
        // What is written down is as much as is known before the last step; where that is not the end, it is written anew.
        self.told.longest_pause_ms = before.max(millis(begun));
        let detail = serde_json::json!({
            "from": self.told.from, "to": self.told.to, "rows": self.told.rows, "pauseMs": millis(begun),
        });
        self.clinic.note(&mut control, "MOVED", detail).await?;
        self.work.keep(&mut control, &self.told, false).await?;
        source.commit().await?;
        control.commit().await?;
        self.told.longest_pause_ms = before.max(millis(begun));
        Ok(Attempt::Moved(witness))
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

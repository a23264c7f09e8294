//! Servers say that they are there, so that no migration takes away what one of them uses.

use uuid::Uuid;

use super::{Control, snapshot::snapshot_version};

impl Control {
    /// Says that a server of this build is there. Said again every few seconds; whoever was not heard of for half a
    /// minute counts as gone, and is forgotten after a day.
    pub async fn announce(&self, server: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query(
            "WITH forgotten AS (DELETE FROM control.server WHERE seen_at < now() - interval '1 day')
             INSERT INTO control.server (id, build) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen_at = now()",
        )
        .bind(server)
        .bind(snapshot_version())
        .execute(self.pool())
        .await
        .map(|_| ())
    }

    /// Says that a server goes.
    pub async fn take_leave(&self, server: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM control.server WHERE id = $1")
            .bind(server)
            .execute(self.pool())
            .await
            .map(|_| ())
    }
}

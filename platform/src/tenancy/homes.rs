//! Where a clinic is, for whoever found it gone from where it was.
//!
//! The directory hears of a move a moment after it. Until then a server goes to the old home, which refuses to be written,
//! or is not there any more; and asks the control schema instead of waiting to be told. Nothing was done by what was
//! refused, so that it is done at the new home as if it had gone there at once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use praxis_entity::ids::TenantId;
use sea_orm::DbErr;

use super::{Control, Tenant};
use crate::error::sqlstate;

/// How long whoever finds a clinic moving waits for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks where it is.
const BREATH: Duration = Duration::from_millis(15);
/// What was asked by somebody else so lately is not asked again.
const NEWS: Duration = Duration::from_millis(10);

/// What is said of a clinic that is on its way and does not arrive.
const MOVING: &str = "the tenant moves to another cell";

/// A place where a clinic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    /// The cell.
    pub cell: String,
    /// The login role that serves it there.
    pub shard: i32,
    /// How often it moved before it was there.
    pub moves: i64,
}

/// The latest homes of clinics that moved, as far as they are known here.
#[derive(Default)]
pub(super) struct Homes {
    found: Mutex<HashMap<TenantId, Home>>,
    asked: tokio::sync::Mutex<HashMap<TenantId, (Instant, bool)>>,
}

/// An error of somebody who never got to know where the clinic is.
pub(super) fn moving() -> DbErr {
    DbErr::Custom(MOVING.to_owned())
}

/// Whether an error says that the clinic is on its way.
pub(crate) fn is_moving(error: &DbErr) -> bool {
    matches!(error, DbErr::Custom(text) if text == MOVING)
}

/// Whether the home is closed to writers: the clinic is about to be elsewhere.
fn is_closed(error: &DbErr) -> bool {
    sqlstate(error).is_some_and(|code| code == "PX007")
}

/// Whether somebody who comes to the old home of a clinic that moved may be told so: it is closed; tables, schema or role are
/// not there, or not for the login role.
pub(super) fn may_be_gone(error: &DbErr) -> bool {
    sqlstate(error)
        .is_some_and(|code| matches!(&*code, "PX007" | "42P01" | "3F000" | "42501" | "22023" | "42704"))
}

impl Control {
    /// Where a clinic is, as far as it is known here.
    pub(super) fn home(&self, tenant: &Tenant) -> Home {
        let told = Home { cell: tenant.cell.clone(), shard: tenant.login_shard, moves: tenant.moves };
        let mut found = self.homes().found.lock().unwrap_or_else(PoisonError::into_inner);
        match found.get(&tenant.id) {
            Some(home) if home.moves > told.moves => home.clone(),
            // A request that began before it moved knows less than those that came since.
            _ if told.moves > 0 => {
                found.insert(tenant.id, told.clone());
                told
            }
            _ => told,
        }
    }

    /// Finds out whether what failed at a home is to be done again: the clinic is at another one, or was closed for a moment
    /// only. Gives the error back where that is not why it failed, and says that the clinic moves where it does not arrive.
    pub(super) async fn follow(
        &self,
        tenant: &Tenant,
        moves: i64,
        error: DbErr,
        deadline: Instant,
    ) -> Result<(), DbErr> {
        if !may_be_gone(&error) {
            return Err(error);
        }
        loop {
            let is_under_way = self.look(tenant).await?;
            if self.home(tenant).moves > moves {
                return Ok(());
            }
            if !is_under_way && !is_closed(&error) {
                return Err(error);
            }
            if Instant::now() >= deadline {
                return Err(if is_closed(&error) { moving() } else { error });
            }
            tokio::time::sleep(BREATH).await;
            if !is_under_way {
                // It was called off, or nobody has cleared it away yet.
                return Ok(());
            }
        }
    }

    /// Asks where the clinic is, and whether it is on its way.
    async fn look(&self, tenant: &Tenant) -> Result<bool, DbErr> {
        let mut asked = self.homes().asked.lock().await;
        if let Some((at, is_under_way)) = asked.get(&tenant.id)
            && at.elapsed() < NEWS
        {
            return Ok(*is_under_way);
        }
        let sql =
            "SELECT cell_id, login_shard, moves, moving_to IS NOT NULL FROM control.tenant WHERE id = $1";
        let row: Option<(String, i32, i64, bool)> = sqlx::query_as(sql)
            .bind(tenant.id.0)
            .fetch_optional(self.pool())
            .await
            .map_err(super::pool::connection_error)?;
        let Some((cell, shard, moves, is_under_way)) = row else { return Ok(false) };
        if moves > tenant.moves {
            let mut found = self.homes().found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert(tenant.id, Home { cell, shard, moves });
        }
        asked.retain(|_, (at, _)| at.elapsed() < NEWS);
        asked.insert(tenant.id, (Instant::now(), is_under_way));
        Ok(is_under_way)
    }
}

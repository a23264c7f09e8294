//! Which tenants have work waiting, for workers that serve all of them.
//!
//! Work lies in the tenants' own schemas; a hint in the schema `cell` says where to look and from
//! when on. Whoever makes work calls [`Op::wake`](crate::Op::wake), and the hint is committed with it;
//! so a worker asks one question per round instead of one per tenant, and nothing that waits is
//! overlooked: a hint is deleted only after somebody who saw it has looked. Each cell has hints of its own clinics.

use chrono::{DateTime, Utc};
use praxis_entity::ids::{TenantId, decode_base32};

use super::{Control, SchemaName, hints::CellHints};
use crate::Failure;

/// A kind of work that tenants have waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Mails to be sent.
    Mail,
    /// Jobs to be done.
    Jobs,
    /// Notices to be sent.
    Notices,
}

impl Queue {
    /// The stored form.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Jobs => "jobs",
            Self::Notices => "notices",
        }
    }
}

/// A tenant to look at, and the hints that said so.
#[derive(Debug)]
pub struct Woken {
    /// The tenant.
    pub tenant: TenantId,
    /// The cell whose hints they are.
    cell: String,
    hints: Vec<i64>,
}

/// The tenants that have waited for longest come first. Hints that another worker is taking are left
/// to it; all hints of a tenant are taken together, so that a busy one counts as one.
const TAKE: &str = "WITH chosen AS (
        SELECT tenant FROM cell.ready WHERE queue = $1 AND run_at <= $2 AND tenant <> ALL($5)
        GROUP BY tenant ORDER BY min(run_at) LIMIT $4),
    due AS (
        SELECT r.id FROM cell.ready r JOIN chosen USING (tenant)
        WHERE r.queue = $1 AND r.run_at <= $2 FOR UPDATE OF r SKIP LOCKED),
    taken AS (UPDATE cell.ready r SET run_at = $3 FROM due WHERE r.id = due.id RETURNING r.tenant, r.id)
    SELECT tenant, array_agg(id) FROM taken GROUP BY tenant";

/// Tenants of a cell that may be changed.
const ACTIVE: &str =
    "SELECT schema_name FROM control.tenant WHERE state = 'ACTIVE' AND cell_id = $1 ORDER BY id";

/// Those of some tenants that lack one of the recurring jobs.
const UNPLANNED: &str =
    "SELECT t.schema_name FROM unnest($2::text[]) WITH ORDINALITY AS t (schema_name, place) WHERE EXISTS (
        SELECT FROM unnest($1::text[]) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM cell.planned p WHERE p.tenant = t.schema_name AND p.name = wanted.name))
    ORDER BY t.place LIMIT 1000";

impl Control {
    /// Tenants whose recurring jobs are not all written down, a thousand of each cell at the most. A cell that is away
    /// is left for the next time.
    pub async fn unplanned(&self, names: &[String]) -> Result<Vec<TenantId>, Failure> {
        let mut unplanned = Vec::new();
        let mut asked = Asked::default();
        for cell in self.hints().in_turn() {
            let active: Vec<String> = sqlx::query_scalar(ACTIVE)
                .bind(&cell.cell)
                .fetch_all(self.pool())
                .await
                .map_err(control_failure)?;
            if active.is_empty() {
                asked.answered();
                continue;
            }
            let query = sqlx::query_scalar::<_, String>(UNPLANNED).bind(names).bind(active);
            if let Some(roles) = asked.note(cell, query.fetch_all(&cell.pool).await) {
                unplanned.extend(roles.iter().filter_map(|role| tenant_of(role)));
            }
        }
        asked.end()?;
        Ok(unplanned)
    }

    /// Takes up to `most` tenants that have work of a kind and are not `busy` here already. Until
    /// `lease_ends` nobody else gets them, unless they are woken anew.
    pub async fn take_ready(
        &self,
        queue: Queue,
        now: DateTime<Utc>,
        lease_ends: DateTime<Utc>,
        most: usize,
        busy: &[TenantId],
    ) -> Result<Vec<Woken>, Failure> {
        let busy: Vec<_> = busy.iter().map(|id| SchemaName::of(*id).as_str().to_owned()).collect();
        let mut taken: Vec<Woken> = Vec::new();
        let mut asked = Asked::default();
        for cell in self.hints().in_turn() {
            let room = most.saturating_sub(taken.len());
            if room == 0 {
                break;
            }
            let query = sqlx::query_as::<_, (String, Vec<i64>)>(TAKE)
                .bind(queue.code())
                .bind(now)
                .bind(lease_ends)
                .bind(i64::try_from(room).unwrap_or(i64::MAX))
                .bind(&busy);
            let rows = asked.note(cell, query.fetch_all(&cell.pool).await).unwrap_or_default();
            let woken = |(role, hints): (String, Vec<i64>)| {
                Some(Woken { tenant: tenant_of(&role)?, cell: cell.cell.clone(), hints })
            };
            // One that has hints in two cells, because it moved, has one turn.
            for woken in rows.into_iter().filter_map(woken) {
                if !taken.iter().any(|other| other.tenant == woken.tenant) {
                    taken.push(woken);
                }
            }
        }
        asked.end()?;
        Ok(taken)
    }

    /// Has a tenant's turn done. Its hints are put down after it; where it failed, or there is nobody whose turn it
    /// could be, they are put off.
    pub async fn look_after<T: Default>(
        &self,
        woken: &Woken,
        set_aside: DateTime<Utc>,
        turn: Option<impl Future<Output = Result<T, Failure>>>,
    ) -> Result<T, Failure> {
        let outcome = match turn {
            Some(turn) => Some(turn.await),
            None => None,
        };
        let hints = match &outcome {
            Some(Ok(_)) => self.put_down(woken).await,
            Some(Err(_)) | None => self.put_off(woken, set_aside).await,
        };
        let done = outcome.transpose()?.unwrap_or_default();
        hints.map_err(control_failure)?;
        Ok(done)
    }

    /// The work was looked at: what is left of it has hints of its own.
    async fn put_down(&self, woken: &Woken) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM cell.ready WHERE id = ANY($1)")
            .bind(&woken.hints)
            .execute(&self.hints().of(&woken.cell)?.pool)
            .await
            .map(|_| ())
    }

    /// The work could not be looked at: somebody is to try at another time. One hint says so, however many there were: a
    /// clinic that nobody serves is put off again and again.
    async fn put_off(&self, woken: &Woken, until: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let one = "WITH kept AS (UPDATE cell.ready SET run_at = $2 WHERE id = $1[1]) \
            DELETE FROM cell.ready WHERE id = ANY($1[2:])";
        sqlx::query(one)
            .bind(&woken.hints)
            .bind(until)
            .execute(&self.hints().of(&woken.cell)?.pool)
            .await
            .map(|_| ())
    }
}

/// What came of asking the cells: it fails where none of them answered.
#[derive(Default)]
struct Asked {
    answered: bool,
    failed: Option<sqlx::Error>,
}

impl Asked {
    fn answered(&mut self) {
        self.answered = true;
    }

    /// What a cell answered. That it did not is told, and the others are asked all the same.
    fn note<T>(&mut self, cell: &CellHints, answer: Result<T, sqlx::Error>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.answered = true;
                Some(answer)
            }
            Err(error) => {
                cell.failed(&error);
                self.failed = Some(error);
                None
            }
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self.failed {
            Some(error) if !self.answered => Err(control_failure(error)),
            _ => Ok(()),
        }
    }
}

/// The tenant of a role, which is called like its schema.
fn tenant_of(role: &str) -> Option<TenantId> {
    role.strip_prefix("t_").and_then(decode_base32).map(TenantId)
}

/// The control schema could not be asked.
fn control_failure(error: sqlx::Error) -> Failure {
    Failure::Unavailable(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(std::sync::Arc::new(error))))
}

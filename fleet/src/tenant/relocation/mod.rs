//! A clinic moves to another cell while it works.
//!
//! All rows are copied as they were at one moment, while triggers at the old home write down what is changed meanwhile. That
//! is carried after them in rounds, until a round is small; and everything is compared. Then writers wait, in the database,
//! for the time that the last round takes: it is carried, the old home is closed to writers for good, and one transaction of
//! the control schema says that the clinic is at its new home. Until then it can be given up at any point, and the clinic
//! goes on where it was; from then on only what is left at the old home is to be cleared away. A mover that is killed is
//! taken up, and does what is left of the one or the other.

mod carry;
mod flip;
mod keys;
mod old_home;
mod prepare;
mod retire;

pub use prepare::may_move_to;

use std::time::{Duration, Instant};

use praxis_platform::tenancy::SchemaName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::time::sleep;
use uuid::Uuid;

use self::{flip::Attempt, keys::Keyed};
use super::{
    Clinic, Ground, LifeError, Named, copy,
    operation::{Begun, Kind, Work},
    run,
};

/// Which clinic moves, and where to.
pub struct Relocating<'a> {
    /// The clinic.
    pub clinic: Named<'a>,
    /// The cell that it moves to.
    pub to: &'a str,
    /// What the operation is known by.
    pub key: &'a str,
}

/// What came of a move.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Relocated {
    /// The subdomain of the clinic.
    pub slug: String,
    /// The cell that it was in.
    pub from: String,
    /// The cell that it is in.
    pub to: String,
    /// Rows that were copied at first.
    pub rows: u64,
    /// Rows that were changed meanwhile, and carried after them.
    pub changed: u64,
    /// How often what was changed was carried.
    pub rounds: u32,
    /// How often writers were asked to wait.
    pub pauses: u32,
    /// For how long they waited at the most, in milliseconds.
    pub longest_pause_ms: u64,
    /// Rows that were compared before the clinic was served from its new home.
    pub compared: u64,
    /// Rows that were compared once more, as the old home was when it was closed; none where the mover was killed in between.
    pub compared_after: Option<u64>,
    /// A table that was found to differ after all: the old home was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// What things are called during a move.
struct Names {
    /// The clinic's schema and role.
    schema: SchemaName,
    /// Where it is written down what changes.
    journal: String,
    /// The old home, when it is none any more.
    past: String,
}

impl Names {
    fn of(schema: &SchemaName) -> Self {
        let digits = schema.as_str().trim_start_matches("t_");
        Self { schema: schema.clone(), journal: format!("moving_{digits}"), past: format!("moved_{digits}") }
    }
}

/// A round of so few changes is small: the next one is made while writers wait.
const SMALL: usize = 100;
/// Rounds that are made at the most: whoever writes faster than it can be carried waits for a little longer.
const ROUNDS: u32 = 12;
/// How often writers are asked to wait at the most.
const PAUSES: u32 = 40;
/// Between two pauses: a long write must come to its end meanwhile.
const BETWEEN: Duration = Duration::from_millis(700);
/// How long another operation on the clinic is waited for.
const PATIENCE: Duration = Duration::from_mins(10);

/// Moves a clinic.
pub async fn relocate(ground: &Ground<'_>, wanted: &Relocating<'_>) -> Result<Relocated, LifeError> {
    let mut control = ground.connect().await?;
    let clinic = Clinic::of(&mut control, wanted.clinic).await?;
    let ledger = ground.connect().await?;
    let asked = json!({ "to": wanted.to });
    let begun =
        Work::begin(ledger, clinic.id, Kind::Move, (wanted.key, &asked), ground.clock.new_id()).await?;
    match begun {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            // Whoever looks for what was killed can do the rest of it.
            work.leave_to_others(&json!({ "to": wanted.to })).await?;
            let result = journey(ground, &mut control, clinic, wanted.to, &mut work).await;
            work.end(result).await
        }
    }
}

/// Calls a move off that has not come to its end; false where there is none, or it is too late. Whoever is at it, or takes it
/// up, notices and clears away.
pub async fn call_off<'a>(admin: &mut PgConnection, clinic: impl Into<Named<'a>>) -> Result<bool, LifeError> {
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    let sql = "UPDATE control.tenant SET moving_to = NULL WHERE id = $1 AND moving_to IS NOT NULL";
    let is_called_off =
        sqlx::query(sql).bind(clinic.id).execute(&mut *transaction).await?.rows_affected() == 1;
    if is_called_off {
        clinic.note(&mut transaction, "MOVE_CALLED_OFF", json!({})).await?;
    }
    transaction.commit().await?;
    Ok(is_called_off)
}

/// Clears away what a move left that was called off, or killed before, unless somebody is at it.
pub async fn clear_called_off<'a>(
    ground: &Ground<'_>,
    clinic: impl Into<Named<'a>>,
) -> Result<(), LifeError> {
    let mut control = ground.connect().await?;
    let clinic = Clinic::of(&mut control, clinic).await?;
    let find = "SELECT id, asked->>'to' FROM control.operation WHERE tenant_id = $1 AND kind = 'MOVE' AND state = 'RUNNING'
        AND asked IS NOT NULL";
    let left: Vec<(Uuid, String)> = sqlx::query_as(find).bind(clinic.id).fetch_all(&mut control).await?;
    for (id, to) in left {
        match Work::take_up(ground.connect().await?, id).await {
            Ok(Begun::Now(mut work)) => {
                let result = journey(ground, &mut control, clinic.clone(), &to, &mut work).await;
                match work.end(result).await {
                    Ok(_) | Err(LifeError::CalledOff) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(Begun::Before(_)) | Err(LifeError::Locked) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A move that is under way: its ends, and what is known of it.
struct Journey<'a, 'g> {
    ground: &'a Ground<'g>,
    clinic: Clinic,
    names: Names,
    /// The login role that serves it at the new home.
    shard: i32,
    control: &'a mut PgConnection,
    source: PgConnection,
    target: PgConnection,
    work: &'a mut Work,
    told: Relocated,
}

async fn journey(
    ground: &Ground<'_>,
    control: &mut PgConnection,
    clinic: Clinic,
    to: &str,
    work: &mut Work,
) -> Result<Relocated, LifeError> {
    let before: Relocated = serde_json::from_value(work.kept::<Value>().await?).unwrap_or_default();
    if let Some(table) = before.differs {
        return Err(LifeError::Refused(format!(
            "{table} differed after the move: the old home is kept in cell {}; look at both, and drop it by hand",
            before.from
        )));
    }
    let is_there = clinic.cell == to;
    let before_from = before.from.clone();
    let from = if is_there && !before.from.is_empty() { before.from.clone() } else { clinic.cell.clone() };
    if from == to {
        return Err(LifeError::Refused(format!("the tenant is in cell {to} already")));
    }
    let names = Names::of(&clinic.schema);
    let (source, target) = (ground.home(&from).await?, ground.home(to).await?);
    let told = if is_there {
        before
    } else {
        Relocated { slug: clinic.slug.clone(), from, to: to.to_owned(), ..Relocated::default() }
    };
    let mut journey =
        Journey { ground, shard: clinic.login_shard, clinic, names, control, source, target, work, told };
    if is_there {
        // Killed after the flip.
        journey.retire(None).await?;
        return Ok(journey.told);
    }
    let is_resumed = !before_from.is_empty();
    match journey.travel(is_resumed).await {
        Ok(witness) => {
            journey.retire(Some(witness)).await?;
            Ok(journey.told)
        }
        Err(error) => {
            // What failed says more than what could not be cleared away; that is done when it is taken up.
            if let Err(left) = journey.give_up().await {
                tracing::warn!(error = %left, "what a move left could not be cleared away; run it again");
            }
            Err(error)
        }
    }
}

impl Journey<'_, '_> {
    /// Up to the flip. Gives back a connection that sees the new home as it was before anybody was served from it.
    async fn travel(&mut self, is_resumed: bool) -> Result<PgConnection, LifeError> {
        self.work.at("prepare", 0).await?;
        self.depart(is_resumed).await?;
        self.clear().await?;
        self.work.tell(&serde_json::to_value(&self.told).unwrap_or_default()).await?;
        self.make_home().await?;
        let tables = keys::keyed(&mut self.source, self.names.schema.as_str()).await?;
        old_home::watch(&mut self.source, &self.names, &tables).await?;
        self.copy(&tables).await?;
        self.work.at("catch up", self.told.rows).await?;
        self.catch_up(&tables).await?;
        self.work.at("compare", self.told.rows).await?;
        self.round(&tables, true).await?;
        self.catch_up(&tables).await?;
        self.work.at("pause", self.told.rows).await?;
        let began = Instant::now();
        loop {
            match self.flip(&tables).await? {
                Attempt::Moved(witness) => return Ok(witness),
                Attempt::Busy if self.told.pauses < PAUSES => {}
                Attempt::Busy => {
                    return Err(LifeError::Refused(format!(
                        "somebody writes for too long: writers were asked to wait {PAUSES} times"
                    )));
                }
                Attempt::Others if began.elapsed() < PATIENCE => {}
                Attempt::Others => return Err(LifeError::Locked),
            }
            sleep(BETWEEN).await;
            self.catch_up(&tables).await?;
        }
    }

    async fn copy(&mut self, tables: &[Keyed]) -> Result<(), LifeError> {
        let mut source = self.source.begin().await?;
        copy::at_one_moment(&mut source, self.names.schema.as_str()).await?;
        let mut target = self.target.begin().await?;
        copy::to_write(&mut target).await?;
        for keyed in tables {
            self.told.rows += carry::whole(&mut source, &mut target, &self.names, keyed).await?;
            self.work.at(&keyed.table.name, self.told.rows).await?;
            (self.ground.progress)(&keyed.table.name, self.told.rows);
        }
        target.commit().await?;
        source.rollback().await?;
        // Plans are made by what is known of the tables, and nobody waits for it yet.
        for keyed in tables {
            let table = copy::qualified(self.names.schema.as_str(), &keyed.table.name);
            run(&mut self.target, format!("ANALYZE {table}")).await?;
        }
        Ok(())
    }

    /// Carries what was changed, until that is little.
    async fn catch_up(&mut self, tables: &[Keyed]) -> Result<(), LifeError> {
        for _ in 0..ROUNDS {
            self.still_wanted().await?;
            if self.round(tables, false).await? <= SMALL {
                break;
            }
        }
        Ok(())
    }

    /// Carries what was changed up to a moment; and compares everything as it was at that moment.
    async fn round(&mut self, tables: &[Keyed], compare: bool) -> Result<usize, LifeError> {
        let mut source = self.source.begin().await?;
        run(&mut source, format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {}", copy::FORM)).await?;
        let mut target = self.target.begin().await?;
        copy::to_write(&mut target).await?;
        let changes = old_home::take(&mut source, &self.names).await?;
        carry::changed(&mut source, &mut target, &self.names, tables, &changes).await?;
        if compare {
            let schema = self.names.schema.as_str();
            self.told.compared =
                carry::compare_whole((&mut source, schema), (&mut target, schema), tables).await?;
        }
        // The new home first: what is carried twice is the same.
        target.commit().await?;
        source.commit().await?;
        self.told.rounds += 1;
        self.told.changed += changes.len() as u64;
        (self.ground.progress)("catch up", self.told.rows + self.told.changed);
        Ok(changes.len())
    }
}

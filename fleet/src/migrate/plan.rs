//! What `up` would do, before it does it: steps, statements, locks, and how long it may take.

use std::{collections::BTreeMap, time::Duration};

use praxis_migration::{Way, locks::Own};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde::Serialize;

use super::{
    MigrateError, Migrator, Options, Waiting,
    control::statement,
    fleet::{must_exist, tenants},
    steps_after,
};

/// A lock on a table that clinics work with.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedLock {
    /// The table.
    pub table: String,
    /// The lock, as Postgres calls it.
    pub mode: String,
    /// Whether it is held while all rows are read or written anew.
    pub long: bool,
}

/// A statement of a step.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStatement {
    /// Its first line.
    pub statement: String,
    /// What it locks.
    pub locks: Vec<PlannedLock>,
}

/// A step that tenants lack.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStep {
    /// The version that it leads to.
    pub version: i32,
    /// Its name.
    pub step: String,
    /// `transaction`, `concurrent` or `batches`.
    pub way: &'static str,
    /// How many tenants lack it.
    pub tenants: usize,
    /// Its statements.
    pub statements: Vec<PlannedStatement>,
    /// Why it is not begun now, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// What `up` would do.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Steps of the control schema.
    pub control: Vec<String>,
    /// Steps of tenants.
    pub steps: Vec<PlannedStep>,
    /// The waves and how many tenants are in each.
    pub waves: Vec<(String, usize)>,
    /// How long the steps took for each tenant in earlier runs, times what is to be done, by so many at a time; none
    /// when there was no earlier run.
    pub estimated_seconds: Option<f64>,
}

impl Migrator {
    /// Looks what a run with these options would do.
    pub async fn plan(&self, options: &Options) -> Result<Plan, MigrateError> {
        let (db, control) = self.control_now().await?;
        let steps = self.control_steps_after(control);
        if control < self.control_target() {
            // What is asked below may not be there yet.
            let waves = Vec::new();
            return Ok(Plan { control: steps, steps: Vec::new(), waves, estimated_seconds: None });
        }
        must_exist(&db, &options.selection).await?;
        let reach = self.reach(&db, options.expand_only).await?;
        let behind = tenants(&db, &options.selection, self.tenant_target()).await?;
        let mut lacking: BTreeMap<i32, usize> = BTreeMap::new();
        let mut waiting: BTreeMap<i32, Waiting> = BTreeMap::new();
        let mut todo = 0_u32;
        for tenant in &behind {
            let reached = reach.of(tenant.version);
            for (version, _) in steps_after(&self.tenant, tenant.version) {
                *lacking.entry(version).or_default() += 1;
                match reach.waiting(tenant.version) {
                    Some(why) if version > reached => _ = waiting.insert(version, why.clone()),
                    _ => todo += 1,
                }
            }
        }
        let steps = steps_after(&self.tenant, 0)
            .filter_map(|(version, step)| Some((version, step, *lacking.get(&version)?)))
            .map(|(version, step, tenants)| PlannedStep {
                version,
                step: step.name().to_owned(),
                way: way(step.way()),
                tenants,
                statements: statements(step),
                waiting: waiting.remove(&version),
            })
            .collect();
        let waves =
            options.waves.share(behind).into_iter().map(|(wave, tenants)| (wave, tenants.len())).collect();
        let took = took(&db).await?;
        let estimated_seconds = took.map(|took| {
            let lanes = u32::try_from(options.parallel.clamp(1, 64)).unwrap_or(1);
            (took * todo / lanes).as_secs_f64()
        });
        Ok(Plan { control: Vec::new(), steps, waves, estimated_seconds })
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Transaction => "transaction",
        Way::Concurrent => "concurrent",
        Way::Batches => "batches",
    }
}

fn statements(step: &praxis_migration::Step) -> Vec<PlannedStatement> {
    let mut own = Own::default();
    let planned = |statement: &praxis_migration::sql::Statement<'_>| PlannedStatement {
        statement: first_line(statement.text),
        locks: own
            .locks(statement)
            .into_iter()
            .map(|lock| PlannedLock {
                table: lock.table,
                mode: lock.mode.to_string(),
                long: lock.holds > praxis_migration::locks::Holds::Briefly,
            })
            .collect(),
    };
    step.statements().iter().map(planned).collect()
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("--"));
    line.unwrap_or_default().to_owned()
}

/// How long a step took for a tenant, on an average of the last run that had any.
async fn took(db: &DatabaseConnection) -> Result<Option<Duration>, MigrateError> {
    let sql = "SELECT avg(duration_ms) AS n FROM control.migration_run_step WHERE run_id = (
        SELECT run_id FROM control.migration_run_step ORDER BY finished_at DESC LIMIT 1)";
    let row = db.query_one_raw(statement(sql, [])).await?;
    let milliseconds: Option<f64> = row.map(|row| row.try_get("", "n")).transpose()?.flatten();
    Ok(milliseconds.map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0)))
}

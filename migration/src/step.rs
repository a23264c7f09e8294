//! One step of a schema's history: SQL, how it runs, and who can live with it.
//!
//! A step is a file of SQL. Its head may say more, in comments that begin with `-- praxis:`:
//!
//! | directive | meaning |
//! | --- | --- |
//! | `concurrent` | builds or drops indexes outside of a transaction |
//! | `batches` | one statement that changes a limited number of rows, repeated until it changes none |
//! | `contract N` | takes away what builds before step N use: waits until no such server runs |
//!
//! A step without a directive runs in one transaction, and the build before it works on after it.

use std::borrow::Cow;

use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbErr},
};

use crate::sql::{Statement, statements};

/// How a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// All statements in one transaction, with the version.
    Transaction,
    /// Statement by statement outside of one; each is looked after, so that it can be interrupted.
    Concurrent,
    /// One statement, each time in a transaction of its own, until it changes nothing.
    Batches,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    name: Cow<'static, str>,
    sql: Cow<'static, str>,
    way: Way,
    contract: Option<i32>,
    unknown: Vec<String>,
}

impl Step {
    /// Reads a step.
    pub fn new(name: impl Into<Cow<'static, str>>, sql: impl Into<Cow<'static, str>>) -> Self {
        let (name, sql) = (name.into(), sql.into());
        let mut step = Self { name, sql, way: Way::Transaction, contract: None, unknown: Vec::new() };
        let directives: Vec<String> = step
            .sql
            .lines()
            .filter_map(|line| line.strip_prefix("-- praxis:").map(|rest| rest.trim().to_owned()))
            .collect();
        for directive in directives {
            let mut words = directive.split_whitespace();
            match (words.next(), words.next().map(str::parse)) {
                (Some("concurrent"), None) => step.way = Way::Concurrent,
                (Some("batches"), None) => step.way = Way::Batches,
                (Some("contract"), Some(Ok(build))) => step.contract = Some(build),
                _ => step.unknown.push(directive),
            }
        }
        step
    }

    /// Its name, which is its file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// How it runs.
    pub fn way(&self) -> Way {
        self.way
    }

    /// The oldest build that works on after it, where not every one does.
    pub fn oldest_build(&self) -> Option<i32> {
        self.contract
    }

    /// True when the code of this build needs it: an index can be waited for, and what a contracting step takes away
    /// is used no more.
    pub fn is_needed(&self) -> bool {
        self.way != Way::Concurrent && self.contract.is_none()
    }

    /// Its statements as they run in an empty schema that nobody waits for: all in one transaction, indexes too.
    pub fn replayed(&self) -> impl Iterator<Item = String> {
        self.statements().into_iter().map(|statement| statement.text.replace(" CONCURRENTLY", ""))
    }

    /// Directives that mean nothing.
    pub fn unknown_directives(&self) -> &[String] {
        &self.unknown
    }

    /// Its statements.
    pub fn statements(&self) -> Vec<Statement<'_>> {
        statements(&self.sql)
    }
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(self.way == Way::Transaction)
    }

    /// Runs the statements one after the other. How often, and what comes between, is the runner's.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in self.statements() {
            manager.get_connection().execute_unprepared(statement.text).await?;
        }
        Ok(())
    }
}

/// The oldest build that can serve a schema at this version.
pub fn oldest_build(steps: &[Step], version: i32) -> i32 {
    let applied = usize::try_from(version).unwrap_or(0);
    steps.iter().take(applied).filter_map(Step::oldest_build).max().unwrap_or(0)
}

/// The oldest version of a schema that a build with these steps can serve.
pub fn served_from(steps: &[Step]) -> i32 {
    (1..).zip(steps).filter(|(_, step)| step.is_needed()).map(|(version, _)| version).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_step_says_how_it_runs_and_who_can_live_with_it() {
        let plain = Step::new("m0001_a", "SELECT 1");
        assert_eq!((plain.way(), plain.oldest_build(), plain.is_needed()), (Way::Transaction, None, true));
        let index = Step::new("m0002_b", "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY a ON b (c)");
        assert_eq!((index.way(), index.is_needed()), (Way::Concurrent, false));
        let drop = Step::new("m0003_c", "-- Why.\n-- praxis: contract 2\nALTER TABLE a DROP COLUMN b");
        assert_eq!((drop.way(), drop.oldest_build()), (Way::Transaction, Some(2)));
        for wrong in ["contract", "contract x", "concurrent 1", "batch"] {
            let step = Step::new("m0004_d", format!("-- praxis: {wrong}\nSELECT 1"));
            assert_eq!(step.unknown_directives(), [wrong]);
        }
        let steps = [plain, index, drop];
        assert_eq!((1..4).map(|version| oldest_build(&steps, version)).collect::<Vec<_>>(), [0, 0, 2]);
        assert_eq!(served_from(&steps), 1);
    }
}

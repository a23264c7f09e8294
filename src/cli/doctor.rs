//! `praxis doctor`: looks at everything an installation needs and says what to do about the rest.

use anyhow::Result;
use chrono::{DateTime, Utc};
use praxis_fleet::cells::CellState;
use praxis_platform::{
    clock::{Clock, SystemClock},
    tenancy::{
        Hardening, InstallationFacts, MAIN, ServerFacts, check_hardening, connect_admin, installed, probe,
    },
};
use serde::Serialize;

use super::{Context, Exit};
use crate::{config::Config, root_key as root_key_of};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Failed,
    /// Another check has to succeed first.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do about it.
    hint: Option<&'static str>,
}

impl Check {
    fn judged(check: &'static str, good: bool, found: impl Into<String>, hint: &'static str) -> Self {
        let verdict = if good { Verdict::Ok } else { Verdict::Failed };
        Self { check, verdict, found: found.into(), hint: (!good).then_some(hint) }
    }

    fn skipped(check: &'static str) -> Self {
        Self { check, verdict: Verdict::Skipped, found: String::new(), hint: None }
    }
}

const OF_THE_SERVER: [&str; 8] = [
    "postgres version",
    "btree_gist",
    "max_locks_per_transaction",
    "clock",
    "hardening",
    "control schema",
    "tenants",
    "schemas",
];

/// Runs all checks; fails if one does.
pub async fn run(_args: Args, context: &Context) -> Result<Exit> {
    let checks = examine(context).await;
    context.output.print_rows(&["check", "verdict", "found", "hint"], &checks)?;
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

async fn examine(context: &Context) -> Vec<Check> {
    let config = match context.config() {
        Ok(config) => config,
        Err(invalid) => {
            let found = invalid.problems.join("; ");
            let hint = "see `praxis config print --explain` once these are put right";
            let mut checks = vec![Check::judged("configuration", false, found, hint)];
            checks.extend(["root key", "database"].into_iter().chain(OF_THE_SERVER).map(Check::skipped));
            return checks;
        }
    };
    let mut checks = vec![Check::judged("configuration", true, "valid", ""), root_key(&config).await];
    match look(&config).await {
        Ok((facts, hardening)) => {
            checks.push(Check::judged("database", true, "reachable", ""));
            checks.extend(server(&facts, SystemClock.now()));
            let hint =
                "run `praxis migrate up` as a superuser: it takes set_config and pg_settings from PUBLIC";
            let found = format!(
                "set_config {}, pg_settings {}",
                if hardening.set_config_revoked { "revoked" } else { "open to PUBLIC" },
                if hardening.settings_revoked { "revoked" } else { "open to PUBLIC" },
            );
            checks.push(Check::judged("hardening", hardening.complete(), found, hint));
            checks.extend(installation(facts.installation.as_ref()));
            checks.extend(cells(&config).await);
        }
        Err(error) => {
            let hint = "check DATABASE_URL, and that the server runs and accepts this login";
            checks.push(Check::judged("database", false, format!("{error:#}"), hint));
            checks.extend(OF_THE_SERVER.map(Check::skipped));
        }
    }
    checks
}

async fn root_key(config: &Config) -> Check {
    let hint = "set PRAXIS_ROOT_KEY_FILE to a file with mode 600; `praxis migrate up` makes a missing one";
    let database = match config.database.url() {
        Ok(url) => connect_admin(url).await.ok(),
        Err(_) => None,
    };
    let key = match database {
        Some(mut admin) => root_key_of::find(&config.keys, &mut admin).await,
        None => root_key_of::RootKeys::of(&config.keys),
    };
    match key {
        Ok(keys) => Check::judged("root key", true, keys.wrapper.id(), hint),
        Err(error) => Check::judged("root key", false, error.to_string(), hint),
    }
}

async fn look(config: &Config) -> Result<(ServerFacts, Hardening)> {
    let mut connection = connect_admin(config.database.url()?).await?;
    let facts = probe(&mut connection).await?;
    let hardening = check_hardening(&mut connection).await?;
    sqlx::Connection::close(connection).await?;
    Ok((facts, hardening))
}

fn server(facts: &ServerFacts, now: DateTime<Utc>) -> [Check; 4] {
    let skew = (facts.now - now).num_milliseconds().abs();
    let version = format!("{}.{}", facts.version / 10_000, facts.version % 10_000);
    [
        Check::judged(
            "postgres version",
            facts.version >= 150_000,
            version,
            "Postgres 15 or newer is needed",
        ),
        Check::judged(
            "btree_gist",
            facts.btree_gist,
            if facts.btree_gist { "available" } else { "missing" },
            "install the package of Postgres' contributed extensions",
        ),
        Check::judged(
            "max_locks_per_transaction",
            facts.max_locks >= 256,
            facts.max_locks.to_string(),
            "set it to 256 or more in postgresql.conf: making a clinic locks several hundred objects at once",
        ),
        Check::judged(
            "clock",
            skew <= 5_000,
            format!("{skew} ms apart"),
            "let both machines follow a time server: sessions end by the clock",
        ),
    ]
}

/// The further cells: whether each answers, is what it should be, at this build's version, and hardened.
async fn cells(config: &Config) -> Vec<Check> {
    let all = match all_cells(config).await {
        Ok(all) => all,
        Err(error) => {
            let hint = "run `praxis migrate up`";
            return vec![Check::judged("cells", false, format!("{error:#}"), hint)];
        }
    };
    all.iter().filter(|cell| cell.name != MAIN).map(cell).collect()
}

async fn all_cells(config: &Config) -> Result<Vec<CellState>> {
    let known = config.database.cells()?;
    let mut control = connect_admin(known.control()).await?;
    // Before there is an installation there are no cells.
    let Some(installation) = installed(&mut control).await? else { return Ok(Vec::new()) };
    if probe(&mut control).await?.installation.is_none() {
        return Ok(Vec::new());
    }
    Ok(praxis_fleet::cells::list(&mut control, &installation, &known).await?)
}

fn cell(cell: &CellState) -> Check {
    let known = i32::try_from(praxis_migration::cell::steps().len()).unwrap_or(i32::MAX);
    let (good, found, hint) = match (&cell.problem, cell.version, cell.hardened) {
        (Some(problem), ..) => (
            false,
            problem.clone(),
            "its clinics are not served: name its address in PRAXIS_CELLS, and see that it runs and accepts the login",
        ),
        (None, version, _) if version != Some(known) => {
            let found = format!("version {} of {known}", version.unwrap_or_default());
            (false, found, "run `praxis migrate up`, or a newer praxis if the cell is ahead")
        }
        (None, _, Some(true)) => (true, format!("version {known}, {} tenants", cell.tenants), ""),
        (None, ..) => (
            false,
            "set_config or pg_settings is open to PUBLIC".to_owned(),
            "run `praxis migrate up` as a superuser of the cell",
        ),
    };
    Check::judged("cell", good, format!("{}: {found}", cell.name), hint)
}

fn installation(facts: Option<&InstallationFacts>) -> [Check; 3] {
    let Some(facts) = facts else {
        let hint = "run `praxis migrate up`";
        let missing = Check::judged("control schema", false, "not there", hint);
        return [missing, Check::skipped("tenants"), Check::skipped("schemas")];
    };
    let known = i32::try_from(praxis_migration::control::steps().len()).unwrap_or(i32::MAX);
    [
        Check::judged(
            "control schema",
            facts.control_version == known,
            format!("version {} of {known}", facts.control_version),
            "run `praxis migrate up`, or a newer praxis if the schema is ahead",
        ),
        Check::judged(
            "tenants",
            facts.behind == 0,
            format!("{} of {} out of date", facts.behind, facts.tenants),
            "run `praxis migrate up`",
        ),
        Check::judged(
            "schemas",
            facts.without_schema.is_empty(),
            if facts.without_schema.is_empty() {
                "all there".to_owned()
            } else {
                format!("missing: {}", facts.without_schema.join(", "))
            },
            "bring them back from a backup of the database, or with `praxis tenant restore` from an export",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn failed(checks: &[Check]) -> Vec<&str> {
        checks.iter().filter(|check| check.verdict == Verdict::Failed).map(|check| check.check).collect()
    }

    #[test]
    fn each_fact_out_of_bounds_is_found_and_hinted_at() {
        let now = DateTime::UNIX_EPOCH;
        let good =
            ServerFacts { version: 150_004, max_locks: 256, btree_gist: true, now, installation: None };
        assert!(failed(&server(&good, now)).is_empty());
        let bad = ServerFacts { version: 140_011, max_locks: 64, btree_gist: false, now, installation: None };
        let checks = server(&bad, now + TimeDelta::seconds(6));
        assert_eq!(failed(&checks).len(), 4);
        assert!(checks.iter().all(|check| check.hint.is_some()));
    }

    #[test]
    fn a_server_that_was_never_set_up_is_told_from_one_that_is_behind() {
        assert_eq!(failed(&installation(None)), ["control schema"]);
        let control_version = i32::try_from(praxis_migration::control::steps().len()).unwrap();
        let facts = |control_version, behind, missing: &[&str]| {
            let without_schema = missing.iter().map(|slug| (*slug).to_owned()).collect();
            InstallationFacts { control_version, tenants: 3, behind, without_schema }
        };
        assert!(failed(&installation(Some(&facts(control_version, 0, &[])))).is_empty());
        assert_eq!(failed(&installation(Some(&facts(control_version, 1, &[])))), ["tenants"]);
        assert_eq!(failed(&installation(Some(&facts(control_version - 1, 0, &[])))), ["control schema"]);
        let checks = installation(Some(&facts(control_version, 0, &["harbor", "north"])));
        assert_eq!(failed(&checks), ["schemas"]);
        assert!(checks.iter().any(|check| check.found == "missing: harbor, north"));
    }
}

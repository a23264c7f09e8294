//! `praxis migrate lint` and `new`: for those who write steps.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use praxis_migration::{lint::lint as faults_of, tenant};
use serde::Serialize;

use crate::cli::{Exit, Output, exit::Unusable};

#[derive(Serialize)]
struct Row {
    step: String,
    rule: &'static str,
    message: String,
    at: String,
}

pub(super) fn lint(output: Output) -> Result<Exit> {
    let faults: Vec<Row> = tenant::steps()
        .iter()
        .skip(praxis_migration::lint::BEFORE)
        .flat_map(faults_of)
        .map(|fault| Row { step: fault.step, rule: fault.rule, message: fault.message, at: fault.at })
        .collect();
    output.print_rows(&["step", "rule", "message", "at"], &faults)?;
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// What it is about, such as `patient_nickname`
    name: String,
    /// Makes or drops indexes outside of a transaction
    #[arg(long, conflicts_with_all = ["batches", "contract"])]
    concurrent: bool,
    /// One statement, repeated until it changes nothing
    #[arg(long, conflicts_with = "contract")]
    batches: bool,
    /// Takes away what builds before this version use
    #[arg(long, value_name = "VERSION")]
    contract: Option<i32>,
    /// Where the steps lie
    #[arg(long, value_name = "FOLDER", default_value = "migration/src/tenant")]
    folder: PathBuf,
}

#[derive(Serialize)]
struct Written {
    file: PathBuf,
    next: &'static str,
}

impl New {
    pub(super) fn write(&self, output: Output) -> Result<Exit> {
        let shaped = self.name.starts_with(|first: char| first.is_ascii_lowercase())
            && self
                .name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        if !shaped {
            let rule = "a step's name consists of a-z, 0-9 and _, and begins with a letter";
            return Err(Unusable(rule.to_owned()).into());
        }
        let list = self.folder.join("mod.rs");
        let text = fs::read_to_string(&list).with_context(|| format!("{} cannot be read", list.display()))?;
        let number = text.matches("    \"m").count() + 1;
        let name = format!("m{number:04}_{}", self.name);
        let file = self.folder.join(format!("{name}.sql"));
        let end = text.rfind('}').context("the list of steps has no end")?;
        let (head, tail) = text.split_at(end);
        fs::write(&file, self.text())?;
        fs::write(&list, format!("{head}    \"{name}\"\n{tail}"))?;
        output.print_one(
            &["file", "next"],
            &Written { file, next: "write it, then `make generate` and `make test`" },
        )?;
        Ok(Exit::Done)
    }

    fn text(&self) -> String {
        let why = "-- Why this step is needed.\n";
        if self.concurrent {
            format!(
                "{why}-- praxis: concurrent\n\nCREATE INDEX CONCURRENTLY name ON table_name (column_name);\n"
            )
        } else if self.batches {
            format!(
                "{why}-- praxis: batches\n\nUPDATE table_name SET column_name = 'value' WHERE id IN (\n    SELECT id FROM table_name WHERE column_name IS NULL LIMIT 1000\n);\n"
            )
        } else if let Some(build) = self.contract {
            format!("{why}-- praxis: contract {build}\n\nALTER TABLE table_name DROP COLUMN column_name;\n")
        } else {
            format!("{why}\nALTER TABLE table_name ADD COLUMN column_name text;\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_step_has_the_next_number_and_no_fault() {
        let folder = std::env::temp_dir().join(format!("praxis-new-step-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("mod.rs"), "//! Steps.\n\ncrate::sql_steps! {\n    \"m0001_first\"\n}\n")
            .unwrap();
        let new = |name: &str, concurrent, batches, contract| New {
            name: name.to_owned(),
            concurrent,
            batches,
            contract,
            folder: folder.clone(),
        };
        for (number, step) in [
            (2, new("a", false, false, None)),
            (3, new("b", true, false, None)),
            (4, new("c", false, true, None)),
            (5, new("d", false, false, Some(4))),
        ] {
            step.write(Output::Ndjson).unwrap();
            let name = format!("m{number:04}_{}", step.name);
            let sql = fs::read_to_string(folder.join(format!("{name}.sql"))).unwrap();
            assert_eq!(faults_of(&praxis_migration::Step::new(name, sql)), []);
        }
        let list = fs::read_to_string(folder.join("mod.rs")).unwrap();
        assert!(
            list.ends_with(
                "    \"m0001_first\"\n    \"m0002_a\"\n    \"m0003_b\"\n    \"m0004_c\"\n    \"m0005_d\"\n}\n"
            ),
            "{list}"
        );
        assert!(new("../x", false, false, None).write(Output::Ndjson).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}

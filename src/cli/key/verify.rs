//! `praxis key verify`.

use anyhow::Result;
use praxis_platform::{
    rotation::{self, Fault, Verified},
    tenancy::{InstallationError, installation_key},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Exit, Session};
use crate::cli::Output;

/// What to open.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Only this tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Only so many rows of each table
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    #[serde(flatten)]
    found: Verified,
}

#[derive(Serialize)]
struct Named<'a> {
    tenant: &'a str,
    #[serde(flatten)]
    fault: &'a Fault,
}

const COLUMNS: [&str; 8] = [
    "tenant",
    "tenant_keys",
    "tenant_keys_behind",
    "data_keys",
    "data_keys_behind",
    "values",
    "rows_behind",
    "orphaned_keys",
];

impl Verify {
    /// Exits with 1 when something can't be opened, and with 3 when something is under older keys.
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        let mut rows = Vec::new();
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            session.progress.begin("verify", &clinic.slug, 0);
            let advance = |count| session.progress.advance(count);
            let wrapper = session.keys.wrapper.as_ref();
            let (control, home) = session.hands.of(&clinic).await?;
            let found = rotation::verify(control, home, &clinic, wrapper, self.sample, &advance).await?;
            rows.push(Row { tenant: clinic.slug, found });
        }
        // Nobody can log in without it; it is of no clinic, and has a row where it can't be opened.
        match installation_key(&mut session.hands.control, session.keys.wrapper.as_ref()).await {
            Ok(_) => {}
            Err(InstallationError::Database(error)) => return Err(error.into()),
            Err(InstallationError::Key(error)) => {
                let (table, column) = ("control.installation_key".to_owned(), "wrapped".to_owned());
                let fault = Fault { table, column, row: Uuid::nil(), reason: error.to_string() };
                let found = Verified { faults: vec![fault], ..Verified::default() };
                rows.push(Row { tenant: "(installation)".to_owned(), found });
            }
        }
        session.progress.end();
        let output = session.context.output;
        output.print_rows(&COLUMNS, &rows)?;
        let faults: Vec<Named<'_>> = rows
            .iter()
            .flat_map(|row| row.found.faults.iter().map(|fault| Named { tenant: &row.tenant, fault }))
            .collect();
        if output == Output::Table && !faults.is_empty() {
            output.print_rows(&["tenant", "table", "column", "row", "reason"], &faults)?;
        }
        let installation =
            rotation::wrapped_otherwise(&mut session.hands.control, session.keys.wrapper.as_ref()).await?;
        let current = installation == 0 && rows.iter().all(|row| row.found.is_current());
        Ok(match (faults.is_empty(), current) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::NotUpToDate,
            (true, true) => Exit::Done,
        })
    }
}

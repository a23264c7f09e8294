//! `praxis key rotate` and `rewrap`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use praxis_platform::{
    clock::{Clock, SystemClock},
    rotation::{self, Clinic, Fault},
    vault::KeyWrapper,
};
use serde::Serialize;

use super::{Exit, Session};
use crate::cli::Output;

/// Rows that somebody is changing are tried again this often, after a short pause.
const PASSES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Which keys to make.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["root", "tenant", "data"]))]
pub(super) struct Rotate {
    /// A new root key in the root key file, and all tenant keys under it
    #[arg(long, conflicts_with_all = ["tenant", "data"])]
    root: bool,
    /// Only put the new root key into the file: to copy it to all servers before it is used
    #[arg(long, requires = "root")]
    prepare: bool,
    /// A new version of this tenant's key; with --data, of its data keys instead
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// A new version of every data key, and everything sealed anew
    #[arg(long)]
    data: bool,
}

/// What to bring under the newest keys.
#[derive(Debug, clap::Args)]
pub(super) struct Rewrap {
    /// Only this tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Tenant keys wrapped anew, the installation's own key among them.
    tenant_keys: usize,
    /// Data keys made.
    data_keys_made: usize,
    /// Data keys wrapped anew.
    data_keys: usize,
    /// Rows sealed anew.
    rows: usize,
    /// Rows that were in use all the time.
    left: usize,
    /// Values that can't be opened.
    faults: Vec<Fault>,
}

impl Rotate {
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        let mut report = Report::default();
        if self.root {
            if rotation::wrapped_otherwise(&mut session.admin, session.keys.wrapper.as_ref()).await? == 0 {
                add_root_key(session)?;
            }
            if !self.prepare {
                rewrap_root(session, &mut report).await?;
            }
            return finish(session, &report);
        }
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            if self.data {
                rotate_data(session, &clinic, &mut report).await?;
            } else {
                let wrapper = session.keys.wrapper.as_ref();
                rotation::rotate_tenant_key(&mut session.admin, &clinic, wrapper).await?;
                rewrap_tenant(session, &clinic, &mut report).await?;
                session.record(&clinic, "key.rotate-tenant").await?;
            }
        }
        finish(session, &report)
    }
}

impl Rewrap {
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        let mut report = Report::default();
        if self.tenant.is_none() {
            rewrap_root(session, &mut report).await?;
        }
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            rewrap_tenant(session, &clinic, &mut report).await?;
            reseal(session, &clinic, &mut report).await?;
        }
        finish(session, &report)
    }
}

fn add_root_key(session: &Session<'_>) -> Result<()> {
    let local = session.keys.local.as_ref().filter(|local| session.keys.wrapper.is_current(&local.id()));
    let local = local.context(
        "a key service guards the keys: name another key in the configuration and run `praxis key rewrap`",
    )?;
    ensure!(
        local.file().is_some(),
        "the root key is given in the environment: put a new one in front of it, separated by a comma, on all servers, and run `praxis key rewrap`"
    );
    Ok(local.add_to_file()?)
}

async fn rewrap_root(session: &mut Session<'_>, report: &mut Report) -> Result<()> {
    let wrapper = session.keys.wrapper.as_ref();
    let total = rotation::wrapped_otherwise(&mut session.admin, wrapper).await?;
    session.progress.begin("tenant keys", "", total);
    let advance = |count| session.progress.advance(count);
    report.tenant_keys += rotation::rewrap_tenant_keys(&mut session.admin, wrapper, &advance).await?;
    Ok(())
}

async fn rewrap_tenant(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<()> {
    session.progress.begin("data keys", &clinic.slug, 0);
    let advance = |count| session.progress.advance(count);
    let wrapper = session.keys.wrapper.as_ref();
    report.data_keys += rotation::rewrap_data_keys(&mut session.admin, clinic, wrapper, &advance).await?;
    Ok(())
}

async fn rotate_data(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<()> {
    let id = SystemClock.new_id();
    let (run, _) = rotation::open_data_rotation(&mut session.admin, clinic, id).await?;
    session.progress.begin("new data keys", &clinic.slug, 0);
    let advance = |count| session.progress.advance(count);
    let wrapper = session.keys.wrapper.as_ref();
    report.data_keys_made +=
        rotation::introduce_data_keys(&mut session.admin, clinic, wrapper, run, &advance).await?;
    let before = report.rows;
    reseal(session, clinic, report).await?;
    rotation::finish_data_rotation(&mut session.admin, clinic, report.rows - before).await?;
    session.record(clinic, "key.rotate-data").await
}

/// Seals what is behind anew, pass by pass: what is in use during one is done in the next.
async fn reseal(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<()> {
    let mut behind = rotation::behind(&mut session.admin, clinic).await?;
    for _ in 0..PASSES {
        if behind == 0 {
            return Ok(());
        }
        session.progress.begin("rows", &clinic.slug, behind);
        let advance = |count| session.progress.advance(count);
        let wrapper = session.keys.wrapper.as_ref();
        let done = rotation::reseal(&mut session.admin, clinic, wrapper, &advance).await?;
        report.rows += done.rows;
        behind = rotation::behind(&mut session.admin, clinic).await?;
        // What can't be opened can't be sealed anew either; trying again would not help.
        if behind > 0 && behind <= done.faults.len() {
            report.faults.extend(done.faults);
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    report.left += behind;
    Ok(())
}

fn finish(session: &Session<'_>, report: &Report) -> Result<Exit> {
    #[derive(Serialize)]
    struct Finished<'a> {
        event: &'static str,
        #[serde(flatten)]
        report: &'a Report,
    }
    session.progress.end();
    let columns = ["tenant_keys", "data_keys_made", "data_keys", "rows", "left"];
    let output = session.context.output;
    match output {
        Output::Ndjson => output.print_one(&columns, &Finished { event: "finished", report })?,
        Output::Table | Output::Json => output.print_one(&columns, report)?,
    }
    if output == Output::Table && !report.faults.is_empty() {
        output.print_rows(&["table", "column", "row", "reason"], &report.faults)?;
    }
    Ok(if report.left == 0 && report.faults.is_empty() { Exit::Done } else { Exit::Partial })
}

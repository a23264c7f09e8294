//! `praxis key rotate` and `rewrap`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use praxis_platform::{
    clock::{Clock, SystemClock},
    rotation::{self, Clinic, DataRun, Fault},
    vault::{KeyWrapper, LocalKeyWrapper},
};
use serde::Serialize;

use super::{Exit, Session, tell};
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
    /// Whether each key that was asked for was made; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated: Option<bool>,
    /// Tenant keys wrapped anew, the installation's own key among them.
    tenant_keys: usize,
    /// Data keys made.
    data_keys_made: usize,
    /// Data keys wrapped anew.
    data_keys: usize,
    /// Rows sealed anew.
    rows: usize,
    /// Keys and rows that are behind still: they were in use all the time.
    left: usize,
    /// Values that can't be opened.
    faults: Vec<Fault>,
}

impl Rotate {
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        let mut report = Report { rotated: Some(true), ..Report::default() };
        if self.root {
            if !session.change_root_keys().await? {
                return Ok(Exit::Locked);
            }
            let rotated = rotate_root(session, self.prepare, &mut report).await?;
            report.rotated = Some(rotated);
            return finish(session, &report);
        }
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            let rotated = if self.data {
                rotate_data(session, &clinic, &mut report).await?
            } else {
                rotate_tenant(session, &clinic, &mut report).await?
            };
            if !rotated {
                tell(&format!("{}: no new keys, something was in use all the time", clinic.slug));
                report.rotated = Some(false);
            }
        }
        finish(session, &report)
    }
}

impl Rewrap {
    pub(super) async fn run(self, session: &mut Session<'_>) -> Result<Exit> {
        let mut report = Report::default();
        if self.tenant.is_none() {
            rotation::note_root(&mut session.hands.control, "ROOT_REWRAP").await?;
            let left = rewrap_root(session, &mut report).await?;
            report.left += left;
        }
        for clinic in session.clinics(self.tenant.as_deref()).await? {
            session.record(&clinic, "key.rewrap").await?;
            let left = rewrap_tenant(session, &clinic, &mut report).await?;
            report.left += left;
            reseal(session, &clinic, &mut report).await?;
        }
        finish(session, &report)
    }
}

/// A new root key in the file, and everything under it unless it is only to be prepared.
///
/// A newest key that nothing is under was prepared before: it is the one to be used. Where some is under
/// it and some is not, an earlier rotation is not finished, and is before there is a newer key.
async fn rotate_root(session: &mut Session<'_>, prepare: bool, report: &mut Report) -> Result<bool> {
    let local = root_keys(session)?;
    drop(local.lock_file()?);
    let wrapper = session.keys.wrapper.clone();
    let by = rotation::wrapped_by(&mut session.hands.control).await?;
    let prepared = !by.iter().any(|by| wrapper.is_current(by));
    if prepared && prepare {
        tell(
            "a new root key is in the file already: copy it to all servers and run `praxis key rotate --root`",
        );
        return Ok(false);
    }
    let note = if prepare { "ROOT_PREPARE" } else { "ROOT_ROTATE" };
    if prepared {
        rotation::note_root(&mut session.hands.control, note).await?;
    } else {
        if rotation::wrapped_otherwise(&mut session.hands.control, wrapper.as_ref()).await? > 0 {
            rotation::note_root(&mut session.hands.control, "ROOT_REWRAP").await?;
        }
        let left = rewrap_root(session, report).await?;
        if left > 0 {
            report.left += left;
            return Ok(false);
        }
        let file = local.lock_file()?;
        rotation::note_root(&mut session.hands.control, note).await?;
        file.add()?;
    }
    if !prepare {
        let left = rewrap_root(session, report).await?;
        report.left += left;
    }
    Ok(true)
}

/// The root keys that can be rotated: those in a file.
fn root_keys(session: &Session<'_>) -> Result<Arc<LocalKeyWrapper>> {
    let local = session.keys.local.as_ref().filter(|local| session.keys.wrapper.is_current(&local.id()));
    let local = local.context(
        "a key service guards the keys: name another key in the configuration and run `praxis key rewrap`",
    )?;
    ensure!(
        local.file().is_some(),
        "the root key is given in the environment: put a new one in front of it, separated by a comma, on all servers, and run `praxis key rewrap`"
    );
    Ok(Arc::clone(local))
}

/// Wraps what is right below the root key anew, pass by pass, and says how much is behind at the end.
async fn rewrap_root(session: &mut Session<'_>, report: &mut Report) -> Result<usize> {
    let wrapper = session.keys.wrapper.clone();
    for _ in 0..PASSES {
        let total = rotation::wrapped_otherwise(&mut session.hands.control, wrapper.as_ref()).await?;
        if total == 0 {
            return Ok(0);
        }
        session.progress.begin("tenant keys", "", total);
        let advance = |count| session.progress.advance(count);
        report.tenant_keys +=
            rotation::rewrap_tenant_keys(&mut session.hands.control, wrapper.as_ref(), &advance).await?;
        if rotation::wrapped_otherwise(&mut session.hands.control, wrapper.as_ref()).await? > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(rotation::wrapped_otherwise(&mut session.hands.control, wrapper.as_ref()).await?)
}

/// A new version of the clinic's key. What an earlier rotation left is finished first.
async fn rotate_tenant(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<bool> {
    let wrapper = session.keys.wrapper.clone();
    let (control, home) = session.hands.of(clinic).await?;
    let mut made = rotation::rotate_tenant_key(control, home, clinic, wrapper.as_ref()).await?;
    if made.is_none() {
        let left = rewrap_tenant(session, clinic, report).await?;
        let (control, home) = session.hands.of(clinic).await?;
        made = rotation::rotate_tenant_key(control, home, clinic, wrapper.as_ref()).await?;
        if made.is_none() {
            report.left += left;
            return Ok(false);
        }
    }
    session.record(clinic, "key.rotate-tenant").await?;
    let left = rewrap_tenant(session, clinic, report).await?;
    report.left += left;
    Ok(true)
}

/// Wraps the clinic's data keys anew, pass by pass, and says how many are behind at the end.
async fn rewrap_tenant(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<usize> {
    let mut behind = 0;
    for _ in 0..PASSES {
        session.progress.begin("data keys", &clinic.slug, behind);
        let advance = |count| session.progress.advance(count);
        let wrapper = session.keys.wrapper.as_ref();
        let (control, home) = session.hands.of(clinic).await?;
        let pass = rotation::rewrap_data_keys(control, home, clinic, wrapper, &advance).await?;
        report.data_keys += pass.done;
        behind = pass.behind;
        if behind == 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(behind)
}

/// A new version of every data key of the clinic. A run that was left open knows nothing of keys made
/// since: it is finished, and then there is one of this command's own.
async fn rotate_data(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<bool> {
    let id = SystemClock.new_id();
    let (_, home) = session.hands.of(clinic).await?;
    let run = rotation::open_data_rotation(home, clinic, id).await?;
    if run.joined {
        if !finish_data(session, clinic, run, report).await? {
            return Ok(false);
        }
        let (_, home) = session.hands.of(clinic).await?;
        let run = rotation::open_data_rotation(home, clinic, id).await?;
        session.record(clinic, "key.rotate-data").await?;
        return finish_data(session, clinic, run, report).await;
    }
    session.record(clinic, "key.rotate-data").await?;
    finish_data(session, clinic, run, report).await
}

/// Does the work of a run; false where it stays open, because some subject was in use all the time.
async fn finish_data(
    session: &mut Session<'_>,
    clinic: &Clinic,
    run: DataRun,
    report: &mut Report,
) -> Result<bool> {
    let mut left = 0;
    for _ in 0..PASSES {
        session.progress.begin("new data keys", &clinic.slug, left);
        let advance = |count| session.progress.advance(count);
        let wrapper = session.keys.wrapper.as_ref();
        let (control, home) = session.hands.of(clinic).await?;
        let pass = rotation::introduce_data_keys(control, home, clinic, wrapper, run, &advance).await?;
        report.data_keys_made += pass.made;
        left = pass.left;
        if left == 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if left > 0 {
        report.left += left;
        return Ok(false);
    }
    let before = report.rows;
    reseal(session, clinic, report).await?;
    let (control, home) = session.hands.of(clinic).await?;
    rotation::finish_data_rotation(control, home, clinic, report.rows - before).await?;
    Ok(true)
}

/// Seals what is behind anew, pass by pass: what is in use during one is done in the next.
async fn reseal(session: &mut Session<'_>, clinic: &Clinic, report: &mut Report) -> Result<()> {
    let mut behind = rotation::behind(session.hands.of(clinic).await?.1, clinic).await?;
    for _ in 0..PASSES {
        if behind == 0 {
            return Ok(());
        }
        session.progress.begin("rows", &clinic.slug, behind);
        let advance = |count| session.progress.advance(count);
        let wrapper = session.keys.wrapper.as_ref();
        let (control, home) = session.hands.of(clinic).await?;
        let done = rotation::reseal(control, home, clinic, wrapper, &advance).await?;
        report.rows += done.rows;
        behind = rotation::behind(session.hands.of(clinic).await?.1, clinic).await?;
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
    let columns = ["rotated", "tenant_keys", "data_keys_made", "data_keys", "rows", "left"];
    let output = session.context.output;
    match output {
        Output::Ndjson => output.print_one(&columns, &Finished { event: "finished", report })?,
        Output::Table | Output::Json => output.print_one(&columns, report)?,
    }
    if output == Output::Table && !report.faults.is_empty() {
        output.print_rows(&["table", "column", "row", "reason"], &report.faults)?;
    }
    let complete = report.left == 0 && report.faults.is_empty() && report.rotated != Some(false);
    Ok(if complete { Exit::Done } else { Exit::Partial })
}

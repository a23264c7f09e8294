//! `praxis audit watch`: a witness. What it keeps lies outside of the database, so that a history
//! rewritten later differs from it.
//!
//! It keeps only what it verified itself, and once something is wrong with a clinic's log nothing more:
//! what it has is evidence then. The newest checkpoint goes forward, one of each day stays for good.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use praxis_entity::ids::TenantId;
use praxis_platform::{
    OpFactory,
    audit::verify::{Kept, Walk},
};
use serde::Serialize;

use super::{Context, Exit, Which, installation, walk};
use crate::{cli::Output, shutdown};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    #[command(flatten)]
    which: Which,
    /// Folder that keeps checkpoints of each clinic; best on another machine
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seconds between two looks
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Look once and end
    #[arg(long)]
    once: bool,
}

#[derive(Serialize)]
struct Seen {
    tenant: String,
    size: u64,
    faults: Vec<String>,
    /// Why the log could not be looked at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

struct Watched {
    walk: Walk,
    size: Option<u64>,
    /// Something was wrong: nothing is kept any more.
    bad: bool,
    /// What was told already.
    told: HashSet<String>,
}

pub(super) async fn run(args: Watch, context: &Context) -> Result<Exit> {
    fs::create_dir_all(&args.out)?;
    let (platform, directory) = installation(context).await?;
    let mut watched = HashMap::new();
    // A stream of rows has one form for people and scripts.
    let output = if context.output == Output::Table { Output::Ndjson } else { context.output };
    let stop = shutdown::signal();
    tokio::pin!(stop);
    let (mut bad, mut first) = (false, true);
    loop {
        if !first && let Err(error) = directory.refresh().await {
            tracing::warn!(error = %error, "the list of clinics could not be read again");
        }
        // One that can't be looked at, or is gone from the list, keeps nobody from looking at the others.
        let clinics = if first {
            args.which.among(&platform, &directory)?
        } else {
            args.which.among(&platform, &directory).unwrap_or_default()
        };
        for clinic in clinics {
            let tenant = clinic.tenant().slug.clone();
            let seen = match look(&mut watched, &clinic, &args.out).await {
                Ok(None) => continue,
                Ok(Some((size, faults))) => {
                    bad |= !faults.is_empty();
                    Seen { tenant, size, faults, trouble: None }
                }
                Err(error) => {
                    bad |= args.once;
                    Seen { tenant, size: 0, faults: Vec::new(), trouble: Some(format!("{error:#}")) }
                }
            };
            output.print_rows(&[], &[seen])?;
        }
        if args.once {
            break;
        }
        first = false;
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(Duration::from_secs(args.interval)) => {}
        }
    }
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

/// What is new at a clinic, if anything: how many entries there are, and what is wrong with them.
async fn look(
    watched: &mut HashMap<TenantId, Watched>,
    clinic: &OpFactory,
    out: &Path,
) -> Result<Option<(u64, Vec<String>)>> {
    let (id, op) = (clinic.tenant().id, clinic.read());
    let clinic = match watched.remove(&id) {
        Some(known) => known,
        None => {
            let walk = walk(&op, kept(out, id)?).await?;
            Watched { walk, size: None, bad: false, told: HashSet::new() }
        }
    };
    let clinic = watched.entry(id).or_insert(clinic);
    clinic.walk.advance(&op).await?;
    op.release().await;
    let found = clinic.walk.take_faults().into_iter().map(|finding| finding.text);
    let faults: Vec<_> = found.filter(|text| clinic.told.insert(text.clone())).collect();
    clinic.bad |= !faults.is_empty();
    let size = clinic.walk.size();
    if clinic.size == Some(size) && faults.is_empty() {
        return Ok(None);
    }
    if let (Some(note), false) = (clinic.walk.signed(), clinic.bad) {
        keep(out, id, &op.now().format("%Y-%m-%d").to_string(), note)?;
    }
    clinic.size = Some(size);
    Ok(Some((size, faults)))
}

/// The checkpoints of a clinic that were kept. One that can't be read is no reason to go without it.
fn kept(out: &Path, id: TenantId) -> Result<Vec<Kept>> {
    let prefix = format!("{id}.");
    let mut kept = Vec::new();
    for file in fs::read_dir(out).with_context(|| format!("reading {}", out.display()))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && name.ends_with(".checkpoint") {
            let note = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            kept.push(Kept { name: path.display().to_string(), note });
        }
    }
    Ok(kept)
}

/// Keeps a verified checkpoint: as the newest, and for good if it is the first of its day. Each of the two
/// is there whole or not at all: half of one would look like evidence.
fn keep(out: &Path, id: TenantId, day: &str, note: &str) -> io::Result<()> {
    let partial = out.join(format!("{id}.partial"));
    // What a killed witness left may be linked to the file of a day: it is removed, never written to.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(&partial)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    match fs::hard_link(&partial, out.join(format!("{id}.{day}.checkpoint"))) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::rename(&partial, out.join(format!("{id}.checkpoint")))
}

//! `praxis audit export`: the exact bytes of the log, its key and its checkpoints.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use praxis_entity::audit_checkpoint;
use praxis_platform::audit::verify::lines;
use sea_orm::{EntityTrait, QueryOrder};
use serde::Serialize;

use super::{Context, Exit, operations, verifier};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Folder to write to: a new one, or an empty one
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Exported {
    entries: u64,
    /// Entries that are missing between those that are there.
    holes: u64,
    checkpoints: usize,
    key: String,
}

/// Exits with 1 where entries are missing: what is left is written all the same.
pub(super) async fn run(args: Export, context: &Context) -> Result<Exit> {
    folder(&args.out)?;
    let op = operations(context, &args.tenant).await?.read();
    // Checkpoints first: entries that come meanwhile are beyond them, and do no harm.
    let checkpoints =
        audit_checkpoint::Entity::find().order_by_asc(audit_checkpoint::Column::Size).all(op.db()).await?;
    folder(&args.out.join("checkpoints"))?;
    for checkpoint in &checkpoints {
        write(&args.out.join(format!("checkpoints/{:012}.txt", checkpoint.size)), &checkpoint.note)?;
    }
    let key = verifier(&op).await?.to_string();
    write(&args.out.join("key.txt"), format!("{key}\n"))?;
    let mut file = BufWriter::new(create(&args.out.join("entries.jsonl"))?);
    let (mut next, mut previous, mut entries) = (0, [0; 32], 0);
    loop {
        let page = lines(&op, next..u64::MAX, previous).await?;
        for line in &page {
            next = line.leaf.seq.cast_unsigned().saturating_add(1);
            previous = line.leaf.line_hash.as_slice().try_into().unwrap_or_default();
            if line.entry.is_some() {
                file.write_all(&line.bytes)?;
                file.write_all(b"\n")?;
                entries += 1;
            }
        }
        if page.is_empty() {
            break;
        }
    }
    file.flush()?;
    let holes = next - entries;
    let exported = Exported { entries, holes, checkpoints: checkpoints.len(), key };
    context.output.print_one(&["entries", "holes", "checkpoints", "key"], &exported)?;
    Ok(if holes == 0 { Exit::Done } else { Exit::Failed })
}

/// Makes a folder that only its owner may enter. What an earlier export left would pass for part of this one.
fn folder(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("making {}", path.display()))?;
    ensure!(fs::read_dir(path)?.next().is_none(), "{} is not empty", path.display());
    Ok(())
}

/// Who did what is for nobody else on the machine.
fn create(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes a file that only its owner may read.
pub(super) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    let written = create(path).and_then(|mut file| file.write_all(text.as_ref()));
    written.with_context(|| format!("writing {}", path.display()))
}

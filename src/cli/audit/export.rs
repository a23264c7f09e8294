//! `praxis audit export`: the exact bytes of the log, its key and its checkpoints.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::Result;
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
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Exported {
    entries: u64,
    checkpoints: usize,
    key: String,
}

pub(super) async fn run(args: Export, context: &Context) -> Result<Exit> {
    let op = operations(context, &args.tenant).await?.read();
    // Checkpoints first: entries that come meanwhile are beyond them, and do no harm.
    let checkpoints =
        audit_checkpoint::Entity::find().order_by_asc(audit_checkpoint::Column::Size).all(op.db()).await?;
    fs::create_dir_all(args.out.join("checkpoints"))?;
    for checkpoint in &checkpoints {
        fs::write(args.out.join(format!("checkpoints/{:012}.txt", checkpoint.size)), &checkpoint.note)?;
    }
    let key = verifier(&op).await?.to_string();
    fs::write(args.out.join("key.txt"), format!("{key}\n"))?;
    let mut file = BufWriter::new(File::create(args.out.join("entries.jsonl"))?);
    let (mut next, mut previous, mut entries) = (0, [0; 32], 0);
    loop {
        let page = lines(&op, next, previous).await?;
        for line in &page {
            next = line.leaf.seq.cast_unsigned() + 1;
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
    let exported = Exported { entries, checkpoints: checkpoints.len(), key };
    context.output.print_one(&["entries", "checkpoints", "key"], &exported)?;
    Ok(Exit::Done)
}

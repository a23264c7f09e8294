//! `praxis audit watch`: a witness. What it keeps lies outside of the database, so that a history
//! rewritten later differs from it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Result;
use praxis_platform::{
    Op, Read,
    audit::{
        newest,
        verify::{Kept, Walk},
    },
};
use serde::Serialize;

use super::{Context, Exit, Which, walk};
use crate::{cli::Output, shutdown};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    #[command(flatten)]
    which: Which,
    /// Folder that keeps the newest checkpoint of each clinic; best on another machine
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
}

struct Watched {
    slug: String,
    op: Op<Read>,
    walk: Walk,
    file: PathBuf,
    size: Option<u64>,
}

pub(super) async fn run(args: Watch, context: &Context) -> Result<Exit> {
    fs::create_dir_all(&args.out)?;
    let mut watched = Vec::new();
    for clinic in args.which.clinics(context).await? {
        let (op, slug) = (clinic.read(), clinic.tenant().slug.clone());
        let file = args.out.join(format!("{}.checkpoint", clinic.tenant().id));
        let kept = fs::read_to_string(&file).ok().map(|note| Kept { name: file.display().to_string(), note });
        let walk = walk(&op, kept.into_iter().collect()).await?;
        watched.push(Watched { slug, op, walk, file, size: None });
    }
    // A stream of rows has one form for people and scripts.
    let output = if context.output == Output::Table { Output::Ndjson } else { context.output };
    let stop = shutdown::signal();
    tokio::pin!(stop);
    let mut bad = false;
    loop {
        for clinic in &mut watched {
            if let Some(seen) = clinic.look().await? {
                bad |= !seen.faults.is_empty();
                output.print_rows(&[], &[seen])?;
            }
        }
        if args.once {
            break;
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(Duration::from_secs(args.interval)) => {}
        }
    }
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

impl Watched {
    /// What is new, if anything. A checkpoint is kept only where nothing was wrong.
    async fn look(&mut self) -> Result<Option<Seen>> {
        self.walk.advance(&self.op).await?;
        let newest = newest(self.op.db()).await?;
        self.op.release().await;
        let faults: Vec<_> = self.walk.take_faults().into_iter().map(|finding| finding.text).collect();
        let size = self.walk.size();
        if self.size == Some(size) && faults.is_empty() {
            return Ok(None);
        }
        self.size = Some(size);
        if let (Some(checkpoint), true) = (newest, faults.is_empty()) {
            let partial = self.file.with_extension("partial");
            fs::write(&partial, checkpoint.note)?;
            fs::rename(&partial, &self.file)?;
        }
        Ok(Some(Seen { tenant: self.slug.clone(), size, faults }))
    }
}

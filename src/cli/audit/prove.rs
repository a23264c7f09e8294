//! `praxis audit prove` and `check`: proofs, and verifying them anywhere.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use praxis_entity::ids::AuditEntryId;
use praxis_platform::audit::{note::Verifier, proof, tree::leaf_hash};
use serde::Serialize;

use super::{Context, Exit, export::write, operations};

/// Arguments of `prove`.
#[derive(Debug, clap::Args)]
pub(super) struct Prove {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Folder to write the line and its proof to, as `<ID>.json` and `<ID>.tlog-proof`
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Id of the entry
    entry: AuditEntryId,
}

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The log's key
    #[arg(long, value_name = "KEY")]
    key: String,
    /// File with the line
    line: PathBuf,
    /// File with the proof
    proof: PathBuf,
}

#[derive(Serialize)]
struct Proved {
    index: u64,
    size: u64,
    leaf: String,
}

pub(super) async fn run(args: Prove, context: &Context) -> Result<Exit> {
    let op = operations(context, &args.tenant).await?.read();
    let proof = proof::prove(op.db(), &[args.entry]).await?.remove(&args.entry);
    let proof = proof.context("the log has no such entry, or it is not sealed yet")?;
    let line = proof::line_at(&op, proof.index).await?.context("the entry is gone")?;
    let (line_file, proof_file) =
        (args.out.join(format!("{}.json", args.entry)), args.out.join(format!("{}.tlog-proof", args.entry)));
    fs::create_dir_all(&args.out)?;
    let key = super::verifier(&op).await?;
    let (index, checkpoint) = proof::verify(&key, leaf_hash(&line), &proof.text)?;
    write(&line_file, &line)?;
    write(&proof_file, &proof.text)?;
    let proved = Proved { index, size: checkpoint.size, leaf: HEXLOWER.encode(&proof.leaf) };
    context.output.print_one(&["index", "size", "leaf"], &proved)?;
    Ok(Exit::Done)
}

pub(super) fn check(args: Check, context: &Context) -> Result<Exit> {
    let key: Verifier = args.key.parse().context("the key")?;
    let read = |file: &PathBuf| fs::read(file).with_context(|| format!("reading {}", file.display()));
    let line = read(&args.line)?;
    let leaf = leaf_hash(line.strip_suffix(b"\n").unwrap_or(&line));
    let (index, checkpoint) = proof::verify(&key, leaf, &String::from_utf8(read(&args.proof)?)?)?;
    let proved = Proved { index, size: checkpoint.size, leaf: HEXLOWER.encode(&leaf) };
    context.output.print_one(&["index", "size", "leaf"], &proved)?;
    Ok(Exit::Done)
}

//! `praxis tenant export`.

use std::path::PathBuf;

use anyhow::Result;
use praxis_fleet::tenant::{self, Exporting, Holder};
use praxis_platform::{audit::Entry, tenancy::Installation};
use sqlx::postgres::PgConnection;

use super::{footing::Footing, operation_key, progress};
use crate::cli::{Context, Exit, operator};

/// Which clinic, and for whom.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Subdomain of the clinic
    slug: String,
    /// The file to write; it must not be there
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// A file with a key of 32 bytes, in hexadecimal or base64, that opens the export; without, only this
    /// installation can, for as long as the clinic's key lives
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// What the operation is known by: asked for again under the same key, it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Exports the clinic, and prints the manifest.
pub(super) async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    export: Export,
    context: &Context,
) -> Result<Exit> {
    let footing = Footing::of(admin, context).await?;
    let holder = export.key_file.as_deref().map(Holder::from_file).transpose()?;
    // Before the clinic is read: what leaves the house is in its own log, and in the export.
    let op = operator::operations(context, &export.slug).await?.write_always().await?;
    op.record(Entry::done("tenant.export"));
    op.commit().await?;
    let progress = progress(context.output);
    let ground = footing.ground(installation, &progress);
    let key = operation_key(export.idempotency_key, &footing.clock);
    let wanted = Exporting { slug: &export.slug, to: &export.to, holder: holder.as_ref(), key: &key };
    let exported = tenant::export(&ground, &wanted).await?;
    let mut shown = serde_json::to_value(&exported)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("rows".to_owned(), exported.manifest.rows().into());
    }
    context
        .output
        .print_one(&["file", "export", "slug", "schemaVersion", "at", "rows", "handedOut"], &shown)?;
    Ok(Exit::Done)
}

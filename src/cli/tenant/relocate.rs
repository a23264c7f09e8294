//! `praxis tenant move`.

use anyhow::Result;
use praxis_fleet::tenant::{self, Relocating};
use praxis_platform::tenancy::Installation;
use serde_json::json;
use sqlx::postgres::PgConnection;

use super::{footing::Footing, operation_key, progress};
use crate::cli::{Context, Exit};

/// Which clinic, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Move {
    /// Subdomain of the clinic
    slug: String,
    /// The cell that it is to be in
    #[arg(long, value_name = "CELL", required_unless_present = "cancel")]
    to: Option<String>,
    /// What the operation is known by: asked for again under the same key, it is done once
    #[arg(long, value_name = "KEY", alias = "key")]
    idempotency_key: Option<String>,
    /// Call off a move that has not come to its end, and clear away what a killed one left
    #[arg(long, conflicts_with_all = ["to", "idempotency_key"])]
    cancel: bool,
}

/// Moves the clinic.
pub(super) async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    wanted: Move,
    context: &Context,
) -> Result<Exit> {
    let footing = Footing::of(admin, context).await?;
    let progress = progress(context.output);
    let ground = footing.ground(installation, &progress);
    let Some(to) = wanted.to.as_deref().filter(|_| !wanted.cancel) else {
        let changed = tenant::call_off(admin, &wanted.slug).await?;
        tenant::clear_called_off(&ground, wanted.slug.as_str()).await?;
        context
            .output
            .print_one(&["slug", "changed"], &json!({ "slug": wanted.slug, "changed": changed }))?;
        return Ok(Exit::Done);
    };
    let key = operation_key(wanted.idempotency_key, &footing.clock);
    let relocating = Relocating { clinic: (&wanted.slug).into(), to, key: &key };
    let relocated = tenant::relocate(&ground, &relocating).await?;
    let columns = ["slug", "from", "to", "rows", "changed", "pauses", "longestPauseMs"];
    context.output.print_one(&columns, &relocated)?;
    Ok(Exit::Done)
}

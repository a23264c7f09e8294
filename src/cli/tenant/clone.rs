//! `praxis tenant clone`.

use anyhow::Result;
use praxis_fleet::tenant::{self, Cloning};
use praxis_platform::{audit::Entry, tenancy::Installation};
use sqlx::postgres::PgConnection;

use super::{footing::Footing, operation_key, progress};
use crate::cli::{Context, Exit, operator};

/// Which clinic, and as what.
#[derive(Debug, clap::Args)]
pub(super) struct Clone {
    /// Subdomain of the clinic
    slug: String,
    /// Subdomain of the sandbox
    #[arg(long = "as", value_name = "SLUG")]
    as_slug: String,
    /// What the operation is known by: asked for again under the same key, it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Makes the sandbox.
pub(super) async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    clone: Clone,
    context: &Context,
) -> Result<Exit> {
    let footing = Footing::of(admin, context).await?;
    // Before the clinic is read, as with an export: that somebody took something of it is in its own log.
    let op = operator::operations(context, &clone.slug).await?.write_always().await?;
    op.record(Entry::done("tenant.clone"));
    op.commit().await?;
    let progress = progress(context.output);
    let ground = footing.ground(installation, &progress);
    let key = operation_key(clone.idempotency_key, &footing.clock);
    let wanted = Cloning { clinic: (&clone.slug).into(), as_slug: &clone.as_slug, key: &key };
    let cloned = tenant::clone(&ground, &wanted).await?;
    context.output.print_one(&["slug", "patients", "madeUp"], &cloned)?;
    Ok(Exit::Done)
}

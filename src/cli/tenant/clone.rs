//! `praxis tenant clone`.

use std::sync::Arc;

use anyhow::Result;
use praxis_fleet::tenant::{self, Cloning, Ground};
use praxis_platform::{
    audit::Entry,
    clock::{SharedClock, SystemClock},
    tenancy::Installation,
};
use sqlx::postgres::PgConnection;

use super::{operation_key, progress};
use crate::{
    cli::{Context, Exit, operator},
    root_key,
};

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
    let config = context.config()?;
    let keys = root_key::find(&config.keys, admin).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    // Before the clinic is read, as with an export: that somebody took something of it is in its own log.
    let op = operator::operations(context, &clone.slug).await?.write_always().await?;
    op.record(Entry::done("tenant.clone"));
    op.commit().await?;
    let ground = Ground {
        cells: &config.database.cells()?,
        installation,
        wrapper: keys.wrapper.as_ref(),
        clock: &clock,
        actor: None,
        progress: &progress(context.output),
    };
    let key = operation_key(clone.idempotency_key, &clock);
    let wanted = Cloning { clinic: (&clone.slug).into(), as_slug: &clone.as_slug, key: &key };
    let cloned = tenant::clone(&ground, &wanted).await?;
    context.output.print_one(&["slug", "patients", "madeUp"], &cloned)?;
    Ok(Exit::Done)
}

//! `praxis tenant shred` and `certificate`.

use std::sync::Arc;

use anyhow::Result;
use praxis_fleet::tenant::{self, Certified, Ground};
use praxis_platform::{
    clock::{SharedClock, SystemClock},
    tenancy::{Installation, installation_key},
};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;

use super::{progress, tell};
use crate::{
    cli::{Context, Exit},
    root_key,
};

/// Which clinic.
#[derive(Debug, clap::Args)]
pub(super) struct Shred {
    /// Subdomain of the clinic
    slug: String,
    /// Really destroy it
    #[arg(long)]
    yes: bool,
}

/// Destroys the keys, then the data, and prints the certificate.
pub(super) async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    shred: Shred,
    context: &Context,
) -> Result<Exit> {
    if !shred.yes {
        tell("the clinic's keys are destroyed for good, and nothing brings its data back; --yes does it");
        return Ok(Exit::Refused);
    }
    let config = context.config()?;
    let keys = root_key::find(&config.keys, admin).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    let ground = Ground {
        cells: &config.database.cells()?,
        installation,
        wrapper: keys.wrapper.as_ref(),
        clock: &clock,
        actor: None,
        progress: &progress(context.output),
    };
    let certified = tenant::shred(&ground, &shred.slug).await?;
    show(admin, &certified, context).await
}

/// Prints the certificate of a clinic that was shredded.
pub(super) async fn certificate(admin: &mut PgConnection, slug: &str, context: &Context) -> Result<Exit> {
    let certified = tenant::certificate(admin, slug).await?;
    show(admin, &certified, context).await
}

async fn show(admin: &mut PgConnection, certified: &Certified, context: &Context) -> Result<Exit> {
    let keys = root_key::find(&context.config()?.keys, admin).await?;
    let signer = installation_key(admin, keys.wrapper.as_ref()).await?.signer()?;
    let certificate = certified.open(&signer.public())?;
    let mut shown = serde_json::to_value(&certificate)?;
    if let Value::Object(fields) = &mut shown {
        fields.insert("signed".to_owned(), json!(certified));
    }
    context
        .output
        .print_one(&["slug", "tenant", "at", "actor", "keys", "dataKeys", "exportsHandedOut"], &shown)?;
    Ok(Exit::Done)
}

//! `praxis tenant shred` and `certificate`.

use anyhow::Result;
use praxis_fleet::tenant::{self, Certified};
use praxis_platform::tenancy::{Installation, installation_key};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;

use super::{footing::Footing, progress, tell};
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
    let footing = Footing::of(admin, context).await?;
    let progress = progress(context.output);
    let ground = footing.ground(installation, &progress);
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

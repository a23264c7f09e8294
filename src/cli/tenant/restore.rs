//! `praxis tenant restore`, `swap` and `discard`.

use std::path::PathBuf;

use anyhow::Result;
use praxis_fleet::tenant::{self, Holder, Placed, Places, Restored, Restoring, Swapped};
use praxis_platform::{
    audit::{
        Entry, signer,
        verify::{Fault, Walk},
    },
    tenancy::Installation,
};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use super::{footing::Footing, operation_key, progress, tell};
use crate::cli::{Context, Exit, operator};

/// What is brought back, and as what.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The export
    file: PathBuf,
    /// The subdomain of a clinic that is not there any more, where its own was given away
    #[arg(long = "as", value_name = "SLUG")]
    as_slug: Option<String>,
    /// The file with the key that the export was made for
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Exchange what was restored beside a suspended clinic with what is live
    #[arg(long)]
    swap: bool,
    /// What the operation is known by: asked for again under the same key, it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    restored: Restored,
    rows: u64,
    /// Whether what was restored is what is live.
    is_live: bool,
    /// Whether the log of what is live is whole; nothing where that is as it was.
    audit_verified: Option<bool>,
}

/// Restores the clinic, and prints what was found again.
pub(super) async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    restore: Restore,
    context: &Context,
) -> Result<Exit> {
    let config = context.config()?;
    let footing = Footing::of(admin, context).await?;
    let holder = restore.key_file.as_deref().map(Holder::from_file).transpose()?;
    let progress = progress(context.output);
    let ground = footing.ground(installation, &progress);
    let key = operation_key(restore.idempotency_key, &footing.clock);
    let wanted = Restoring {
        file: &restore.file,
        as_slug: restore.as_slug.as_deref(),
        holder: holder.as_ref(),
        base_domain: &config.http.base_domain,
        key: &key,
    };
    let restored = tenant::restore(&ground, &wanted).await?;
    if restored.placed == Placed::Beside && restore.swap {
        let Swapped { restored, is_live } = tenant::swap_once(admin, ground.places(), restored).await?;
        return show(restored, is_live, true, context).await;
    }
    if !restored.domains.is_empty() {
        tell(&format!("to be verified anew by `praxis tenant domains`: {}", restored.domains.join(", ")));
    }
    let is_live = restored.placed != Placed::Beside;
    show(restored, is_live, is_live, context).await
}

/// Exchanges what lies beside a clinic with what is live.
pub(super) async fn swap(
    admin: &mut PgConnection,
    installation: &Installation,
    slug: &str,
    context: &Context,
) -> Result<Exit> {
    let cells = context.config()?.database.cells()?;
    let places = Places { cells: &cells, installation };
    let Swapped { restored, is_live } = tenant::swap(admin, places, slug).await?;
    show(restored, is_live, true, context).await
}

/// Throws away what lies beside a clinic.
pub(super) async fn discard(
    admin: &mut PgConnection,
    installation: &Installation,
    (slug, yes): (&str, bool),
    context: &Context,
) -> Result<Exit> {
    if !yes {
        tell("what lies beside the clinic can't be had back; --yes throws it away");
        return Ok(Exit::Refused);
    }
    let cells = context.config()?.database.cells()?;
    let places = Places { cells: &cells, installation };
    let restored = tenant::discard(admin, places, slug).await?;
    if restored.keys_put_back > 0 {
        tell(
            "older keys of the clinic were put back for what lay beside it: `praxis key retire` deletes them",
        );
    }
    context.output.print_one(&["slug", "schema"], &restored)?;
    Ok(Exit::Done)
}

async fn show(restored: Restored, is_live: bool, changed: bool, context: &Context) -> Result<Exit> {
    let audit_verified = if changed { Some(note_and_verify(&restored.slug, context).await?) } else { None };
    let shown = Shown { rows: restored.manifest.rows(), restored, is_live, audit_verified };
    context.output.print_one(&["slug", "placed", "schema", "rows", "isLive", "auditVerified"], &shown)?;
    Ok(if audit_verified == Some(false) { Exit::Failed } else { Exit::Done })
}

/// Verifies the clinic's audit log as it came back, and then notes in it that it did.
async fn note_and_verify(slug: &str, context: &Context) -> Result<bool> {
    let clinic = operator::operations(context, slug).await?;
    let op = clinic.read();
    let key = op.tenant_key().await?;
    let mut walk = Walk::new(signer(op.tenant(), &key)?.verifier().clone(), key, Vec::new());
    walk.advance(&op).await?;
    let verified = walk.finish(&op).await?;
    // What waited when the export was made waits still; a server will seal it.
    let faults = verified.findings.iter().filter(|finding| finding.fault != Fault::Unsealed).count();
    drop(op);
    let op = clinic.write_always().await?;
    op.record(Entry::done("tenant.restore"));
    op.commit().await?;
    Ok(faults == 0)
}

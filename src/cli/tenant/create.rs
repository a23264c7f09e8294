//! `praxis tenant create`.

use std::time::Instant;

use anyhow::Result;
use praxis_fleet::tenant::{self, NewClinic};
use praxis_platform::tenancy::{Installation, MAIN};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use super::footing::Footing;
use crate::cli::{Context, Exit};

/// A clinic to be made.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Subdomain, such as `northside`
    #[arg(long)]
    slug: String,
    /// Name as shown
    #[arg(long)]
    name: String,
    /// What it starts with; see `praxis template list`
    #[arg(long)]
    template: String,
    /// BCP 47 locale, such as `en-GB`; the template's by default
    #[arg(long)]
    locale: Option<String>,
    /// IANA time zone, such as `Europe/London`; the template's by default
    #[arg(long)]
    time_zone: Option<String>,
    /// The cell that is to hold it; see `praxis cell list`
    #[arg(long, value_name = "NAME", default_value = MAIN)]
    cell: String,
}

#[derive(Serialize)]
struct Created {
    id: String,
    slug: String,
    display_name: String,
    host: String,
    template: String,
    locale: String,
    time_zone: String,
    cell: String,
    schema_version: i32,
    duration_ms: u128,
}

/// Makes the clinic.
pub async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    create: Create,
    context: &Context,
) -> Result<Exit> {
    let config = context.config()?;
    let footing = Footing::of(admin, context).await?;
    let begun = Instant::now();
    let ground = footing.ground(installation, &|_, _| {});
    let new = NewClinic {
        slug: create.slug,
        display_name: create.name,
        template: create.template.clone(),
        locale: create.locale,
        time_zone: create.time_zone,
        cell: Some(create.cell).filter(|cell| cell != MAIN),
    };
    tenant::prepare(admin, &ground, &new).await?;
    let tenant = tenant::create(admin, &ground, &new).await?;
    let created = Created {
        id: tenant.id.to_string(),
        host: format!("{}.{}", tenant.slug, config.http.base_domain),
        slug: tenant.slug,
        display_name: tenant.display_name,
        template: create.template,
        locale: tenant.locale,
        time_zone: tenant.time_zone,
        cell: tenant.cell,
        schema_version: tenant.schema_version,
        duration_ms: begun.elapsed().as_millis(),
    };
    context.output.print_one(
        &["id", "slug", "display_name", "host", "template", "locale", "time_zone", "duration_ms"],
        &created,
    )?;
    Ok(Exit::Done)
}

//! `praxis role`: the default roles of clinics.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_domain::roles::{self, Ensured};
use praxis_platform::{
    template::{Source, Template},
    tenancy::connect_admin,
};
use serde::Serialize;

use super::{Context, Exit, operator::operations};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the default roles that are missing, and bring those that the clinic never changed to what its template says now
    Ensure(Ensure),
}

#[derive(Debug, clap::Args)]
struct Ensure {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG", required_unless_present = "all")]
    tenant: Option<String>,
    /// All clinics
    #[arg(long, conflicts_with = "tenant")]
    all: bool,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    made: Vec<String>,
    renewed: Vec<String>,
    kept: Vec<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let Command::Ensure(ensure) = args.command;
    let mut rows = Vec::new();
    for (slug, template) in clinics(context, ensure.tenant.as_deref()).await? {
        let Ensured { made, renewed, kept } =
            one(context, &slug, &template).await.with_context(|| format!("clinic \"{slug}\""))?;
        rows.push(Row { tenant: slug, made, renewed, kept });
    }
    context.output.print_rows(&["tenant", "made", "renewed", "kept"], &rows)?;
    Ok(Exit::Done)
}

async fn one(context: &Context, slug: &str, template: &Template) -> Result<Ensured> {
    let op = operations(context, slug).await?.write().await?;
    let ensured = roles::ensure(&op, template).await?;
    if ensured.changed() {
        op.commit().await?
    } else {
        op.rollback().await?
    }
    Ok(ensured)
}

/// The clinics that are meant, each with the template it was made from.
async fn clinics(context: &Context, slug: Option<&str>) -> Result<Vec<(String, Template)>> {
    let mut admin = connect_admin(context.config()?.database.url()?).await?;
    let find = "SELECT slug, template FROM control.tenant WHERE ($1 IS NULL AND state IN ('ACTIVE', 'PAST_DUE') OR slug = $1) ORDER BY slug";
    let found: Vec<(String, String)> = sqlx::query_as(find).bind(slug).fetch_all(&mut admin).await?;
    if let Some(slug) = slug {
        anyhow::ensure!(!found.is_empty(), "there is no tenant \"{slug}\"");
    }
    let source = Source::shipped();
    let mut templates: HashMap<String, Template> = HashMap::new();
    let mut clinics = Vec::with_capacity(found.len());
    for (slug, name) in found {
        if !templates.contains_key(&name) {
            templates.insert(name.clone(), Template::load(&source, &name)?);
        }
        if let Some(template) = templates.get(&name) {
            clinics.push((slug, template.clone()));
        }
    }
    Ok(clinics)
}

//! `praxis operations`: documents that may be called by their id, for a clinic or for all of them.

mod installation;
mod manifest;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_domain::operations::{self, NewOperation, Registration};
use praxis_entity::registered_operation::{self, OperationKind};
use praxis_graphql::api::Api;
use serde::Serialize;

use super::{Context, Exit, operator::operations as at};
use manifest::Document;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Register the operations of a manifest; those that are registered stay as they are
    Push {
        #[command(flatten)]
        place: Place,
        /// An Apollo persisted-query-manifest or Relay's persisted.json
        manifest: PathBuf,
    },
    /// List registered operations
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Say whether operations fit the schema of this build and what they cost, without storing any
    Check {
        #[command(flatten)]
        place: Anywhere,
        /// A manifest; without one, what is registered is checked
        manifest: Option<PathBuf>,
    },
    /// Let operations be called no more
    Retire {
        #[command(flatten)]
        place: Place,
        /// Ids of the documents
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// For whom operations are registered.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// For all clinics of the installation
    #[arg(long)]
    all: bool,
}

/// The same, or nobody in particular.
#[derive(Debug, clap::Args)]
#[group(required = false, multiple = false)]
struct Anywhere {
    /// Subdomain of the clinic whose operations are compared
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Compare with the operations of the whole installation
    #[arg(long)]
    all: bool,
}

impl Anywhere {
    fn place(self) -> Option<Place> {
        let Self { tenant, all } = self;
        (tenant.is_some() || all).then_some(Place { tenant, all })
    }
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    kind: Option<OperationKind>,
    cost: Option<i64>,
    depth: Option<i32>,
    by_get: Option<bool>,
    state: String,
}

const COLUMNS: [&str; 7] = ["id", "name", "kind", "cost", "depth", "by_get", "state"];

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Push { place, manifest } => push(&place, &read(&manifest)?, context).await,
        Command::List { place } => {
            let rows: Vec<_> = stored(&place, context).await?.into_iter().map(listed).collect();
            context.output.print_rows(&COLUMNS, &rows)?;
            Ok(Exit::Done)
        }
        Command::Check { place, manifest } => {
            let registered = match place.place() {
                Some(place) => stored(&place, context).await?,
                None => Vec::new(),
            };
            let documents = match manifest {
                Some(file) => read(&file)?,
                None => registered.iter().map(Document::registered).collect(),
            };
            check(&documents, &registered, context).await
        }
        Command::Retire { place, ids } => retire(&place, &ids, context).await,
    }
}

fn read(file: &PathBuf) -> Result<Vec<Document>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    manifest::parse(&text).with_context(|| format!("reading {}", file.display()))
}

async fn push(place: &Place, documents: &[Document], context: &Context) -> Result<Exit> {
    let (judged, refused) = judge(documents, context).await?;
    if !refused.is_empty() {
        // All or none: a client that is half registered works half.
        context.output.print_rows(&COLUMNS, &refused)?;
        return Ok(Exit::Failed);
    }
    let done = match &place.tenant {
        Some(slug) => {
            let op = at(context, slug).await?.write().await?;
            let done = operations::register(&op, judged.clone()).await?;
            op.commit().await?;
            done
        }
        None => installation::register(context, &judged).await?,
    };
    let rows: Vec<_> = judged.into_iter().zip(done).map(|(new, done)| pushed(new, done)).collect();
    context.output.print_rows(&COLUMNS, &rows)?;
    Ok(Exit::Done)
}

async fn check(
    documents: &[Document],
    registered: &[registered_operation::Model],
    context: &Context,
) -> Result<Exit> {
    let (judged, refused) = judge(documents, context).await?;
    let state = |new: &NewOperation| match registered.iter().find(|row| row.document_id == new.document_id) {
        None => "fits",
        Some(row) if row.sha256 != new.sha256 => "breaking: another text is registered under this id",
        Some(row) if row.cost < new.cost => "fits, and costs more than when it was registered",
        Some(_) => "fits",
    };
    let mut rows: Vec<_> = judged.iter().map(|new| row(new, state(new).to_owned())).collect();
    rows.extend(refused);
    let broken = rows.iter().any(|row| row.state.starts_with("breaking"));
    context.output.print_rows(&COLUMNS, &rows)?;
    Ok(if broken { Exit::NotUpToDate } else { Exit::Done })
}

async fn retire(place: &Place, ids: &[String], context: &Context) -> Result<Exit> {
    let rows = match &place.tenant {
        Some(slug) => {
            let op = at(context, slug).await?.write().await?;
            let mut rows = Vec::new();
            for id in ids {
                let retired = operations::retire(&op, id).await.with_context(|| format!("operation {id}"))?;
                rows.push(listed(retired));
            }
            op.commit().await?;
            rows
        }
        None => installation::retire(context, ids).await?.into_iter().map(listed).collect(),
    };
    context.output.print_rows(&COLUMNS, &rows)?;
    Ok(Exit::Done)
}

async fn stored(place: &Place, context: &Context) -> Result<Vec<registered_operation::Model>> {
    match &place.tenant {
        Some(slug) => Ok(operations::operations(&at(context, slug).await?.read()).await?),
        None => installation::operations(context).await,
    }
}

/// Judges documents by the schema of this build: what may be registered, and what is wrong with the rest.
async fn judge(documents: &[Document], context: &Context) -> Result<(Vec<NewOperation>, Vec<Row>)> {
    let api: Api = praxis_graphql::build(context.config()?.limits)?;
    let (mut judged, mut refused) = (Vec::new(), Vec::new());
    for document in documents {
        match api.judge(&document.body).await {
            Ok(found) => judged.push(NewOperation {
                document_id: document.id.clone(),
                sha256: found.sha256,
                name: found.name,
                kind: if found.mutation { OperationKind::Mutation } else { OperationKind::Query },
                body: document.body.clone(),
                cost: i64::try_from(found.cost).unwrap_or(i64::MAX),
                depth: i32::try_from(found.depth).unwrap_or(i32::MAX),
                by_get: found.by_get,
            }),
            Err(reasons) => refused.push(Row {
                id: document.id.clone(),
                name: document.name.clone(),
                kind: None,
                cost: None,
                depth: None,
                by_get: None,
                state: format!("breaking: {}", reasons.join("; ")),
            }),
        }
    }
    Ok((judged, refused))
}

fn row(new: &NewOperation, state: String) -> Row {
    Row {
        id: new.document_id.clone(),
        name: new.name.clone(),
        kind: Some(new.kind),
        cost: Some(new.cost),
        depth: Some(new.depth),
        by_get: Some(new.by_get),
        state,
    }
}

fn pushed(new: NewOperation, done: Registration) -> Row {
    let state = match done {
        Registration::Added => "added",
        Registration::Restored => "restored",
        Registration::Unchanged => "unchanged",
    };
    row(&new, state.to_owned())
}

fn listed(stored: registered_operation::Model) -> Row {
    let state = match stored.retired_at {
        Some(at) => format!("retired {}", at.format("%Y-%m-%d")),
        None => "active".to_owned(),
    };
    Row {
        id: stored.document_id,
        name: stored.name,
        kind: Some(stored.kind),
        cost: Some(stored.cost),
        depth: Some(stored.depth),
        by_get: Some(stored.by_get),
        state,
    }
}

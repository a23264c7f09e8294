//! `praxis client`: programs that call a clinic's API with credentials of their own.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_domain::operations::{self, NewClient};
use praxis_entity::{api_client, ids::ApiClientId};
use serde::Serialize;

use super::{Context, Exit, operator::operations as at};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a program; its secret is printed once
    Create {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Whose program it is and what it does
        #[arg(long)]
        name: String,
        /// A permission that it holds; may be repeated
        #[arg(long = "permission", value_name = "CODE")]
        permissions: Vec<String>,
        /// Id of a registered document that it may call; may be repeated
        #[arg(long = "operation", value_name = "ID")]
        operations: Vec<String>,
        /// Points of cost that it may spend at once
        #[arg(long, value_name = "POINTS")]
        rate_points: Option<i32>,
        /// Points that it gets back each second
        #[arg(long, value_name = "POINTS")]
        rate_restore: Option<i32>,
    },
    /// List the programs of a clinic
    List {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
    /// Give a program another secret; it is printed once
    RotateSecret {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The program
        id: ApiClientId,
        /// Hours for which the present secret still counts
        #[arg(long, default_value_t = 24)]
        overlap_hours: i32,
    },
    /// Retire a program for good
    Retire {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The program
        id: ApiClientId,
    },
}

impl Command {
    fn tenant(&self) -> &str {
        match self {
            Self::Create { tenant, .. }
            | Self::List { tenant }
            | Self::RotateSecret { tenant, .. }
            | Self::Retire { tenant, .. } => tenant,
        }
    }
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    status: &'static str,
    permissions: Vec<String>,
    operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

const COLUMNS: [&str; 5] = ["id", "name", "status", "permissions", "operations"];

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let clinic = at(context, args.command.tenant()).await?;
    let (client, secret) = match args.command {
        Command::List { .. } => {
            let clients = operations::clients(&clinic.read()).await?;
            let rows: Vec<_> = clients.into_iter().map(|client| row(client, None)).collect();
            context.output.print_rows(&COLUMNS, &rows)?;
            return Ok(Exit::Done);
        }
        Command::Create { name, permissions, operations, rate_points, rate_restore, .. } => {
            let new = NewClient { name, permissions, operations, rate_points, rate_restore };
            let op = clinic.write().await?;
            let (client, secret) = operations::create_client(&op, new).await?;
            op.commit().await?;
            (client, Some(secret.to_string()))
        }
        Command::RotateSecret { id, overlap_hours, .. } => {
            let op = clinic.write().await?;
            let rotated = operations::rotate_secret(&op, id, overlap_hours).await;
            let (client, secret) = rotated.with_context(|| format!("program {id}"))?;
            op.commit().await?;
            (client, Some(secret.to_string()))
        }
        Command::Retire { id, .. } => {
            let op = clinic.write().await?;
            let client = operations::retire_client(&op, id).await;
            let client = client.with_context(|| format!("program {id}"))?;
            op.commit().await?;
            (client, None)
        }
    };
    let mut shown = COLUMNS.to_vec();
    shown.extend(secret.is_some().then_some("secret"));
    context.output.print_one(&shown, &row(client, secret))?;
    Ok(Exit::Done)
}

fn row(client: api_client::Model, secret: Option<String>) -> Row {
    Row {
        id: client.id.to_string(),
        name: client.name,
        status: match client.status {
            api_client::ApiClientStatus::Active => "active",
            api_client::ApiClientStatus::Retired => "retired",
        },
        permissions: client.permissions,
        operations: client.operations,
        secret,
    }
}

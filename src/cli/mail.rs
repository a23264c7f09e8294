//! `praxis mail`: mails that wait to be sent, and those that were given up.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use praxis_entity::ids::MailId;
use praxis_platform::mail;
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
    /// List mails, those that are not sent unless said otherwise
    List {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only those
        #[arg(long, value_enum)]
        status: Option<Status>,
    },
    /// Try mails anew that were given up
    Retry {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only this one
        #[arg(long, value_name = "ID")]
        id: Option<MailId>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// Waiting for the next try
    Queued,
    /// Taken by the mail server
    Sent,
    /// Given up
    Dead,
}

/// Says nothing of what a mail says: that is sealed.
#[derive(Serialize)]
struct Row {
    id: String,
    to: String,
    template: String,
    status: String,
    attempts: i32,
    created_at: DateTime<Utc>,
    next_attempt_at: DateTime<Utc>,
    last_error: Option<String>,
}

#[derive(Serialize)]
struct Retried {
    retried: u64,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::List { tenant, status } => {
            let op = operations(context, &tenant).await?.read();
            let status = status.map(|status| match status {
                Status::Queued => "QUEUED",
                Status::Sent => "SENT",
                Status::Dead => "DEAD",
            });
            let rows: Vec<Row> = mail::list(&op, status).await?.into_iter().map(Row::from).collect();
            let columns = ["id", "to", "template", "status", "attempts", "next_attempt_at", "last_error"];
            context.output.print_rows(&columns, &rows)?;
        }
        Command::Retry { tenant, id } => {
            let op = operations(context, &tenant).await?.write().await?;
            let retried = mail::retry(&op, id).await?;
            op.commit().await?;
            context.output.print_one(&["retried"], &Retried { retried })?;
        }
    }
    Ok(Exit::Done)
}

impl From<praxis_entity::mail_message::Model> for Row {
    fn from(mail: praxis_entity::mail_message::Model) -> Self {
        Self {
            id: mail.id.to_string(),
            to: mail.to_address,
            template: mail.template,
            status: mail.status,
            attempts: mail.attempts,
            created_at: mail.created_at,
            next_attempt_at: mail.next_attempt_at,
            last_error: mail.last_error,
        }
    }
}

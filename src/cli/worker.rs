//! `praxis worker`: does the work that nobody waits for, without serving requests.

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use super::{Context, Exit};
use crate::{App, shutdown};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of health checks and metrics
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
}

/// Works until a signal, then finishes what is under way.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let context =
        context.with("admin.listen", args.admin_listen).with("worker.enabled", Some("true".to_owned()));
    let config = context.config()?;
    let address = config.admin.listen;
    let admin = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let app = App::build(config).await?;
    tracing::info!(address = %admin.local_addr()?, "working; serving health checks and metrics");
    app.serve(Vec::new(), Some(admin), Box::pin(shutdown::signal())).await?;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

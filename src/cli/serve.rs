//! `praxis serve`: serves all clinics until it is told to stop.

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use super::{Context, Exit};
use crate::{App, shutdown};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Public addresses, separated by commas
    #[arg(long, value_name = "ADDRESSES")]
    listen: Option<String>,
    /// Address of health checks and metrics
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
}

/// Serves until a signal, then finishes what is under way.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let context = context.with("http.listen", args.listen).with("admin.listen", args.admin_listen);
    let config = context.config()?;
    let mut public = Vec::new();
    for address in &config.http.listen {
        public.push(TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?);
    }
    let address = config.admin.listen;
    let admin = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let app = App::build(config).await?;
    for listener in &public {
        tracing::info!(address = %listener.local_addr()?, "serving clinics");
    }
    tracing::info!(address = %admin.local_addr()?, "serving health checks and metrics");
    app.serve(public, Some(admin), Box::pin(shutdown::signal())).await?;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

//! `praxis operator`: people who run the installation, and the port at which they see it.

use std::{
    io::{self, Read},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_fleet::operators;
use praxis_operators::ControlPlane;
use praxis_platform::{
    clock::{SharedClock, SystemClock},
    tenancy::connect_admin,
    vault::crypto,
};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Context, Exit};
use crate::{
    http::{
        operators::router,
        server::{self, Bounds},
    },
    root_key, shutdown,
};

/// Operators are few.
const BOUNDS: Bounds = Bounds { connections: 64, idle: Duration::from_secs(60) };

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an account; without a password given, one is made and printed once
    Create {
        /// E-mail address, the login
        #[arg(long)]
        email: String,
        /// Name as shown
        #[arg(long)]
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the operators
    List,
    /// Let an operator sign in no more, and end their sessions
    Retire {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
    /// Give an operator another password, made and printed once unless given, and end their sessions
    Password {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Serve the control plane until it is told to stop
    Serve {
        /// Address of the control plane; not one that clinics can reach
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9191")]
        listen: SocketAddr,
    },
}

#[derive(Serialize)]
struct Row {
    email: String,
    display_name: String,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let config = context.config()?;
    let mut admin = connect_admin(config.database.url()?).await?;
    match args.command {
        Command::Create { email, name, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            let clock: SharedClock = Arc::new(SystemClock);
            let operator = operators::create(&mut admin, &clock, &email, &name, &password).await?;
            let row = Row {
                email: operator.email,
                display_name: operator.display_name,
                active: operator.active,
                password: made,
            };
            context.output.print_one(&["email", "display_name", "password"], &row)?;
        }
        Command::List => {
            let rows: Vec<Row> = operators::list(&mut admin)
                .await?
                .into_iter()
                .map(|operator| Row {
                    email: operator.email,
                    display_name: operator.display_name,
                    active: operator.active,
                    password: None,
                })
                .collect();
            context.output.print_rows(&["email", "display_name", "active"], &rows)?;
        }
        Command::Retire { email } => operators::retire(&mut admin, &email).await?,
        Command::Password { email, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            operators::set_password(&mut admin, &email, &password).await?;
            if let Some(made) = made {
                context.output.print_one(&["password"], &serde_json::json!({ "password": made }))?;
            }
        }
        Command::Serve { listen } => {
            let keys = root_key::find(&config.keys, &mut admin).await?.wrapper;
            drop(admin);
            serve(config.database.url()?, keys, listen).await?;
        }
    }
    Ok(Exit::Done)
}

/// The password that was given, or one that is made now and has to be printed.
fn password(from_stdin: bool) -> Result<(Zeroizing<String>, Option<String>)> {
    if from_stdin {
        let mut given = Zeroizing::new(String::new());
        io::stdin().read_to_string(&mut given).context("reading the password")?;
        return Ok((Zeroizing::new(given.trim_end_matches(['\r', '\n']).to_owned()), None));
    }
    let made = data_encoding::BASE32_NOPAD.encode(&crypto::random::<15>()?).to_ascii_lowercase();
    Ok((Zeroizing::new(made.clone()), Some(made)))
}

async fn serve(
    database_url: &str,
    keys: Arc<dyn praxis_platform::vault::KeyWrapper>,
    address: SocketAddr,
) -> Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let plane = ControlPlane::new(database_url, keys, Arc::clone(&clock));
    let router = router(plane, Arc::new(move || clock.new_id().to_string()));
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "serving the control plane");
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        shutdown::signal().await;
        stopping.cancel();
    });
    server::serve(listener, router, BOUNDS, stop).await?;
    tracing::info!("stopped");
    Ok(())
}

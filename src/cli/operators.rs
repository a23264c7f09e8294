//! `praxis operator`: people who run the installation, and the port at which they see it.

use std::{
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_fleet::{
    operators::{self, NewOperator, Operator, Right},
    tenant::fits_this_build,
};
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
    config::Config,
    http::{
        metrics,
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
        /// What they may do: read, manage, hold or destroy; may be given several times
        #[arg(long = "right", value_name = "RIGHT", default_value = "read")]
        rights: Vec<Right>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the operators
    List,
    /// Give an operator rights, or take them; what they may do changes at once
    Rights {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// A right to give: read, manage, hold or destroy; may be given several times
        #[arg(long, value_name = "RIGHT")]
        give: Vec<Right>,
        /// A right to take
        #[arg(long, value_name = "RIGHT")]
        take: Vec<Right>,
    },
    /// Let an operator sign in no more, and end their sessions
    Retire {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
    /// Let an operator sign in again who was retired, with the password and the rights of before
    Reinstate {
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
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
}

#[derive(Serialize)]
struct Row {
    email: String,
    display_name: String,
    active: bool,
    rights: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Row {
    fn of(operator: Operator, password: Option<String>) -> Self {
        let rights = operator.rights.codes();
        let Operator { email, display_name, active, .. } = operator;
        Self { email, display_name, active, rights, password }
    }
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    if let Command::Serve { listen } = args.command {
        return serve(context.with("operator.listen", listen).config()?).await;
    }
    let config = context.config()?;
    let mut admin = connect_admin(config.database.url()?).await?;
    match args.command {
        Command::Create { email, name, rights, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            let clock: SharedClock = Arc::new(SystemClock);
            let rights = rights.into_iter().collect();
            let new = NewOperator { email: &email, display_name: &name, password: &password, rights };
            let operator = operators::create(&mut admin, &clock, &new).await?;
            let row = Row::of(operator, made);
            context.output.print_one(&["email", "display_name", "rights", "password"], &row)?;
        }
        Command::List => {
            let rows = operators::list(&mut admin).await?.into_iter();
            let rows: Vec<_> = rows.map(|operator| Row::of(operator, None)).collect();
            context.output.print_rows(&["email", "display_name", "active", "rights"], &rows)?;
        }
        Command::Rights { email, give, take } => {
            let operator = operators::change_rights(&mut admin, &email, &give, &take).await?;
            context.output.print_one(&["email", "rights"], &Row::of(operator, None))?;
        }
        Command::Retire { email } => operators::retire(&mut admin, &email).await?,
        Command::Reinstate { email } => operators::reinstate(&mut admin, &email).await?,
        Command::Password { email, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            operators::set_password(&mut admin, &email, &password).await?;
            if let Some(made) = made {
                context.output.print_one(&["password"], &serde_json::json!({ "password": made }))?;
            }
        }
        Command::Serve { .. } => {}
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

async fn serve(config: Config) -> Result<Exit> {
    let (url, address) = (config.database.url()?, config.operator.listen);
    let mut admin = connect_admin(url).await?;
    // An older or newer build would work at a schema that is not the one it knows.
    fits_this_build(&mut admin).await?;
    let keys = root_key::find(&config.keys, &mut admin).await?.wrapper;
    drop(admin);
    let clock: SharedClock = Arc::new(SystemClock);
    let plane =
        ControlPlane::new(&config.database.cells()?, &config.http.base_domain, keys, Arc::clone(&clock))?;
    let plane = Arc::new(plane);
    let ids = Arc::new(move || clock.new_id().to_string());
    let router = router(Arc::clone(&plane), config.http.client_address_header, ids);
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            "passwords come in at {address} in the clear: nothing but a proxy that ends TLS may reach it"
        );
    }
    tracing::info!(address = %listener.local_addr()?, "serving the control plane");
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        shutdown::signal().await;
        stopping.cancel();
    });
    tokio::spawn(metrics::upkeep());
    let working = stop.clone();
    let work = tokio::spawn(async move { plane.work(working).await });
    let served = server::serve(listener, router, BOUNDS, stop.clone()).await;
    stop.cancel();
    work.await?;
    served?;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

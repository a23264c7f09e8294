//! `praxis demo`: two clinics with patients, on a database of their own, ready in seconds.
//!
//! Everything is in one folder and listens on loopback only. The data are kept until `--reset`;
//! a start that did not finish filling the clinics is begun anew by the next one.

mod clinical;
mod clinics;
pub mod cluster;
mod folder;
mod people;
mod random;
mod ready;
mod schedule;
mod seed;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use praxis_fleet::{
    migrate::{Migrator, Options, Outcome},
    operators::{self, NewOperator, Right},
};
use praxis_platform::{
    clock::{SharedClock, SystemClock},
    template::{Source, Template},
    tenancy::{Control, Installation, NewTenant, connect_admin, installed, provision},
    vault::KeyWrapper,
};
use sqlx::{Connection, postgres::PgConnection};
use tokio::{
    net::{TcpListener, lookup_host},
    time::timeout,
};

use self::{
    clinics::{CLINICS, Clinic, OPERATOR, PASSWORD},
    cluster::Cluster,
    folder::{Folder, Seeded},
    ready::{Reached, Ready},
    seed::Seeder,
};
use super::{Context, Exit};
use crate::{
    App,
    config::Config,
    root_key::{self, RootKeys},
    shutdown, telemetry,
};

/// The database of the cluster that holds everything.
const DATABASE: &str = "postgres";

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port of the clinics; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of health checks and metrics; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    admin_port: u16,
    /// Where everything is kept
    #[arg(long, value_name = "FOLDER", default_value = ".praxis/demo")]
    dir: PathBuf,
    /// Remove what is there and start anew
    #[arg(long)]
    reset: bool,
    /// Which patients are made up; another number gives others
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Patients of each clinic
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    patients: u16,
    /// Write everything by which the patients can be recognised to a file, for searching leaks
    #[arg(long, value_name = "FILE", hide = true)]
    write_canaries: Option<PathBuf>,
}

/// Runs the demo until it is told to stop.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let begun = Instant::now();
    // Asked for by name: whether names like northside.localhost lead anywhere on this system.
    let resolves = tokio::spawn(localhost_resolves());
    // A port in use is best told before anything is made.
    let (listeners, addresses) = listen(args.port).await?;
    let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, args.admin_port)).await;
    let admin = admin.with_context(|| format!("listening on 127.0.0.1:{}", args.admin_port))?;

    let folder = Folder::open(&args.dir)?;
    let (wanted, kept) = (Seeded { seed: args.seed, patients: args.patients }, folder.seeded()?);
    let kept = kept.filter(|_| !args.reset);
    if kept.is_none() {
        folder.clear()?;
    }
    let options = cluster::Options { durable: true, reset: kept.is_none() };
    let cluster = Cluster::start(folder.path(), options).await?;
    let dsn = cluster.superuser_dsn(DATABASE);
    let port = listeners.first().context("no listener")?.local_addr()?.port();
    let config = folder.configure(&dsn, port)?;
    telemetry::init_to(&config.log, folder.log()?);
    if kept.is_some_and(|kept| kept != wanted) {
        tracing::warn!(
            "the clinics were filled with another seed or number of patients; --reset makes new ones"
        );
    }

    let result = start(config, &dsn, kept.is_none().then_some(wanted), &folder).await;
    let result = match result {
        Ok(app) => {
            if let Some(file) = &args.write_canaries {
                folder::write_lines(file, &kept.unwrap_or(wanted).canaries())?;
            }
            let ready = Ready::new(Reached {
                port,
                admin_port: admin.local_addr()?.port(),
                addresses: &addresses,
                localhost_resolves: resolves.await.unwrap_or(false),
                admin_dsn: dsn,
                start_ms: begun.elapsed().as_millis(),
            });
            ready.tell(context.output, &args.dir.to_string_lossy())?;
            tracing::info!(duration_ms = begun.elapsed().as_millis(), "serving the demo");
            app.serve(listeners, Some(admin), Box::pin(shutdown::signal())).await.map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    tracing::info!("stopping the demo");
    cluster.stop().await?;
    result.map(|()| Exit::Done)
}

/// Brings the installation up to date, fills it if asked to, and builds the server.
async fn start(config: Config, dsn: &str, fill: Option<Seeded>, folder: &Folder) -> Result<App> {
    let clock: SharedClock = Arc::new(SystemClock);
    let root =
        if fill.is_some() { root_key::make(&config.keys)? } else { RootKeys::of(&config.keys)? }.wrapper;
    let report = Migrator::new(dsn).up(root.as_ref(), &clock, &Options::default(), &|_| ()).await?;
    ensure!(report.outcome == Outcome::Done, "the demo's schemas could not be brought up to date");
    let Some(wanted) = fill else { return Ok(App::build(config).await?) };

    let mut operator = connect_admin(dsn).await?;
    root_key::remember(&config.keys, &mut operator).await?;
    let installation = installed(&mut operator).await?.context("no installation")?;
    for clinic in &CLINICS {
        make(&mut operator, &installation, root.as_ref(), &clock, clinic).await?;
    }
    make_operator(&mut operator, &clock).await?;
    operator.close().await?;

    let app = App::build(config).await?;
    let control = Control::connect(dsn, root.as_ref()).await?;
    let seeder = Arc::new(Seeder::new(&app.platform, control, root));
    let filled = CLINICS.iter().map(|clinic| {
        let tenant = app.directory.by_slug(clinic.slug).context("a clinic is missing");
        let seeder = Arc::clone(&seeder);
        let filled =
            tenant.map(|tenant| seeder.fill(tenant, clinic, wanted.seed, usize::from(wanted.patients)));
        tokio::spawn(async move { filled?.await })
    });
    for filled in filled.collect::<Vec<_>>() {
        filled.await??;
    }
    // From here on the data are kept: whatever is missing of them was never there.
    folder.note_seeded(wanted)?;
    Ok(app)
}

/// Makes an empty clinic, reached by its name and by an address of its own.
async fn make(
    operator: &mut PgConnection,
    installation: &Installation,
    root: &dyn KeyWrapper,
    clock: &SharedClock,
    clinic: &Clinic,
) -> Result<()> {
    let template = Template::load(&Source::shipped(), clinic.template)?;
    let new = NewTenant {
        slug: clinic.slug.to_owned(),
        display_name: clinic.name.to_owned(),
        locale: Some(clinic.locale.to_owned()),
        time_zone: Some(clinic.time_zone.to_owned()),
    };
    let tenant = provision(operator, installation, root, clock, &template, &new).await?;
    sqlx::query("INSERT INTO control.tenant_domain (host, tenant_id, verified_at) VALUES ($1, $2, now())")
        .bind(Ipv4Addr::from(clinic.address).to_string())
        .bind(tenant.uuid())
        .execute(operator)
        .await?;
    Ok(())
}

async fn make_operator(operator: &mut PgConnection, clock: &SharedClock) -> Result<()> {
    let new = NewOperator {
        email: OPERATOR,
        display_name: "Demo operator",
        password: PASSWORD,
        rights: Right::ALL.into_iter().collect(),
    };
    operators::create(operator, clock, &new).await?;
    Ok(())
}

/// Listens on 127.0.0.1, and on each clinic's own address where the system lets us.
async fn listen(port: u16) -> Result<(Vec<TcpListener>, Vec<Ipv4Addr>)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let first = first.with_context(|| format!("listening on 127.0.0.1:{port}; --port takes another one"))?;
    let port = first.local_addr()?.port();
    let (mut listeners, mut addresses) = (vec![first], Vec::new());
    for clinic in &CLINICS {
        let address = Ipv4Addr::from(clinic.address);
        if let Ok(listener) = TcpListener::bind((address, port)).await {
            listeners.push(listener);
            addresses.push(address);
        }
    }
    Ok((listeners, addresses))
}

/// Whether programs that ask the system find the names of the clinics.
async fn localhost_resolves() -> bool {
    let look = async |clinic: &Clinic| {
        let found = lookup_host((format!("{}.localhost", clinic.slug), 0)).await;
        found.is_ok_and(|mut found| found.any(|address| address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST)))
    };
    let all = async {
        for clinic in &CLINICS {
            if !look(clinic).await {
                return false;
            }
        }
        true
    };
    timeout(Duration::from_millis(500), all).await.unwrap_or(false)
}

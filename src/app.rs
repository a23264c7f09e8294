//! The composition root: what the server consists of, made from top to bottom.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use futures::future::BoxFuture;
use praxis_domain::{jobs::Jobs, notifications::Ports};
use praxis_graphql::api::{Gate, UnreadableSchema};
use praxis_platform::{
    Platform,
    audit::Backlog,
    bell::Bell,
    client::ClientAuthenticator,
    clock::{SharedClock, SystemClock},
    documents::DocumentStore,
    jobs::Worker,
    keyring::Keyring,
    mail::Mailer,
    names::NameIndexes,
    rates::Rates,
    redis::{InvalidAddress, Redis},
    session::{
        Authenticator,
        oidc::{OutboundError, Providers},
    },
    tenancy::{Cells, Control, Directory, InstallationError, Pool, check_hardening, connect_admin, probe},
    vault::VaultError,
};
use sea_orm::DbErr;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    config::{Config, Invalid},
    heads::Remembered,
    http::{
        self, Edge, Live,
        admin::Health,
        metrics,
        server::{self, Bounds},
        throttle::Throttle,
    },
    noticing::Notifier,
    presence, root_key,
    rounds::Round,
    sealing, working,
};

/// How long requests under way may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// Connections to the admin port at once.
const ADMINS: usize = 64;
/// Clinics whose name search is held in memory.
const SEARCHED_CLINICS: u64 = 256;

/// How long the start waits for a further cell.
const CELL: Duration = Duration::from_secs(3);

/// Refuses a further cell in which a statement could cross tenants. One that is away keeps nobody from starting: its
/// clinics are served when it is back.
async fn check_cell(cells: &Cells, cell: &str, is_required: bool) -> Result<(), StartError> {
    let looked = timeout(CELL, async { check_hardening(&mut cells.connect(cell).await?).await }).await;
    match looked.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
        Ok(hardening) if hardening.complete() => Ok(()),
        Ok(_) if is_required => Err(StartError::CellNotHardened(cell.to_owned())),
        Ok(_) => {
            tracing::warn!(
                cell,
                "PUBLIC may call set_config in a cell: an injected statement could cross tenants"
            );
            Ok(())
        }
        Err(error) => {
            tracing::warn!(cell, %error, "a cell is away: its clinics are not served until it is back");
            Ok(())
        }
    }
}

/// The server, built but not yet listening.
pub struct App {
    /// What the public port serves.
    pub router: Router,
    /// What the admin port serves.
    pub admin_router: Router,
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// What sends mails; none where nobody said how they leave.
    pub mailer: Option<Arc<Mailer>>,
    /// What does jobs; none where `praxis worker` does.
    pub worker: Option<Arc<Worker>>,
    /// What sends notices.
    pub notifier: Arc<Notifier>,
    /// Where it is written down how far the audit logs were sealed.
    remembered: Option<Remembered>,
    /// Where the server says that it is there, and as whom.
    present: (Control, Uuid),
    /// Ends what goes on by itself: sockets, workers.
    stop: CancellationToken,
    /// What each public address bears.
    bounds: Bounds,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] Invalid),
    /// The root key can't be used.
    #[error("the root key cannot be used")]
    Key(#[source] VaultError),
    /// The control database can't be used.
    #[error("the control database cannot be used")]
    Database(#[source] sqlx::Error),
    /// The installation's key can't be used.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The clinics can't be read.
    #[error("the directory of tenants cannot be read")]
    Directory(#[source] DbErr),
    /// The control schema is older than this build.
    #[error(
        "the control schema is at version {found} and this build needs {needed}: run `praxis migrate up`"
    )]
    Behind {
        /// Version found.
        found: i32,
        /// Version needed.
        needed: i32,
    },
    /// PUBLIC holds rights with which a statement can cross tenants.
    #[error(
        "PUBLIC may call set_config or update pg_settings: run `praxis migrate up` as a superuser, see `praxis doctor`"
    )]
    NotHardened,
    /// The address of Redis can't be read.
    #[error(transparent)]
    Redis(#[from] InvalidAddress),
    /// The schema can't be read back.
    #[error(transparent)]
    Schema(#[from] UnreadableSchema),
    /// No client for identity providers can be made.
    #[error("identity providers cannot be reached from this machine")]
    Outbound(#[source] OutboundError),
    /// What was remembered of the audit logs can't be read.
    #[error("how far the audit logs were sealed cannot be read")]
    Remembered(#[source] io::Error),
    /// The same in a further cell.
    #[error(
        "PUBLIC may call set_config or update pg_settings in the cell \"{0}\": run `praxis migrate up`, see `praxis doctor`"
    )]
    CellNotHardened(String),
    /// The listeners failed.
    #[error("serving failed")]
    Io(#[source] io::Error),
}

impl App {
    /// Builds the server, and refuses where it would not be safe to serve.
    ///
    /// Boxed, as is serving: so a server is compiled with the library, and not once more by whoever awaits it.
    pub fn build(config: Config) -> BoxFuture<'static, Result<Self, StartError>> {
        Self::build_with_clock(config, Arc::new(SystemClock))
    }

    /// The same by another clock: tests move time.
    pub fn build_with_clock(
        config: Config,
        clock: SharedClock,
    ) -> BoxFuture<'static, Result<Self, StartError>> {
        Box::pin(Self::built(config, clock))
    }

    async fn built(config: Config, clock: SharedClock) -> Result<Self, StartError> {
        metrics::handle();
        let url = config.database.url()?;
        let mut operator = connect_admin(url).await.map_err(StartError::Database)?;
        let root = root_key::find(&config.keys, &mut operator).await.map_err(StartError::Key)?.wrapper;
        let cells = config.database.cells()?;
        let control = Control::connect(&cells, root.as_ref()).await?;
        let facts = probe(&mut operator).await.map_err(StartError::Database)?;
        let found = facts.installation.map_or(0, |installation| installation.control_version);
        let needed = i32::try_from(praxis_migration::control::steps().len()).unwrap_or(i32::MAX);
        if found < needed {
            return Err(StartError::Behind { found, needed });
        }
        let hardening = check_hardening(&mut operator).await.map_err(StartError::Database)?;
        sqlx::Connection::close(operator).await.map_err(StartError::Database)?;
        match (hardening.complete(), config.database.require_hardening) {
            (true, _) => {}
            (false, true) => return Err(StartError::NotHardened),
            (false, false) => {
                tracing::warn!("PUBLIC may call set_config: an injected statement could cross tenants")
            }
        }

        for cell in cells.further() {
            check_cell(&cells, cell, config.database.require_hardening).await?;
        }

        // Said before the first look at the clinics: what a migration takes away from now on, it asks about.
        let present = (control.clone(), clock.new_id());
        present.0.announce(present.1).await.map_err(StartError::Database)?;
        let directory = Directory::load(control.clone(), &config.http.base_domain)
            .await
            .map_err(StartError::Directory)?;
        // Ends by itself with the last holder of the directory.
        drop(directory.keep_fresh());
        let platform = Arc::new(Platform {
            pool: Pool::new(control.clone(), config.database.pool),
            keyring: Keyring::new(control.clone(), root, Arc::clone(&clock), config.keys.times),
            clock: Arc::clone(&clock),
            names: NameIndexes::new(SEARCHED_CLINICS),
            backlog: Backlog::default(),
            readings: Arc::default(),
            bell: Bell::default(),
        });
        let remembered = config
            .audit_heads
            .as_deref()
            .map(|folder| Remembered::recall(folder, platform.backlog.heads()))
            .transpose()
            .map_err(StartError::Remembered)?;
        let worker = config.worker.enabled.then(|| {
            let (platform, directory) = (Arc::clone(&platform), Arc::clone(&directory));
            Arc::new(Worker::new(platform, directory, control.clone(), Arc::new(Jobs), config.worker.jobs))
        });
        let mailer = config.mail.leaving().map(|(transport, from)| {
            Arc::new(Mailer {
                platform: Arc::clone(&platform),
                directory: Arc::clone(&directory),
                control: control.clone(),
                transport,
                from,
                links: config.http.links.clone(),
            })
        });
        if mailer.is_none() {
            tracing::warn!("no mail server: mails stay queued until PRAXIS_SMTP_URL is set");
        }
        let notifier = Arc::new(Notifier {
            platform: Arc::clone(&platform),
            directory: Arc::clone(&directory),
            control,
            ports: Ports {
                mail: config.mail.leaving(),
                sms: config.sms.clone(),
                push: config.push,
                links: config.http.links.clone(),
            },
        });
        let redis = match &config.redis {
            Some(url) => Some(Redis::open(url.expose()).await?),
            None => None,
        };
        let rates = Rates::new(Arc::clone(&clock), redis.clone());
        let gate = Gate::new(config.gate, rates, DocumentStore::new(redis));
        let api = Arc::new(praxis_graphql::build(config.limits)?.behind(gate));
        let edge = Arc::new(Edge {
            platform: Arc::clone(&platform),
            directory: Arc::clone(&directory),
            authenticator: Authenticator::default(),
            clients: ClientAuthenticator::default(),
            throttle: Throttle::default(),
            links_asked: Throttle::default(),
            identity_providers: Providers::new(config.http.local_identity_providers)
                .map_err(StartError::Outbound)?,
            sms: config.sms,
            links: config.http.links,
            client_address_header: config.http.client_address_header,
        });
        let stop = CancellationToken::new();
        let live = Arc::new(Live::new(edge, api, stop.clone()));
        let ids = Arc::new(move || clock.new_id().to_string());
        let health = Health { directory: Arc::clone(&directory), platform: Arc::clone(&platform), hardening };
        Ok(Self {
            router: http::public(live, ids, config.http.graphiql),
            admin_router: http::admin::router(health),
            directory,
            platform,
            mailer,
            worker,
            notifier,
            remembered,
            present,
            stop,
            bounds: Bounds { connections: config.http.connections, idle: config.http.idle },
        })
    }

    /// Serves until `shutdown`, then lets requests under way finish for a while.
    pub fn serve(
        self,
        public: Vec<TcpListener>,
        admin: Option<TcpListener>,
        shutdown: BoxFuture<'static, ()>,
    ) -> BoxFuture<'static, Result<(), StartError>> {
        Box::pin(self.serving(public, admin, shutdown))
    }

    async fn serving(
        self,
        public: Vec<TcpListener>,
        admin: Option<TcpListener>,
        shutdown: BoxFuture<'static, ()>,
    ) -> Result<(), StartError> {
        let stop = self.stop;
        let mut servers = JoinSet::new();
        for listener in public {
            servers.spawn(server::serve(listener, self.router.clone(), self.bounds, stop.clone()));
        }
        if let Some(listener) = admin {
            let bounds = Bounds { connections: ADMINS, ..self.bounds };
            servers.spawn(server::serve(listener, self.admin_router.clone(), bounds, stop.clone()));
        }
        let mut workers = JoinSet::new();
        if let Some(worker) = self.worker {
            workers.spawn(working::plan(Arc::clone(&worker), stop.clone()));
            workers.spawn(working::run(worker, stop.clone()));
            if let Some(mailer) = self.mailer {
                workers.spawn(working::run(mailer, stop.clone()));
            }
            workers.spawn(working::run(self.notifier, stop.clone()));
        }
        let (control, server) = self.present;
        let announcing = tokio::spawn(presence::announce(control.clone(), server));
        let upkeep = tokio::spawn(metrics::upkeep());
        let rounds = [Round::Emergencies, Round::Retention]
            .map(|round| tokio::spawn(round.go(Arc::clone(&self.platform), Arc::clone(&self.directory))));
        let sealer =
            tokio::spawn(sealing::keep_sealed(self.platform, self.directory, self.remembered, stop.clone()));
        // A server that ends by itself takes the others with it.
        let ended_early = tokio::select! {
            () = shutdown => None,
            ended = servers.join_next() => ended,
        };
        stop.cancel();
        upkeep.abort();
        rounds.iter().for_each(tokio::task::JoinHandle::abort);
        let drained = async {
            while servers.join_next().await.is_some() {}
            while workers.join_next().await.is_some() {}
        };
        if timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("what was under way was cut off");
        }
        // What the last requests wrote down is sealed before the server goes.
        if timeout(DRAIN, sealer).await.is_err() {
            tracing::warn!("the audit log was left to be sealed at the next start");
        }
        // Until now it may have been answering.
        announcing.abort();
        presence::leave(&control, server).await;
        match ended_early {
            Some(Ok(Err(error))) => Err(StartError::Io(error)),
            Some(Err(error)) => Err(StartError::Io(io::Error::other(error))),
            Some(Ok(Ok(()))) | None => Ok(()),
        }
    }
}

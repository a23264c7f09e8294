//! All clinics, held in memory and kept fresh, so that no request asks the database which one it is.
//!
//! A change in the control schema bumps one number and sends a notice; a poll every few seconds
//! catches a lost notice. When neither has worked for a minute, writes are refused: a clinic may
//! have been locked or moved meanwhile.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use praxis_entity::{
    control::{
        tenant::{self, TenantState},
        tenant_domain,
    },
    ids::TenantId,
};
use sea_orm::{DbErr, EntityTrait};
use sqlx::postgres::PgListener;
use tokio::sync::Mutex;

use super::{Control, Host, Resolution, Tenant};

const POLL: Duration = Duration::from_secs(5);
const STALE_AFTER: Duration = Duration::from_secs(60);

/// Which clinics there are and which host leads to which.
pub struct Directory {
    control: Control,
    base_domain: String,
    routes: ArcSwap<Routes>,
    /// Version of the routes, as the control schema counts it.
    version: AtomicI64,
    /// Freshness is judged by time that passes, not by the wall clock, which may be set.
    loaded: Instant,
    /// Seconds from then to the last successful look.
    checked: AtomicU64,
    refreshing: Mutex<()>,
}

#[derive(Default)]
struct Routes {
    by_slug: HashMap<String, Arc<Tenant>>,
    by_domain: HashMap<String, Arc<Tenant>>,
    by_id: HashMap<TenantId, Arc<Tenant>>,
}

/// Whether the directory can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Seen lately.
    Fresh,
    /// Not seen for a minute: reading goes on, writing does not.
    Stale,
}

impl Directory {
    /// Reads all routes once.
    pub async fn load(control: Control, base_domain: &str) -> Result<Arc<Self>, DbErr> {
        let directory = Arc::new(Self {
            control,
            base_domain: base_domain.to_ascii_lowercase(),
            routes: ArcSwap::default(),
            version: AtomicI64::new(0),
            loaded: Instant::now(),
            checked: AtomicU64::new(0),
            refreshing: Mutex::new(()),
        });
        directory.refresh().await?;
        Ok(directory)
    }

    /// What a host leads to: a verified domain first, then a subdomain of the base domain.
    pub fn resolve(&self, host: &Host) -> Resolution {
        let routes = self.routes.load();
        let tenant = routes.by_domain.get(host.as_str()).or_else(|| {
            let slug = host.as_str().strip_suffix(self.base_domain.as_str())?.strip_suffix('.')?;
            routes.by_slug.get(slug)
        });
        tenant.map_or(Resolution::Unknown, |tenant| Resolution::Tenant(Arc::clone(tenant)))
    }

    /// The tenant of a slug, for operators.
    pub fn by_slug(&self, slug: &str) -> Option<Arc<Tenant>> {
        self.routes.load().by_slug.get(slug).cloned()
    }

    /// The tenant of an id.
    pub fn by_id(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.routes.load().by_id.get(&id).cloned()
    }

    /// All tenants.
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.routes.load().by_id.values().cloned().collect()
    }

    /// The host name under which a tenant is reached.
    pub fn host_of(&self, tenant: &Tenant) -> String {
        format!("{}.{}", tenant.slug, self.base_domain)
    }

    /// Whether the directory can be relied on for writes.
    pub fn freshness(&self) -> Freshness {
        let checked = Duration::from_secs(self.checked.load(Ordering::Relaxed));
        if self.loaded.elapsed().saturating_sub(checked) > STALE_AFTER {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// Reads the routes again if they changed.
    pub async fn refresh(&self) -> Result<(), DbErr> {
        let _one_at_a_time = self.refreshing.lock().await;
        let version: i64 = sqlx::query_scalar("SELECT n FROM control.directory_version")
            .fetch_one(self.control.pool())
            .await
            .map_err(super::pool::connection_error)?;
        if version != self.version.load(Ordering::Acquire) {
            let tenants = tenant::Entity::find().all(self.control.orm()).await?;
            let domains = tenant_domain::Entity::find().all(self.control.orm()).await?;
            self.routes.store(Arc::new(Routes::build(tenants, domains)));
            self.version.store(version, Ordering::Release);
        }
        self.checked.store(self.loaded.elapsed().as_secs(), Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the routes fresh for as long as the directory is held by anybody else.
    pub fn keep_fresh(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let directory = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut listener: Option<PgListener> = None;
            while let Some(current) = directory.upgrade() {
                if listener.is_none() {
                    listener = listen(&current.control).await;
                }
                if let Err(error) = current.refresh().await {
                    tracing::warn!(error = %error, "the directory of tenants could not be refreshed");
                }
                drop(current);
                match listener.as_mut() {
                    Some(active) => {
                        if matches!(tokio::time::timeout(POLL, active.recv()).await, Ok(Err(_))) {
                            listener = None;
                        }
                    }
                    None => tokio::time::sleep(POLL).await,
                }
            }
        })
    }
}

async fn listen(control: &Control) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(control.pool()).await.ok()?;
    listener.listen("praxis_directory").await.ok()?;
    Some(listener)
}

impl Routes {
    fn build(tenants: Vec<tenant::Model>, domains: Vec<tenant_domain::Model>) -> Self {
        let mut routes = Self::default();
        // Of one whose keys are destroyed nothing is left to be looked at.
        for row in tenants.into_iter().filter(|row| row.state != TenantState::Shredded) {
            let id = row.id;
            let Some(tenant) = Tenant::from_row(row).map(Arc::new) else {
                tracing::error!(tenant = %id, "a tenant's schema name is malformed; it is not served");
                continue;
            };
            routes.by_slug.insert(tenant.slug.clone(), Arc::clone(&tenant));
            routes.by_id.insert(tenant.id, tenant);
        }
        for domain in domains {
            // A domain that its clinic has not proved to own leads nowhere.
            if domain.verified_at.is_some()
                && let Some(tenant) = routes.by_id.get(&domain.tenant_id)
            {
                routes.by_domain.insert(domain.host, Arc::clone(tenant));
            }
        }
        routes
    }
}

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
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use sqlx::postgres::PgListener;
use tokio::{
    sync::Mutex,
    time::{timeout, timeout_at},
};

use super::{Control, Host, Resolution, Tenant};

const POLL: Duration = Duration::from_secs(5);
/// Before the first look everything is new.
const UNREAD: i64 = -1;
/// Changes that follow one another this closely are read together.
const BREATH: Duration = Duration::from_millis(50);
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

#[derive(Default, Clone)]
struct Routes {
    by_slug: HashMap<String, Arc<Tenant>>,
    by_domain: HashMap<String, TenantId>,
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
            version: AtomicI64::new(UNREAD),
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
        let tenant = routes.by_domain.get(host.as_str()).and_then(|id| routes.by_id.get(id)).or_else(|| {
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
        let (version, whole): (i64, i64) = sqlx::query_as("SELECT n, whole FROM control.directory_version")
            .fetch_one(self.control.pool())
            .await
            .map_err(super::pool::connection_error)?;
        if version != self.version.load(Ordering::Acquire) {
            let known = self.version.load(Ordering::Acquire);
            // A control database that was restored or failed over may count from before: nothing of it is known.
            let routes = if known < whole || version < known {
                let tenants = tenant::Entity::find().all(self.control.orm()).await?;
                let domains = tenant_domain::Entity::find().all(self.control.orm()).await?;
                Routes::build(tenants, domains)
            } else {
                // Of thousands that are there, only those that changed: a migration changes one after the other.
                let changed = tenant::Entity::find().filter(tenant::Column::Changed.gt(known));
                self.routes.load().with(changed.all(self.control.orm()).await?)
            };
            self.routes.store(Arc::new(routes));
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
                        if !wait(active).await {
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

/// Waits for a notice; false when the listener is of no use any more. Notices that follow closely upon the last look
/// are waited for together, and are one look.
async fn wait(listener: &mut PgListener) -> bool {
    let breath = tokio::time::Instant::now() + BREATH;
    let mut came = false;
    loop {
        match timeout_at(breath, listener.recv()).await {
            Ok(Ok(_)) => came = true,
            Ok(Err(_)) => return false,
            Err(_) if came => return true,
            Err(_) => break,
        }
    }
    !matches!(timeout(POLL, listener.recv()).await, Ok(Err(_)))
}

impl Routes {
    fn build(tenants: Vec<tenant::Model>, domains: Vec<tenant_domain::Model>) -> Self {
        let mut routes = Self::default();
        routes.take(tenants);
        // A domain that its clinic has not proved to own leads nowhere.
        let verified = domains.into_iter().filter(|domain| domain.verified_at.is_some());
        routes.by_domain = verified.map(|domain| (domain.host, domain.tenant_id)).collect();
        routes
    }

    /// The same routes with the tenants as they are now.
    fn with(&self, changed: Vec<tenant::Model>) -> Self {
        let mut routes = self.clone();
        routes.take(changed);
        routes
    }

    fn take(&mut self, tenants: Vec<tenant::Model>) {
        for row in tenants {
            let id = row.id;
            // Under a slug that it had before, it is found no more.
            if let Some(before) = self.by_id.get(&id)
                && self.by_slug.get(&before.slug).is_some_and(|holder| holder.id == id)
            {
                self.by_slug.remove(&before.slug);
            }
            // Of one whose keys are destroyed nothing is left to be looked at.
            if row.state == TenantState::Shredded {
                self.by_id.remove(&id);
                continue;
            }
            let Some(tenant) = Tenant::from_row(row).map(Arc::new) else {
                tracing::error!(tenant = %id, "a tenant's schema name is malformed; it is not served");
                continue;
            };
            self.by_slug.insert(tenant.slug.clone(), Arc::clone(&tenant));
            self.by_id.insert(id, tenant);
        }
    }
}

//! What a command needs to act inside a clinic as its operator: audited like everybody else.

use std::sync::Arc;

use anyhow::Result;
use praxis_platform::{
    OpFactory, Platform, RequestInfo,
    access::Actor,
    audit::Backlog,
    bell::Bell,
    clock::{SharedClock, SystemClock},
    keyring::Keyring,
    names::NameIndexes,
    tenancy::{Control, Directory, Pool, Tenant, connect_admin},
};

use super::{Context, exit::UnknownTenant};
use crate::root_key;

/// The clinics of the installation, and what operations on them share.
pub async fn installation(context: &Context) -> Result<(Arc<Platform>, Arc<Directory>)> {
    let config = context.config()?;
    let mut admin = connect_admin(config.database.url()?).await?;
    let keys = root_key::find(&config.keys, &mut admin).await?.wrapper;
    drop(admin);
    let control = Control::connect(&config.database.cells()?, keys.as_ref()).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    let directory = Directory::load(control.clone(), &config.http.base_domain).await?;
    let platform = Arc::new(Platform {
        pool: Pool::new(control.clone(), config.database.pool),
        keyring: Keyring::new(control, keys, Arc::clone(&clock), config.keys.times),
        clock,
        names: NameIndexes::new(1),
        backlog: Backlog::default(),
        readings: Arc::default(),
        bell: Bell::default(),
    });
    Ok((platform, directory))
}

/// Makes operations at the tenant of the slug.
pub async fn operations(context: &Context, slug: &str) -> Result<OpFactory> {
    let (platform, directory) = installation(context).await?;
    let tenant = directory.by_slug(slug).ok_or_else(|| UnknownTenant(slug.to_owned()))?;
    Ok(at(&platform, tenant))
}

/// Makes operations at a tenant.
pub fn at(platform: &Arc<Platform>, tenant: Arc<Tenant>) -> OpFactory {
    let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
    OpFactory::new(Arc::clone(platform), tenant, Arc::new(Actor::operator()), request, true)
}

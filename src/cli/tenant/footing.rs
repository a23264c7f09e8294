//! What work on clinics as a whole stands on, as the configuration says.

use std::sync::Arc;

use anyhow::Result;
use praxis_fleet::tenant::Ground;
use praxis_platform::{
    clock::{SharedClock, SystemClock},
    tenancy::{Cells, Installation},
};
use sqlx::postgres::PgConnection;

use crate::{
    cli::Context,
    root_key::{self, RootKeys},
};

/// Where clinics are, what guards their keys, and the time.
pub(super) struct Footing {
    cells: Cells,
    keys: RootKeys,
    pub(super) clock: SharedClock,
}

impl Footing {
    pub(super) async fn of(admin: &mut PgConnection, context: &Context) -> Result<Self> {
        let config = context.config()?;
        let (cells, keys) = (config.database.cells()?, root_key::find(&config.keys, admin).await?);
        Ok(Self { cells, keys, clock: Arc::new(SystemClock) })
    }

    /// The ground of one command, done by the login on the database.
    pub(super) fn ground<'a>(
        &'a self,
        installation: &'a Installation,
        progress: &'a (dyn Fn(&str, u64) + Send + Sync),
    ) -> Ground<'a> {
        let wrapper = self.keys.wrapper.as_ref();
        Ground { cells: &self.cells, installation, wrapper, clock: &self.clock, actor: None, progress }
    }
}

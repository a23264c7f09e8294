//! Tells those who wait in this process what was committed in it, so that they need not wait for their next look.
//!
//! Nothing hangs on it: what another server committed, and what a bell did not reach, is found by looking.

use praxis_entity::ids::TenantId;
use tokio::sync::{Notify, broadcast};

use crate::tenancy::Queue;

/// Clinics whose events were not looked at yet; whoever falls behind looks at all.
const HEARD: usize = 1_024;

/// Rung with each commit that makes work or tells of events.
#[derive(Debug)]
pub struct Bell {
    mail: Notify,
    jobs: Notify,
    notices: Notify,
    events: broadcast::Sender<TenantId>,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            mail: Notify::new(),
            jobs: Notify::new(),
            notices: Notify::new(),
            events: broadcast::channel(HEARD).0,
        }
    }
}

impl Bell {
    fn of(&self, queue: Queue) -> &Notify {
        match queue {
            Queue::Mail => &self.mail,
            Queue::Jobs => &self.jobs,
            Queue::Notices => &self.notices,
        }
    }

    /// There is work of a kind.
    pub(crate) fn work(&self, queue: Queue) {
        self.of(queue).notify_one();
    }

    /// Returns when there is work of a kind.
    pub async fn rung(&self, queue: Queue) {
        self.of(queue).notified().await;
    }

    /// Something happened at a clinic.
    pub(crate) fn events(&self, tenant: TenantId) {
        // Nobody may be listening.
        let _ = self.events.send(tenant);
    }

    /// The clinics at which something happens from now on.
    pub fn listen(&self) -> broadcast::Receiver<TenantId> {
        self.events.subscribe()
    }

    /// Returns when something may have happened at a clinic.
    pub(crate) async fn rung_at(rung: &mut broadcast::Receiver<TenantId>, tenant: TenantId) {
        loop {
            match rung.recv().await {
                Ok(other) if other != tenant => {}
                // Whoever missed some looks.
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

//! What sends notices, a turn of one clinic at a time; the database sees to it that each notice is in one hand.

use std::sync::Arc;

use chrono::TimeDelta;
use praxis_domain::{
    Error,
    notifications::{Ports, Sent, send_due},
};
use praxis_entity::ids::TenantId;
use praxis_platform::{
    Failure, OpFactory, Platform, RequestInfo,
    access::Actor,
    tenancy::{Control, Directory, Queue, Standing, Tenant, Woken},
};

use crate::working::TakesTurns;

/// When somebody else looks after a clinic that was taken up and not put down.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// How long a clinic waits that can't be looked at.
const SET_ASIDE: TimeDelta = TimeDelta::minutes(1);

/// Sends notices.
pub struct Notifier {
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// Where hints of waiting work are.
    pub control: Control,
    /// Who carries them.
    pub ports: Ports,
}

impl Notifier {
    /// Clinics that have notices due, up to `most` of them and none that is busy.
    pub async fn ready(&self, most: usize, busy: &[TenantId]) -> Result<Vec<Woken>, Failure> {
        let now = self.platform.clock.now();
        self.control.take_ready(Queue::Notices, now, now + LEASE, most, busy).await
    }

    /// Sends a turn of a clinic's notices.
    pub async fn serve(&self, woken: &Woken) -> Result<Sent, Failure> {
        let set_aside = self.platform.clock.now() + SET_ASIDE;
        // A suspended clinic keeps its notices; one that the directory does not know yet is asked for again.
        let tenant =
            self.directory.by_id(woken.tenant).filter(|tenant| tenant.standing() != Standing::Refused);
        self.control.look_after(woken, set_aside, tenant.map(|tenant| self.send(tenant))).await
    }

    async fn send(&self, tenant: Arc<Tenant>) -> Result<Sent, Failure> {
        let origin = self.ports.links.of(&self.directory.host_of(&tenant));
        let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
        let (platform, system) = (Arc::clone(&self.platform), Arc::new(Actor::system()));
        let system = OpFactory::new(platform, tenant, system, request, true);
        send_due(&system, &self.ports, &origin).await.map_err(|error| match error {
            Error::Failure(failure) => failure,
            violated @ Error::Violated(_) => Failure::Internal(violated.to_string()),
        })
    }
}

impl TakesTurns for Notifier {
    const QUEUE: Queue = Queue::Notices;

    fn platform(&self) -> &Platform {
        &self.platform
    }

    async fn ready(&self, most: usize, busy: &[TenantId]) -> Result<Vec<Woken>, Failure> {
        Self::ready(self, most, busy).await
    }

    async fn turn(&self, woken: &Woken) -> Result<(), Failure> {
        let Sent { sent, postponed, dead, cancelled, suppressed } = self.serve(woken).await?;
        let results = [
            ("sent", sent),
            ("postponed", postponed),
            ("dead", dead),
            ("cancelled", cancelled),
            ("suppressed", suppressed),
        ];
        for (result, notices) in results {
            ::metrics::counter!("praxis_notices_total", "result" => result).increment(u64::from(notices));
        }
        Ok(())
    }
}

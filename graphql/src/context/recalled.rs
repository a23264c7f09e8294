//! A caller who was remembered: what they may do is compared with what holds before anything is told or changed.
//!
//! A query runs for whoever they were, and its entry in the log is written only if the clinic's mark is still the one they
//! were remembered under: no statement is spent on asking who they are. If it is another, nothing of the answer leaves, and
//! the query runs once more for whoever they are now. A mutation asks first, for it can't be run twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::future::BoxFuture;
use praxis_platform::{
    Failure,
    access::{AccessMark, Actor, FieldPolicies},
    audit::Entry,
};

use super::Caller;
use crate::api::Outcome;

/// Finds out who a caller is now and what the clinic asks of them, or says why they go no further.
pub type Afresh =
    Box<dyn Fn() -> BoxFuture<'static, Result<(Arc<Actor>, Arc<FieldPolicies>), Outcome>> + Send + Sync>;

/// What makes a remembered caller a known one.
pub struct Recalled {
    mark: AccessMark,
    afresh: Afresh,
    /// The mark was compared before something was changed, and what was changed may have changed the mark.
    confirmed: AtomicBool,
}

impl Recalled {
    /// Somebody who was remembered under the mark.
    pub fn under(mark: AccessMark, afresh: Afresh) -> Self {
        Self { mark, afresh, confirmed: AtomicBool::new(false) }
    }
}

/// Why an answer does not leave.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The caller is not who they were: it is to be run once more.
    Outdated,
    /// The database did not say, or the log could not be written.
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Caller {
    fn unconfirmed(&self) -> Option<&Recalled> {
        self.0.recalled.as_ref().filter(|recalled| !recalled.confirmed.load(Ordering::Relaxed))
    }

    /// Whether the caller was remembered, so that it may have to be run once more.
    pub(crate) fn is_recalled(&self) -> bool {
        self.0.recalled.is_some()
    }

    /// The same request by whoever the caller is now.
    pub(crate) async fn afresh(&self) -> Result<Self, Outcome> {
        let Some(recalled) = &self.0.recalled else { return Ok(self.clone()) };
        let (actor, policies) = (recalled.afresh)().await?;
        let key = self.0.idempotency_key.clone();
        Ok(Self::new(self.0.factory.acting_as(actor), policies, self.0.mode, key))
    }

    /// Makes sure, before something is changed, that the caller is who they were.
    pub(crate) async fn confirm(&self) -> Result<(), Stopped> {
        let Some(recalled) = self.unconfirmed() else { return Ok(()) };
        let holds = recalled.mark.holds_at(self.0.read.db()).await;
        // What comes next takes a connection of its own: nobody waits for one with another in hand.
        self.0.read.release().await;
        recalled.confirmed.store(holds?, Ordering::Relaxed);
        if recalled.confirmed.load(Ordering::Relaxed) { Ok(()) } else { Err(Stopped::Outdated) }
    }

    /// Writes entries of what was read, unless the caller is not who they were.
    pub(super) async fn record(&self, entries: Vec<Entry>) -> Result<(), Stopped> {
        match self.unconfirmed() {
            None => Ok(self.0.read.record_all(entries).await?),
            Some(recalled) if self.0.read.record_under(recalled.mark, entries).await? => Ok(()),
            Some(_) => Err(Stopped::Outdated),
        }
    }
}

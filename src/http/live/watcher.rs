//! Who watches, for as long as they do.

use std::{sync::Arc, time::Duration};

use axum::http::request::Parts;
use praxis_graphql::Caller;
use praxis_platform::{
    OpFactory,
    session::{self, touch},
};

use super::{Live, seats::Seat};
use crate::http::{gateway::Known, refused::Refused};

pub(super) use praxis_platform::session::Over;

/// How often a program is looked at, which has no session that could end.
const PROGRAM: Duration = Duration::from_secs(10);

/// Somebody who watches.
pub(super) struct Watcher {
    live: Arc<Live>,
    pub(super) known: Known,
    parts: Parts,
    _seat: Seat,
}

impl Watcher {
    /// Whoever sends a request, if they are signed in and have a seat left.
    pub(super) async fn admit(live: &Arc<Live>, parts: Parts) -> Result<Self, Refused> {
        let known = live.edge.known(&parts).await?;
        let who = known.actor.id().ok_or(Refused::UNAUTHENTICATED)?;
        let seat = live.seats.take((known.tenant.id, who)).ok_or(Refused::TOO_MANY)?;
        Ok(Self { live: Arc::clone(live), known, parts, _seat: seat })
    }

    fn system(&self) -> OpFactory {
        self.live.edge.as_system(&self.known.tenant, self.known.info.clone())
    }

    /// Somebody who asks for something on a connection is there.
    pub(super) async fn asks(&self) {
        if let Some(session) = self.known.actor.session
            && let Err(error) = touch(&self.system().read(), session).await
        {
            tracing::debug!(%error, "the use of a session could not be written down");
        }
    }

    /// A caller for one operation or one event, with what is open to them now.
    pub(super) async fn caller(&self) -> Result<Caller, Refused> {
        self.live.edge.caller_again(&self.known).await
    }

    /// Returns once they may not go on as they are.
    pub(super) async fn over(&self) -> Over {
        if self.known.actor.session.is_some() {
            return session::watch(&self.system(), &self.known.actor).await;
        }
        loop {
            tokio::time::sleep(PROGRAM).await;
            match self.live.edge.known(&self.parts).await {
                Ok(now) if now.actor.id() == self.known.actor.id() => {
                    if now.actor.grants != self.known.actor.grants {
                        return Over::Changed;
                    }
                }
                Ok(_) => return Over::Ended,
                Err(refused) if refused.may_pass() => {}
                Err(_) => return Over::Ended,
            }
        }
    }
}

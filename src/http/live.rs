//! Operations that go on: subscriptions over a socket ([`socket`], `graphql-transport-ws`) or as a stream of events
//! ([`event_stream`], GraphQL over SSE).
//!
//! Whoever watches was signed in when they began, and is looked at again every second: with the end of the session
//! the connection ends (4401), with other rights than before as well (4403). Connections are counted for each actor.
//! Nothing is queued beyond a few messages: who does not read is cut off, and resumes with `afterEventId`.

pub(super) mod event_stream;
mod operation;
mod seats;
pub(super) mod socket;
mod watcher;

use std::sync::Arc;

use praxis_graphql::api::Api;
use praxis_platform::events::Tails;
use tokio_util::sync::CancellationToken;

use super::Edge;
use event_stream::Reservations;
use seats::Seats;
use watcher::{Over, Watcher};

/// What connections that go on share.
pub struct Live {
    pub(super) edge: Arc<Edge>,
    pub(super) api: Arc<Api>,
    tails: Tails,
    seats: Arc<Seats>,
    reservations: Reservations,
    stop: CancellationToken,
}

impl Live {
    /// Connections that end when the server is told to stop.
    pub fn new(edge: Arc<Edge>, api: Arc<Api>, stop: CancellationToken) -> Self {
        let tails = Tails::new(Arc::clone(&edge.platform));
        Self { edge, api, tails, seats: Arc::default(), reservations: Reservations::default(), stop }
    }
}

//! One operation of a connection that goes on, from its opening to its end.

use std::{sync::Arc, time::Duration};

use praxis_domain::event::Recorded;
use praxis_graphql::{
    api::{GraphqlRequest, Opened, Outcome, Subscription},
    error::Code,
};
use praxis_platform::Failure;
use serde_json::{Value as Json, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Live, Watcher};
use crate::http::graphql::DEADLINE;

/// How long a client may take to read what it is sent.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Where an operation's answers go. An error means that nobody reads them.
pub(super) trait Answers: Send {
    /// An answer, as JSON.
    fn next(&mut self, answer: Vec<u8>) -> impl Future<Output = Result<(), Gone>> + Send;
}

/// The client is gone, or does not read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone;

/// How an operation ended.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// There is nothing further to come.
    Complete,
    /// Nothing ran, or nothing further can be shown: the `errors[]`, to be told once its id is free.
    Refused(Vec<Json>),
}

/// Runs an operation until it ends, the client ends it or is gone.
pub(super) async fn run(
    live: &Live,
    watcher: &Watcher,
    request: GraphqlRequest,
    answers: &mut impl Answers,
    cancel: &CancellationToken,
) -> Result<Ended, Gone> {
    let request_id = request.request_id.clone();
    watcher.asks().await;
    let opened = match watcher.caller().await {
        // It is never cut off half way: what a mutation did is done.
        Ok(caller) => timeout(DEADLINE, live.api.open(caller, request)).await.unwrap_or_else(|_| {
            Opened::Done(Outcome::refused(Code::Timeout, "The operation took too long.", &request_id))
        }),
        Err(refused) => {
            return Ok(Ended::Refused(vec![refused.entry(&request_id)]));
        }
    };
    match opened {
        Opened::Done(outcome) => told(outcome, answers).await,
        Opened::Stream(subscription) => {
            follow(live, watcher, &subscription, &request_id, answers, cancel).await
        }
    }
}

async fn told(outcome: Outcome, answers: &mut impl Answers) -> Result<Ended, Gone> {
    match outcome {
        Outcome::Executed { body, .. } => answers.next(body).await.map(|()| Ended::Complete),
        Outcome::Refused { errors, .. } => Ok(Ended::Refused(errors)),
    }
}

async fn follow(
    live: &Live,
    watcher: &Watcher,
    subscription: &Subscription,
    request_id: &str,
    answers: &mut impl Answers,
    cancel: &CancellationToken,
) -> Result<Ended, Gone> {
    let source = subscription.source();
    let tenant = &watcher.known.tenant;
    let followed = live.tails.follow(tenant, source.behind, source.wanted.condition()).await;
    let mut follower = match followed {
        Ok(follower) => follower,
        Err(failure) => return failed(failure, request_id, answers).await,
    };
    let mut left = source.most;
    loop {
        let events = tokio::select! {
            events = follower.next() => events,
            () = cancel.cancelled() => return Ok(Ended::Complete),
        };
        let events = match events {
            Ok(events) => events,
            Err(failure) => return failed(failure, request_id, answers).await,
        };
        for event in events {
            // A kind that this build does not know is for the clients of a newer one.
            let Ok(recorded) = Recorded::read((*event).clone()) else { continue };
            if !source.wanted.takes(&recorded) {
                continue;
            }
            if cancel.is_cancelled() {
                return Ok(Ended::Complete);
            }
            let caller = match watcher.caller().await {
                Ok(caller) => caller,
                Err(refused) => {
                    return Ok(Ended::Refused(vec![refused.entry(request_id)]));
                }
            };
            let delivered =
                timeout(DEADLINE, live.api.deliver(caller, subscription, Arc::new(recorded))).await;
            let too_long = || Some(Outcome::refused(Code::Timeout, "The event took too long.", request_id));
            match delivered.unwrap_or_else(|_| too_long()) {
                None => continue,
                Some(Outcome::Executed { body, .. }) => answers.next(body).await?,
                // Going on behind an event that could not be shown would be to lose it.
                Some(Outcome::Refused { errors, .. }) => {
                    return Ok(Ended::Refused(errors));
                }
            }
            ::metrics::counter!("praxis_live_events_total").increment(1);
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return Ok(Ended::Complete);
            }
        }
    }
}

async fn failed(failure: Failure, request_id: &str, answers: &mut impl Answers) -> Result<Ended, Gone> {
    let outcome = Outcome::failure(failure, request_id);
    told(outcome, answers).await
}

/// `errors[]` as an answer, for protocols that know nothing else.
pub(super) fn only_errors(errors: &[Json]) -> Vec<u8> {
    json!({ "errors": errors }).to_string().into_bytes()
}

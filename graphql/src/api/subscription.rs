//! Subscriptions: opened once, and run for each event that comes.

use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use praxis_domain::event::Recorded;

use super::{
    Api, Caller, GraphqlRequest, Outcome,
    admit::{self, Admitted},
    answer::Run,
    prepared::Prepared,
};
use crate::{
    context::Stopped,
    error::ApiError,
    live::{Delivery, Source, is_shown},
};

/// What an operation turned out to be.
pub enum Opened {
    /// A query, a mutation, or nothing that runs: this is what became of it.
    Done(Outcome),
    /// Something to be shown events.
    Stream(Box<Subscription>),
}

/// A subscription that is open.
pub struct Subscription {
    prepared: Arc<Prepared>,
    request: GraphqlRequest,
    source: Source,
}

impl Subscription {
    /// Which events it is about.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl Api {
    /// Runs an operation, or opens it if it is a subscription.
    pub fn open(&self, caller: Caller, request: GraphqlRequest) -> BoxFuture<'_, Opened> {
        Box::pin(async move {
            let request_id = request.request_id.clone();
            let opened = self.opened(&caller, GraphqlRequest { streaming: true, ..request }).await;
            let accounted = match opened {
                Ok(opened) => self.accounted(&caller, &request_id, opened).await,
                Err(stopped) => Err(stopped),
            };
            accounted.unwrap_or_else(|stopped| Opened::Done(stopped.outcome(&request_id)))
        })
    }

    async fn opened(&self, caller: &Caller, mut request: GraphqlRequest) -> Result<Opened, Stopped> {
        let prepared = match self.prepared(caller, &mut request).await {
            Ok(prepared) => prepared,
            Err(outcome) => return Ok(Opened::Done(outcome)),
        };
        if !admit::is_subscription(&prepared, &request) {
            return Ok(Opened::Done(self.run_prepared(caller, &prepared, request).await?));
        }
        let admitted = match self.admitted(caller, &prepared, request.clone()) {
            Ok(admitted) => admitted,
            Err(outcome) => return Ok(Opened::Done(outcome)),
        };
        let verdict = self.gate.rates.take(&self.gate.buckets(caller), admitted.cost).await;
        if !verdict.allowed() {
            return Ok(Opened::Done(Outcome::throttled(verdict, &request.request_id)));
        }
        let asked = admitted.asked;
        let wanted = Arc::new(Delivery::Opening(OnceLock::new()));
        let run = self.deliver_on(admitted, caller.clone(), &wanted).await;
        if let Some(source) = wanted.source() {
            return Ok(Opened::Stream(Box::new(Subscription {
                prepared: Arc::clone(&prepared),
                request,
                source,
            })));
        }
        self.note_lost(caller, asked, &run);
        Ok(Opened::Done(run.outcome(Some(verdict), caller.extensions(), &request.request_id)))
    }

    /// Shows an event to whoever opened a subscription; `None` when they may not know of it.
    pub fn deliver<'a>(
        &'a self,
        caller: Caller,
        subscription: &'a Subscription,
        event: Arc<Recorded>,
    ) -> BoxFuture<'a, Option<Outcome>> {
        Box::pin(async move {
            let request_id = &subscription.request.request_id;
            let outcome = match self.delivered(&caller, subscription, event).await {
                Ok(outcome) => outcome?,
                Err(error) => Outcome::failed(&error, request_id),
            };
            let accounted = self.accounted(&caller, request_id, outcome).await;
            Some(accounted.unwrap_or_else(|stopped| stopped.outcome(request_id)))
        })
    }

    async fn delivered(
        &self,
        caller: &Caller,
        Subscription { prepared, request, source }: &Subscription,
        event: Arc<Recorded>,
    ) -> Result<Option<Outcome>, ApiError> {
        caller.note_operation(&prepared.text);
        if !is_shown(source, caller, &event.event).await? {
            return Ok(None);
        }
        let admitted = match self.admitted(caller, prepared, request.clone()) {
            Ok(admitted) => admitted,
            Err(outcome) => return Ok(Some(outcome)),
        };
        let asked = admitted.asked;
        let event = Arc::new(Delivery::Event(event));
        let run = self.deliver_on(admitted, caller.clone(), &event).await;
        self.note_lost(caller, asked, &run);
        self.gate.rates.charge(self.gate.buckets(caller), run.used());
        Ok(Some(run.outcome(None, caller.extensions(), &request.request_id)))
    }

    async fn deliver_on(&self, admitted: Admitted<'_>, caller: Caller, delivery: &Arc<Delivery>) -> Run {
        let mut request = admitted.request.data(caller).data(Arc::clone(delivery));
        // What was admitted is parsed.
        if let Ok(document) = request.parsed_query() {
            let mut document = document.clone();
            admit::as_query(&mut document);
            request.set_parsed_query(document);
        }
        Run { response: Box::pin(self.delivery.execute(request)).await, cost: admitted.cost }
    }
}

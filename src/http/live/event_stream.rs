//! GraphQL over SSE, in both modes of the protocol.
//!
//! **Distinct connections**: an operation whose caller accepts `text/event-stream` is answered by a stream of its own.
//! **Single connection**: `PUT` reserves a stream and answers with its token, `GET` with the token opens it, `POST`
//! with the token begins an operation under `extensions.operationId`, `DELETE` ends one. A reservation lives in this
//! server's memory: behind a balancer such clients have to come back to the same server.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Query,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures::stream;
use praxis_graphql::{api::GraphqlRequest, error::Code};
use praxis_platform::vault::crypto;
use serde_json::{Value as Json, json};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Live, Watcher,
    operation::{Answers, Ended, Gone, PATIENCE, only_errors, run},
};
use crate::http::refused::Refused;

const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");
/// How often a silent stream says that it is there.
const BEAT: Duration = Duration::from_secs(12);
/// How long a reserved stream waits to be opened.
const RESERVED: Duration = Duration::from_secs(30);
/// Messages that wait to be sent.
const WAITING: usize = 16;
/// Operations at once on one stream.
const OPERATIONS: usize = 64;

const NO_STREAM: Refused =
    Refused::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such event stream.");
const OPEN_ALREADY: Refused =
    Refused::new(StatusCode::CONFLICT, Code::BadUserInput, "The event stream is open already.");
const NO_ID: Refused = Refused::bad("extensions.operationId has to be a text that no other operation has.");

/// Whether a caller wants a stream of events.
pub(in crate::http) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// Streams that were reserved, by their tokens.
#[derive(Default)]
pub(super) struct Reservations(Mutex<HashMap<String, Arc<Reservation>>>);

struct Reservation {
    watcher: Arc<Watcher>,
    /// Where its operations write; the other end is taken by who opens it.
    out: mpsc::Sender<Bytes>,
    queue: Mutex<Option<mpsc::Receiver<Bytes>>>,
    /// What is under way, by the client's ids.
    open: Mutex<HashMap<String, CancellationToken>>,
    /// Ends all of it.
    cancel: CancellationToken,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Reservations {
    fn add(&self, token: String, reservation: Reservation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token, Arc::new(reservation));
    }

    fn find(&self, token: &str) -> Option<Arc<Reservation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn remove(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

/// What is written into a stream.
struct Channel {
    /// In a stream that is shared, whose answer it is.
    id: Option<String>,
    out: mpsc::Sender<Bytes>,
}

impl Channel {
    async fn event(&self, name: &str, data: &str) -> Result<(), Gone> {
        let text = Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
        match timeout(PATIENCE, self.out.send(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    async fn end(&mut self, ended: Ended) -> Result<(), Gone> {
        if let Ended::Refused(errors) = ended {
            self.next(only_errors(&errors)).await?;
        }
        match &self.id {
            Some(id) => self.event("complete", &json!({ "id": id }).to_string()).await,
            None => self.event("complete", "").await,
        }
    }
}

impl Answers for Channel {
    async fn next(&mut self, answer: Vec<u8>) -> Result<(), Gone> {
        // JSON as we write it has no line break.
        let answer = String::from_utf8(answer).map_err(|_| Gone)?;
        match &self.id {
            Some(id) => {
                self.event("next", &format!(r#"{{"id":{},"payload":{answer}}}"#, Json::from(id.as_str())))
                    .await
            }
            None => self.event("next", &answer).await,
        }
    }
}

/// Ends what is under way once its client may not go on, or the server stops.
fn bound(live: &Arc<Live>, watcher: &Arc<Watcher>, cancel: CancellationToken) {
    let (live, watcher) = (Arc::clone(live), Arc::clone(watcher));
    tokio::spawn(async move {
        tokio::select! {
            _ = watcher.over() => {}
            () = live.stop.cancelled() => {}
            () = cancel.cancelled() => {}
        }
        cancel.cancel();
    });
}

/// Answers an operation with a stream of its own.
pub(in crate::http) async fn distinct(live: Arc<Live>, parts: Parts, request: GraphqlRequest) -> Response {
    let watcher = match Watcher::admit(&live, parts).await {
        Ok(watcher) => Arc::new(watcher),
        Err(refused) => return refused.response(&request.request_id),
    };
    let (out, queue) = mpsc::channel(WAITING);
    let cancel = CancellationToken::new();
    let client = cancel.clone().drop_guard();
    bound(&live, &watcher, cancel.clone());
    tokio::spawn(async move {
        let mut channel = Channel { id: None, out };
        if let Ok(ended) = run(&live, &watcher, request, &mut channel, &cancel).await {
            let _ = channel.end(ended).await;
        }
        cancel.cancel();
    });
    stream_of(queue, client)
}

/// Reserves a stream for operations to come.
pub(in crate::http) async fn reserve(live: Arc<Live>, parts: Parts, request_id: &str) -> Response {
    let watcher = match Watcher::admit(&live, parts).await {
        Ok(watcher) => Arc::new(watcher),
        Err(refused) => return refused.response(request_id),
    };
    let Ok(secret) = crypto::random::<16>() else { return Refused::INTERNAL.response(request_id) };
    let token = data_encoding::HEXLOWER.encode(&secret);
    let (out, queue) = mpsc::channel(WAITING);
    let cancel = CancellationToken::new();
    bound(&live, &watcher, cancel.clone());
    let (queue, open) = (Mutex::new(Some(queue)), Mutex::default());
    live.reservations.add(token.clone(), Reservation { watcher, out, queue, open, cancel });
    let (of, name) = (live, token.clone());
    tokio::spawn(async move {
        sleep(RESERVED).await;
        let unopened =
            |held: &Arc<Reservation>| held.queue.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if of.reservations.find(&name).as_ref().is_some_and(unopened) {
            of.reservations.remove(&name);
        }
    });
    (StatusCode::CREATED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], token).into_response()
}

/// Opens a stream that was reserved.
pub(in crate::http) async fn attach(live: Arc<Live>, parts: Parts, request_id: &str) -> Response {
    let (token, held) = match reserved(&live, &parts).await {
        Ok(held) => held,
        Err(refused) => return refused.response(request_id),
    };
    let queue = held.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(queue) = queue else { return OPEN_ALREADY.response(request_id) };
    // With the client the reservation goes, and with it what is under way.
    let cancel = held.cancel.clone();
    let gone = cancel.clone().drop_guard();
    let of = Arc::clone(&live);
    tokio::spawn(async move {
        cancel.cancelled().await;
        of.reservations.remove(&token);
    });
    stream_of(queue, gone)
}

/// Begins an operation on a stream that was reserved.
pub(in crate::http) async fn operate(live: Arc<Live>, parts: Parts, request: GraphqlRequest) -> Response {
    let id = request.request_id.clone();
    let (_, held) = match reserved(&live, &parts).await {
        Ok(held) => held,
        Err(refused) => return refused.response(&id),
    };
    let operation = request.extensions.get("operationId").and_then(Json::as_str).map(str::to_owned);
    let Some(operation) = operation.filter(|operation| (1..=200).contains(&operation.len())) else {
        return NO_ID.response(&id);
    };
    let cancel = held.cancel.child_token();
    {
        let mut open = held.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(&operation) {
            return NO_ID.response(&id);
        }
        if open.len() >= OPERATIONS {
            return Refused::TOO_MANY.response(&id);
        }
        open.insert(operation.clone(), cancel.clone());
    }
    tokio::spawn(async move {
        let mut channel = Channel { id: Some(operation.clone()), out: held.out.clone() };
        let ended = run(&live, &held.watcher, request, &mut channel, &cancel).await;
        held.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&operation);
        let told = match ended {
            Ok(ended) => channel.end(ended).await,
            Err(gone) => Err(gone),
        };
        if told.is_err() {
            held.cancel.cancel();
        }
    });
    StatusCode::ACCEPTED.into_response()
}

/// Ends an operation of a stream that was reserved.
pub(in crate::http) async fn end(live: Arc<Live>, parts: Parts, request_id: &str) -> Response {
    let (_, held) = match reserved(&live, &parts).await {
        Ok(held) => held,
        Err(refused) => return refused.response(request_id),
    };
    let Some(operation) = named(&parts, "operationId") else { return NO_ID.response(request_id) };
    if let Some(cancel) = held.open.lock().unwrap_or_else(PoisonError::into_inner).get(&operation) {
        cancel.cancel();
    }
    StatusCode::OK.into_response()
}

/// The token of a request that is about a reserved stream.
pub(in crate::http) fn token(parts: &Parts) -> Option<String> {
    match parts.headers.get(TOKEN) {
        Some(token) => token.to_str().ok().map(str::to_owned),
        None => named(parts, "token"),
    }
}

fn named(parts: &Parts, name: &str) -> Option<String> {
    let Query(mut named) = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok()?;
    named.remove(name)
}

/// The reserved stream that a request is about: whoever has its token and is who reserved it.
async fn reserved(live: &Arc<Live>, parts: &Parts) -> Result<(String, Arc<Reservation>), Refused> {
    let token = token(parts).ok_or(NO_STREAM)?;
    let known = live.edge.known(parts).await?;
    let held = live.reservations.find(&token).ok_or(NO_STREAM)?;
    let holder = &held.watcher.known;
    let same = holder.tenant.id == known.tenant.id && holder.actor.id() == known.actor.id();
    if same && known.actor.is_known() { Ok((token, held)) } else { Err(NO_STREAM) }
}

/// A body of what is written, with a sign of life now and then. The guard falls when the client is gone or the stream
/// is over.
fn stream_of(queue: mpsc::Receiver<Bytes>, client: DropGuard) -> Response {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let body = stream::unfold((queue, beats, client), |(mut queue, mut beats, client)| async move {
        let chunk = tokio::select! {
            biased;
            chunk = queue.recv() => chunk?,
            _ = beats.tick() => Bytes::from_static(b":\n\n"),
        };
        Some((Ok::<_, Infallible>(chunk), (queue, beats, client)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(body)).into_response()
}

//! GraphQL over a WebSocket: the protocol `graphql-transport-ws`.
//!
//! The first message has to be `connection_init` within five seconds. Its payload may carry `authorization`, for
//! clients that can't set headers; a browser's cookie counts only if the page is of the clinic's own origin. What ends
//! a connection: 4400 a message that is none, 4401 not (or no longer) signed in, 4403 rights that changed or a seat that
//! is not there, 4408 no first message, 4409 an id that is in use, 4429 a second first message, 1001 a server that
//! stops. A client that does not read, or does not answer pings, is cut off.

use std::{collections::HashMap, future::pending, sync::Arc, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    http::{HeaderValue, Uri, header, request::Parts},
    response::Response,
};
use futures::{
    SinkExt, StreamExt,
    future::BoxFuture,
    stream::{SplitSink, SplitStream},
};
use praxis_graphql::{Caller, api::GraphqlRequest};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Live, Over, Watcher,
    operation::{Answers, Ended, Gone, PATIENCE, run},
};
use crate::http::{
    gateway::authority,
    graphql::{MAX_SIZE, operation_of},
    refused::Refused,
};

const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to say who it is.
const INIT: Duration = Duration::from_secs(5);
/// How often a client is asked whether it is there; it has as long to answer.
const PING: Duration = Duration::from_secs(20);
/// Operations at once on one connection.
const OPERATIONS: usize = 64;
/// Messages that wait to be sent.
const WAITING: usize = 16;

const FOREIGN: Refused =
    Refused::forbidden("Only pages of the clinic's own origin open a socket with a cookie.");
const OTHER_PROTOCOL: Refused = Refused::bad("The protocol of the socket is graphql-transport-ws.");

/// Takes up a socket, once it is known whose page opens it.
pub(in crate::http) fn open(
    live: Arc<Live>,
    upgrade: WebSocketUpgrade,
    parts: Parts,
    request_id: &str,
) -> Response {
    if !origin_is_own(&parts) {
        return FOREIGN.response(request_id);
    }
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MAX_SIZE).max_frame_size(MAX_SIZE);
    if upgrade.selected_protocol().is_none() {
        return OTHER_PROTOCOL.response(request_id);
    }
    let request_id = request_id.to_owned();
    let mut parts = parts;
    // What it asks of the clinic is asked by callers of their own.
    parts.extensions.remove::<Caller>();
    upgrade.on_upgrade(move |socket| serve(live, socket, parts, request_id))
}

/// A browser says whose page it is; other clients say nothing, and then must not send what only a browser adds.
fn origin_is_own(parts: &Parts) -> bool {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => !parts.headers.contains_key(header::COOKIE),
        (Some(origin), None) => {
            let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
            let own = authority(&parts.uri, &parts.headers);
            origin.is_some_and(|origin| {
                origin.authority().map(axum::http::uri::Authority::as_str) == own && own.is_some()
            })
        }
        (Some(_), Some(_)) => false,
    }
}

/// A message of the client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit { payload: Option<Map<String, Json>> },
    Ping,
    Pong,
    Subscribe { id: String, payload: Map<String, Json> },
    Complete { id: String },
}

/// Why a connection is closed.
struct Close(u16, &'static str);

impl Close {
    const GONE: Self = Self(1006, "");
    const STOPPING: Self = Self(1001, "Going away");
    const INVALID: Self = Self(4400, "Invalid message");
    const UNAUTHORIZED: Self = Self(4401, "Unauthorized");
    const CHANGED: Self = Self(4403, "Rights changed");
    const TIMEOUT: Self = Self(4408, "Connection initialisation timeout");
    const AGAIN: Self = Self(4429, "Too many initialisation requests");
}

impl From<Gone> for Close {
    fn from(_: Gone) -> Self {
        Self::GONE
    }
}

/// Where an operation's answers go.
struct Channel {
    id: String,
    out: mpsc::Sender<Message>,
}

impl Channel {
    async fn send(&self, message: &str) -> Result<(), Gone> {
        self.out.send(Message::text(message)).await.map_err(|_| Gone)
    }
}

impl Answers for Channel {
    async fn next(&mut self, answer: Vec<u8>) -> Result<(), Gone> {
        let answer = String::from_utf8(answer).map_err(|_| Gone)?;
        // The answer is JSON already; reading it again would be for nothing.
        self.send(&format!(r#"{{"id":{},"type":"next","payload":{answer}}}"#, Json::from(self.id.as_str())))
            .await
    }
}

struct Connection {
    live: Arc<Live>,
    parts: Parts,
    request_id: String,
    out: mpsc::Sender<Message>,
    watcher: Option<Arc<Watcher>>,
    /// What is under way, by the client's ids.
    open: HashMap<String, CancellationToken>,
    running: JoinSet<(String, Result<Ended, Gone>)>,
}

async fn serve(live: Arc<Live>, socket: WebSocket, parts: Parts, request_id: String) {
    let (sink, stream) = socket.split();
    let (out, queue) = mpsc::channel(WAITING);
    let writer = tokio::spawn(write(sink, queue));
    let (watcher, open, running) = Default::default();
    let mut connection = Connection { live, parts, request_id, out, watcher, open, running };
    let Close(code, reason) = connection.listen(stream).await;
    connection.open.values().for_each(CancellationToken::cancel);
    if code != Close::GONE.0 {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        // Behind what waits already; the writer gives up by itself on who does not read.
        let _ = timeout(PATIENCE, connection.out.send(Message::Close(Some(frame)))).await;
    }
    // What is under way comes to its end unheard.
    connection.running.detach_all();
    drop(connection.out);
    if timeout(PATIENCE, writer).await.is_err() {
        tracing::debug!("a socket was not read to its end");
    }
}

/// Sends what is to be sent, until the client is gone or does not read.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<Message>) {
    while let Some(message) = queue.recv().await {
        let last = matches!(message, Message::Close(_));
        if !matches!(timeout(PATIENCE, sink.send(message)).await, Ok(Ok(()))) || last {
            break;
        }
    }
    // Operations that have something to say learn that nobody hears it.
    queue.close();
    let _ = timeout(PATIENCE, sink.close()).await;
}

impl Connection {
    async fn listen(&mut self, mut stream: SplitStream<WebSocket>) -> Close {
        let stop = self.live.stop.clone();
        let init = Instant::now() + INIT;
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let mut heard = true;
        let mut over: BoxFuture<'static, Over> = Box::pin(pending());
        loop {
            let said = tokio::select! {
                said = stream.next() => said,
                () = stop.cancelled() => return Close::STOPPING,
                () = self.out.closed() => return Close::GONE,
                () = tokio::time::sleep_until(init), if self.watcher.is_none() => return Close::TIMEOUT,
                over = &mut over => return match over {
                    Over::Ended => Close::UNAUTHORIZED,
                    Over::Changed => Close::CHANGED,
                },
                Some(ended) = self.running.join_next() => {
                    if let Err(close) = self.ended(ended).await {
                        return close;
                    }
                    continue;
                }
                _ = pings.tick() => {
                    if !std::mem::take(&mut heard) || self.say(Message::Ping(Default::default())).await.is_err() {
                        return Close::GONE;
                    }
                    continue;
                }
            };
            heard = true;
            let said = match said {
                Some(Ok(Message::Text(text))) => serde_json::from_str::<Said>(&text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Binary(_))) => return Close::INVALID,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Close::GONE,
            };
            let Ok(said) = said else { return Close::INVALID };
            let first = self.watcher.is_none();
            if let Err(close) = self.hear(said, init).await {
                return close;
            }
            if let Some(watcher) = self.watcher.clone().filter(|_| first) {
                over = Box::pin(async move { watcher.over().await });
            }
        }
    }

    async fn hear(&mut self, said: Said, init: Instant) -> Result<(), Close> {
        match (said, self.watcher.clone()) {
            (Said::ConnectionInit { .. }, Some(_)) => Err(Close::AGAIN),
            (Said::ConnectionInit { payload }, None) => {
                let admitted = timeout_at(init, self.admit(payload.unwrap_or_default())).await;
                self.watcher = Some(Arc::new(admitted.map_err(|_| Close::TIMEOUT)??));
                Ok(self.tell(&json!({ "type": "connection_ack" })).await?)
            }
            (Said::Ping, _) => Ok(self.tell(&json!({ "type": "pong" })).await?),
            (Said::Pong, _) => Ok(()),
            (Said::Complete { id }, _) => {
                if let Some(cancel) = self.open.get(&id) {
                    cancel.cancel();
                }
                Ok(())
            }
            (Said::Subscribe { .. }, None) => Err(Close::UNAUTHORIZED),
            (Said::Subscribe { id, payload }, Some(watcher)) => self.subscribe(id, payload, watcher).await,
        }
    }

    /// Finds out who it is, by what the first message carries or else by what the request did.
    async fn admit(&self, payload: Map<String, Json>) -> Result<Watcher, Close> {
        let mut parts = self.parts.clone();
        let stated = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let Some((_, value)) = stated {
            let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
            parts.headers.insert(header::AUTHORIZATION, value.ok_or(Close::UNAUTHORIZED)?);
        }
        Watcher::admit(&self.live, parts).await.map_err(|refused| match refused.status().as_u16() {
            401 => Close::UNAUTHORIZED,
            403 => Close(4403, "Forbidden"),
            429 => Close(4403, "Too many connections"),
            503 => Close(1013, "Try again later"),
            _ => Close(4500, "Internal server error"),
        })
    }

    async fn subscribe(
        &mut self,
        id: String,
        payload: Map<String, Json>,
        watcher: Arc<Watcher>,
    ) -> Result<(), Close> {
        if self.open.contains_key(&id) {
            return Err(Close(4409, "Subscriber already exists"));
        }
        let request = operation_of(payload).map_err(|_| Close::INVALID)?;
        let mut channel = Channel { id: id.clone(), out: self.out.clone() };
        if self.open.len() >= OPERATIONS {
            let refused = Refused::TOO_MANY.entry(&self.request_id);
            return Ok(self.tell(&json!({ "id": id, "type": "error", "payload": [refused] })).await?);
        }
        let request = GraphqlRequest { request_id: self.request_id.clone(), ..request };
        let (live, cancel) = (Arc::clone(&self.live), CancellationToken::new());
        self.open.insert(id.clone(), cancel.clone());
        self.running.spawn(async move {
            let ended = run(&live, &watcher, request, &mut channel, &cancel).await;
            (id, ended)
        });
        Ok(())
    }

    /// An operation came to its end: its id is free, and then the client is told so.
    async fn ended(
        &mut self,
        ended: Result<(String, Result<Ended, Gone>), tokio::task::JoinError>,
    ) -> Result<(), Close> {
        // An operation that panicked can't be told from others by its id.
        let Ok((id, ended)) = ended else { return Err(Close(4500, "Internal server error")) };
        let cancelled = self.open.remove(&id).is_some_and(|cancel| cancel.is_cancelled());
        match ended? {
            Ended::Complete if !cancelled => Ok(self.tell(&json!({ "id": id, "type": "complete" })).await?),
            Ended::Complete => Ok(()),
            Ended::Refused(errors) => {
                Ok(self.tell(&json!({ "id": id, "type": "error", "payload": errors })).await?)
            }
        }
    }

    async fn tell(&self, message: &Json) -> Result<(), Gone> {
        self.say(Message::text(message.to_string())).await
    }

    async fn say(&self, message: Message) -> Result<(), Gone> {
        self.out.send(message).await.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn own(headers: &[(&str, &str)]) -> bool {
        let request = Request::get("/graphql").header("host", "northside.praxis.test:8080");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        origin_is_own(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_page_of_another_origin_opens_no_socket() {
        assert!(own(&[]));
        assert!(own(&[("origin", "https://northside.praxis.test:8080")]));
        assert!(own(&[("origin", "http://northside.praxis.test:8080"), ("cookie", "a=b")]));
        for origin in [
            "https://evil.example",
            "null",
            "",
            "https://harbor.praxis.test:8080",
            "https://northside.praxis.test",
        ] {
            assert!(!own(&[("origin", origin)]), "{origin}");
        }
        assert!(!own(&[("cookie", "__Host-praxis=abc")]));
    }
}

//! Live: who watches sees each event once, in order, and only what they may know of.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use futures::{SinkExt, StreamExt};
use praxis::App;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::{people::Person, server::TestServer};

mod kit;
mod rights;
mod slow;
mod stream;

const HOST: &str = "northside.praxis.test";
const EVENTS: &str = "subscription($after: ID, $limit: Int) { events(afterEventId: $after, limit: $limit) { id kind subjectId patient { id name { family } } } }";

/// A clinic, served at an address by a server of its own. What is changed through [`TestServer`] comes from another.
struct Clinic {
    server: TestServer,
    address: SocketAddr,
    serving: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Clinic {
    async fn new() -> Result<Self> {
        Self::over(TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?).await
    }

    async fn over(server: TestServer) -> Result<Self> {
        let app = server.another().await?;
        let (address, serving, stop) = serve(app).await?;
        Ok(Self { server, address, serving: Some(serving), stop })
    }

    async fn socket(&self, person: &Person<'_>) -> Socket {
        let mut socket = self.open(&[]).await.unwrap();
        socket.say(json!({ "type": "connection_init", "payload": { "authorization": person.bearer } })).await;
        assert_eq!(socket.hear().await.unwrap(), json!({ "type": "connection_ack" }));
        socket
    }

    async fn open(&self, headers: &[(&str, &str)]) -> Result<Socket> {
        let mut request = format!("ws://{HOST}/graphql").into_client_request()?;
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        for (name, value) in protocol.iter().chain(headers) {
            request
                .headers_mut()
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes())?, value.parse()?);
        }
        let stream = TcpStream::connect(self.address).await?;
        let (socket, _) = client_async(request, stream).await?;
        Ok(Socket { socket })
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(app: App) -> Result<(SocketAddr, JoinHandle<()>, CancellationToken)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let serving = tokio::spawn(async move {
        app.serve(vec![listener], None, Box::pin(async move { told.cancelled().await })).await.unwrap();
    });
    Ok((address, serving, stop))
}

struct Socket {
    socket: WebSocketStream<TcpStream>,
}

impl Socket {
    async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message, or the code with which the connection was closed.
    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match timeout(Duration::from_secs(20), self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        self.say(
            json!({ "id": id, "type": "subscribe", "payload": { "query": query, "variables": variables } }),
        )
        .await;
    }

    /// The event of the next message.
    async fn event(&mut self) -> Value {
        let message = self.hear().await.unwrap();
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"]["errors"].is_null(), "{message}");
        message["payload"]["data"].as_object().unwrap().values().next().unwrap().clone()
    }

    /// Whether nothing comes for a while.
    async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(1_500), self.socket.next()).await.is_err()
    }
}

/// Waits until a subscription that was just asked for is open: what happens from then on is seen.
async fn opened() {
    tokio::time::sleep(Duration::from_millis(700)).await;
}

fn family(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("Q{}{}{}", letter(number / 676), letter(number / 26), letter(number))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_seen_by_who_watches_on_another_server_too() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut socket = clinic.socket(&owner).await;
    socket.subscribe("1", EVENTS, json!({})).await;
    opened().await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let event = socket.event().await;
    assert_eq!(event["kind"], "PATIENT_REGISTERED");
    assert_eq!(event["subjectId"], patient);
    assert_eq!(event["patient"], json!({ "id": patient, "name": { "family": "Quill" } }));

    // A query and a mutation go over the same socket.
    socket.subscribe("2", "{ viewer { __typename } }", json!({})).await;
    let answer = socket.hear().await.unwrap();
    assert_eq!((answer["id"].as_str(), answer["type"].as_str()), (Some("2"), Some("next")));
    assert_eq!(socket.hear().await.unwrap(), json!({ "id": "2", "type": "complete" }));

    // Ended by the client, it is silent.
    socket.say(json!({ "id": "1", "type": "complete" })).await;
    opened().await;
    owner.register("Bea", "Rill", "1991-01-02").await;
    assert!(socket.is_silent().await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_dropped_twenty_times_misses_no_event_and_repeats_none() -> Result<()> {
    const EVENTS_IN_ALL: usize = 160;
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let first = owner.register("Ada", "Aaaa", "1990-01-02").await;
    let mut socket = clinic.socket(&owner).await;
    let all = "subscription { events(limit: 1) { id subjectId } }";
    socket.subscribe("1", all, json!({})).await;
    opened().await;
    let begin = owner.register("Ada", "Bbbb", "1991-01-02").await;
    let event = socket.event().await;
    assert_eq!(event["subjectId"], begin);
    assert_ne!(first, begin);

    let writing = async {
        let mut written = Vec::new();
        for number in 0..EVENTS_IN_ALL {
            let day = format!("{}-{:02}-{:02}", 1950 + number % 50, 1 + number % 12, 1 + number % 28);
            written.push(owner.register("Ada", &family(number), &day).await);
        }
        written
    };
    let watching = async {
        let mut seen: Vec<String> = Vec::new();
        let mut last = event["id"].as_str().unwrap().to_owned();
        let mut drops = 0;
        while seen.len() < EVENTS_IN_ALL {
            let mut socket = clinic.socket(&owner).await;
            let query = "subscription($after: ID) { events(filter: { kinds: [PATIENT_REGISTERED] }, afterEventId: $after) { id subjectId } }";
            socket.subscribe("1", query, json!({ "after": last })).await;
            // Some see much before they are cut off, some nothing at all.
            let until = if drops < 20 { seen.len() + drops % 7 } else { EVENTS_IN_ALL };
            while seen.len() < until.min(EVENTS_IN_ALL) {
                let event = socket.event().await;
                last = event["id"].as_str().unwrap().to_owned();
                seen.push(event["subjectId"].as_str().unwrap().to_owned());
            }
            drops += 1;
            // Without a word of farewell, perhaps with an event on its way.
            drop(socket);
            tokio::time::sleep(Duration::from_millis(u64::try_from(drops % 5).unwrap() * 20)).await;
        }
        (seen, drops)
    };
    let (written, (seen, drops)) = tokio::join!(writing, watching);
    assert!(drops > 20, "{drops}");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), EVENTS_IN_ALL);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), written.iter().collect());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_long_catches_up_from_the_database() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    owner.register("Ada", "Quill", "1990-01-02").await;
    let mut socket = clinic.socket(&owner).await;
    let mut runtime = clinic.server.installation.tenant_connection("northside").await?;
    // The one that was seen has its place before the others.
    sqlx::query("SELECT order_events()").execute(&mut runtime).await?;
    let first: uuid::Uuid = sqlx::query_scalar("SELECT id FROM event WHERE kind = 'PATIENT_REGISTERED'")
        .fetch_one(&mut runtime)
        .await?;
    // More than is kept in memory, most of it about somebody else's import.
    let many = "INSERT INTO event (id, kind, at, patient_id, subject_id, body)
        SELECT gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'PATIENT_REGISTERED' ELSE 'PATIENT_IMPORTED' END, now(), e.patient_id,
            e.subject_id, e.body FROM event e, generate_series(1, 2500) n WHERE e.id = $1";
    sqlx::query(many).bind(first).execute(&mut runtime).await?;
    let after = praxis_entity::ids::EventId(first).to_string();
    let query = "subscription($after: ID) { events(filter: { kinds: [PATIENT_REGISTERED] }, afterEventId: $after, limit: 25) { id } }";
    socket.subscribe("1", query, json!({ "after": after })).await;
    let mut seen = BTreeSet::new();
    for _ in 0..25 {
        seen.insert(socket.event().await["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(socket.hear().await.unwrap()["type"], "complete");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agenda_follows_visits_also_where_they_are_moved_away() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let facility = json!({ "code": "MAIN", "name": "Main", "timeZone": "UTC" });
    let facility = owner.run("facilityAdd", "facility { id }", facility).await["facility"]["id"].clone();
    let (osei, lind) = (owner.clinician("Osei").await, owner.clinician("Lind").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let mut socket = clinic.socket(&owner).await;
    let query = "subscription($p: ID) { appointmentEvents(practitionerId: $p) { kind subject { ... on Appointment { id version } } } }";
    socket.subscribe("osei", query, json!({ "p": osei })).await;
    opened().await;
    let day = (clinic.server.installation.clock.now() + chrono::TimeDelta::days(30)).date_naive();
    let booked = owner
        .run(
            "appointmentBook",
            "appointment { id } userErrors { code message }",
            json!({ "patientId": patient, "practitionerId": lind, "facilityId": facility, "type": "IN_PERSON",
                "startsAt": format!("{day}T10:00:00Z"), "durationMinutes": 30 }),
        )
        .await;
    let id = booked["appointment"]["id"].clone();
    let moved = |to: &str, version: i32, hour: u32| json!({ "id": id, "ifVersion": version, "practitionerId": to, "startsAt": format!("{day}T{hour}:00:00Z") });
    let select = "appointment { version } userErrors { code message }";
    // With somebody else it is none of theirs.
    opened().await;
    let first = owner.run("appointmentReschedule", select, moved(&osei, 1, 11)).await;
    assert_eq!(first["userErrors"], json!([]));
    for kind in ["APPOINTMENT_RESCHEDULED", "APPOINTMENT_REASSIGNED"] {
        let event = socket.event().await;
        assert_eq!((&event["kind"], &event["subject"]["id"]), (&json!(kind), &id));
    }
    owner.run("appointmentReschedule", select, moved(&lind, 2, 12)).await;
    let event = socket.event().await;
    assert_eq!(event["kind"], "APPOINTMENT_REASSIGNED");
    assert_eq!(event["subject"], json!({ "id": id, "version": 3 }));
    // From then on it is no matter of theirs.
    let cancel = json!({ "id": id, "ifVersion": 3 });
    owner.run("appointmentCancel", select, cancel).await;
    assert!(socket.is_silent().await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_breaks_the_protocol_is_told_by_the_code() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let init = json!({ "type": "connection_init", "payload": { "authorization": owner.bearer } });
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": EVENTS } });
    let forged = json!({ "type": "connection_init", "payload": { "authorization": "Bearer forged" } });
    let twice = json!({ "id": "1", "type": "subscribe", "payload": { "query": 1 } });
    for (messages, code) in [
        (vec![subscribe.clone()], 4401),
        (vec![json!({ "type": "connection_init" })], 4401),
        (vec![forged], 4401),
        (vec![init.clone(), init.clone()], 4429),
        (vec![init.clone(), subscribe.clone(), subscribe.clone()], 4409),
        (vec![init.clone(), json!({ "type": "next" })], 4400),
        (vec![init.clone(), json!("x")], 4400),
        (vec![init.clone(), twice], 4400),
    ] {
        let mut socket = clinic.open(&[]).await?;
        for message in messages.clone() {
            socket.say(message).await;
        }
        let code_heard = loop {
            match socket.hear().await {
                Ok(said) => assert_eq!(said["type"], "connection_ack", "{messages:?}"),
                Err(code) => break code,
            }
        };
        assert_eq!(code_heard, code, "{messages:?}");
    }
    // Who says nothing does not stay.
    let begun = Instant::now();
    assert_eq!(clinic.open(&[]).await?.hear().await.unwrap_err(), 4408);
    assert!((4..9).contains(&begun.elapsed().as_secs()));
    // Pages of other origins do not get that far, nor do other protocols.
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("cookie", "__Host-praxis=abc")],
        &[("sec-websocket-protocol", "graphql-ws")],
    ] {
        assert!(clinic.open(headers).await.is_err(), "{headers:?}");
    }
    assert!(clinic.open(&[("origin", "http://northside.praxis.test")]).await.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_run_is_told_and_the_socket_stays() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut socket = clinic.socket(&owner).await;
    let deep = format!(
        "subscription {{ events {{ {} id {} }} }}",
        "patient { relatedPersons { patient { ".repeat(6),
        "} } }".repeat(6)
    );
    let unknown = json!({ "after": praxis_entity::ids::EventId(uuid::Uuid::nil()).to_string() });
    for (query, variables, code) in [
        ("subscription { nope }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { events { id } more: events { id } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", json!({}), "GRAPHQL_PARSE_FAILED"),
        (deep.as_str(), json!({}), "QUERY_TOO_DEEP"),
        ("subscription { patientEvents(patientId: \"x\") { id } }", json!({}), "BAD_USER_INPUT"),
        ("subscription { events(limit: 0) { id } }", json!({}), "BAD_USER_INPUT"),
        (EVENTS, unknown, "BAD_USER_INPUT"),
    ] {
        socket.subscribe("1", query, variables).await;
        let told = socket.hear().await.unwrap();
        let errors = if told["type"] == "error" { &told["payload"] } else { &told["payload"]["errors"] };
        assert_eq!(errors[0]["extensions"]["code"], code, "{told}");
        if told["type"] == "next" {
            assert_eq!(socket.hear().await.unwrap()["type"], "complete");
        }
    }
    // A request that can be answered once is told where to go.
    let answer = owner.send("subscription { events { id } }", json!({}), &[]).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert!(answer.text.contains("event stream or a socket"), "{}", answer.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_watches_holds_no_connection() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let config =
        server.installation.config_with(&[("database.connections", "2"), ("database.wait_ms", "1000")])?;
    let app = App::build_with_clock(config, std::sync::Arc::clone(&server.clock) as _).await?;
    let (address, serving, stop) = serve(app).await?;
    let clinic = Clinic { server, address, serving: Some(serving), stop };
    let owner = clinic.server.person("northside", "owner").await;
    let mut sockets = Vec::new();
    for _ in 0..12 {
        let mut socket = clinic.socket(&owner).await;
        socket.subscribe("1", EVENTS, json!({})).await;
        socket.subscribe("2", EVENTS, json!({})).await;
        sockets.push(socket);
    }
    opened().await;
    owner.register("Ada", "Quill", "1990-01-02").await;
    for socket in &mut sockets {
        assert_eq!(socket.event().await["kind"], "PATIENT_REGISTERED");
        assert_eq!(socket.event().await["kind"], "PATIENT_REGISTERED");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let (serving, stop) = (clinic.serving.take().unwrap(), clinic.stop.clone());
    let owner = clinic.server.person("northside", "owner").await;
    let mut socket = clinic.socket(&owner).await;
    stop.cancel();
    assert_eq!(socket.hear().await, Err(1001));
    timeout(Duration::from_secs(5), serving).await??;
    Ok(())
}

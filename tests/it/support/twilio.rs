//! A stand-in of Twilio's HTTP API: takes messages as Twilio does, refuses what Twilio refuses, and calls back with
//! its signature.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use data_encoding::BASE64;
use ring::hmac;
use serde_json::json;
use tokio::net::TcpListener;

use super::server::{Answer, TestServer, send};

/// The account.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// Its secret.
pub const TOKEN: &str = "a-secret-of-the-tests";
/// Its number.
pub const FROM: &str = "+15005550006";

/// What is done with the next message.
#[derive(Debug, Clone, Copy)]
pub enum Treat {
    /// Refuses it with this status and code.
    Refuse(u16, u32),
    /// Takes it and hangs up before saying so.
    TakeAndHangUp,
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub struct Carried {
    /// What Twilio calls it.
    pub sid: String,
    /// To which number.
    pub to: String,
    /// What it says.
    pub body: String,
    /// Where to report.
    pub report_to: String,
}

/// The stand-in.
#[derive(Clone)]
pub struct Twilio {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<Account>>,
}

#[derive(Default)]
struct Account {
    plan: VecDeque<Treat>,
    carried: Vec<Carried>,
    wrong: Vec<String>,
    pause: Duration,
}

impl Twilio {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let twilio = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let routes = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(take))
            .with_state(Arc::clone(&twilio.state));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        twilio
    }

    /// The settings of a server that uses it.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("sms.provider", "twilio".to_owned()),
            ("sms.twilio_account_sid", ACCOUNT.to_owned()),
            ("sms.twilio_auth_token", TOKEN.to_owned()),
            ("sms.twilio_from", FROM.to_owned()),
            ("sms.twilio_endpoint", format!("http://127.0.0.1:{}", self.port)),
        ]
    }

    /// What is done with the next messages.
    pub fn plan(&self, plan: &[Treat]) {
        self.state.lock().unwrap().plan.extend(plan);
    }

    /// How long each answer takes.
    pub fn pause(&self, pause: Duration) {
        self.state.lock().unwrap().pause = pause;
    }

    /// The messages that were taken; fails when something was asked that Twilio would not have understood.
    pub fn carried(&self) -> Vec<Carried> {
        let account = self.state.lock().unwrap();
        assert!(account.wrong.is_empty(), "{:?}", account.wrong);
        account.carried.clone()
    }
}

async fn take(
    State(state): State<Arc<Mutex<Account>>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |status: StatusCode, code: u32| {
        let body = json!({ "code": code, "message": "no", "more_info": "", "status": status.as_u16() });
        (status, Json(body)).into_response()
    };
    let login = format!("Basic {}", BASE64.encode(format!("{ACCOUNT}:{TOKEN}").as_bytes()));
    if account != ACCOUNT || headers.get(header::AUTHORIZATION).is_none_or(|given| given != login.as_str()) {
        return refused(StatusCode::UNAUTHORIZED, 20003);
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let get = |name: &str| form.get(name).cloned().unwrap_or_default();
    let (to, from, text, report_to) = (get("To"), get("From"), get("Body"), get("StatusCallback"));
    let is_number = |text: &str| {
        text.strip_prefix('+')
            .is_some_and(|rest| (7..=15).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let kind =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    if !kind
        || !is_number(&to)
        || from != FROM
        || text.is_empty()
        || text.chars().count() > 1600
        || !url::Url::parse(&report_to).is_ok_and(|url| url.scheme() == "https")
    {
        state.lock().unwrap().wrong.push(format!("{kind} {to} {from} {text:?} {report_to}"));
        return refused(StatusCode::BAD_REQUEST, 21211);
    }
    let pause = state.lock().unwrap().pause;
    tokio::time::sleep(pause).await;
    let treat = state.lock().unwrap().plan.pop_front();
    if let Some(Treat::Refuse(status, code)) = treat {
        return refused(StatusCode::from_u16(status).unwrap(), code);
    }
    let mut account = state.lock().unwrap();
    let sid = format!("SM{:032x}", account.carried.len() + 1);
    account.carried.push(Carried { sid: sid.clone(), to: to.clone(), body: text, report_to });
    drop(account);
    if let Some(Treat::TakeAndHangUp) = treat {
        // An answer that never ends is cut off by whoever waits for it.
        let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut off")) });
        return Response::new(Body::from_stream(broken));
    }
    (StatusCode::CREATED, Json(json!({ "sid": sid, "status": "queued", "to": to }))).into_response()
}

/// Twilio calls a server back.
pub async fn call(server: &TestServer, url: &str, parameters: &[(&str, &str)], secret: &str) -> Answer {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let signed = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
    let parsed = url::Url::parse(url).unwrap();
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let request = Request::post(parsed.path())
        .header(header::HOST, parsed.host_str().unwrap())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature);
    send(&server.app.router, request.body(Body::from(form)).unwrap()).await
}

//! An identity provider of a test's own, which lies when it is told to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use data_encoding::BASE64URL_NOPAD;
use praxis_platform::{
    clock::Clock,
    vault::{SigningKey, crypto::sha256},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::clock::TestClock;

/// Changes header and claims of the next tokens.
pub type Twist = fn(header: &mut Value, claims: &mut Value);

/// The provider.
#[derive(Clone)]
pub struct Idp {
    /// Its issuer.
    pub issuer: String,
    inner: Arc<Mutex<Inner>>,
    clock: Arc<TestClock>,
}

struct Inner {
    key: SigningKey,
    kid: String,
    published: Vec<Value>,
    codes: HashMap<String, Asked>,
    twist: Twist,
    signs_with: Option<SigningKey>,
    answers: StatusCode,
    metadata: Value,
    key_requests: usize,
}

/// What a browser was sent to ask.
#[derive(Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    subject: String,
}

fn jwk(key: &SigningKey, kid: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": BASE64URL_NOPAD.encode(key.public()) })
}

impl Idp {
    /// Starts one, by the clock of the server that is to believe it.
    pub async fn start(clock: &Arc<TestClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let inner = Inner {
            published: vec![jwk(&key, "first")],
            kid: "first".to_owned(),
            key,
            codes: HashMap::new(),
            twist: |_, _| {},
            signs_with: None,
            answers: StatusCode::OK,
            metadata: json!({}),
            key_requests: 0,
        };
        let idp = Self { issuer, inner: Arc::new(Mutex::new(inner)), clock: Arc::clone(clock) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/authorize", get(page))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        idp
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Lies in this way from now on.
    pub fn twist(&self, twist: Twist) {
        self.inner().twist = twist;
    }

    /// Signs with a key that it does not publish.
    pub fn sign_with(&self, seed: Option<u8>) {
        self.inner().signs_with = seed.map(|seed| SigningKey::from_seed(&[seed; 32]).unwrap());
    }

    /// Answers everything with this status.
    pub fn answer(&self, status: StatusCode) {
        self.inner().answers = status;
    }

    /// Says something else of itself.
    pub fn publish(&self, metadata: Value) {
        self.inner().metadata = metadata;
    }

    /// Takes a new key into use, and publishes it beside the old one.
    pub fn rotate(&self) {
        let mut inner = self.inner();
        inner.key = SigningKey::from_seed(&[2; 32]).unwrap();
        inner.kid = "second".to_owned();
        let second = jwk(&inner.key, "second");
        inner.published.push(second);
    }

    /// How often somebody asked for its keys.
    pub fn key_requests(&self) -> usize {
        self.inner().key_requests
    }

    /// What the browser brings back from the provider's page, where `subject` signs in.
    pub fn authorize(&self, url: &str, subject: &str) -> String {
        let asked: HashMap<String, String> =
            url::Url::parse(url).unwrap().query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["client_id"], "praxis");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut inner = self.inner();
        let code = format!("code-{}", inner.codes.len());
        let remembered = Asked {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            subject: subject.to_owned(),
        };
        inner.codes.insert(code.clone(), remembered);
        let issuer: String = url::form_urlencoded::byte_serialize(self.issuer.as_bytes()).collect();
        format!("code={code}&state={}&iss={issuer}", asked["state"])
    }
}

async fn metadata(State(idp): State<Idp>) -> Response {
    let inner = idp.inner();
    if inner.answers != StatusCode::OK {
        let away = [("location", "http://127.0.0.1:1/")];
        return (inner.answers, away, "x".repeat(300_000)).into_response();
    }
    let mut metadata = json!({
        "issuer": idp.issuer,
        "authorization_endpoint": format!("{}/authorize", idp.issuer),
        "token_endpoint": format!("{}/token", idp.issuer),
        "jwks_uri": format!("{}/keys", idp.issuer),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let changed = inner.metadata.as_object().unwrap().clone();
    metadata.as_object_mut().unwrap().extend(changed);
    Json(metadata).into_response()
}

/// Where a real browser comes: somebody signs in at once, and is sent back.
async fn page(State(idp): State<Idp>, uri: Uri) -> Response {
    let url = format!("{}{uri}", idp.issuer);
    let brought = idp.authorize(&url, "browser-1");
    let asked: HashMap<String, String> = url::Url::parse(&url).unwrap().query_pairs().into_owned().collect();
    let back = format!("{}?{brought}", asked["redirect_uri"]);
    (StatusCode::SEE_OTHER, [("location", back)]).into_response()
}

async fn keys(State(idp): State<Idp>) -> Json<Value> {
    let mut inner = idp.inner();
    inner.key_requests += 1;
    Json(json!({ "keys": inner.published }))
}

async fn token(State(idp): State<Idp>, body: String) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let now = idp.clock.now().timestamp();
    let inner = idp.inner();
    // A lying provider takes a code as often as it is shown.
    let Some(asked) = form.get("code").and_then(|code| inner.codes.get(code)) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let shown = form.get("code_verifier").map(|verifier| sha256(verifier.as_bytes()));
    let proved = shown.is_some_and(|hash| BASE64URL_NOPAD.encode(&hash) == asked.challenge);
    if !proved || form.get("redirect_uri") != Some(&asked.redirect_uri) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let mut header = json!({ "alg": "EdDSA", "kid": inner.kid });
    let mut claims = json!({ "iss": idp.issuer, "aud": "praxis", "sub": asked.subject, "iat": now,
        "exp": now + 300, "nonce": asked.nonce, "email": "ann@praxis.test", "email_verified": true });
    (inner.twist)(&mut header, &mut claims);
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let key = inner.signs_with.as_ref().unwrap_or(&inner.key);
    let signature = if header["alg"] == "none" {
        String::new()
    } else {
        BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()))
    };
    let token = format!("{signed}.{signature}");
    Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": token })).into_response()
}

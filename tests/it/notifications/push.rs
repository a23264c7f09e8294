//! Devices are rung up, and told nothing: by a push service of the test that checks what push services check.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use tokio::net::TcpListener;

use super::*;

#[derive(Default)]
struct Rung {
    devices: Vec<String>,
    wrong: Vec<String>,
    gone: BTreeSet<String>,
}

/// What RFC 8030 and 8292 ask of a call.
fn judge(headers: &HeaderMap, body: &[u8], audience: &str) -> Option<()> {
    let get = |name: &str| headers.get(name)?.to_str().ok();
    let (token, key) = get("authorization")?.strip_prefix("vapid t=")?.split_once(", k=")?;
    let (signed, signature) = token.rsplit_once('.')?;
    let part = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, part(key)?);
    key.verify(signed.as_bytes(), &part(signature)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&part(signed.split_once('.')?.1)?).ok()?;
    let fresh = claims["exp"].as_i64()? > 0 && claims["sub"].as_str()?.starts_with("mailto:");
    let topic = get("topic")?;
    let fits =
        topic.len() <= 32 && topic.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (claims["aud"] == audience && fresh && fits && get("ttl")?.parse::<u32>().is_ok() && body.is_empty())
        .then_some(())
}

#[tokio::test]
async fn a_device_is_rung_up_and_told_nothing_and_forgotten_once_it_is_gone() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let rung: Arc<Mutex<Rung>> = Arc::default();
    let audience = origin.clone();
    let take = move |State(rung): State<Arc<Mutex<Rung>>>,
                     Path(device): Path<String>,
                     headers: HeaderMap,
                     body: Bytes| async move {
        let mut rung = rung.lock().unwrap();
        if judge(&headers, &body, &audience).is_none() {
            rung.wrong.push(format!("{headers:?} {body:?}"));
            return StatusCode::FORBIDDEN;
        }
        if rung.gone.contains(&device) {
            return StatusCode::GONE;
        }
        rung.devices.push(device);
        StatusCode::CREATED
    };
    let routes = Router::new().route("/{device}", post(take)).with_state(Arc::clone(&rung));
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let (twilio, mail) = (Twilio::start().await, MailServer::start(&[]).await);
    let key = new_key();
    let more = [
        ("push.provider", "web".to_owned()),
        ("push.key", BASE64.encode(key.as_ref())),
        ("push.contact", "mailto:admin@praxis.test".to_owned()),
    ];
    let server = clinic_with(&twilio, &mail, &more).await?;
    let nia = server.person("northside", "nurse").await;
    let viewer = nia.ask("{ viewer { id } }", json!({})).await;
    let to = [viewer["viewer"]["id"].as_str().unwrap().parse::<UserId>()?];
    let register = async |person: &Person<'_>, device: &str| {
        let input = json!({ "name": device, "address": format!("{origin}/{device}") });
        person.run("pushDeviceRegister", "device { id name } userErrors { code path }", input).await
    };
    let mut task = 100_u128;
    let mut assign = async || {
        task += 1;
        let id = TaskId(uuid::Uuid::from_u128(task));
        reacting(&server, async |op| react::task_assigned(op, id, &to, "").await).await?;
        send_all(&server).await
    };
    // Without a device there is nothing to ring up.
    assert_eq!(assign().await?, Sent::default());
    register(&nia, "phone").await;
    let tablet = register(&nia, "tablet").await["device"]["id"].clone();
    assert_eq!(assign().await?.sent, 1);
    assert_eq!(rung.lock().unwrap().devices, ["phone", "tablet"]);
    nia.run("pushDeviceRemove", "device { id } userErrors { code }", json!({ "id": tablet })).await;
    assert_eq!(assign().await?.sent, 1);
    rung.lock().unwrap().gone.insert("phone".to_owned());
    assert_eq!(assign().await?.suppressed, 1);
    let devices = nia.ask("{ viewer { pushDevices { name } } }", json!({})).await;
    assert_eq!(devices["viewer"]["pushDevices"], json!([]));
    assert_eq!(rung.lock().unwrap().devices, ["phone", "tablet", "phone"]);
    assert!(rung.lock().unwrap().wrong.is_empty(), "{:?}", rung.lock().unwrap().wrong);

    // A device that changed hands rings for its new owner only.
    let ben = server.person("northside", "nurse").await;
    register(&nia, "shared").await;
    register(&ben, "shared").await;
    assert_eq!(assign().await?, Sent::default());
    // And addresses inside somebody's network are not asked.
    let inside = json!({ "name": "x", "address": "http://10.0.0.1/x" });
    nia.run("pushDeviceRegister", "device { id } userErrors { code }", inside).await;
    assert_eq!(assign().await?.dead, 1);
    assert_eq!(
        nia.run("pushDeviceRegister", "userErrors { code }", json!({ "name": "x", "address": "x" })).await["userErrors"]
            [0]["code"],
        "INVALID"
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a key of this test alone")]
fn new_key() -> ring::pkcs8::Document {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap()
}

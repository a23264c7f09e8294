//! A provider that lies or leads astray, and answers that come to the wrong browser.

use super::*;
use crate::support::idp::Twist;

#[tokio::test]
async fn a_provider_that_lies_lets_nobody_in() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let lies: &[(&str, Twist)] = &[
        ("another issuer", |_, claims| claims["iss"] = json!("https://other.example")),
        ("another nonce", |_, claims| claims["nonce"] = json!("x")),
        ("no nonce", |_, claims| claims["nonce"] = Value::Null),
        ("another audience", |_, claims| claims["aud"] = json!("other")),
        ("two audiences", |_, claims| claims["aud"] = json!(["praxis", "other"])),
        ("another party", |_, claims| claims["azp"] = json!("other")),
        ("expired", |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 120)),
        ("from the future", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 120)),
        ("of long ago", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 3_600)),
        ("no subject", |_, claims| claims["sub"] = json!("")),
        ("no signature", |header, _| header["alg"] = json!("none")),
        ("a symmetric key", |header, _| header["alg"] = json!("HS256")),
        ("another algorithm", |header, _| header["alg"] = json!("ES256")),
        ("an unknown key", |header, _| header["kid"] = json!("zzz")),
        ("something critical", |header, _| header["crit"] = json!(["x"])),
    ];
    for (lie, twist) in lies {
        idp.twist(*twist);
        let mut browser = Browser::new(&server);
        let url = browser.start(&provider, "/").await;
        let answer = browser.callback(&idp.authorize(&url, "ann-1")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{lie}");
        assert!(!browser.signed_in().await, "{lie}");
    }
    idp.twist(|_, _| {});
    idp.sign_with(Some(9));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::UNAUTHORIZED);
    idp.sign_with(None);
    let url = browser.start(&provider, "/").await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn a_sign_in_ends_once_in_the_browser_that_began_it() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    let brought = idp.authorize(&url, "ann-1");
    // Another browser, one with another sign-in under way, and one with an older cookie.
    let mut other = Browser::new(&server);
    assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    other.start(&provider, "/").await;
    assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // The answer of another provider, or of none.
    let cookies = browser.cookies.clone();
    for (twisted, status) in [
        (
            brought.replace(
                &url::form_urlencoded::byte_serialize(idp.issuer.as_bytes()).collect::<String>(),
                "https%3A%2F%2Fevil.example",
            ),
            StatusCode::UNAUTHORIZED,
        ),
        (brought.split("&iss=").next().unwrap().to_owned(), StatusCode::UNAUTHORIZED),
        (brought.replace("code=", "kode="), StatusCode::FORBIDDEN),
        (format!("{}&error=access_denied", brought.replace("code=", "kode=")), StatusCode::FORBIDDEN),
        (brought.replace("state=", "state=x"), StatusCode::BAD_REQUEST),
        (brought.replace("state=", "statt="), StatusCode::BAD_REQUEST),
        (format!("{brought}&state=x"), StatusCode::BAD_REQUEST),
        (brought.replace("code=code-", "code=code-9"), StatusCode::UNAUTHORIZED),
    ] {
        browser.cookies = cookies.clone();
        let answer = browser.callback(&twisted).await;
        assert_eq!(answer.status, status, "{twisted}: {}", answer.text);
        assert!(!browser.signed_in().await);
    }
    // The right answer is good once, even if the provider takes its code twice.
    browser.cookies = cookies.clone();
    assert_eq!(browser.callback(&brought).await.status, StatusCode::SEE_OTHER);
    assert!(browser.signed_in().await);
    assert!(!browser.cookies.contains_key("__Host-praxis-sign-in"));
    browser.cookies = cookies;
    assert_eq!(browser.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // Whoever comes back too late begins again.
    let url = browser.start(&provider, "/").await;
    let brought = idp.authorize(&url, "ann-1");
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(browser.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    Ok(())
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_else() -> Result<()> {
    let (server, _idp, provider) = linked().await?;
    let mut browser = Browser::new(&server);
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "evil",
        "",
    ] {
        let answer = browser.get(&format!("/auth/oidc/start?provider={provider}&returnTo={elsewhere}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
            "{elsewhere}"
        );
    }
    for unknown in ["", "nonsense", "idp_01jd3k5n8re6ktp1rb6z9q4x2m", "usr_01jd3k5n8re6ktp1rb6z9q4x2m"] {
        let answer = browser.get(&format!("/auth/oidc/start?provider={unknown}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "NOT_FOUND"), "{unknown}");
    }
    assert_eq!(browser.get("/auth/oidc/start").await.status, StatusCode::BAD_REQUEST);
    assert!(browser.cookies.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_provider_leads_this_server_nowhere() -> Result<()> {
    let server = clinic().await?;
    let start = async |idp: &Idp| {
        let provider = add(&server, &idp.issuer).await;
        let answer = Browser::new(&server).get(&format!("/auth/oidc/start?provider={provider}")).await;
        (answer.status, answer.code().to_owned())
    };
    let away = (StatusCode::BAD_GATEWAY, "UPSTREAM_UNAVAILABLE".to_owned());
    for status in [
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::ACCEPTED,
    ] {
        let idp = Idp::start(&server.clock).await;
        idp.answer(status);
        assert_eq!(start(&idp).await, away, "{status}");
    }
    for metadata in [
        json!({ "issuer": "https://other.example" }),
        json!({ "token_endpoint": "http://10.0.0.1/token" }),
        json!({ "jwks_uri": "http://169.254.169.254/latest/meta-data" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "token_endpoint": 5 }),
    ] {
        let idp = Idp::start(&server.clock).await;
        idp.publish(metadata.clone());
        assert_eq!(start(&idp).await, away, "{metadata}");
    }
    // Issuers that cannot be, are not even stored.
    let mut owner = Browser::new(&server);
    owner.sign_in(ANN).await;
    for issuer in [
        "http://login.example.org",
        "https://10.0.0.1",
        "https://u:p@login.example.org",
        "https://login.example.org/?a",
        "ftp://x",
        "x",
        "",
    ] {
        let data = owner.ask(ADD, json!({ "name": "X", "issuer": issuer, "clientId": "praxis" })).await;
        assert_eq!(data["identityProviderAdd"]["identityProvider"], Value::Null, "{issuer}");
        assert_eq!(
            data["identityProviderAdd"]["userErrors"][0]["path"],
            json!(["input", "issuer"]),
            "{issuer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_new_key_is_found_and_nobody_makes_us_ask_for_ever() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let sign_in = async || {
        let mut browser = Browser::new(&server);
        let url = browser.start(&provider, "/").await;
        browser.callback(&idp.authorize(&url, "ann-1")).await.status
    };
    assert_eq!(sign_in().await, StatusCode::SEE_OTHER);
    assert_eq!(idp.key_requests(), 1);
    tokio::time::sleep(Duration::from_secs(5)).await;
    idp.rotate();
    assert_eq!(sign_in().await, StatusCode::SEE_OTHER);
    assert_eq!(idp.key_requests(), 2);
    idp.twist(|header, _| header["kid"] = json!("never"));
    for _ in 0..10 {
        assert_eq!(sign_in().await, StatusCode::UNAUTHORIZED);
    }
    assert!(idp.key_requests() <= 4, "{}", idp.key_requests());
    Ok(())
}

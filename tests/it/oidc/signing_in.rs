//! Who comes in by a provider: whose account is linked, with what they showed there, and nobody by an address.

use data_encoding::BASE32_NOPAD;
use praxis_entity::value::TotpSecret;
use praxis_platform::factor::totp;

use super::*;

#[tokio::test]
async fn a_person_signs_in_where_their_account_is_linked() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let listed = server.get(HOST, "/auth/providers", &[]).await;
    assert_eq!(listed.body["providers"], json!([{ "id": provider, "name": "Hospital" }]));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let answer = browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/explorer".parse()?)
    );
    assert!(browser.signed_in().await);
    let viewer = browser
        .ask(
            "{ viewer { sessions { methods secondFactorAt current } externalIdentities { providerName } } }",
            json!({}),
        )
        .await;
    let sessions = viewer["viewer"]["sessions"].as_array().unwrap();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!((&own["methods"], &own["secondFactorAt"]), (&json!(["EXTERNAL"]), &Value::Null));
    assert_eq!(viewer["viewer"]["externalIdentities"], json!([{ "providerName": "Hospital" }]));

    // A provider that asked for several factors saves asking for one here; freshness is its own matter.
    idp.twist(|_, claims| claims["acr"] = json!("urn:mfa"));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    browser.callback(&idp.authorize(&url, "ann-1")).await;
    let viewer = browser.ask("{ viewer { sessions { methods secondFactorAt current } } }", json!({})).await;
    let sessions = viewer["viewer"]["sessions"].as_array().unwrap();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(own["methods"], json!(["EXTERNAL_MULTI_FACTOR"]));
    let change = browser.post("/graphql", json!({ "query": "mutation($id: ID!) { identityProviderRemove(input: { id: $id, ifVersion: 1 }) { removedId } }", "variables": { "id": provider } })).await;
    assert_eq!(change.code(), "STEP_UP_REQUIRED");
    Ok(())
}

#[tokio::test]
async fn a_provider_does_not_stand_for_a_second_factor_that_a_role_asks_for() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    let require = "mutation($input: RoleRequireSecondFactorInput!) { roleRequireSecondFactor(input: $input) { required userErrors { code } } }";
    let required = ann.ask(require, json!({ "role": "owner", "required": true })).await;
    assert_eq!(required["roleRequireSecondFactor"], json!({ "required": true, "userErrors": [] }));
    // What a server remembers of roles it forgets within two seconds.
    tokio::time::sleep(Duration::from_millis(2_050)).await;

    // Nothing is enrolled yet: the session is good for that and nothing else.
    let patients = json!({ "query": "{ patients { totalCount } }" });
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(browser.post("/graphql", patients.clone()).await.code(), "SECOND_FACTOR_REQUIRED");
    let enrolled =
        browser.post("/graphql", json!({ "query": "mutation { totpEnrol { secret } }" })).await.body;
    let secret = BASE32_NOPAD.decode(enrolled["data"]["totpEnrol"]["secret"].as_str().unwrap().as_bytes())?;
    let secret = TotpSecret(secret.try_into().unwrap());
    let code = || totp::code(&secret, server.clock.now().timestamp() / 30);
    let confirm =
        format!("mutation {{ totpConfirm(input: {{ code: \"{}\" }}) {{ userErrors {{ code }} }} }}", code());
    let confirmed = browser.post("/graphql", json!({ "query": confirm })).await;
    assert_eq!(confirmed.body["data"]["totpConfirm"]["userErrors"], json!([]), "{}", confirmed.text);

    // From now on the way back from the provider opens no session, but leads to the page that asks for the code.
    server.clock.advance(TimeDelta::minutes(2));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let back = browser.callback(&idp.authorize(&url, "ann-1")).await;
    let page = back.headers[header::LOCATION].to_str()?;
    let challenge = page.strip_prefix("/sign-in?next=%2Fexplorer#challenge=").unwrap();
    assert!(!browser.signed_in().await);
    let shown = json!({ "challenge": challenge, "totp": code() });
    let entered = browser.post("/auth/second-factor", shown).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert!(browser.post("/graphql", patients.clone()).await.body["errors"].is_null());

    // Only a provider that says it asked for several itself saves asking here.
    idp.twist(|_, claims| claims["acr"] = json!("urn:mfa"));
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/explorer").await;
    let back = browser.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!(back.headers[header::LOCATION], "/explorer");
    assert!(browser.post("/graphql", patients).await.body["errors"].is_null());
    Ok(())
}

#[tokio::test]
async fn an_e_mail_address_is_nobody() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    // The provider says that this is Ann's address, and that it was verified.
    let mut browser = Browser::new(&server);
    let url = browser.start(&provider, "/").await;
    let answer = browser.callback(&idp.authorize(&url, "eve-1")).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert!(!browser.signed_in().await);

    // Linking needs a session, a second factor, and the same person on the way back.
    let answer = browser.post("/auth/oidc/link", json!({ "provider": provider })).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    server.user("northside", "eve@praxis.test", "physician").await?;
    let answer =
        browser.post("/auth/session", json!({ "email": "eve@praxis.test", "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = browser.post("/auth/oidc/link", json!({ "provider": provider })).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let url = browser.start_link(&provider).await;
    let brought = idp.authorize(&url, "eve-1");
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    ann.cookies.insert("__Host-praxis-sign-in".to_owned(), browser.cookies["__Host-praxis-sign-in"].clone());
    assert_eq!(ann.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // Ann's identity is taken.
    let url = browser.start_link(&provider).await;
    assert_eq!(browser.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::FORBIDDEN);
    Ok(())
}

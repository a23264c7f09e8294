//! Identities of one's own and of others: linked, seen, unlinked; and who tries to link what is not theirs.

use std::time::Instant;

use axum::http::Request;
use data_encoding::BASE32_NOPAD;
use praxis_entity::value::TotpSecret;
use praxis_platform::factor::totp;

use super::*;
use crate::support::server::send;

const EVE: &str = "eve@praxis.test";
const OWN: &str = "{ viewer { externalIdentities { providerId providerName linkedAt lastUsedAt } } }";
const UNLINK: &str = "mutation($input: ExternalIdentityUnlinkInput!) { externalIdentityUnlink(input: $input) { externalIdentities { providerId } userErrors { code path message } } }";
const TAKE: &str = "mutation($input: UserUnlinkIdentityInput!) { userUnlinkIdentity(input: $input) { user { email externalIdentities { providerId } } userErrors { code path } } }";

impl Browser<'_> {
    async fn own(&mut self) -> Value {
        self.ask(OWN, json!({})).await["viewer"]["externalIdentities"].clone()
    }

    /// Signs in at the provider.
    async fn come_by(&mut self, idp: &Idp, provider: &str, subject: &str) -> Answer {
        let url = self.start(provider, "/").await;
        self.callback(&idp.authorize(&url, subject)).await
    }

    /// One mutation, whatever comes of it.
    async fn try_to(&self, query: &str, input: Value) -> Answer {
        let headers = [("cookie", self.cookie()), ("praxis-csrf", "1".to_owned())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = json!({ "query": query, "variables": { "input": input } });
        self.server.post(HOST, "/graphql", &headers, body).await
    }
}

/// A clinic with a provider at which Ann is known, and Eve who has an account and a session with a fresh second factor.
async fn with_eve() -> Result<(TestServer, Idp, String)> {
    let (server, idp, provider) = linked().await?;
    server.user("northside", EVE, "physician").await?;
    Ok((server, idp, provider))
}

/// The id of a user.
async fn user_id(browser: &mut Browser<'_>, email: &str) -> String {
    let data = browser.ask("{ users(first: 50) { nodes { id email } } }", json!({})).await;
    let users = data["users"]["nodes"].as_array().unwrap();
    users.iter().find(|user| user["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_sees_their_identities_and_unlinks_them() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    let own = ann.own().await;
    assert_eq!((&own[0]["providerId"], &own[0]["providerName"]), (&json!(provider), &json!("Hospital")));
    assert_eq!((own.as_array().unwrap().len(), &own[0]["lastUsedAt"]), (1, &Value::Null));
    assert_eq!(identity_mails(&server, ANN).await, 1);
    // The same once more changes nothing and tells nobody; another identity there has no room.
    let url = ann.start_link(&provider).await;
    assert!(url.contains("max_age=0"), "{url}");
    assert_eq!(ann.callback(&idp.authorize(&url, "ann-1")).await.status, StatusCode::SEE_OTHER);
    let url = ann.start_link(&provider).await;
    assert_eq!(ann.callback(&idp.authorize(&url, "ann-2")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(identity_mails(&server, ANN).await, 1);

    let (mut by_identity, mut here) = (Browser::new(&server), Browser::new(&server));
    assert_eq!(by_identity.come_by(&idp, &provider, "ann-1").await.status, StatusCode::SEE_OTHER);
    assert!(ann.own().await[0]["lastUsedAt"].is_string());
    here.come_by(&idp, &provider, "ann-1").await;

    let input = json!({ "providerId": provider });
    assert_eq!(here.try_to(UNLINK, input.clone()).await.code(), "STEP_UP_REQUIRED");
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let unlinked = here.ask(UNLINK, input.clone()).await;
    assert_eq!(unlinked["externalIdentityUnlink"], json!({ "externalIdentities": [], "userErrors": [] }));
    // What it had opened is over, but for the session that asked and those it did not open.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!by_identity.signed_in().await && here.signed_in().await && ann.signed_in().await);
    let late = by_identity.come_by(&idp, &provider, "ann-1").await;
    assert_eq!((late.status, late.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert_eq!(identity_mails(&server, ANN).await, 2);
    let again = ann.ask(UNLINK, input).await;
    assert_eq!(again["externalIdentityUnlink"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(entries(&server, "identity.unlink", "OK").await, 1);

    // Now there is room for the other one.
    let url = ann.start_link(&provider).await;
    assert_eq!(ann.callback(&idp.authorize(&url, "ann-2")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(by_identity.come_by(&idp, &provider, "ann-2").await.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn a_link_is_finished_in_the_session_that_began_it_and_by_nobody_else() -> Result<()> {
    let (server, idp, provider) = with_eve().await?;
    // Eve begins, and has somebody else's browser come back: with her cookie, and with her own identity or theirs.
    let mut eve = Browser::new(&server);
    eve.sign_in(EVE).await;
    const CARRIED: &str = "__Host-praxis-sign-in";
    let other_session = async |email: Option<&str>| {
        let mut other = Browser::new(&server);
        if let Some(email) = email {
            other.sign_in(email).await;
        }
        other
    };
    // The last is herself, in another session of her own.
    for (victim, subject) in
        [(Some(ANN), "eve-1"), (Some(ANN), "ann-2"), (None, "eve-1"), (Some(EVE), "eve-1")]
    {
        let url = eve.start_link(&provider).await;
        let brought = idp.authorize(&url, subject);
        let mut other = other_session(victim).await;
        assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST, "{victim:?}");
        other.cookies.insert(CARRIED.to_owned(), eve.cookies[CARRIED].clone());
        let refused = other.callback(&brought).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{victim:?}: {}", refused.text);
    }
    assert_eq!(eve.own().await, json!([]));
    // A page elsewhere can't begin one in her name: it can't send the header, nor JSON.
    let cookie = eve.cookie();
    let body = json!({ "provider": provider });
    let forged = server.post(HOST, "/auth/oidc/link", &[("cookie", &cookie)], body).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "{}", forged.text);

    // Her own session that ended meanwhile does not finish it either.
    let url = eve.start_link(&provider).await;
    let brought = idp.authorize(&url, "eve-1");
    let mut elsewhere = other_session(Some(EVE)).await;
    let ended = elsewhere.ask("mutation($input: SessionEndOthersInput!) { sessionEndOthers(input: $input) { userErrors { code } } }", json!({})).await;
    assert_eq!(ended["sessionEndOthers"]["userErrors"], json!([]));
    assert_eq!(eve.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(elsewhere.own().await, json!([]));
    // And what is somebody's already is not told to be theirs.
    let url = elsewhere.start_link(&provider).await;
    let taken = elsewhere.callback(&idp.authorize(&url, "ann-1")).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert!(!taken.text.contains(ANN) && !taken.text.contains("ann-1"), "{}", taken.text);
    assert_eq!(entries(&server, "identity.link", "DENIED").await, 1);
    let url = elsewhere.start_link(&provider).await;
    assert_eq!(elsewhere.callback(&idp.authorize(&url, "eve-1")).await.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_remembers_whoever_was_there_before_links_nobody() -> Result<()> {
    let (server, idp, provider) = with_eve().await?;
    let mut eve = Browser::new(&server);
    eve.sign_in(EVE).await;
    // Somebody signed in there at this workstation an hour ago.
    idp.twist(|_, claims| claims["auth_time"] = json!(claims["iat"].as_i64().unwrap() - 3_600));
    let url = eve.start_link(&provider).await;
    let refused = eve.callback(&idp.authorize(&url, "bob-1")).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{}", refused.text);
    assert_eq!(eve.own().await, json!([]));
    // To sign in, that is what a provider is for.
    assert_eq!(Browser::new(&server).come_by(&idp, &provider, "ann-1").await.status, StatusCode::SEE_OTHER);
    idp.twist(|_, claims| claims["auth_time"] = claims["iat"].clone());
    let url = eve.start_link(&provider).await;
    assert_eq!(eve.callback(&idp.authorize(&url, "eve-1")).await.status, StatusCode::SEE_OTHER);
    Ok(())
}

#[tokio::test]
async fn the_last_way_to_sign_in_is_not_unlinked_by_its_owner() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let schema = &server.app.directory.by_slug("northside").unwrap().schema;
    let sql = async |statement: String| {
        let mut admin = server.installation.admin().await.unwrap();
        admin.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
    };
    // Ann as she were if she had joined with her identity.
    let none = praxis_platform::session::NO_PASSWORD;
    sql(format!("UPDATE {schema}.user_account SET password_hash = '{none}' WHERE email = '{ANN}'")).await;
    let mut ann = Browser::new(&server);
    assert_eq!(ann.come_by(&idp, &provider, "ann-1").await.status, StatusCode::SEE_OTHER);
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let input = json!({ "providerId": provider });
    let refused = ann.ask(UNLINK, input.clone()).await;
    let error = &refused["externalIdentityUnlink"]["userErrors"][0];
    assert_eq!((&error["code"], &error["path"]), (&json!("LOCKED"), &json!(["input", "providerId"])));
    assert_eq!(refused["externalIdentityUnlink"]["externalIdentities"], Value::Null);
    assert_eq!((ann.own().await.as_array().unwrap().len(), identity_mails(&server, ANN).await), (1, 1));

    // A passkey is a way; once it is the last one, it stays.
    sql(format!("INSERT INTO {schema}.passkey (id, user_id, name, host, credential_id, public_key, sign_count, backup_eligible, transports, created_at)
        SELECT '00000000-0000-7000-8000-000000000001', id, 'Key', '{HOST}', '\\x01', '\\x02', 0, false, '{{}}', now() FROM {schema}.user_account WHERE email = '{ANN}'")).await;
    let unlinked = ann.ask(UNLINK, input).await;
    assert_eq!(unlinked["externalIdentityUnlink"], json!({ "externalIdentities": [], "userErrors": [] }));
    let passkey = praxis_entity::ids::PasskeyId("00000000-0000-7000-8000-000000000001".parse()?).to_string();
    const REMOVE: &str =
        "mutation($input: PasskeyRemoveInput!) { passkeyRemove(input: $input) { userErrors { code path } } }";
    let refused = ann.try_to(REMOVE, json!({ "id": passkey })).await.body;
    assert_eq!(
        refused["data"]["passkeyRemove"]["userErrors"],
        json!([{ "code": "LOCKED", "path": ["input", "id"] }])
    );
    Ok(())
}

#[tokio::test]
async fn an_administrator_unlinks_an_identity_and_what_it_opened_is_over_within_two_seconds() -> Result<()> {
    let (server, idp, provider) = with_eve().await?;
    let another = server.another().await?;
    let mut eve = Browser::new(&server);
    eve.sign_in(EVE).await;
    let url = eve.start_link(&provider).await;
    eve.callback(&idp.authorize(&url, "eve-1")).await;
    let mut by_identity = Browser::new(&server);
    by_identity.come_by(&idp, &provider, "eve-1").await;
    // Each server has seen the session a moment ago.
    let cookie = by_identity.cookie();
    let whoami = async |router: &axum::Router| {
        let request = Request::get("/auth/whoami").header("host", HOST).header("cookie", cookie.as_str());
        send(router, request.body(axum::body::Body::empty()).unwrap()).await.status
    };
    assert_eq!(
        (whoami(&server.app.router).await, whoami(&another.router).await),
        (StatusCode::OK, StatusCode::OK)
    );

    let mut ann = Browser::new(&server);
    let answer = ann.post("/auth/session", json!({ "email": ANN, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK);
    let (ann_id, eve_id) = (user_id(&mut ann, ANN).await, user_id(&mut ann, EVE).await);
    let input = json!({ "userId": eve_id, "providerId": provider });
    assert_eq!(ann.try_to(TAKE, input.clone()).await.code(), "STEP_UP_REQUIRED");
    assert_eq!(
        eve.try_to(TAKE, json!({ "userId": ann_id, "providerId": provider })).await.code(),
        "FORBIDDEN"
    );
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(whoami(&another.router).await, StatusCode::OK);
    let taken = ann.ask(TAKE, input.clone()).await;
    let began = Instant::now();
    assert_eq!(
        taken["userUnlinkIdentity"],
        json!({ "user": { "email": EVE, "externalIdentities": [] }, "userErrors": [] })
    );
    while whoami(&another.router).await == StatusCode::OK {
        assert!(began.elapsed() < Duration::from_secs(2), "another server believes it too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!(
        "a session whose identity was unlinked is believed, by another server, for {:?}",
        began.elapsed()
    );
    assert_eq!(by_identity.come_by(&idp, &provider, "eve-1").await.status, StatusCode::FORBIDDEN);
    // What she opened by her password goes on; she is told.
    assert!(eve.signed_in().await);
    assert_eq!((eve.own().await, identity_mails(&server, EVE).await), (json!([]), 2));
    // Once is enough; one's own is another's affair; nobody unknown has any.
    let mut code =
        async |input: Value| ann.ask(TAKE, input).await["userUnlinkIdentity"]["userErrors"][0].clone();
    assert_eq!(code(input).await, json!({ "code": "NOT_FOUND", "path": ["input", "providerId"] }));
    let own = json!({ "userId": ann_id, "providerId": provider });
    assert_eq!(code(own).await, json!({ "code": "LOCKED", "path": ["input", "userId"] }));
    let nobody = json!({ "userId": "usr_01jd3k5n8re6ktp1rb6z9q4x2m", "providerId": provider });
    assert_eq!(code(nobody).await, json!({ "code": "NOT_FOUND", "path": ["input", "userId"] }));
    assert_eq!(entries(&server, "identity.unlink", "OK").await, 1);
    Ok(())
}

#[tokio::test]
async fn nobody_unlinks_an_identity_of_somebody_who_may_do_more() -> Result<()> {
    let (server, _idp, provider) = linked().await?;
    let schema = &server.app.directory.by_slug("northside").unwrap().schema;
    let role = format!(
        "INSERT INTO {schema}.role (id, code, name, description) VALUES ('00000000-0000-7000-8000-000000000001', 'hr', 'HR', 'Brings people in');
         INSERT INTO {schema}.role_permission VALUES ('00000000-0000-7000-8000-000000000001', 'user:manage'), ('00000000-0000-7000-8000-000000000001', 'user:read')"
    );
    server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(role))).await?;
    let hr = server.proven("northside", "hr").await;
    let users = hr
        .ask("{ users(first: 50) { nodes { id email externalIdentities { providerId } } } }", json!({}))
        .await;
    let users = users["users"]["nodes"].as_array().unwrap();
    let ann = users.iter().find(|user| user["email"] == ANN).unwrap();
    assert_eq!(ann["externalIdentities"], json!([{ "providerId": provider }]));
    let input = json!({ "input": { "userId": ann["id"], "providerId": provider } });
    let refused = hr.send(TAKE, input, &[]).await;
    assert_eq!(refused.code(), "FORBIDDEN", "{}", refused.text);
    assert_eq!(entries(&server, "identity.unlink", "OK").await, 0);
    Ok(())
}

#[tokio::test]
async fn a_sign_in_that_waits_for_its_second_factor_is_void_once_the_identity_is_unlinked() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut ann = Browser::new(&server);
    ann.sign_in(ANN).await;
    let enrolled = ann.post("/graphql", json!({ "query": "mutation { totpEnrol { secret } }" })).await.body;
    let secret = BASE32_NOPAD.decode(enrolled["data"]["totpEnrol"]["secret"].as_str().unwrap().as_bytes())?;
    let secret = TotpSecret(secret.try_into().unwrap());
    let code = || totp::code(&secret, server.clock.now().timestamp() / 30);
    let confirm =
        format!("mutation {{ totpConfirm(input: {{ code: \"{}\" }}) {{ userErrors {{ code }} }} }}", code());
    let confirmed = ann.post("/graphql", json!({ "query": confirm })).await;
    assert_eq!(confirmed.body["data"]["totpConfirm"]["userErrors"], json!([]), "{}", confirmed.text);

    server.clock.advance(TimeDelta::minutes(1));
    let mut waiting = Browser::new(&server);
    let back = waiting.come_by(&idp, &provider, "ann-1").await;
    let page = back.headers[header::LOCATION].to_str()?.to_owned();
    let (_, challenge) = page.split_once("#challenge=").unwrap();
    let unlinked = ann.ask(UNLINK, json!({ "providerId": provider })).await;
    assert_eq!(unlinked["externalIdentityUnlink"]["userErrors"], json!([]), "{unlinked}");
    let shown = json!({ "challenge": challenge, "totp": code() });
    let refused = waiting.post("/auth/second-factor", shown).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text);
    assert!(!waiting.signed_in().await);
    Ok(())
}

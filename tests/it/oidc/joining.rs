//! Accepting an invitation with an identity at the clinic's provider, instead of with a password.

use futures::future::join_all;
use praxis_platform::mail::Mailer;

use super::*;
use crate::{
    mail::{mailer, send_all},
    support::{
        people::Person,
        smtp::{MailServer, Taken},
    },
};

const NEW: &str = "nine grey ducks sail home";
const NIA: &str = "nia@praxis.test";

/// A clinic with a provider at which Ann is known, somebody who invites, and the mail that arrives.
struct Joining {
    server: TestServer,
    idp: Idp,
    provider: String,
    post: MailServer,
    mailer: Mailer,
}

impl Joining {
    async fn new() -> Result<Self> {
        let (server, idp, provider) = linked().await?;
        let post = MailServer::start(&[]).await;
        let mailer = mailer(&server, &server.app, &post.url()).await?;
        send_all(&mailer).await?;
        Ok(Self { server, idp, provider, post, mailer })
    }

    async fn arrived(&self) -> Result<Vec<Taken>> {
        let before = self.post.taken().len();
        send_all(&self.mailer).await?;
        Ok(self.post.taken().split_off(before))
    }

    /// Invites Nia; the id of the invitation, and the secret of its link.
    async fn invite(&self, inviter: &Person<'_>) -> Result<(Value, String)> {
        let input = json!({ "email": NIA, "displayName": "Nia Okoro", "role": "nurse" });
        let invited = inviter.run("userInvite", "invitation { id } userErrors { code }", input).await;
        Ok((invited["invitation"]["id"].clone(), self.arrived().await?[0].secret()))
    }

    async fn begin(&self, browser: &mut Browser<'_>, token: &str) -> Answer {
        let body = json!({ "token": token, "provider": self.provider, "returnTo": "/explorer" });
        browser.post("/auth/oidc/invitation", body).await
    }

    /// What a browser brings back that left to join, and where somebody is `subject`.
    async fn leave(&self, browser: &mut Browser<'_>, token: &str, subject: &str) -> String {
        let answer = self.begin(browser, token).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.idp.authorize(answer.body["url"].as_str().unwrap(), subject)
    }

    /// Whether somebody is known by an identity.
    async fn known(&self, subject: &str) -> bool {
        let mut browser = Browser::new(&self.server);
        let url = browser.start(&self.provider, "/").await;
        browser.callback(&self.idp.authorize(&url, subject)).await.status == StatusCode::SEE_OTHER
    }
}

fn violation(answer: &Answer) -> &str {
    answer.body["errors"][0]["extensions"]["violation"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn somebody_joins_with_an_identity_and_needs_no_password() -> Result<()> {
    let clinic = Joining::new().await?;
    let server = &clinic.server;
    let owner = server.proven("northside", "owner").await;
    let (_, secret) = clinic.invite(&owner).await?;
    // The page of the link knows nothing, and its script offers what the clinic has.
    let page = server.get(HOST, "/auth/link.js", &[]).await;
    assert!(page.text.contains("/auth/oidc/invitation") && page.text.contains("Continue with"));

    let mut nia = Browser::new(server);
    let begun = clinic.begin(&mut nia, &secret).await;
    let url = begun.body["url"].as_str().unwrap();
    // At a shared workstation the provider may remember somebody else.
    assert!(url.contains("max_age=0") && !url.contains(&secret), "{url}");
    // The provider calls her by Ann's address, and says it was verified: that says nothing here.
    let back = nia.callback(&clinic.idp.authorize(url, "nia-1")).await;
    assert_eq!(
        (back.status, &back.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/explorer".parse()?),
        "{}",
        back.text
    );
    let viewer = nia.ask("{ viewer { displayName roles sessions { methods current } externalIdentities { providerId providerName lastUsedAt } } }", json!({})).await;
    let viewer = &viewer["viewer"];
    assert_eq!((&viewer["displayName"], &viewer["roles"]), (&json!("Nia Okoro"), &json!(["nurse"])));
    assert_eq!(viewer["sessions"], json!([{ "methods": ["EXTERNAL"], "current": true }]));
    assert_eq!(viewer["externalIdentities"][0]["providerName"], "Hospital");
    assert!(viewer["externalIdentities"][0]["lastUsedAt"].is_string());
    let data = owner.ask("{ invitations { status user { email roles { code } externalIdentities { providerName } } } users(first: 50) { nodes { email externalIdentities { providerName } } } }", json!({})).await;
    let joined = json!({ "email": NIA, "roles": [{ "code": "nurse" }], "externalIdentities": [{ "providerName": "Hospital" }] });
    assert_eq!(data["invitations"], json!([{ "status": "ACCEPTED", "user": joined }]));
    // Whoever invited has no identity; Ann has hers as before.
    let known = data["users"]["nodes"].as_array().unwrap().iter();
    let known: Vec<_> = known.filter(|user| user["externalIdentities"] != json!([])).collect();
    assert_eq!((known.len(), &known[0]["email"], &known[1]["email"]), (2, &json!(ANN), &json!(NIA)));
    // She is told by mail, in case it was somebody else.
    let told = clinic.arrived().await?;
    assert_eq!((told.len(), told[0].to.as_str()), (1, NIA));
    assert!(told[0].text.contains("Hospital") && !told[0].text.contains("nia-1"), "{}", told[0].text);
    for action in ["invitation.accept", "identity.link", "login"] {
        assert!(entries(server, action, "OK").await >= 1, "{action}");
    }

    // From now on she comes in there, and by no password: there is none to know.
    assert!(clinic.known("nia-1").await);
    assert_eq!(server.login(HOST, NIA, NEW).await.status, StatusCode::UNAUTHORIZED);
    for guess in ["", PASSWORD] {
        let change = nia.post("/auth/password", json!({ "current": guess, "password": NEW })).await;
        assert_eq!(violation(&change), "INVALID", "{}", change.text);
    }
    // Until she chooses one, by a link to her own address.
    server.post(HOST, "/auth/password-reset", &[], json!({ "email": NIA })).await;
    let token = clinic.arrived().await?[0].secret();
    let chosen = json!({ "token": token, "password": NEW });
    let chosen = server.post(HOST, "/auth/password-reset/confirm", &[], chosen).await;
    assert_eq!(chosen.status, StatusCode::NO_CONTENT);
    assert_eq!(server.login(HOST, NIA, NEW).await.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn of_many_who_bring_an_identity_to_one_invitation_one_joins() -> Result<()> {
    let clinic = Joining::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    let (_, secret) = clinic.invite(&owner).await?;
    let mut browsers: Vec<_> = (0..12).map(|_| Browser::new(&clinic.server)).collect();
    let mut brought = Vec::new();
    for (number, browser) in browsers.iter_mut().enumerate() {
        brought.push(clinic.leave(browser, &secret, &format!("nia-{number}")).await);
    }
    // Somebody in between chooses a password with the same link.
    let chosen = json!({ "token": secret, "password": NEW });
    let by_password = clinic.server.post(HOST, "/auth/invitation", &[], chosen.clone());
    let by_identity =
        join_all(browsers.iter_mut().zip(&brought).map(|(browser, brought)| browser.callback(brought)));
    let (by_password, by_identity) = tokio::join!(by_password, by_identity);
    let joined = by_identity.iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
    let chose = usize::from(by_password.status == StatusCode::CREATED);
    assert_eq!(joined + chose, 1, "{:?}", by_identity.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for late in by_identity.iter().filter(|answer| answer.status != StatusCode::SEE_OTHER) {
        assert_eq!((late.status, late.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"), "{}", late.text);
    }
    let mut known = 0;
    for number in 0..12 {
        known += usize::from(clinic.known(&format!("nia-{number}")).await);
    }
    assert_eq!(known, joined);
    assert_eq!(
        entries(&clinic.server, "user.create", "OK").await,
        entries(&clinic.server, "invitation.accept", "OK").await + 2
    );

    // It is used up for whoever comes later, too.
    let mut late = Browser::new(&clinic.server);
    assert_eq!(violation(&clinic.begin(&mut late, &secret).await), "NOT_FOUND");
    assert_eq!(violation(&clinic.server.post(HOST, "/auth/invitation", &[], chosen).await), "NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn an_invitation_that_is_void_binds_nobody_even_if_it_was_good_when_they_left() -> Result<()> {
    let clinic = Joining::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    let mut nia = Browser::new(&clinic.server);
    for nonsense in ["", "x", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"] {
        let answer = clinic.begin(&mut nia, nonsense).await;
        assert_eq!((answer.status, violation(&answer)), (StatusCode::BAD_REQUEST, "NOT_FOUND"), "{nonsense}");
    }
    assert!(nia.cookies.is_empty());

    // Sent again: the link before is good for nothing.
    let (id, old) = clinic.invite(&owner).await?;
    let brought = clinic.leave(&mut nia, &old, "nia-1").await;
    owner.run("invitationResend", "userErrors { code }", json!({ "id": id })).await;
    let new = clinic.arrived().await?[0].secret();
    let refused = nia.callback(&brought).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        "{}",
        refused.text
    );
    // Taken back.
    let brought = clinic.leave(&mut nia, &new, "nia-1").await;
    owner.run("invitationRevoke", "userErrors { code }", json!({ "id": id })).await;
    assert_eq!(nia.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    // Run out while she was away.
    let (_, late) = clinic.invite(&owner).await?;
    clinic.server.clock.advance(TimeDelta::days(7) - TimeDelta::minutes(5));
    let brought = clinic.leave(&mut nia, &late, "nia-1").await;
    clinic.server.clock.advance(TimeDelta::minutes(6));
    assert_eq!(nia.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    assert!(!nia.signed_in().await && !clinic.known("nia-1").await);
    // Whoever offered the role may not do so any more.
    let owner = clinic.server.proven("northside", "owner").await;
    let (_, uncovered) = clinic.invite(&owner).await?;
    let brought = clinic.leave(&mut nia, &uncovered, "nia-1").await;
    let schema = &clinic.server.app.directory.by_slug("northside").unwrap().schema;
    let sql = format!("UPDATE {schema}.role SET retired = true WHERE code = 'nurse'");
    clinic.server.installation.admin().await?.execute(AssertSqlSafe(sql)).await?;
    assert_eq!(nia.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    assert!(!clinic.known("nia-1").await);
    let mut ann = Browser::new(&clinic.server);
    ann.sign_in(ANN).await;
    let data = ann.ask("{ invitations { status } users(first: 50) { nodes { email } } }", json!({})).await;
    let statuses: Vec<_> = data["invitations"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["REVOKED", "EXPIRED", "REVOKED"]);
    assert!(!data.to_string().contains(NIA));
    Ok(())
}

#[tokio::test]
async fn whoever_is_known_already_uses_no_invitation_up() -> Result<()> {
    let clinic = Joining::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    let (_, secret) = clinic.invite(&owner).await?;
    // Ann's identity is Ann's, who opens somebody else's link; whose it is, nobody learns.
    let mut other = Browser::new(&clinic.server);
    let brought = clinic.leave(&mut other, &secret, "ann-1").await;
    let refused = other.callback(&brought).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{}", refused.text);
    assert!(!refused.text.contains(ANN) && !other.signed_in().await, "{}", refused.text);
    assert_eq!(entries(&clinic.server, "invitation.accept", "DENIED").await, 1);
    assert_eq!(entries(&clinic.server, "invitation.accept", "OK").await, 0);

    // A person reads that on a page.
    let brought = clinic.leave(&mut other, &secret, "ann-1").await;
    let cookie = other.cookie();
    let headers = [("cookie", cookie.as_str()), ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let page = clinic.server.get(HOST, &format!("/auth/oidc/callback?{brought}"), &headers).await;
    assert_eq!(
        (page.status, page.headers["content-type"].to_str()?),
        (StatusCode::FORBIDDEN, "text/html; charset=utf-8")
    );
    assert!(page.text.contains("This identity cannot be linked to your account."), "{}", page.text);

    // The link works for whom it is meant for; in the browser that began it, and no other.
    let mut nia = Browser::new(&clinic.server);
    let brought = clinic.leave(&mut nia, &secret, "nia-1").await;
    assert_eq!(other.callback(&brought).await.status, StatusCode::BAD_REQUEST);
    assert!(!clinic.known("nia-1").await);
    assert_eq!(nia.callback(&brought).await.status, StatusCode::SEE_OTHER);
    assert!(nia.signed_in().await && clinic.known("nia-1").await);
    Ok(())
}

#[tokio::test]
async fn a_role_that_asks_for_a_second_factor_asks_whoever_joins_with_an_identity() -> Result<()> {
    let clinic = Joining::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    let required = json!({ "role": "nurse", "required": true });
    owner.run("roleRequireSecondFactor", "required userErrors { code }", required).await;
    let (_, secret) = clinic.invite(&owner).await?;
    let mut nia = Browser::new(&clinic.server);
    let brought = clinic.leave(&mut nia, &secret, "nia-1").await;
    assert_eq!(nia.callback(&brought).await.status, StatusCode::SEE_OTHER);
    let patients = nia.post("/graphql", json!({ "query": "{ patients { totalCount } }" })).await;
    assert_eq!(patients.code(), "SECOND_FACTOR_REQUIRED");
    Ok(())
}

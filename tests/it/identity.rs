//! How people come to an account and keep it: invitations, mailed links, and who decides.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::http::StatusCode;
use chrono::TimeDelta;
use data_encoding::BASE32_NOPAD;
use futures::future::join_all;
use praxis_entity::value::TotpSecret;
use praxis_platform::{clock::Clock, factor::totp, mail::Mailer};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::{
    mail::{mailer, send_all},
    support::{
        people::Person,
        server::{Answer, PASSWORD, TestServer},
        smtp::{MailServer, Taken},
    },
};

mod links;
mod required;

const HOST: &str = "northside.praxis.test";
const NEW: &str = "nine grey ducks sail home";

/// A clinic with an owner, and a mail server.
struct Clinic {
    server: TestServer,
    post: MailServer,
    mailer: Mailer,
}

impl Clinic {
    async fn new() -> Result<Self> {
        let server = TestServer::new(&[("northside", "root@praxis.test", "owner")]).await?;
        let post = MailServer::start(&[]).await;
        let mailer = mailer(&server, &server.app, &post.url()).await?;
        Ok(Self { server, post, mailer })
    }

    /// What arrived since the last look.
    async fn arrived(&self) -> Result<Vec<Taken>> {
        let before = self.post.taken().len();
        send_all(&self.mailer).await?;
        Ok(self.post.taken().split_off(before))
    }

    /// Posts to a path of the clinic.
    async fn post(&self, path: &str, body: Value) -> Answer {
        self.server.post(HOST, path, &[], body).await
    }

    async fn accept(&self, token: &str, password: &str) -> Answer {
        self.post("/auth/invitation", json!({ "token": token, "password": password })).await
    }

    /// Runs SQL in the clinic's schema with all rights.
    async fn sql(&self, statements: &str) -> Result<()> {
        let schema = &self.server.app.directory.by_slug("northside").unwrap().schema;
        let sql = format!("SET search_path = {schema}; {statements}");
        self.server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(())
    }

    /// One number from the clinic's schema.
    async fn count(&self, query: &str) -> Result<i64> {
        let mut sql = self.server.installation.tenant_connection("northside").await?;
        Ok(sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut sql).await?)
    }
}

async fn invite(inviter: &Person<'_>, email: &str, role: &str) -> Value {
    let input = json!({ "email": email, "displayName": "Nia Okoro", "role": role });
    inviter.run("userInvite", "invitation { id status } userErrors { code path message }", input).await
}

/// The kind of what was wrong, as the JSON API tells it.
fn violation(answer: &Answer) -> &str {
    answer.body["errors"][0]["extensions"]["violation"].as_str().unwrap_or_default()
}

fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn whoever_invites_shows_a_second_factor_as_for_giving_a_role() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let input =
        json!({ "input": { "email": "nia@praxis.test", "displayName": "Nia Okoro", "role": "nurse" } });
    let query = "mutation($input: UserInviteInput!) { userInvite(input: $input) { invitation { id } } }";
    let refused = owner.send(query, input, &[]).await;
    assert_eq!(refused.code(), "STEP_UP_REQUIRED", "{}", refused.text);
    assert_eq!(clinic.arrived().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn somebody_is_invited_opens_the_link_chooses_a_password_and_signs_in() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    assert_eq!(codes(&invite(&owner, "Nia@Praxis.Test", "nurse").await), [""; 0]);
    let mails = clinic.arrived().await?;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "nia@praxis.test"));
    let secret = mails[0].secret();
    assert_eq!(secret.len(), 43);

    // Scanners open links; that changes nothing, and the page they get knows nothing.
    for _ in 0..2 {
        let page = clinic.server.get(HOST, "/auth/invitation", &[]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text.contains("nia") && !page.text.contains(&secret));
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    for (password, kind) in
        [("tooshort", "TOO_SHORT"), ("passwordpassword", "TOO_COMMON"), ("nia.okoro.northside", "TOO_COMMON")]
    {
        assert_eq!(violation(&clinic.accept(&secret, password).await), kind, "{password}");
    }
    let joined = clinic.accept(&secret, NEW).await;
    assert_eq!((joined.status, &joined.body), (StatusCode::CREATED, &json!({ "email": "nia@praxis.test" })));
    assert_eq!(clinic.server.login(HOST, "nia@praxis.test", NEW).await.status, StatusCode::OK);
    assert_eq!(violation(&clinic.accept(&secret, NEW).await), "NOT_FOUND");

    let data = owner.ask("{ invitations { status email roleCode invitedBy { displayName } user { email roles { code facility { code } } } } }", json!({})).await;
    let invitation = &data["invitations"][0];
    assert_eq!((&invitation["status"], &invitation["roleCode"]), (&json!("ACCEPTED"), &json!("nurse")));
    assert_eq!(
        invitation["user"],
        json!({ "email": "nia@praxis.test", "roles": [{ "code": "nurse", "facility": null }] })
    );
    assert_eq!(codes(&invite(&owner, "nia@praxis.test", "nurse").await), ["ALREADY_EXISTS"]);
    for action in ["user.invite", "invitation.accept", "user.create"] {
        let entries = clinic
            .count(&format!("SELECT count(*) FROM audit_entry WHERE action = '{action}' AND outcome = 'OK'"))
            .await?;
        assert!(entries >= 1, "{action}");
    }
    assert_eq!(
        clinic
            .count(
                "SELECT count(*) FROM audit_entry WHERE action = 'invitation.accept' AND outcome = 'DENIED'"
            )
            .await?,
        1
    );
    Ok(())
}

#[tokio::test]
async fn nobody_gives_a_role_that_permits_more_than_they_may_do() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    let branch = owner.facility("MAIN").await;
    clinic
        .sql(
            "INSERT INTO role (id, code, name, description) VALUES
                 ('00000000-0000-7000-8000-000000000001', 'hr', 'HR', 'Brings people in'),
                 ('00000000-0000-7000-8000-000000000002', 'reader', 'Reader', 'Sees staff');
             INSERT INTO role_permission VALUES
                 ('00000000-0000-7000-8000-000000000001', 'user:manage'), ('00000000-0000-7000-8000-000000000001', 'user:read'),
                 ('00000000-0000-7000-8000-000000000001', 'staff:read'), ('00000000-0000-7000-8000-000000000002', 'staff:read')",
        )
        .await?;
    let hr = clinic.server.proven("northside", "hr").await;
    const INVITE: &str = "mutation($input: UserInviteInput!) { userInvite(input: $input) { invitation { id } userErrors { code } } }";
    let wish = |role: &str, facility: Option<&str>| json!({ "input": { "email": format!("{role}@praxis.test"), "displayName": "X", "role": role, "facilityId": facility } });
    for role in ["physician", "owner"] {
        let answer = hr.send(INVITE, wish(role, None), &[]).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{role}: {}", answer.text);
        assert!(answer.body["errors"][0]["extensions"]["permission"].is_string());
    }
    let data = hr.ask(INVITE, wish("reader", None)).await;
    assert!(data["userInvite"]["invitation"]["id"].is_string());
    assert_eq!(clinic.count("SELECT count(*) FROM mail_message").await?, 1);
    let secret = clinic.arrived().await?[0].secret();

    // The role grows, or the inviter's shrinks, before anybody accepts: then nobody answers for it.
    clinic
        .sql("INSERT INTO role_permission VALUES ('00000000-0000-7000-8000-000000000002', 'audit:read')")
        .await?;
    assert_eq!(violation(&clinic.accept(&secret, NEW).await), "NOT_FOUND");
    assert_eq!(clinic.count("SELECT count(*) FROM invitation WHERE status = 'REVOKED'").await?, 1);
    assert_eq!(
        clinic.count("SELECT count(*) FROM user_account WHERE email = 'reader@praxis.test'").await?,
        0
    );

    // Accounts are the whole clinic's: who holds the right at a branch only brings nobody in, not even there.
    clinic.sql("DELETE FROM role_permission WHERE permission = 'audit:read' AND role_id = '00000000-0000-7000-8000-000000000002'").await?;
    let uuid = praxis_entity::ids::decode_base32(branch.strip_prefix("fac_").unwrap()).unwrap();
    clinic.sql(&format!("UPDATE membership SET facility_id = '{uuid}' WHERE role_id = '00000000-0000-7000-8000-000000000001'")).await?;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for facility in [None, Some(branch.as_str())] {
        let answer = hr.send(INVITE, wish("reader", facility), &[("praxis-facility", &branch)]).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text);
    }
    Ok(())
}

#[tokio::test]
async fn of_sixty_four_who_open_one_link_at_once_one_joins() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    invite(&owner, "nia@praxis.test", "nurse").await;
    let secret = clinic.arrived().await?[0].secret();
    let answers = join_all((0..64).map(|_| clinic.accept(&secret, NEW))).await;
    let joined = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(joined, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    // The others learn that the link is used, or that they should come later; never anything else.
    assert!(
        answers.iter().all(
            |answer| !answer.status.is_server_error() || answer.status == StatusCode::SERVICE_UNAVAILABLE
        )
    );
    assert_eq!(clinic.count("SELECT count(*) FROM user_account WHERE email = 'nia@praxis.test'").await?, 1);
    assert_eq!(
        clinic
            .count("SELECT count(*) FROM audit_entry WHERE action = 'invitation.accept' AND outcome = 'OK'")
            .await?,
        1
    );
    Ok(())
}

#[tokio::test]
async fn an_invitation_is_sent_again_taken_back_and_runs_out() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    const SHOWN: &str = "invitation { id status version } userErrors { code path }";
    let first = invite(&owner, "nia@praxis.test", "nurse").await;
    let old = clinic.arrived().await?[0].secret();
    assert_eq!(codes(&invite(&owner, "nia@praxis.test", "nurse").await), ["ALREADY_EXISTS"]);
    let id = json!({ "id": first["invitation"]["id"] });
    assert_eq!(owner.run("invitationResend", SHOWN, id.clone()).await["invitation"]["status"], "SENT");
    let new = clinic.arrived().await?[0].secret();
    assert_eq!(violation(&clinic.accept(&old, NEW).await), "NOT_FOUND");

    let revoked = owner.run("invitationRevoke", SHOWN, id.clone()).await;
    assert_eq!(revoked["invitation"]["status"], "REVOKED");
    assert_eq!(violation(&clinic.accept(&new, NEW).await), "NOT_FOUND");
    assert_eq!(codes(&owner.run("invitationResend", SHOWN, id.clone()).await), ["INVALID_TRANSITION"]);
    assert_eq!(codes(&owner.run("invitationRevoke", SHOWN, id).await), ["INVALID_TRANSITION"]);

    // A week is enough. Sessions end meanwhile, too.
    let second = invite(&owner, "nia@praxis.test", "nurse").await;
    let late = clinic.arrived().await?[0].secret();
    clinic.server.clock.advance(TimeDelta::days(7));
    let owner = clinic.server.proven("northside", "owner").await;
    assert_eq!(violation(&clinic.accept(&late, NEW).await), "NOT_FOUND");
    let data = owner
        .ask("{ invitations(status: EXPIRED) { id } open: invitations(status: SENT) { id } }", json!({}))
        .await;
    assert_eq!(data, json!({ "invitations": [{ "id": second["invitation"]["id"] }], "open": [] }));
    let id = json!({ "id": second["invitation"]["id"] });
    assert_eq!(codes(&owner.run("invitationResend", SHOWN, id).await), ["INVALID_TRANSITION"]);
    assert_eq!(codes(&invite(&owner, "nia@praxis.test", "nurse").await), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn accounts_are_disabled_and_enabled_but_never_the_last_owners() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.proven("northside", "owner").await;
    clinic.server.user("northside", "nurse@praxis.test", "nurse").await?;
    let find = async |email: &str| {
        let data =
            owner.ask("{ users(first: 50) { totalCount nodes { id email active } } }", json!({})).await;
        let nodes = data["users"]["nodes"].as_array().unwrap().clone();
        nodes.into_iter().find(|user| user["email"] == email).unwrap()
    };
    const SHOWN: &str = "user { id active displayName version } userErrors { code path }";
    let nurse = json!({ "id": find("nurse@praxis.test").await["id"] });
    let signed_in = clinic.server.login(HOST, "nurse@praxis.test", PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    assert_eq!(owner.run("userDisable", SHOWN, nurse.clone()).await["user"]["active"], false);
    assert_eq!(
        clinic.server.login(HOST, "nurse@praxis.test", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(owner.run("userEnable", SHOWN, nurse.clone()).await["user"]["active"], true);
    assert_eq!(clinic.server.login(HOST, "nurse@praxis.test", PASSWORD).await.status, StatusCode::OK);
    let renamed = json!({ "id": nurse["id"], "displayName": " Nia O. " });
    assert_eq!(owner.run("userRename", SHOWN, renamed).await["user"]["displayName"], "Nia O.");

    let me = owner.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
    assert_eq!(codes(&owner.run("userDisable", SHOWN, json!({ "id": me })).await), ["LOCKED"]);
    let root = json!({ "id": find("root@praxis.test").await["id"] });
    assert_eq!(codes(&owner.run("userDisable", SHOWN, root.clone()).await), [""; 0]);
    // A clinic whose only owner is somebody else than the one who may disable.
    clinic
        .sql(
            "INSERT INTO role (id, code, name, description) VALUES ('00000000-0000-7000-8000-000000000003', 'twin', 'Twin', 'All but roles');
             INSERT INTO role_permission SELECT '00000000-0000-7000-8000-000000000003', permission FROM role_permission p
             JOIN role r ON r.id = p.role_id AND r.code = 'owner' AND p.permission NOT IN ('role:manage', '*')",
        )
        .await?;
    let twin = clinic.server.proven("northside", "twin").await;
    const DISABLE: &str = "mutation($input: UserDisableInput!) { userDisable(input: $input) { user { id } userErrors { code } } }";
    let answer = twin.send(DISABLE, json!({ "input": { "id": me } }), &[]).await;
    assert_eq!(answer.code(), "FORBIDDEN", "who may do less shuts nobody out: {}", answer.text);

    // Two owners who shut each other out at the same moment: one of them stays.
    let other = clinic.server.proven("northside", "owner").await;
    let other_id = other.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
    let (one, two) = tokio::join!(
        owner.send(DISABLE, json!({ "input": { "id": other_id } }), &[]),
        other.send(DISABLE, json!({ "input": { "id": me } }), &[])
    );
    // The other one is told that nobody would be left, or finds that they are shut out already.
    let refused =
        |answer: &Answer| ["LOCKED", "UNAUTHENTICATED"].iter().any(|code| answer.text.contains(code));
    assert!(refused(&one) != refused(&two), "{} {}", one.text, two.text);
    let left = "SELECT count(*) FROM user_account u JOIN membership m ON m.user_id = u.id JOIN role r ON r.id = m.role_id WHERE r.code = 'owner' AND u.active";
    assert_eq!(clinic.count(left).await?, 1);
    Ok(())
}

//! Seats: how many accounts may sign in.

use anyhow::Result;
use futures::future::join_all;
use serde_json::json;

use super::{codes, limit, own_usage, praxis, usage};
use crate::{
    mail::{mailer, send_all},
    support::{
        server::{PASSWORD, TestServer},
        smtp::MailServer,
    },
};

const SHOWN: &str = "user { id active } userErrors { code path }";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@praxis.test", "owner")]).await
}

async fn id_of(server: &TestServer, email: &str) -> Result<String> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let find = "SELECT id FROM user_account WHERE email = $1";
    let id: uuid::Uuid = sqlx::query_scalar(find).bind(email).fetch_one(&mut sql).await?;
    Ok(praxis_entity::ids::UserId(id).to_string())
}

#[tokio::test]
async fn nobody_is_locked_out_and_nobody_comes_in_beyond_the_number() -> Result<()> {
    let server = clinic().await?;
    let owner = server.proven("northside", "owner").await;
    server.user("northside", "nurse@praxis.test", "nurse").await?;
    assert_eq!(usage(&server.installation, "SEATS"), (3, None));
    limit(&server.installation, &["--seats", "3"]);
    assert_eq!(usage(&server.installation, "SEATS"), (3, Some(3)));
    assert_eq!(own_usage(&owner).await["seats"], json!({ "used": 3, "max": 3 }));

    // Whichever way somebody would come in.
    let new = ["user", "create", "--tenant", "northside", "--email", "x@praxis.test", "--name", "X"];
    let (done, _, told) = praxis(&server.installation, &new);
    assert!(!done && told.contains("no seat left"), "{told}");
    let guest = json!({ "email": "y@praxis.test", "displayName": "Y", "role": "nurse" });
    let invited = "invitation { id } userErrors { code path }";
    assert_eq!(codes(&owner.run("userInvite", invited, guest.clone()).await), ["SEATS_EXHAUSTED"]);

    // A seat that is given up can be taken again, by one.
    let nurse = json!({ "id": id_of(&server, "nurse@praxis.test").await? });
    assert_eq!(owner.run("userDisable", SHOWN, nurse.clone()).await["user"]["active"], false);
    assert_eq!(usage(&server.installation, "SEATS").0, 2);
    let (done, _, told) = praxis(&server.installation, &new);
    assert!(done, "{told}");
    let refused = owner.run("userEnable", SHOWN, nurse.clone()).await;
    assert_eq!(codes(&refused), ["SEATS_EXHAUSTED"]);
    assert_eq!(refused["user"], json!(null));

    // Fewer than there are: all go on, and none is added until there is room.
    limit(&server.installation, &["--seats", "1"]);
    let again = server.login("northside.praxis.test", "root@praxis.test", PASSWORD);
    assert_eq!(again.await.status, 200);
    let renamed = json!({ "id": id_of(&server, "root@praxis.test").await?, "displayName": "Root" });
    assert_eq!(codes(&owner.run("userRename", SHOWN, renamed).await), [""; 0]);
    assert_eq!(codes(&owner.run("userEnable", SHOWN, nurse.clone()).await), ["SEATS_EXHAUSTED"]);
    limit(&server.installation, &["--reset"]);
    assert_eq!(owner.run("userEnable", SHOWN, nurse).await["user"]["active"], true);
    assert_eq!(usage(&server.installation, "SEATS"), (4, None));
    Ok(())
}

#[tokio::test]
async fn a_seat_is_promised_once_and_an_invitation_that_comes_too_late_stays_good() -> Result<()> {
    let server = clinic().await?;
    let owner = server.proven("northside", "owner").await;
    limit(&server.installation, &["--seats", "3"]);
    let invited = "invitation { id status } userErrors { code path }";
    let guest = |email: &str| json!({ "email": email, "displayName": "Nia", "role": "nurse" });
    assert_eq!(codes(&owner.run("userInvite", invited, guest("a@praxis.test")).await), [""; 0]);
    assert_eq!(codes(&owner.run("userInvite", invited, guest("b@praxis.test")).await), ["SEATS_EXHAUSTED"]);
    let post = MailServer::start(&[]).await;
    send_all(&mailer(&server, &server.app, &post.url()).await?).await?;
    let link = json!({ "token": post.taken()[0].secret(), "password": "nine grey ducks sail home" });
    let accept = || server.post("northside.praxis.test", "/auth/invitation", &[], link.clone());
    // The operator gives the seat to somebody else: the promise can't be kept now.
    server.user("northside", "c@praxis.test", "nurse").await?;
    let late = accept().await;
    assert_eq!(late.body["errors"][0]["extensions"]["violation"], "SEATS_EXHAUSTED", "{}", late.text);
    assert_eq!(usage(&server.installation, "SEATS"), (3, Some(3)));
    limit(&server.installation, &["--seats", "4"]);
    let joined = accept().await;
    assert_eq!(joined.status, 201, "{}", joined.text);
    assert_eq!(usage(&server.installation, "SEATS"), (4, Some(4)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_want_the_last_seats_at_once_as_many_get_one_as_there_are() -> Result<()> {
    let server = clinic().await?;
    let owner = server.proven("northside", "owner").await;
    let mut idle = Vec::new();
    for number in 0..6 {
        let email = format!("idle-{number}@praxis.test");
        server.user("northside", &email, "nurse").await?;
        let id = json!({ "id": id_of(&server, &email).await? });
        owner.run("userDisable", SHOWN, id.clone()).await;
        idle.push(id);
    }
    // Two sign in; three more may.
    limit(&server.installation, &["--seats", "5"]);
    let emails: Vec<_> = (0..6).map(|number| format!("new-{number}@praxis.test")).collect();
    let made = join_all(emails.iter().map(|email| server.user("northside", email, "nurse")));
    let enabled = join_all(idle.iter().map(|id| owner.run("userEnable", SHOWN, id.clone())));
    let (made, enabled) = tokio::join!(made, enabled);
    let made_at_all = made.iter().filter(|made| made.is_ok()).count();
    for refused in made.iter().filter_map(|made| made.as_ref().err()) {
        assert!(refused.to_string().contains("no seat left"), "{refused}");
    }
    let enabled_at_all = enabled.iter().filter(|payload| payload["user"]["active"] == true).count();
    for refused in enabled.iter().filter(|payload| payload["user"].is_null()) {
        assert_eq!(codes(refused), ["SEATS_EXHAUSTED"]);
    }
    assert_eq!(made_at_all + enabled_at_all, 3, "{made_at_all} made, {enabled_at_all} enabled");
    assert_eq!(usage(&server.installation, "SEATS"), (5, Some(5)));
    let mut sql = server.installation.tenant_connection("northside").await?;
    let count = "SELECT count(*) FROM user_account WHERE active";
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut sql).await?, 5);
    Ok(())
}

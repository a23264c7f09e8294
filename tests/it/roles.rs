//! Roles: made, changed, given and taken by those who may, and never beyond what they hold.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use praxis_domain::template::{self, Fate};
use praxis_platform::{
    template::{Source, Template},
    tenancy::seed::Kind,
};
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

const ROLE: &str =
    "role { id version code everything permissions customised retired } userErrors { code path }";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

async fn role(person: &Person<'_>, code: &str) -> Value {
    let data = person.ask("{ roles { id version code everything permissions customised } }", json!({})).await;
    data["roles"].as_array().unwrap().iter().find(|role| role["code"] == code).unwrap().clone()
}

async fn made(person: &Person<'_>, code: &str, permissions: &[&str]) -> Value {
    let input =
        json!({ "code": code, "name": code, "description": "Made in a test.", "permissions": permissions });
    person.run("roleCreate", ROLE, input).await
}

/// The code with which a mutation is refused as a whole.
async fn refused(person: &Person<'_>, mutation: &str, input: &str) -> String {
    let query = format!("mutation {{ {mutation}(input: {input}) {{ userErrors {{ code }} }} }}");
    person.send(&query, json!({}), &[]).await.code().to_owned()
}

async fn user_id(server: &TestServer, email: &str) -> String {
    let owner = server.prove("northside", "owner@praxis.test").await;
    let data = owner.ask("{ accessReview(first: 100) { nodes { userId email } } }", json!({})).await;
    let nodes = data["accessReview"]["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["email"] == email).unwrap()["userId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_role_is_made_given_changed_and_retired() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let new = made(&owner, "planner", &["appointment:read", "schedule:read"]).await;
    assert_eq!(new["role"]["permissions"], json!(["appointment:read", "schedule:read"]));
    assert_eq!(new["role"]["customised"], true);
    assert_eq!(
        made(&owner, "planner", &[]).await["userErrors"],
        json!([{ "code": "ALREADY_EXISTS", "path": ["input", "code"] }])
    );
    assert_eq!(
        made(&owner, "other", &["appointment:read", "no:such"]).await["userErrors"],
        json!([{ "code": "INVALID", "path": ["input", "permissions", "1"] }])
    );

    server.user("northside", "nia@praxis.test", "auditor").await?;
    let nia = user_id(&server, "nia@praxis.test").await;
    let grant = json!({ "userId": nia, "roleId": new["role"]["id"] });
    let given = owner
        .run(
            "roleGrant",
            "grant { role displayName facility { id } since lastSignInAt active } userErrors { code }",
            grant.clone(),
        )
        .await;
    assert_eq!((&given["grant"]["role"], &given["grant"]["active"]), (&json!("planner"), &json!(true)));
    let person = server.prove("northside", "nia@praxis.test").await;
    let viewer = person.ask("{ viewer { roles } }", json!({})).await;
    assert_eq!(viewer["viewer"]["roles"], json!(["auditor", "planner"]));

    let patch = json!({ "id": new["role"]["id"], "ifVersion": 1, "permissions": ["appointment:read"], "name": "Plans" });
    let changed = owner.run("roleChange", ROLE, patch.clone()).await;
    assert_eq!(
        (&changed["role"]["permissions"], &changed["role"]["version"]),
        (&json!(["appointment:read"]), &json!(2))
    );
    assert_eq!(owner.run("roleChange", ROLE, patch).await["userErrors"][0]["code"], "VERSION_CONFLICT");

    let taken = owner.run("roleRevoke", ROLE, grant.clone()).await;
    assert_eq!(taken["role"]["code"], "planner");
    assert_eq!(owner.run("roleRevoke", ROLE, grant).await["userErrors"][0]["code"], "NOT_FOUND");
    let retired = owner.run("roleRetire", ROLE, json!({ "id": new["role"]["id"], "ifVersion": 2 })).await;
    assert_eq!(retired["role"]["retired"], true);
    Ok(())
}

#[tokio::test]
async fn nobody_gives_or_edits_beyond_what_they_hold() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let rights = ["role:read", "role:manage", "user:read", "user:manage", "schedule:read"];
    let hr = made(&owner, "hr", &rights).await["role"]["id"].clone();
    server.user("northside", "hr@praxis.test", "hr").await?;
    let (person, own) =
        (server.prove("northside", "hr@praxis.test").await, user_id(&server, "hr@praxis.test").await);
    let (owners, physician) = (role(&owner, "owner").await, role(&owner, "physician").await);

    assert_eq!(made(&person, "clerk", &["schedule:read"]).await["userErrors"], json!([]));
    let reader = r#"{ code: "x", name: "x", description: "x", permissions: ["patient:read"] }"#;
    let everything = r#"{ code: "x", name: "x", description: "x", permissions: ["*"] }"#;
    assert_eq!(refused(&person, "roleCreate", reader).await, "FORBIDDEN");
    assert_eq!(refused(&person, "roleCreate", everything).await, "FORBIDDEN");
    for target in [&owners, &physician] {
        let strip = format!("{{ id: {}, ifVersion: {}, permissions: [] }}", target["id"], target["version"]);
        assert_eq!(refused(&person, "roleChange", &strip).await, "FORBIDDEN");
        let retire = format!("{{ id: {}, ifVersion: {} }}", target["id"], target["version"]);
        assert_eq!(refused(&person, "roleRetire", &retire).await, "FORBIDDEN");
        let grant = format!("{{ userId: \"{own}\", roleId: {} }}", target["id"]);
        assert_eq!(refused(&person, "roleGrant", &grant).await, "FORBIDDEN");
    }
    let widen = format!("{{ id: {hr}, ifVersion: 1, permissions: [\"patient:read\", \"role:manage\"] }}");
    assert_eq!(refused(&person, "roleChange", &widen).await, "FORBIDDEN");

    // Without a second factor just shown nothing changes; without the right neither.
    let unproven = server.person("northside", "owner").await;
    assert_eq!(refused(&unproven, "roleCreate", reader).await, "STEP_UP_REQUIRED");
    let officer = server.proven("northside", "privacy_officer").await;
    assert_eq!(refused(&officer, "roleCreate", reader).await, "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn a_role_can_permit_something_for_some_patients_only() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let select = "role { id version conditions { permission condition } } userErrors { code path }";
    let bound = |permission: &str| json!([{ "permission": permission, "condition": "CARE_TEAM" }]);
    let input = |conditions: Value| {
        json!({ "code": "carer", "name": "Carer", "description": "Made in a test.",
            "permissions": ["patient:read", "schedule:read"], "conditions": conditions })
    };
    for (conditions, code) in [
        (bound("schedule:read"), "INVALID"),
        (bound("condition:read"), "NOT_FOUND"),
        (json!([bound("patient:read")[0], bound("patient:read")[0]]), "ALREADY_EXISTS"),
    ] {
        let refused = owner.run("roleCreate", select, input(conditions)).await;
        assert_eq!(refused["userErrors"][0]["code"], code, "{refused}");
    }
    let made = owner.run("roleCreate", select, input(bound("patient:read"))).await["role"].clone();
    assert_eq!(made["conditions"], bound("patient:read"));

    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    server.user("northside", "nia@praxis.test", "carer").await?;
    let nia = server.enter("northside", "nia@praxis.test").await;
    let count =
        async || nia.ask("{ patients { totalCount } }", json!({})).await["patients"]["totalCount"].clone();
    assert_eq!(count().await, 0);
    let team = json!({ "patientId": id, "carer": { "userId": user_id(&server, "nia@praxis.test").await }, "role": "NURSE" });
    owner.run("careTeamAdd", "careTeamMember { id } userErrors { code }", team).await;
    assert_eq!(count().await, 1);

    // What is not spoken of stays as it is; what is, is all there is.
    let rename =
        json!({ "id": made["id"], "ifVersion": 1, "name": "Carers", "permissions": ["patient:read"] });
    let renamed = owner.run("roleChange", select, rename).await;
    assert_eq!(renamed["role"]["conditions"], bound("patient:read"));
    let other = json!([{ "permission": "patient:read", "condition": "IN_CARE" }]);
    let change = json!({ "id": made["id"], "ifVersion": 2, "conditions": other });
    assert_eq!(owner.run("roleChange", select, change).await["role"]["conditions"], other);
    let free = json!({ "id": made["id"], "ifVersion": 3, "conditions": [] });
    assert_eq!(owner.run("roleChange", select, free).await["role"]["conditions"], json!([]));
    Ok(())
}

#[tokio::test]
async fn the_last_owner_stays_and_owners_hold_what_later_versions_add() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let (owners, me) = (role(&owner, "owner").await, user_id(&server, "owner@praxis.test").await);
    assert_eq!(owners["everything"], true);
    let revoke = json!({ "userId": me, "roleId": owners["id"] });
    let locked = owner.run("roleRevoke", ROLE, revoke.clone()).await;
    assert_eq!(locked["userErrors"], json!([{ "code": "LOCKED", "path": ["input", "userId"] }]));
    for (mutation, input) in [
        ("roleRetire", json!({ "id": owners["id"], "ifVersion": 1 })),
        ("roleChange", json!({ "id": owners["id"], "ifVersion": 1, "permissions": ["user:manage"] })),
    ] {
        assert_eq!(owner.run(mutation, ROLE, input).await["userErrors"][0]["code"], "LOCKED", "{mutation}");
    }
    server.user("northside", "second@praxis.test", "owner").await?;
    assert_eq!(owner.run("roleRevoke", ROLE, revoke).await["userErrors"], json!([]));

    // A clinic that was made before a permission was added has no row for it.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let forget = "DELETE FROM role_permission WHERE permission IN ('patient:read', 'break-glass:review')";
    sqlx::query(forget).execute(&mut sql).await?;
    let second = server.prove("northside", "second@praxis.test").await;
    let viewer = second.ask("{ viewer { permissions } permissions { code } }", json!({})).await;
    let codes: Vec<_> =
        viewer["permissions"].as_array().unwrap().iter().map(|known| known["code"].clone()).collect();
    assert_eq!(viewer["viewer"]["permissions"], Value::Array(codes));
    Ok(())
}

#[tokio::test]
async fn default_roles_are_brought_up_to_date_unless_the_clinic_changed_them() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    let shipped = Template::load(&Source::shipped(), "general-practice")?;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let forget = "DELETE FROM role_permission WHERE permission = 'care-team:read'";
    sqlx::query(forget).execute(&mut sql).await?;
    let nurse = role(&owner, "nurse").await;
    owner.run("roleChange", ROLE, json!({ "id": nurse["id"], "ifVersion": 1, "name": "Sister" })).await;

    let op = server.as_system("northside").await?;
    let plan = template::plan(&op, &shipped, Some(Kind::Role)).await?;
    let (renewed, kept) = (plan.keys(&[Fate::Renewed]), plan.keys(&[Fate::Kept, Fate::Conflict]));
    template::apply(&op, plan).await?;
    op.commit().await?;
    assert_eq!(kept, ["nurse"]);
    assert!(renewed.contains(&"physician".to_owned()) && !renewed.contains(&"nurse".to_owned()));
    let physician = role(&owner, "physician").await;
    assert!(physician["permissions"].as_array().unwrap().contains(&json!("care-team:read")));
    assert_eq!(physician["customised"], false);
    let op = server.as_system("northside").await?;
    assert!(!template::plan(&op, &shipped, Some(Kind::Role)).await?.changes_something());
    op.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn the_access_review_says_who_holds_what_where_and_when_they_were_last_here() -> Result<()> {
    let server = clinic().await?;
    let owner = server.prove("northside", "owner@praxis.test").await;
    server.user("northside", "never@praxis.test", "nurse").await?;
    let review =
        "{ accessReview { totalCount nodes { email role active since lastSignInAt facility { id } } } }";
    let data = owner.ask(review, json!({})).await;
    assert_eq!(data["accessReview"]["totalCount"], 2);
    let nodes = data["accessReview"]["nodes"].as_array().unwrap();
    let of = |email: &str| nodes.iter().find(|node| node["email"] == email).unwrap();
    assert!(of("owner@praxis.test")["lastSignInAt"].is_string());
    assert_eq!(of("never@praxis.test")["lastSignInAt"], Value::Null);
    let desk = server.person("northside", "receptionist").await;
    assert_eq!(desk.send(review, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

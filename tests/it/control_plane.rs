//! Operators see the installation at a port of their own, and nothing of what is in a clinic.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{io::Write, net::SocketAddr, process::Stdio};

use anyhow::{Result, ensure};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::support::{
    installation::TestInstallation,
    process::{free_address, post},
    server::{Answer, PASSWORD},
};

const HOST: &str = "control.invalid";

/// The control plane of an installation, with one operator.
struct Plane {
    installation: TestInstallation,
    address: SocketAddr,
    _process: Child,
}

impl Plane {
    async fn start() -> Result<Self> {
        let installation = TestInstallation::new().await?;
        with_password(
            &installation,
            &["operator", "create", "--email", "ops@praxis.test", "--name", "Ops"],
            PASSWORD,
        )?;
        let address = free_address().await?;
        let mut process =
            installation.spawn_plainly(&["operator", "serve", "--listen", &address.to_string()])?;
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(Self { installation, address, _process: process });
            }
            ensure!(process.try_wait()?.is_none(), "the control plane ended");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("the control plane does not listen")
    }

    async fn sign_in(&self, password: &str) -> Answer {
        let body = json!({ "email": "Ops@praxis.test", "password": password });
        post(self.address, HOST, "/auth/login", &[], &body).await.unwrap()
    }

    async fn token(&self) -> String {
        let answer = self.sign_in(PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.body["accessToken"].as_str().unwrap().to_owned()
    }

    async fn send(&self, token: &str, query: &str, variables: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let body = json!({ "query": query, "variables": variables });
        post(self.address, HOST, "/graphql", &[("authorization", &bearer)], &body).await.unwrap()
    }

    async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let answer = self.send(token, query, variables).await;
        assert!(answer.status == StatusCode::OK && answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"].clone()
    }
}

/// Runs a command that reads a password.
fn with_password(installation: &TestInstallation, args: &[&str], password: &str) -> Result<()> {
    let mut command = installation.command();
    let mut child =
        command.args(args).arg("--password-stdin").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    child.stdin.take().unwrap().write_all(password.as_bytes())?;
    ensure!(child.wait()?.success(), "{args:?}");
    Ok(())
}

#[tokio::test]
async fn an_operator_makes_a_clinic_and_sees_where_the_fleet_stands() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    let create = "mutation($input: TenantCreateInput!) { tenantCreate(input: $input) {
        tenant { slug displayName state schemaVersion template events { kind actor } domains { host } }
        userErrors { code path } } }";
    let input = |slug: &str| json!({ "input": { "slug": slug, "displayName": "Northside", "template": "general-practice" } });
    let made = &plane.ask(&token, create, input("northside")).await["tenantCreate"];
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!((&made["tenant"]["slug"], &made["tenant"]["state"]), (&"northside".into(), &"ACTIVE".into()));
    assert_eq!(made["tenant"]["events"][0], json!({ "kind": "PROVISIONED", "actor": "ops@praxis.test" }));
    for (input, code, field) in [
        (input("northside"), "SLUG_TAKEN", "slug"),
        (input("North Side"), "INVALID", "slug"),
        (
            json!({ "input": { "slug": "a", "displayName": " ", "template": "general-practice" } }),
            "INVALID",
            "displayName",
        ),
        (
            json!({ "input": { "slug": "a", "displayName": "A", "template": "nothing" } }),
            "UNKNOWN_TEMPLATE",
            "template",
        ),
        (
            json!({ "input": { "slug": "a", "displayName": "A", "template": "general-practice", "timeZone": "Mars/Base" } }),
            "INVALID",
            "timeZone",
        ),
    ] {
        let refused = &plane.ask(&token, create, input).await["tenantCreate"];
        assert_eq!(refused["userErrors"], json!([{ "code": code, "path": ["input", field] }]));
    }

    for number in 0..3 {
        plane.installation.provision(&format!("clinic-{number}")).await?;
    }
    let page = "query($after: String) { tenants(first: 3, after: $after) { nodes { slug } pageInfo { hasNextPage endCursor } totalCount } }";
    let first = plane.ask(&token, page, json!({})).await["tenants"].clone();
    assert_eq!(
        first["nodes"],
        json!([{ "slug": "clinic-0" }, { "slug": "clinic-1" }, { "slug": "clinic-2" }])
    );
    assert_eq!((&first["pageInfo"]["hasNextPage"], &first["totalCount"]), (&true.into(), &4.into()));
    let rest =
        plane.ask(&token, page, json!({ "after": first["pageInfo"]["endCursor"] })).await["tenants"].clone();
    assert_eq!(
        (&rest["nodes"], &rest["pageInfo"]["hasNextPage"]),
        (&json!([{ "slug": "northside" }]), &false.into())
    );
    let found =
        plane.ask(&token, "{ tenants(search: \"NORTH\", state: ACTIVE) { totalCount } }", json!({})).await;
    assert_eq!(found["tenants"]["totalCount"], 1);

    let fleet = "{ fleet { controlVersion controlTarget tenantTarget versions { version tenants } servers { build } }
        cells { id tenants } migrationPlan { controlSteps steps { name } } migrationRuns { id } templates viewer { email } tenant(slug: \"nobody\") { id } }";
    let seen = plane.ask(&token, fleet, json!({})).await;
    let target = &seen["fleet"]["tenantTarget"];
    assert_eq!(seen["fleet"]["versions"], json!([{ "version": target, "tenants": 4 }]));
    assert_eq!(seen["fleet"]["controlVersion"], seen["fleet"]["controlTarget"]);
    assert_eq!(seen["cells"], json!([{ "id": "main", "tenants": 4 }]));
    assert_eq!(
        (&seen["migrationPlan"]["steps"], &seen["migrationRuns"], &seen["tenant"]),
        (&json!([]), &json!([]), &Value::Null)
    );
    assert_eq!(seen["viewer"]["email"], "ops@praxis.test");
    Ok(())
}

#[tokio::test]
async fn an_operator_brings_a_clinic_through_its_life_and_every_step_bears_their_name() -> Result<()> {
    let plane = Plane::start().await?;
    plane.installation.provision("northside").await?;
    let token = plane.token().await;
    let payload = "{ tenant { slug state } changed userErrors { code path } }";
    let act = async |field: &str| {
        plane.ask(&token, &format!("mutation {{ done: {field} {payload} }}"), json!({})).await["done"].clone()
    };
    let done = act("tenantSetState(input: { slug: \"northside\", state: SUSPENDED })").await;
    assert_eq!(
        done,
        json!({ "tenant": { "slug": "northside", "state": "SUSPENDED" }, "changed": true, "userErrors": [] })
    );
    assert_eq!(
        act("tenantSetState(input: { slug: \"northside\", state: SUSPENDED })").await["changed"],
        false
    );
    for (field, code, path) in [
        ("tenantSetState(input: { slug: \"northside\", state: PAST_DUE })", "ILLEGAL_TRANSITION", "state"),
        ("tenantSetState(input: { slug: \"nobody\", state: ACTIVE })", "UNKNOWN_TENANT", "slug"),
        ("tenantRename(input: { slug: \"northside\", newSlug: \"North Side\" })", "INVALID", "newSlug"),
        ("tenantOffboard(input: { slug: \"northside\", graceDays: -1 })", "INVALID", "graceDays"),
        ("tenantHold(input: { slug: \"northside\", reason: \" \" })", "INVALID", "reason"),
    ] {
        assert_eq!(
            act(field).await["userErrors"],
            json!([{ "code": code, "path": ["input", path] }]),
            "{field}"
        );
    }
    assert_eq!(
        act("tenantRename(input: { slug: \"northside\", newSlug: \"north\" })").await["tenant"]["slug"],
        "north"
    );
    assert_eq!(act("tenantHold(input: { slug: \"north\", reason: \"a claim\" })").await["changed"], true);
    assert_eq!(
        act("tenantOffboard(input: { slug: \"north\", graceDays: 0 })").await["tenant"]["state"],
        "OFFBOARDING"
    );
    assert_eq!(act("tenantArchive(input: { slug: \"north\" })").await["userErrors"][0]["code"], "LEGAL_HOLD");
    assert_eq!(act("tenantRelease(input: { slug: \"north\" })").await["changed"], true);
    assert_eq!(act("tenantArchive(input: { slug: \"north\" })").await["tenant"]["state"], "ARCHIVED");
    let seen = plane
        .ask(&token, "{ tenant(slug: \"north\") { events { kind actor } operations { kind } } }", json!({}))
        .await;
    let events = seen["tenant"]["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ARCHIVED", "RELEASED", "OFFBOARDING", "HELD", "RENAMED", "SUSPENDED", "PROVISIONED"]);
    let by_operator = events.iter().filter(|event| event["actor"] == "ops@praxis.test").count();
    assert_eq!((by_operator, &seen["tenant"]["operations"]), (6, &json!([])));
    Ok(())
}

#[tokio::test]
async fn an_operator_limits_a_clinic_and_sees_what_it_has() -> Result<()> {
    let plane = Plane::start().await?;
    plane.installation.provision("northside").await?;
    let token = plane.token().await;
    let limit = "mutation($input: TenantSetLimitsInput!) { tenantSetLimits(input: $input) {
        tenant { usage { name used max } events(first: 1) { kind actor } } changed userErrors { code path } } }";
    let ask = async |input: Value| {
        plane.ask(&token, limit, json!({ "input": input })).await["tenantSetLimits"].clone()
    };
    let limited =
        ask(json!({ "slug": "northside", "seats": 5, "storageBytes": 2e10, "operations": "REGISTERED" }))
            .await;
    assert_eq!(limited["userErrors"], json!([]));
    assert_eq!(
        limited["tenant"]["usage"],
        json!([{ "name": "SEATS", "used": 0.0, "max": 5.0 }, { "name": "STORAGE", "used": 0.0, "max": 2e10 }])
    );
    assert_eq!(limited["tenant"]["events"], json!([{ "kind": "LIMITS_SET", "actor": "ops@praxis.test" }]));
    for (input, code, field) in [
        (json!({ "slug": "northside", "seats": 0 }), "INVALID", "limits"),
        (json!({ "slug": "northside", "storageBytes": 1.5 }), "INVALID", "limits"),
        (json!({ "slug": "nobody", "seats": 1 }), "UNKNOWN_TENANT", "slug"),
    ] {
        assert_eq!(ask(input).await["userErrors"], json!([{ "code": code, "path": ["input", field] }]));
    }
    // What is left out stays, until all is forgotten.
    let more = ask(json!({ "slug": "northside", "points": 100 })).await;
    assert_eq!(more["tenant"]["usage"][0]["max"], 5.0);
    let reset = ask(json!({ "slug": "northside", "reset": true })).await;
    assert_eq!(reset["tenant"]["usage"][0]["max"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn nobody_but_an_operator_who_is_signed_in_asks_there() -> Result<()> {
    let plane = Plane::start().await?;
    let wrong = plane.sign_in("not the right one at all").await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    let query = "{ tenants { totalCount } }";
    for token in ["", "pxo_", "pxo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "eyJ"] {
        let answer = plane.send(token, query, json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{token}");
    }
    let token = plane.token().await;
    plane.ask(&token, query, json!({})).await;
    // Neither the token nor its hash can be read out of the control schema and used.
    let mut admin = plane.installation.admin().await?;
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT token_hash FROM control.operator_session").fetch_one(&mut admin).await?;
    let replayed = format!("pxo_{}", data_encoding::BASE64URL_NOPAD.encode(&stored));
    assert_eq!(plane.send(&replayed, query, json!({})).await.status, StatusCode::UNAUTHORIZED);
    // Too deep, too much, and not JSON.
    let deep = format!("{{ tenants {} {} }}", "{ nodes { events { at } } pageInfo".repeat(8), "}".repeat(8));
    assert!(!plane.send(&token, &deep, json!({})).await.body["errors"].is_null());
    assert_eq!(
        plane.send(&token, "{ tenants(first: 1000) { totalCount } }", json!({})).await.code(),
        "BAD_USER_INPUT"
    );

    // Unused for too long, signed out, another password, retired.
    sqlx::query("UPDATE control.operator_session SET used_at = now() - interval '31 minutes'")
        .execute(&mut admin)
        .await?;
    assert_eq!(plane.send(&token, query, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let token = plane.token().await;
    let bearer = format!("Bearer {token}");
    let ended = post(plane.address, HOST, "/auth/logout", &[("authorization", &bearer)], &json!({})).await;
    assert!(ended.is_none_or(|answer| answer.status == StatusCode::NO_CONTENT));
    assert_eq!(plane.send(&token, query, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let token = plane.token().await;
    let another = "seven loud herons count the boats";
    with_password(&plane.installation, &["operator", "password", "--email", "ops@praxis.test"], another)?;
    assert_eq!(plane.send(&token, query, json!({})).await.status, StatusCode::UNAUTHORIZED);
    let answer = plane.sign_in(another).await;
    let token = answer.body["accessToken"].as_str().unwrap().to_owned();
    let retire = ["operator", "retire", "--email", "ops@praxis.test"];
    assert!(plane.installation.command().args(retire).status()?.success());
    assert_eq!(plane.send(&token, query, json!({})).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(plane.sign_in(another).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

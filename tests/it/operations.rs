//! Registered operations, persisted queries, and the programs that may call them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Result;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use data_encoding::HEXLOWER;
use praxis_platform::vault::crypto;
use serde_json::{Value, json};
use tokio::{process::Command, time::sleep};

use crate::support::{
    people::Person,
    redis::TestRedis,
    server::{Answer, TestServer, send},
};

const NORTH: &str = "northside.praxis.test";
const HARBOR: &str = "harbor.praxis.test";
const GRAPHQL: &str = "application/graphql-response+json";

async fn two_clinics() -> Result<TestServer> {
    TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")]).await
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(&crypto::sha256(text.as_bytes()))
}

fn by_hash(text: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": sha256(text) } })
}

async fn post(server: &TestServer, host: &str, bearer: &str, body: Value) -> Answer {
    let mut headers = vec![("accept", GRAPHQL)];
    if !bearer.is_empty() {
        headers.push(("authorization", bearer));
    }
    server.post(host, "/graphql", &headers, body).await
}

/// Runs `praxis` over the installation of a server.
async fn praxis(server: &TestServer, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_praxis"))
        .args(["-o", "json"])
        .args(arguments)
        .env("DATABASE_URL", &server.installation.url)
        .env("PRAXIS_ROOT_KEY", server.installation.root_key())
        .env("PRAXIS_BASE_DOMAIN", "praxis.test")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), text)
}

/// A manifest in a file of its own.
fn manifest(name: &str, content: &Value) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.json", std::process::id()));
    fs::write(&path, content.to_string()).unwrap();
    path
}

/// Registers operations at a clinic, by Relay's form of a manifest.
async fn register(server: &TestServer, slug: &str, operations: Value) {
    let path = manifest(slug, &operations);
    let arguments = ["operations", "push", "--tenant", slug, path.to_str().unwrap()];
    let (code, text) = praxis(server, &arguments).await;
    assert_eq!(code, 0, "{text}");
}

async fn only_registered(server: &TestServer, slug: &str) {
    let (code, text) = praxis(server, &["tenant", "limits", slug, "--operations", "registered"]).await;
    assert_eq!(code, 0, "{text}");
    server.app.directory.refresh().await.unwrap();
}

#[tokio::test]
async fn a_document_is_sent_once_and_named_by_its_hash_from_then_on() -> Result<()> {
    let server = two_clinics().await?;
    let (ann, bob) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    let query = "query Clinic { tenant { slug } }";
    let hash_only = json!({ "extensions": by_hash(query) });
    let both = json!({ "query": query, "extensions": by_hash(query) });
    let unknown = post(&server, NORTH, &ann.bearer, hash_only.clone()).await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, "PERSISTED_QUERY_NOT_FOUND"));
    // To clients of the older media type it is an answer, not a failure of the transport.
    let older = server.post(NORTH, "/graphql", &[("authorization", &ann.bearer)], hash_only.clone()).await;
    assert_eq!((older.status, older.code()), (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND"));
    // Strangers may ask, and fill nothing.
    assert_eq!(post(&server, NORTH, "", both.clone()).await.body["data"]["tenant"]["slug"], "northside");
    assert_eq!(post(&server, NORTH, "", hash_only.clone()).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(post(&server, NORTH, &ann.bearer, both.clone()).await.status, StatusCode::OK);
    for bearer in [ann.bearer.as_str(), ""] {
        let known = post(&server, NORTH, bearer, hash_only.clone()).await;
        assert_eq!(known.body["data"]["tenant"]["slug"], "northside", "{}", known.text);
    }
    // Another clinic has not heard of it.
    assert_eq!(post(&server, HARBOR, &bob.bearer, hash_only).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    // Nobody puts another text under a hash.
    let forged = json!({ "query": "{ viewer { id } }", "extensions": by_hash(query) });
    assert_eq!(post(&server, NORTH, &ann.bearer, forged).await.code(), "BAD_USER_INPUT");
    // What was written into a document is not kept.
    let literal = "query P { patients(search: \"oca\") { totalCount } }";
    let sent = json!({ "query": literal, "extensions": by_hash(literal) });
    assert_eq!(post(&server, NORTH, &ann.bearer, sent).await.status, StatusCode::OK);
    let again = post(&server, NORTH, &ann.bearer, json!({ "extensions": by_hash(literal) })).await;
    assert_eq!(again.code(), "PERSISTED_QUERY_NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn servers_share_documents_through_redis_and_need_it_for_nothing() -> Result<()> {
    let Some(mut redis) = TestRedis::start().await? else { return Ok(()) };
    let mut server = two_clinics().await?;
    let config = server.installation.config_with(&[("redis.url", &redis.url())])?;
    server.app = praxis::App::build(config.clone()).await?;
    let ann = server.person("northside", "owner").await;
    let bearer = ann.bearer.clone();
    let query = "query Shared { tenant { slug } }";
    post(&server, NORTH, &bearer, json!({ "query": query, "extensions": by_hash(query) })).await;
    server.app = praxis::App::build(config).await?;
    let named = json!({ "extensions": by_hash(query) });
    assert_eq!(post(&server, NORTH, &bearer, named.clone()).await.status, StatusCode::OK);
    redis.kill().await?;
    assert_eq!(post(&server, NORTH, &bearer, named).await.status, StatusCode::OK);
    let unknown = json!({ "extensions": by_hash("{ tenant { id } }") });
    assert_eq!(post(&server, NORTH, &bearer, unknown).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn a_known_document_judges_its_variables_each_time() -> Result<()> {
    let server = two_clinics().await?;
    let ann = server.person("northside", "owner").await;
    let query = "query P($n: Int!, $by: AppointmentStatus) { patients(first: $n) { nodes { appointments(filter: { status: { eq: $by } }) { totalCount } } } }";
    for _ in 0..2 {
        let fits = ann.send(query, json!({ "n": 1, "by": "BOOKED" }), &[("accept", GRAPHQL)]).await;
        assert_eq!(fits.status, StatusCode::OK, "{}", fits.text);
        for wrong in
            [json!({}), json!({ "n": null }), json!({ "n": "x" }), json!({ "n": 1, "by": "O'Callaghan" })]
        {
            let answer = ann.send(query, wrong.clone(), &[("accept", GRAPHQL)]).await;
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
                "{wrong}"
            );
            assert!(!answer.text.contains("Callaghan"), "{}", answer.text);
        }
    }
    Ok(())
}

#[tokio::test]
async fn where_only_registered_operations_are_taken_nothing_else_is() -> Result<()> {
    let server = two_clinics().await?;
    let ann = server.person("northside", "owner").await;
    let clinic = "query Clinic { tenant { slug } }";
    let page =
        "query Page($n: Int = 5) { facilities { id } rooms { id } patients(first: $n) { totalCount } }";
    let search = "query Search($q: String!) { patients(search: $q) { totalCount } }";
    let add = "mutation Add($i: FacilityAddInput!) { facilityAdd(input: $i) { facility { id } } }";
    register(
        &server,
        "northside",
        json!({ "clinic-1": clinic, "page-1": page, "search-1": search, "add-1": add }),
    )
    .await;
    only_registered(&server, "northside").await;

    let ask = async |body: Value| post(&server, NORTH, &ann.bearer, body).await;
    for text in ["{ __typename }", clinic] {
        let free = ask(json!({ "query": text })).await;
        assert_eq!((free.status, free.code()), (StatusCode::BAD_REQUEST, "PERSISTED_QUERY_ONLY"));
    }
    let sneaked = "query Sneak { __typename }";
    let pushed = ask(json!({ "query": sneaked, "extensions": by_hash(sneaked) })).await;
    assert_eq!(pushed.code(), "PERSISTED_QUERY_ONLY");
    assert_eq!(ask(json!({ "extensions": by_hash(sneaked) })).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    for known in [
        json!({ "documentId": "clinic-1" }),
        json!({ "documentId": sha256(clinic) }),
        json!({ "documentId": format!("sha256:{}", sha256(clinic)) }),
        json!({ "extensions": by_hash(clinic) }),
        json!({ "query": clinic, "extensions": by_hash(clinic) }),
    ] {
        assert_eq!(ask(known.clone()).await.body["data"]["tenant"]["slug"], "northside", "{known}");
    }
    // In an address only what can say nothing about anybody.
    let headers = [("authorization", ann.bearer.as_str()), ("accept", GRAPHQL)];
    let get = async |path: &str| server.get(NORTH, path, &headers).await;
    let paged = get("/graphql/op/page-1?variables=%7B%22n%22:3%7D").await;
    assert_eq!(paged.status, StatusCode::OK, "{}", paged.text);
    assert_eq!(paged.headers[header::CACHE_CONTROL], "no-store");
    for path in ["/graphql/op/search-1?variables=%7B%22q%22:%22oca%22%7D", "/graphql/op/add-1"] {
        let refused = get(path).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path} {}", refused.text);
        assert_eq!(refused.headers[header::ALLOW], "POST");
    }
    assert_eq!(get("/graphql/op/nothing").await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(get("/graphql/op/page-1?query=%7B__typename%7D").await.code(), "BAD_USER_INPUT");
    // The other clinic is as it was.
    let bob = server.person("harbor", "owner").await;
    assert_eq!(bob.send("{ tenant { slug } }", json!({}), &[]).await.status, StatusCode::OK);
    let foreign = post(&server, HARBOR, &bob.bearer, json!({ "documentId": "clinic-1" })).await;
    assert_eq!(foreign.code(), "PERSISTED_QUERY_NOT_FOUND");
    // Retired, it is gone within two seconds.
    let (code, text) = praxis(&server, &["operations", "retire", "--tenant", "northside", "clinic-1"]).await;
    assert_eq!(code, 0, "{text}");
    sleep(Duration::from_millis(2_100)).await;
    assert_eq!(ask(json!({ "documentId": "clinic-1" })).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn manifests_are_pushed_checked_listed_and_retired() -> Result<()> {
    let server = two_clinics().await?;
    let query = "query Clinic { tenant { slug } }";
    let apollo = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        { "id": sha256(query), "name": "Clinic", "type": "query", "body": query },
    ] });
    let good = manifest("good", &apollo);
    let good = good.to_str().unwrap();
    let run = async |arguments: &[&str]| {
        let (code, text) = praxis(&server, arguments).await;
        (code, serde_json::from_str::<Value>(&text).unwrap_or(json!(text)))
    };
    let (code, checked) = run(&["operations", "check", good]).await;
    assert_eq!(
        (code, &checked[0]["state"], &checked[0]["cost"], &checked[0]["depth"]),
        (0, &json!("fits"), &json!(2), &json!(2)),
        "{checked}"
    );
    for place in [["--tenant", "northside"].as_slice(), &["--all"]] {
        let states = ["added", "unchanged"];
        for state in states {
            let (code, pushed) = run(&[&["operations", "push"], place, &[good]].concat()).await;
            assert_eq!((code, &pushed[0]["state"]), (0, &json!(state)), "{pushed}");
        }
        let (_, listed) = run(&[&["operations", "list"], place].concat()).await;
        assert_eq!(
            (&listed[0]["id"], &listed[0]["state"], &listed[0]["by_get"]),
            (&json!(sha256(query)), &json!("active"), &json!(true))
        );
        assert_eq!(run(&[&["operations", "check"], place].concat()).await.0, 0);
    }
    // What is registered for all clinics is known at each.
    let bob = server.person("harbor", "owner").await;
    let known = json!({ "extensions": by_hash(query) });
    assert_eq!(post(&server, HARBOR, &bob.bearer, known).await.body["data"]["tenant"]["slug"], "harbor");
    let (code, retired) = run(&["operations", "retire", "--all", &sha256(query)]).await;
    assert_eq!(code, 0);
    assert!(retired[0]["state"].as_str().unwrap().starts_with("retired"), "{retired}");
    let (_, restored) = run(&["operations", "push", "--all", good]).await;
    assert_eq!(restored[0]["state"], "restored");
    // One that does not fit keeps all others out, and is told apart.
    let bad = manifest(
        "bad",
        &json!({ "ok-1": "query Ok { tenant { id } }", "bad-1": "query Bad { tenant { nothing } }", "nameless": "{ tenant { id } }" }),
    );
    let bad = bad.to_str().unwrap();
    let (code, refused) = run(&["operations", "push", "--tenant", "northside", bad]).await;
    assert_eq!((code, refused.as_array().map(Vec::len)), (1, Some(2)), "{refused}");
    assert_eq!(run(&["operations", "check", bad]).await.0, 3);
    assert_eq!(
        run(&["operations", "list", "--tenant", "northside"]).await.1.as_array().map(Vec::len),
        Some(1)
    );
    // An id keeps its meaning; the database sees to it too.
    let other = manifest("other", &json!({ (sha256(query)): "query Clinic { tenant { id } }" }));
    assert_ne!(run(&["operations", "push", "--tenant", "northside", other.to_str().unwrap()]).await.0, 0);
    let mut tenant = server.installation.tenant_connection("northside").await?;
    let changed = sqlx::query("UPDATE registered_operation SET body = 'x'").execute(&mut tenant).await;
    assert_eq!(changed.unwrap_err().as_database_error().unwrap().code().as_deref(), Some("PX003"));
    Ok(())
}

/// Shows a second factor, as far as the session is concerned.
async fn step_up(server: &TestServer, slug: &str) -> Result<()> {
    let mut tenant = server.installation.tenant_connection(slug).await?;
    sqlx::query("UPDATE session SET second_factor_at = now()").execute(&mut tenant).await?;
    sleep(Duration::from_millis(2_100)).await;
    Ok(())
}

const CREATE: &str = "mutation($i: ApiClientCreateInput!) { apiClientCreate(input: $i) { apiClient { id status permissions operations secrets { expiresAt } } secret userErrors { code path } } }";
const ROTATE: &str = "mutation($i: ApiClientRotateSecretInput!) { apiClientRotateSecret(input: $i) { apiClient { secrets { expiresAt } } secret userErrors { code path } } }";
const RETIRE: &str = "mutation($i: ApiClientRetireInput!) { apiClientRetire(input: $i) { apiClient { status secrets { expiresAt } } userErrors { code path } } }";

async fn token(server: &TestServer, host: &str, id: &str, secret: &str) -> Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = Request::post("/auth/token")
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    send(&server.app.router, request).await
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.body["access_token"].as_str().unwrap_or_default())
}

/// A program that may call two of three registered operations and read facilities.
async fn program(server: &TestServer, owner: &Person<'_>) -> (String, String) {
    register(
        server,
        "northside",
        json!({
            "clinic-1": "query Clinic { tenant { slug } }",
            "rooms-1": "query Rooms { rooms { id } patients { totalCount } }",
            "staff-1": "query Staff { practitioners { totalCount } }",
        }),
    )
    .await;
    let input = json!({ "name": "Lab interface", "permissions": ["facility:read"], "operations": ["clinic-1", "rooms-1"] });
    let made = owner.ask(CREATE, json!({ "i": input })).await["apiClientCreate"].clone();
    assert_eq!(made["userErrors"], json!([]), "{made}");
    assert_eq!(made["apiClient"]["status"], "ACTIVE");
    (made["apiClient"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_program_calls_what_it_may_and_nothing_else() -> Result<()> {
    let server = two_clinics().await?;
    let owner = server.person("northside", "owner").await;
    let input = json!({ "name": "x", "permissions": [], "operations": [] });
    assert_eq!(owner.send(CREATE, json!({ "i": input }), &[]).await.code(), "STEP_UP_REQUIRED");
    step_up(&server, "northside").await?;
    let (id, secret) = program(&server, &owner).await;

    let answer = token(&server, NORTH, &id, &secret).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let bearer = bearer(&answer);
    let call = async |body: Value| post(&server, NORTH, &bearer, body).await;
    let clinic = call(json!({ "documentId": "clinic-1" })).await;
    assert_eq!(clinic.body["data"]["tenant"]["slug"], "northside", "{}", clinic.text);
    assert!(clinic.headers["ratelimit-policy"].to_str()?.contains("\"client\";q=10000"));
    // Its scopes hold inside of what it may call.
    let rooms = call(json!({ "documentId": "rooms-1" })).await;
    assert_eq!(rooms.code(), "FORBIDDEN", "{}", rooms.text);
    assert_eq!(rooms.body["errors"][0]["extensions"]["permission"], "patient:read");
    // Another registered operation, a text, a text with its hash.
    let staff = call(json!({ "documentId": "staff-1" })).await;
    assert_eq!((staff.status, staff.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let text = "query Clinic { tenant { slug } }";
    assert_eq!(call(json!({ "query": text })).await.code(), "PERSISTED_QUERY_ONLY");
    let other = json!({ "query": "{ tenant { id } }", "extensions": by_hash("{ tenant { id } }") });
    assert_eq!(call(other).await.code(), "PERSISTED_QUERY_ONLY");
    // It is nobody elsewhere, and its token no session.
    assert_eq!(
        post(&server, HARBOR, &bearer, json!({ "documentId": "clinic-1" })).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(token(&server, HARBOR, &id, &secret).await.body, json!({ "error": "invalid_client" }));
    let cookie = bearer.replace("Bearer ", "__Host-praxis=");
    let headers = [("cookie", cookie.as_str()), ("praxis-csrf", "1")];
    let disguised = server.post(NORTH, "/graphql", &headers, json!({ "documentId": "clinic-1" })).await;
    assert_eq!(disguised.status, StatusCode::UNAUTHORIZED);
    for forged in [format!("{bearer}A"), bearer.replace("pcl_", "pcl_A"), "Bearer pcl_".to_owned()] {
        assert_eq!(
            post(&server, NORTH, &forged, json!({ "documentId": "clinic-1" })).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    // What it did and what it was refused is written down under its id.
    let mut tenant = server.installation.tenant_connection("northside").await?;
    let written: Vec<(String, String, String)> = sqlx::query_as("SELECT DISTINCT actor_kind, action, outcome FROM audit_entry WHERE action LIKE 'client.%' OR action = 'operation.call' ORDER BY 2, 3")
        .fetch_all(&mut tenant)
        .await?;
    let expected = [
        ("USER", "client.create", "OK"),
        ("SYSTEM", "client.token", "OK"),
        ("CLIENT", "operation.call", "DENIED"),
    ];
    assert_eq!(
        written,
        expected.map(|(kind, action, outcome)| (kind.to_owned(), action.to_owned(), outcome.to_owned()))
    );
    // Ten minutes later it needs another token.
    server.clock.advance(chrono::TimeDelta::minutes(10));
    assert_eq!(call(json!({ "documentId": "clinic-1" })).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn nobody_makes_a_program_that_may_more_than_they_do() -> Result<()> {
    let server = two_clinics().await?;
    let owner = server.person("northside", "owner").await;
    step_up(&server, "northside").await?;
    let (_, secret) = program(&server, &owner).await;
    let tried = async |person: &Person<'_>, input: Value| {
        person.ask(CREATE, json!({ "i": input })).await["apiClientCreate"].clone()
    };
    let unknown =
        tried(&owner, json!({ "name": "x", "permissions": ["no:such"], "operations": ["none"] })).await;
    assert_eq!(
        unknown["userErrors"],
        json!([
            { "code": "NOT_FOUND", "path": ["input", "permissions"] },
            { "code": "NOT_FOUND", "path": ["input", "operations"] },
        ])
    );
    let twice = tried(&owner, json!({ "name": "Lab interface", "permissions": [], "operations": [] })).await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_EXISTS");
    // A role that manages operations and nothing else.
    let mut tenant = server.installation.tenant_connection("northside").await?;
    let sql = "INSERT INTO role (id, code, name, description) VALUES ('00000000-0000-7000-8000-000000000001', 'integrator', 'Integrator', 'Manages programs')";
    sqlx::query(sql).execute(&mut tenant).await?;
    for permission in ["operation:read", "operation:manage"] {
        let sql = "INSERT INTO role_permission (role_id, permission) VALUES ('00000000-0000-7000-8000-000000000001', $1)";
        sqlx::query(sql).bind(permission).execute(&mut tenant).await?;
    }
    let integrator = server.person("northside", "integrator").await;
    step_up(&server, "northside").await?;
    let more =
        tried(&integrator, json!({ "name": "y", "permissions": ["patient:read"], "operations": [] })).await;
    assert_eq!(more["userErrors"], json!([{ "code": "OUT_OF_RANGE", "path": ["input", "permissions"] }]));
    let nurse = server.person("northside", "nurse").await;
    assert_eq!(nurse.send("{ apiClients { id } }", json!({}), &[]).await.code(), "FORBIDDEN");
    // The secret is nowhere in the database.
    let rows: Vec<String> = sqlx::query_scalar("SELECT row_to_json(s)::text FROM api_client_secret s")
        .fetch_all(&mut tenant)
        .await?;
    let hex = HEXLOWER.encode(secret.as_bytes());
    assert!(rows.iter().all(|row| !row.contains(&secret) && !row.contains(&hex)), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn secrets_overlap_for_as_long_as_was_said_and_retiring_ends_all() -> Result<()> {
    let server = two_clinics().await?;
    let owner = server.person("northside", "owner").await;
    step_up(&server, "northside").await?;
    let (id, first) = program(&server, &owner).await;
    let status = async |secret: &str| token(&server, NORTH, &id, secret).await.status;
    let rotate = async |overlap: i64| {
        let input = json!({ "i": { "id": id, "overlapHours": overlap } });
        let rotated = owner.ask(ROTATE, input).await["apiClientRotateSecret"].clone();
        (rotated["secret"].as_str().unwrap_or_default().to_owned(), rotated)
    };
    let (second, rotated) = rotate(1).await;
    assert_eq!(rotated["apiClient"]["secrets"].as_array().map(Vec::len), Some(2));
    assert_eq!((status(&first).await, status(&second).await), (StatusCode::OK, StatusCode::OK));
    assert_eq!(rotate(10_000).await.1["userErrors"][0]["code"], "OUT_OF_RANGE");
    // Thrown away without overlap, it takes its tokens along.
    let early = bearer(&token(&server, NORTH, &id, &second).await);
    let (third, _) = rotate(0).await;
    assert_eq!(
        (status(&first).await, status(&second).await),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    let late = bearer(&token(&server, NORTH, &id, &third).await);
    sleep(Duration::from_millis(2_100)).await;
    let call =
        async |bearer: &str| post(&server, NORTH, bearer, json!({ "documentId": "clinic-1" })).await.status;
    assert_eq!((call(&early).await, call(&late).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    let retired = owner.ask(RETIRE, json!({ "i": { "id": id } })).await["apiClientRetire"].clone();
    assert_eq!(retired["apiClient"], json!({ "status": "RETIRED", "secrets": [] }));
    assert_eq!(status(&third).await, StatusCode::UNAUTHORIZED);
    sleep(Duration::from_millis(2_100)).await;
    assert_eq!(call(&late).await, StatusCode::UNAUTHORIZED);
    assert_eq!(rotate(1).await.1["userErrors"][0]["code"], "INVALID_TRANSITION");
    // The other clinic's owner finds nothing under this id.
    let bob = server.person("harbor", "owner").await;
    step_up(&server, "harbor").await?;
    let foreign = bob.ask(RETIRE, json!({ "i": { "id": id } })).await;
    assert_eq!(foreign["apiClientRetire"]["userErrors"][0]["code"], "NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn guessing_a_secret_is_slowed_down() -> Result<()> {
    let server = two_clinics().await?;
    let id = "cli_01jd3k5n8re6ktp1rb6z9q4x2m";
    for _ in 0..10 {
        assert_eq!(token(&server, NORTH, id, "pcs_wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = token(&server, NORTH, id, "pcs_wrong").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.headers.contains_key(header::RETRY_AFTER));
    Ok(())
}

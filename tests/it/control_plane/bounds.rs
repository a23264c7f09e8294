//! Whatever is asked, the control plane takes few connections and little time.

use std::time::Duration;

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;

use super::kit::{OPS, Plane};
use crate::support::{process::post, server::PASSWORD};

/// Connections of the control plane to the database.
async fn connections(admin: &mut PgConnection) -> Result<i64> {
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'praxis operator'";
    Ok(sqlx::query_scalar(sql).fetch_one(admin).await?)
}

/// The most connections while something goes on.
async fn most<T>(plane: &Plane, work: impl Future<Output = T>) -> Result<(i64, T)> {
    let mut admin = plane.installation.admin().await?;
    tokio::pin!(work);
    let mut most = 0;
    loop {
        tokio::select! {
            done = &mut work => return Ok((most, done)),
            () = tokio::time::sleep(Duration::from_millis(5)) => {
                most = most.max(connections(&mut admin).await?);
            }
        }
    }
}

#[tokio::test]
async fn one_query_over_many_clinics_takes_a_handful_of_connections() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    plane.clinic("northside").await?;
    // Rows are enough: nobody goes to these clinics.
    let mut admin = plane.installation.admin().await?;
    sqlx::query(
        "INSERT INTO control.tenant (id, schema_name, slug, display_name, locale, time_zone, cell_id, login_shard,
            schema_version, template, template_version)
         SELECT gen_random_uuid(), 't_' || lpad(n::text, 26, '0'), 'clinic-' || n, 'C', 'en', 'UTC', cell_id, 0,
            schema_version, template, template_version
         FROM control.tenant, generate_series(1, 150) n",
    )
    .execute(&mut admin)
    .await?;
    sqlx::query("INSERT INTO control.tenant_event (tenant_id, kind, actor) SELECT id, 'NOTED', 'x' FROM control.tenant, generate_series(1, 3)")
        .execute(&mut admin)
        .await?;
    let query =
        "{ tenants(first: 100) { nodes { slug domains { host } operations(first: 5) { nodes { kind } }
        events(first: 2) { nodes { kind } pageInfo { hasNextPage } } } } }";
    let (most, data) = most(&plane, plane.ask(&token, query, json!({}))).await?;
    assert!(most <= 8, "{most} connections");
    let nodes = data["tenants"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 100);
    for node in &nodes {
        let expected = json!({ "nodes": [{ "kind": "NOTED" }, { "kind": "NOTED" }], "pageInfo": { "hasNextPage": true } });
        assert_eq!(node["events"], expected, "{node}");
    }
    let greedy = "{ tenants(first: 100) { nodes { events(first: 100) { nodes { at kind actor } } operations(first: 100) { nodes { kind } } } } }";
    assert_eq!(plane.send(&token, greedy, json!({})).await.code(), "QUERY_TOO_COMPLEX");
    Ok(())
}

#[tokio::test]
async fn strangers_who_come_all_at_once_take_no_more() -> Result<()> {
    let plane = Plane::start().await?;
    let strangers = async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..40 {
            let address = plane.address;
            tasks.spawn(async move {
                let token = format!("Bearer pxo_{}", "A".repeat(43));
                let (path, body) = match number % 2 {
                    0 => {
                        let email = format!("nobody-{number}@praxis.test");
                        ("/auth/login", json!({ "email": email, "password": "not the one" }))
                    }
                    _ => ("/graphql", json!({ "query": "{ viewer { email } }" })),
                };
                post(address, "control.invalid", path, &[("authorization", &token)], &body).await
            });
        }
        tasks.join_all().await
    };
    let (most, answers) = most(&plane, strangers).await?;
    assert!(most <= 8, "{most} connections");
    for answer in answers.into_iter().flatten() {
        let refused =
            [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
        assert!(refused.contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(plane.sign_in(OPS, PASSWORD).await.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_document_that_is_made_to_hurt_is_refused_before_it_is_read() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    let doubling = (0..30).fold("{ ...f30 } fragment f0 on Query { templates }".to_owned(), |text, n| {
        format!("{text} fragment f{} on Query {{ ...f{n} ...f{n} }}", n + 1)
    });
    let (open, close) = ("operations(first: 1) { nodes { tenant { ".repeat(8), "} } } ".repeat(8));
    let deep = format!("query($id: ID) {{ tenant(id: $id) {{ {open} id {close} }} }}");
    for (query, code) in [
        ("[".repeat(60_000), "QUERY_TOO_DEEP"),
        (format!("{{ viewer(x: {}", "{".repeat(60_000)), "QUERY_TOO_DEEP"),
        ("a ".repeat(6_000), "REQUEST_TOO_LARGE"),
        (doubling, "QUERY_TOO_COMPLEX"),
        (deep, "QUERY_TOO_DEEP"),
        ("{ tenants(first: 1000) { totalCount } }".to_owned(), "BAD_USER_INPUT"),
        ("{ tenants(after: \"?\") { totalCount } }".to_owned(), "BAD_USER_INPUT"),
        ("{ tenants(filter: { search: \"\\u0000\" }) { totalCount } }".to_owned(), "BAD_USER_INPUT"),
        ("{ viewer { password } }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer".to_owned(), "GRAPHQL_PARSE_FAILED"),
    ] {
        let answer = plane.send(&token, &query, json!({})).await;
        let shown: String = query.chars().take(60).collect();
        assert_eq!((answer.status, answer.code()), (StatusCode::OK, code), "{shown}: {}", answer.text);
        let extensions = &answer.body["errors"][0]["extensions"];
        assert_eq!(extensions["requestId"], answer.headers["x-request-id"].to_str()?, "{shown}");
        assert_eq!(extensions["retryable"], false, "{shown}");
    }
    let query = "query($s: String) { tenants(filter: { search: $s }) { totalCount } }";
    assert_eq!(plane.send(&token, query, json!({ "s": "a\0" })).await.code(), "BAD_USER_INPUT");

    // What tools send to learn the schema is no such document.
    let introspection = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { ...FullType }
        directives { name args { ...InputValue } } } }
        fragment FullType on __Type { kind name fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } }
            inputFields { ...InputValue } interfaces { ...TypeRef } enumValues { name } possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue }
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
            ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
    let types = plane.ask(&token, introspection, json!({})).await["__schema"]["types"].clone();
    assert!(types.as_array().unwrap().iter().any(|found| found["name"] == "TenantConnection"));
    Ok(())
}

#[tokio::test]
async fn supervisors_see_that_it_is_there_and_that_it_fits_the_schema() -> Result<()> {
    let mut plane = Plane::start().await?;
    assert_eq!(plane.plain("GET", "/livez", "", "").await?.0, StatusCode::OK);
    assert_eq!(plane.plain("GET", "/readyz", "", "").await?.0, StatusCode::OK);
    assert!(plane.plain("GET", "/metrics", "", "").await?.1.contains("praxis_http_requests_total"));

    // Another build has brought the control schema elsewhere.
    let mut admin = plane.installation.admin().await?;
    let token = plane.token().await;
    sqlx::query("INSERT INTO control.migration (version, name) SELECT max(version) + 1, 'm_next' FROM control.migration")
        .execute(&mut admin)
        .await?;
    assert_eq!(plane.plain("GET", "/readyz", "", "").await?.0, StatusCode::SERVICE_UNAVAILABLE);
    let input =
        json!({ "idempotencyKey": "k", "slug": "s", "displayName": "S", "template": "general-practice" });
    let query = "mutation($input: TenantCreateInput!) { tenantCreate(input: $input) { operation { id } } }";
    let answer = plane.send(&token, query, json!({ "input": input })).await;
    assert_eq!(answer.code(), "UPSTREAM_UNAVAILABLE", "{}", answer.text);
    assert_eq!(answer.body["data"], Value::Null);
    plane.kill().await?;
    assert!(plane.restart().await.is_err(), "and it does not start");
    Ok(())
}

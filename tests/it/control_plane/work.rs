//! What takes long is done whatever becomes of the request, of the process, and of whoever asks twice.

use std::time::Duration;

use anyhow::{Result, ensure};
use praxis_platform::vault::crypto;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::sleep;

use super::kit::{OPS, Plane};

#[tokio::test]
async fn a_clinic_is_asked_for_and_made_once_however_often_that_is_sent() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    let input = |key: &str, slug: &str| json!({ "idempotencyKey": key, "slug": slug, "displayName": "Northside", "template": "general-practice" });
    let create = async |input: Value| plane.begin(&token, "tenantCreate", "TenantCreateInput", input).await;
    let begun = create(input("first", "northside")).await;
    assert_eq!(begun["userErrors"], json!([]));
    let made = plane.ended(&token, &begun).await?;
    assert_eq!((&made["state"], &made["actor"], &made["attempts"]), (&"DONE".into(), &OPS.into(), &1.into()));
    assert_eq!((&made["tenant"]["slug"], &made["tenant"]["state"]), (&"northside".into(), &"ACTIVE".into()));
    assert_eq!(made["detail"]["tenant"], made["tenant"]["id"]);
    // Sent again, also after another name was given to the clinic.
    assert_eq!(create(input("first", "northside")).await["operation"]["id"], made["id"]);
    let rename = format!(
        "mutation {{ tenantRename(input: {{ id: {}, newSlug: \"harbour\" }}) {{ changed }} }}",
        made["tenant"]["id"]
    );
    plane.ask(&token, &rename, json!({})).await;
    let again = create(input("first", "northside")).await;
    assert_eq!(plane.ended(&token, &again).await?["tenant"]["slug"], "harbour");
    let long = "x".repeat(201);
    let changed = |field: &str, value: Value| {
        let mut input = input("other", "other");
        input[field] = value;
        input
    };
    for (input, code, field) in [
        (input("first", "another"), "IDEMPOTENCY_CONFLICT", "idempotencyKey"),
        (input("other", "harbour"), "SLUG_TAKEN", "slug"),
        (input("other", "North Side"), "INVALID", "slug"),
        (changed("displayName", " ".into()), "INVALID", "displayName"),
        (changed("displayName", long.as_str().into()), "INVALID", "displayName"),
        (changed("template", "nothing".into()), "UNKNOWN_TEMPLATE", "template"),
        (changed("timeZone", "Mars/Base".into()), "INVALID", "timeZone"),
        (changed("locale", "en_GB; --".into()), "INVALID", "locale"),
        (changed("idempotencyKey", "".into()), "INVALID", "idempotencyKey"),
    ] {
        let refused = create(input).await;
        assert_eq!(refused["userErrors"], json!([{ "code": code, "path": ["input", field] }]));
        assert!(refused["operation"].is_null());
    }
    let seen = "query($id: ID!) { tenant(id: $id) { events { nodes { kind actor } } operations { nodes { kind state } } }
        operations(kind: PROVISION, state: DONE) { nodes { tenant { slug } } } none: operations(state: FAILED) { nodes { id } } other: operations(kind: OTHER) { nodes { id } } }";
    let seen = plane.ask(&token, seen, json!({ "id": made["tenant"]["id"] })).await;
    let events = json!([{ "kind": "RENAMED", "actor": OPS }, { "kind": "PROVISIONED", "actor": OPS }]);
    assert_eq!(seen["tenant"]["events"]["nodes"], events);
    assert_eq!(seen["tenant"]["operations"]["nodes"], json!([{ "kind": "PROVISION", "state": "DONE" }]));
    assert_eq!(seen["operations"]["nodes"], json!([{ "tenant": { "slug": "harbour" } }]));
    assert_eq!((&seen["none"]["nodes"], &seen["other"]["nodes"]), (&json!([]), &json!([])));
    Ok(())
}

#[tokio::test]
async fn two_who_want_the_same_name_at_once_get_one_clinic_and_one_reason() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    let ask = async |key: &str| {
        let input = json!({ "idempotencyKey": key, "slug": "northside", "displayName": "N", "template": "general-practice" });
        let begun = plane.begin(&token, "tenantCreate", "TenantCreateInput", input).await;
        if begun["operation"].is_null() {
            return anyhow::Ok(begun["userErrors"][0]["code"].clone());
        }
        let ended = plane.ended(&token, &begun).await?;
        Ok(if ended["state"] == "DONE" { ended["state"].clone() } else { ended["error"].clone() })
    };
    let (one, other) = tokio::join!(ask("one"), ask("other"));
    let mut outcomes = [one?.to_string(), other?.to_string()];
    outcomes.sort();
    assert_eq!(outcomes[0], "\"DONE\"", "{outcomes:?}");
    assert!(outcomes[1].to_lowercase().replace('_', " ").contains("taken"), "{outcomes:?}");
    Ok(())
}

#[tokio::test]
async fn a_plane_that_is_killed_goes_on_where_it_was_when_it_is_back() -> Result<()> {
    let mut plane = Plane::start().await?;
    let (clinic, token) = (plane.clinic("northside").await?, plane.token().await);
    let fill = json!({ "idempotencyKey": "fill", "size": 12 });
    let begun = plane.begin(&token, "poolFill", "PoolFillInput", fill.clone()).await;
    let copy = json!({ "idempotencyKey": "copy", "id": clinic, "asSlug": "sandbox" });
    let copied = plane.begin(&token, "tenantClone", "TenantCloneInput", copy).await;
    let mut admin = plane.installation.admin().await?;
    let mut kills = 0;
    for _ in 0..3 {
        // At some moment of the work.
        let under_way = "SELECT count(*) FROM control.operation WHERE state = 'RUNNING'";
        for _ in 0..400 {
            let count: i64 = sqlx::query_scalar(under_way).fetch_one(&mut admin).await?;
            if count > 0 {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        let [byte] = crypto::random::<1>()?;
        sleep(Duration::from_millis(u64::from(byte))).await;
        plane.kill().await?;
        let open = "SELECT count(*) FROM control.operation WHERE state IN ('PENDING', 'RUNNING')";
        let left: i64 = sqlx::query_scalar(open).fetch_one(&mut admin).await?;
        kills += usize::from(left > 0);
        plane.restart().await?;
        if left == 0 {
            break;
        }
    }
    ensure!(kills > 0, "it was never killed while there was something to do");
    let filled = plane.ended(&token, &begun).await?;
    assert_eq!(filled["state"], "DONE", "{filled}");
    let ended = plane.ended(&token, &copied).await?;
    assert_eq!(ended["state"], "DONE", "{ended}");
    assert!(filled["attempts"].as_i64().max(ended["attempts"].as_i64()) > Some(1), "{filled} {ended}");
    let seen = plane.ask(&token, "{ pool { ready reserved } tenants { totalCount } sandbox: tenant(slug: \"sandbox\") { state events { nodes { kind actor } } } }", json!({})).await;
    assert_eq!(seen["pool"], json!({ "ready": 12, "reserved": 0 }));
    assert_eq!(seen["tenants"]["totalCount"], 2);
    let events = json!([{ "kind": "PROVISIONED", "actor": OPS }]);
    assert_eq!(seen["sandbox"], json!({ "state": "ACTIVE", "events": { "nodes": events } }));
    // Nothing half made is left.
    let schemas: i64 = sqlx::query_scalar(r"SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\_%'")
        .fetch_one(&mut admin)
        .await?;
    assert_eq!(schemas, 14);
    // Nor is it done again when it is asked for again.
    let again = plane.begin(&token, "poolFill", "PoolFillInput", fill).await;
    assert_eq!((&again["operation"]["id"], &again["operation"]["state"]), (&filled["id"], &"DONE".into()));
    Ok(())
}

#[tokio::test]
async fn a_clinic_is_shredded_from_afar_and_its_certificate_bears_the_operators_name() -> Result<()> {
    let plane = Plane::start().await?;
    let (id, token) = (plane.clinic("northside").await?, plane.token().await);
    let shred = async |slug: &str| {
        plane.begin(&token, "tenantShred", "TenantShredInput", json!({ "id": id, "slug": slug })).await
    };
    assert_eq!(
        shred("southside").await["userErrors"][0],
        json!({ "code": "INVALID", "path": ["input", "slug"] })
    );
    assert_eq!(shred("northside").await["userErrors"][0]["code"], "ILLEGAL_TRANSITION");
    for field in ["tenantOffboard(input: { $id, graceDays: 0 })", "tenantArchive(input: { $id })"] {
        let field = field.replace("$id", &format!("id: \"{id}\""));
        plane.ask(&token, &format!("mutation {{ {field} {{ changed }} }}"), json!({})).await;
    }
    let hold =
        format!("mutation {{ tenantHold(input: {{ id: \"{id}\", reason: \"a claim\" }}) {{ changed }} }}");
    plane.ask(&token, &hold, json!({})).await;
    assert_eq!(shred("northside").await["userErrors"][0]["code"], "LEGAL_HOLD");
    let release = format!("mutation {{ tenantRelease(input: {{ id: \"{id}\" }}) {{ changed }} }}");
    plane.ask(&token, &release, json!({})).await;
    let begun = shred("northside").await;
    let ended = plane.ended(&token, &begun).await?;
    assert_eq!((&ended["state"], &ended["tenant"]["state"]), (&"DONE".into(), &"SHREDDED".into()), "{ended}");
    let query = "query($id: ID!) { tenant(id: $id) { certificate { text publicKey signature } } }";
    let signed = plane.ask(&token, query, json!({ "id": id })).await["tenant"]["certificate"].clone();
    let text: Value = serde_json::from_str(signed["text"].as_str().unwrap())?;
    assert_eq!((&text["slug"], &text["actor"]), (&"northside".into(), &OPS.into()));
    // The command line shows the same, and finds the signature good.
    let printed = plane.installation.command().args(["tenant", "certificate", "northside"]).output()?;
    let printed: Value = serde_json::from_slice(&printed.stdout)?;
    assert_eq!(printed["signed"]["text"], signed["text"]);
    // Asked for again, it is the same.
    assert_eq!(shred("northside").await["operation"]["id"], ended["id"]);
    Ok(())
}

/// Makes clinics as the build before this one had made them.
async fn older(plane: &Plane, slugs: &[&str]) -> Result<()> {
    let owner = plane.installation.names.owner_role();
    let mut steps = praxis_migration::tenant::sources();
    let version = steps.len() - 1;
    steps.pop();
    let steps = steps.join("\n;\n");
    for slug in slugs {
        plane.installation.provision(slug).await?;
        let mut admin = plane.installation.admin().await?;
        let find = "SELECT schema_name FROM control.tenant WHERE slug = $1";
        let schema: String = sqlx::query_scalar(find).bind(slug).fetch_one(&mut admin).await?;
        let sql = format!(
            "DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema} AUTHORIZATION {owner}; SET ROLE {owner};
             GRANT USAGE ON SCHEMA {schema} TO {schema}; SET praxis.role = '{schema}'; SET search_path = {schema}; {steps};
             INSERT INTO tenant_self (tenant_id, schema_version) SELECT id, {version} FROM control.tenant WHERE slug = '{slug}';
             RESET ROLE; UPDATE control.tenant SET schema_version = {version} WHERE slug = '{slug}'"
        );
        admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_fleet_is_migrated_from_afar_and_every_clinic_of_the_run_is_seen() -> Result<()> {
    let mut plane = Plane::start().await?;
    older(&plane, &["clinic-0", "clinic-1", "clinic-2"]).await?;
    let token = plane.token().await;
    for (input, code, field) in [
        (json!({ "idempotencyKey": "k", "waves": "sideways" }), "INVALID", "waves"),
        (json!({ "idempotencyKey": "k", "parallel": 0 }), "INVALID", "parallel"),
        (
            json!({ "idempotencyKey": "k", "resume": "01900000-0000-7000-8000-000000000000" }),
            "INVALID",
            "resume",
        ),
    ] {
        let refused = plane.begin(&token, "migrationRunStart", "MigrationRunStartInput", input).await;
        assert_eq!(refused["userErrors"], json!([{ "code": code, "path": ["input", field] }]));
    }
    let plan = "{ migrationPlan { steps { name way tenants } } }";
    assert_eq!(plane.ask(&token, plan, json!({})).await["migrationPlan"]["steps"][0]["tenants"], 3);
    let input = json!({ "idempotencyKey": "run", "waves": "canary:1,rest", "parallel": 1 });
    let begun = plane.begin(&token, "migrationRunStart", "MigrationRunStartInput", input).await;
    // Killed at its beginning, it is gone on with.
    plane.kill().await?;
    plane.restart().await?;
    let ended = plane.ended(&token, &begun).await?;
    assert_eq!(ended["state"], "DONE", "{ended}");
    let query = "{ fleet { versions { version tenants } tenantTarget }
        migrationRuns(first: 1) { nodes { id state waves tenants done failed
            items(first: 2) { nodes { tenant wave state } pageInfo { hasNextPage endCursor } } stuck: items(state: FAILED) { nodes { tenant } } } } }";
    let seen = plane.ask(&token, query, json!({})).await;
    let target = &seen["fleet"]["tenantTarget"];
    assert_eq!(seen["fleet"]["versions"], json!([{ "version": target, "tenants": 3 }]));
    let run = &seen["migrationRuns"]["nodes"][0];
    assert_eq!((&run["state"], &run["failed"]), (&"DONE".into(), &0.into()), "{run}");
    let items = run["items"]["nodes"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["state"] == "DONE"), "{run}");
    if run["items"]["pageInfo"]["hasNextPage"] == true {
        let page = "query($id: ID!, $after: String) { migrationRun(id: $id) { items(after: $after) { nodes { tenant } } } }";
        let rest = plane
            .ask(&token, page, json!({ "id": run["id"], "after": run["items"]["pageInfo"]["endCursor"] }))
            .await;
        let rest = rest["migrationRun"]["items"]["nodes"].as_array().unwrap().clone();
        assert_eq!(items.len() + rest.len(), run["tenants"].as_u64().unwrap() as usize);
        assert!(rest.iter().all(|item| items.iter().all(|before| before["tenant"] != item["tenant"])));
    }
    Ok(())
}

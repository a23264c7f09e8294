//! A clinic's life, as an operator sees and changes it.

use anyhow::Result;
use serde_json::{Value, json};

use super::kit::{OPS, Plane};

const PAYLOAD: &str = "{ tenant { slug state } changed userErrors { code path } }";

async fn act(plane: &Plane, token: &str, field: &str) -> Value {
    let query = format!("mutation {{ done: {field} {PAYLOAD} }}");
    plane.ask(token, &query, json!({})).await["done"].clone()
}

#[tokio::test]
async fn an_operator_brings_a_clinic_through_its_life_and_every_step_bears_their_name() -> Result<()> {
    let plane = Plane::start().await?;
    let id = plane.clinic("northside").await?;
    let token = plane.token().await;
    let act = async |field: &str| act(&plane, &token, &field.replace("$id", &format!("id: \"{id}\""))).await;
    let done = act("tenantSuspend(input: { $id })").await;
    assert_eq!(
        done,
        json!({ "tenant": { "slug": "northside", "state": "SUSPENDED" }, "changed": true, "userErrors": [] })
    );
    assert_eq!(act("tenantSuspend(input: { $id })").await["changed"], false);
    let nobody = "id: \"ten_00000000000000000000000000\"";
    let long = "x".repeat(201);
    for (field, code, path) in [
        ("tenantNotePastDue(input: { $id })".to_owned(), "ILLEGAL_TRANSITION", "id"),
        (format!("tenantResume(input: {{ {nobody} }})"), "UNKNOWN_TENANT", "id"),
        ("tenantRename(input: { $id, newSlug: \"North Side\" })".to_owned(), "INVALID", "newSlug"),
        (
            "tenantRename(input: { $id, newSlug: \"n\", displayName: \" \" })".to_owned(),
            "INVALID",
            "displayName",
        ),
        (
            format!("tenantRename(input: {{ $id, newSlug: \"n\", displayName: \"{long}\" }})"),
            "INVALID",
            "displayName",
        ),
        ("tenantOffboard(input: { $id, graceDays: -1 })".to_owned(), "INVALID", "graceDays"),
        ("tenantHold(input: { $id, reason: \" \" })".to_owned(), "INVALID", "reason"),
        ("tenantDomainAdd(input: { $id, host: \"a b\" })".to_owned(), "INVALID", "host"),
        ("tenantDomainAdd(input: { $id, host: \"x.praxis.test\" })".to_owned(), "INVALID", "host"),
        ("tenantDiscard(input: { $id })".to_owned(), "REFUSED", "id"),
    ] {
        let errors = &act(&field).await["userErrors"];
        assert_eq!(errors, &json!([{ "code": code, "path": ["input", path] }]), "{field}");
    }
    assert_eq!(act("tenantRename(input: { $id, newSlug: \"north\" })").await["tenant"]["slug"], "north");
    let host = "host: \"Care.Example.org\"";
    assert_eq!(act(&format!("tenantDomainAdd(input: {{ $id, {host} }})")).await["changed"], true);
    assert_eq!(act(&format!("tenantDomainAdd(input: {{ $id, {host} }})")).await["changed"], false);
    assert_eq!(
        act(&format!("tenantDomainAdd(input: {{ $id, {host}, isVerified: true }})")).await["changed"],
        true
    );
    let seen = "query($id: ID!) { tenant(id: $id) { id legalHoldReason archivableAt stateSince domains { host verifiedAt }
        events(first: 100) { nodes { kind actor } } operations { nodes { kind } } } }";
    let look = async || plane.ask(&token, seen, json!({ "id": id })).await["tenant"].clone();
    let verified = look().await["domains"][0].clone();
    assert!(verified["host"] == "care.example.org" && verified["verifiedAt"].is_string(), "{verified}");
    assert_eq!(act(&format!("tenantDomainRemove(input: {{ $id, {host} }})")).await["changed"], true);
    assert_eq!(act("tenantHold(input: { $id, reason: \"a claim\" })").await["changed"], true);

    // What can be changed can be seen; another grace is another grace.
    assert_eq!(act("tenantOffboard(input: { $id, graceDays: 90 })").await["tenant"]["state"], "OFFBOARDING");
    let first = look().await;
    assert_eq!(first["legalHoldReason"], "a claim");
    assert_eq!(act("tenantOffboard(input: { $id, graceDays: 90 })").await["changed"], false);
    assert_eq!(act("tenantOffboard(input: { $id, graceDays: 0 })").await["changed"], true);
    let second = look().await;
    assert!(first["archivableAt"].as_str() > second["archivableAt"].as_str());
    assert_eq!(second["archivableAt"], second["stateSince"]);

    assert_eq!(act("tenantArchive(input: { $id })").await["userErrors"][0]["code"], "LEGAL_HOLD");
    assert_eq!(act("tenantRelease(input: { $id })").await["changed"], true);
    assert_eq!(act("tenantArchive(input: { $id })").await["tenant"]["state"], "ARCHIVED");
    let seen = look().await;
    let events = seen["events"]["nodes"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "ARCHIVED",
            "RELEASED",
            "GRACE_CHANGED",
            "OFFBOARDING",
            "HELD",
            "DOMAIN_REMOVED",
            "DOMAIN_ADDED",
            "DOMAIN_ADDED",
            "RENAMED",
            "SUSPENDED",
            "PROVISIONED"
        ]
    );
    assert_eq!(events.iter().filter(|event| event["actor"] == OPS).count(), 10);
    assert!(seen["legalHoldReason"].is_null());

    // Page by page it is the same, here and over all clinics.
    let page = "query($id: ID!, $after: String) { tenant(id: $id) { events(first: 4, after: $after) { nodes { kind } pageInfo { endCursor hasNextPage } } } }";
    let all = "query($after: String) { page: tenantEvents(first: 4, after: $after, actor: \"ops@praxis.test\") { nodes { kind } pageInfo { endCursor hasNextPage } } }";
    for (query, expected) in [(page, &kinds[..]), (all, &kinds[..10])] {
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = plane.ask(&token, query, json!({ "id": id, "after": after })).await;
            let list = if data["page"].is_null() { &data["tenant"]["events"] } else { &data["page"] };
            let kinds = list["nodes"].as_array().unwrap().iter();
            found.extend(kinds.map(|node| node["kind"].as_str().unwrap().to_owned()));
            after = list["pageInfo"]["endCursor"].clone();
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(found, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_clinic_is_named_by_its_id_so_a_late_request_never_reaches_who_has_its_subdomain_now() -> Result<()>
{
    let plane = Plane::start().await?;
    let (id, token) = (plane.clinic("northside").await?, plane.token().await);
    act(&plane, &token, &format!("tenantRename(input: {{ id: \"{id}\", newSlug: \"harbour\" }})")).await;
    let other = plane.clinic("northside").await?;
    let offboard = format!("tenantOffboard(input: {{ id: \"{id}\" }})");
    assert_eq!(act(&plane, &token, &offboard).await["tenant"]["slug"], "harbour");
    let seen =
        plane.ask(&token, "query($id: ID!) { tenant(id: $id) { slug state } }", json!({ "id": other })).await;
    assert_eq!(seen["tenant"], json!({ "slug": "northside", "state": "ACTIVE" }));
    // The form of the command line, and no other.
    let bad = plane.send(&token, "{ tenant(id: \"northside\") { id } }", json!({})).await;
    assert_eq!(bad.code(), "BAD_USER_INPUT");
    let printed = plane.installation.command().args(["tenant", "show", "harbour"]).output()?;
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout)?["id"], id.as_str());
    Ok(())
}

#[tokio::test]
async fn an_operator_sets_what_a_clinic_may_ask_for_and_leaves_the_rest() -> Result<()> {
    let plane = Plane::start().await?;
    let (id, token) = (plane.clinic("northside").await?, plane.token().await);
    let set = async |changes: &str| {
        let shown = "tenant { limits { operations points restore actorPoints actorRestore } } changed userErrors { code path }";
        let query = format!(
            "mutation {{ done: tenantLimitsSet(input: {{ id: \"{id}\", {changes} }}) {{ {shown} }} }}"
        );
        plane.ask(&token, &query, json!({})).await["done"].clone()
    };
    let first = set("operations: REGISTERED, points: 500").await;
    let expected = json!({ "operations": "REGISTERED", "points": 500, "restore": null, "actorPoints": null, "actorRestore": null });
    assert_eq!((&first["tenant"]["limits"], &first["changed"]), (&expected, &true.into()));
    assert_eq!(set("points: 500").await["changed"], false);
    let second = set("operations: null, actorRestore: 7").await;
    let expected =
        json!({ "operations": null, "points": 500, "restore": null, "actorPoints": null, "actorRestore": 7 });
    assert_eq!(second["tenant"]["limits"], expected);
    let refused = set("restore: 0").await;
    assert_eq!(refused["userErrors"], json!([{ "code": "INVALID", "path": ["input", "restore"] }]));
    let refused = set("operations: OTHER").await;
    assert_eq!(refused["userErrors"], json!([{ "code": "INVALID", "path": ["input", "operations"] }]));
    Ok(())
}

#[tokio::test]
async fn an_operator_limits_what_a_clinic_may_have_and_sees_what_it_has() -> Result<()> {
    let plane = Plane::start().await?;
    let (id, token) = (plane.clinic("northside").await?, plane.token().await);
    let set = async |changes: &str| {
        let shown = "tenant { usage { name used max } limits { seats storageBytes } } changed userErrors { code path }";
        let query = format!(
            "mutation {{ done: tenantLimitsSet(input: {{ id: \"{id}\", {changes} }}) {{ {shown} }} }}"
        );
        plane.ask(&token, &query, json!({})).await["done"].clone()
    };
    let limited = set("seats: 5, storageBytes: 20000000000").await;
    assert_eq!(limited["tenant"]["limits"], json!({ "seats": 5, "storageBytes": 2e10 }));
    assert_eq!(
        limited["tenant"]["usage"],
        json!([{ "name": "SEATS", "used": 0.0, "max": 5.0 }, { "name": "STORAGE", "used": 0.0, "max": 2e10 }])
    );
    for (changes, field) in
        [("seats: 0", "seats"), ("storageBytes: 1.5", "storageBytes"), ("storageBytes: -1", "storageBytes")]
    {
        assert_eq!(
            set(changes).await["userErrors"],
            json!([{ "code": "INVALID", "path": ["input", field] }])
        );
    }
    // What is left out stays; null forgets.
    assert_eq!(set("points: 100").await["tenant"]["usage"][0]["max"], 5.0);
    assert_eq!(set("seats: null").await["tenant"]["usage"][0]["max"], Value::Null);
    Ok(())
}

//! Alerts: nobody is left to overlook one, and whoever goes against one says why.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use chrono::TimeDelta;
use praxis_domain::alerts;
use praxis_entity::{encounter::EncounterStatus, ids::EncounterId};
use praxis_platform::clock::Clock;
use serde_json::{Value, json};

use crate::{
    rules::{ask, clinic, in_use, low_oxygen_in_use, measure},
    support::{people::Person, server::TestServer},
    tasks::{visit, work_off},
};

const ALERT: &str = "alert { id version status severity allowedActions resolution justification overrideReason acknowledgedByName } userErrors { code message path }";

/// A visit with one alert.
async fn raised(server: &TestServer, patient: &str) -> EncounterId {
    let encounter = visit(server, patient, EncounterStatus::InProgress).await;
    measure(server, patient, encounter, &[("59408-5", "80", "%")]).await;
    ask(server, patient, encounter, server.clock.new_id()).await;
    encounter
}

async fn of(person: &Person<'_>, encounter: EncounterId) -> Value {
    let query = "query($id: ID!) { alerts(filter: { encounter: { eq: $id } }) { nodes { id version status allowedActions } } }";
    person.ask(query, json!({ "id": encounter.to_string() })).await["alerts"]["nodes"][0].clone()
}

async fn reply(person: &Person<'_>, mutation: &str, alert: &Value, more: Value) -> Value {
    let mut input = json!({ "id": alert["id"], "ifVersion": alert["version"] });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    person.run(mutation, ALERT, input).await
}

async fn unanswered(server: &TestServer, encounter: EncounterId) -> usize {
    let op = server.as_system("northside").await.unwrap();
    let open = alerts::unacknowledged(&op, &[encounter]).await.unwrap();
    op.rollback().await.unwrap();
    open.len()
}

#[tokio::test]
async fn an_alert_is_seen_and_then_dealt_with() -> Result<()> {
    let server = clinic().await?;
    low_oxygen_in_use(&server, "CRITICAL").await;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    let encounter = raised(&server, &patient).await;
    assert_eq!(unanswered(&server, encounter).await, 1);
    let alert = of(&nurse, encounter).await;
    assert_eq!(alert["allowedActions"], json!(["alertAcknowledge", "alertOverride"]));
    let early = reply(&nurse, "alertResolve", &alert, json!({})).await;
    assert_eq!(early["userErrors"][0]["code"], "INVALID_TRANSITION");
    let seen = reply(&nurse, "alertAcknowledge", &alert, json!({})).await["alert"].clone();
    assert_eq!(seen["status"], "ACKNOWLEDGED");
    assert!(seen["acknowledgedByName"].as_str().unwrap().contains("nurse"));
    assert_eq!(unanswered(&server, encounter).await, 0);
    let stale = reply(&nurse, "alertAcknowledge", &alert, json!({})).await;
    assert_eq!(stale["userErrors"][0]["code"], "VERSION_CONFLICT");
    let over = reply(&nurse, "alertResolve", &seen, json!({ "resolution": "Oxygen given" })).await;
    assert_eq!(
        (&over["alert"]["status"], &over["alert"]["resolution"]),
        (&json!("RESOLVED"), &json!("Oxygen given"))
    );
    assert_eq!(over["alert"]["allowedActions"], json!([]));
    Ok(())
}

#[tokio::test]
async fn going_against_an_alert_takes_a_reason_and_against_what_is_contraindicated_a_second_factor()
-> Result<()> {
    let server = clinic().await?;
    low_oxygen_in_use(&server, "CONTRAINDICATED").await;
    let (plain, proven) =
        (server.person("northside", "physician").await, server.proven("northside", "physician").await);
    let patient = plain.register("Ada", "Quill", "1990-01-02").await;
    let encounter = raised(&server, &patient).await;
    let alert = of(&plain, encounter).await;
    let other = reply(&proven, "alertOverride", &alert, json!({ "reason": "OTHER" })).await;
    assert_eq!(other["userErrors"][0]["code"], "REQUIRED");
    let query = "mutation($input: AlertOverrideInput!) { alertOverride(input: $input) { alert { id } } }";
    let why = json!({ "id": alert["id"], "ifVersion": alert["version"], "reason": "BENEFIT_OUTWEIGHS_RISK", "justification": "Known lung disease" });
    assert_eq!(plain.send(query, json!({ "input": why }), &[]).await.code(), "STEP_UP_REQUIRED");
    let done = proven.run("alertOverride", ALERT, why).await["alert"].clone();
    assert_eq!(
        (&done["status"], &done["overrideReason"]),
        (&json!("OVERRIDDEN"), &json!("BENEFIT_OUTWEIGHS_RISK"))
    );
    assert_eq!(done["justification"], "Known lung disease");
    let desk = server.person("northside", "receptionist").await;
    assert_eq!(desk.send("{ alerts { totalCount } }", json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn the_time_of_an_alert_runs_out_only_where_its_rule_says_so() -> Result<()> {
    let server = clinic().await?;
    let (author, owner) =
        (server.person("northside", "physician").await, server.person("northside", "owner").await);
    let fact = |number: f64| json!([{ "name": "vitals.spo2", "value": { "number": number } }]);
    for (code, alert) in [("passing", json!({ "expiresAfterMinutes": 30 })), ("lasting", json!({}))] {
        let rule = json!({ "code": code, "title": code, "cause": "VITALS_RECORDED", "condition": "vitals.spo2 < 92",
            "severity": "WARNING", "actions": [{ "alert": alert }],
            "cases": [{ "name": "low", "facts": fact(85.0), "fires": true }, { "name": "well", "facts": fact(98.0), "fires": false }] });
        in_use(&author, &owner, rule).await;
    }
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    raised(&server, &patient).await;
    work_off(&server).await?;
    let all = "{ alerts(filter: { status: [OPEN] }) { nodes { title } } }";
    assert_eq!(author.ask(all, json!({})).await["alerts"]["nodes"].as_array().unwrap().len(), 2);
    server.clock.advance(TimeDelta::minutes(31));
    work_off(&server).await?;
    let author = server.person("northside", "physician").await;
    let left = author.ask("{ alerts { nodes { title status } } }", json!({})).await;
    let mut left: Vec<_> = left["alerts"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| (alert["title"].as_str().unwrap(), alert["status"].as_str().unwrap()))
        .collect();
    left.sort_unstable();
    assert_eq!(left, [("lasting", "OPEN"), ("passing", "EXPIRED")]);
    Ok(())
}

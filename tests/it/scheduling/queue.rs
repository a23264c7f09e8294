//! Walk-in queues.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{Clinic, code};

const TOKEN: &str = "token { id version number status desk allowedActions } userErrors { code path message }";

#[tokio::test]
async fn numbers_are_given_out_once_each_however_many_ask_at_once() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let input = json!({ "facilityId": clinic.facility });
    let issued = join_all((0..32).map(|_| desk.run("queueTokenIssue", TOKEN, input.clone()))).await;
    let numbers: BTreeSet<_> =
        issued.iter().map(|payload| payload["token"]["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=32).collect());
    // Another queue, and another day, begin at one.
    let other = json!({ "facilityId": clinic.facility, "queue": "LAB" });
    assert_eq!(desk.run("queueTokenIssue", TOKEN, other).await["token"]["number"], 1);
    clinic.server.clock.advance(chrono::TimeDelta::hours(24));
    let desk = clinic.person("receptionist").await;
    assert_eq!(desk.run("queueTokenIssue", TOKEN, input).await["token"]["number"], 1);
    Ok(())
}

#[tokio::test]
async fn desks_that_call_at_once_call_different_numbers_and_skipped_ones_are_called_again() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let input = json!({ "facilityId": clinic.facility });
    for _ in 0..6 {
        desk.run("queueTokenIssue", TOKEN, input.clone()).await;
    }
    let called = join_all((1..=6).map(|number: i32| {
        let input = json!({ "facilityId": clinic.facility, "desk": number.to_string() });
        desk.run("queueTokenCallNext", TOKEN, input)
    }))
    .await;
    let numbers: BTreeSet<_> =
        called.iter().map(|payload| payload["token"]["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=6).collect());
    assert_eq!(code(&desk.run("queueTokenCallNext", TOKEN, input.clone()).await), "NOT_FOUND");

    let token = called.iter().find(|payload| payload["token"]["number"] == 2).unwrap()["token"].clone();
    let step = |token: &Value| json!({ "id": token["id"], "ifVersion": token["version"] });
    let skipped = desk.run("queueTokenSkip", TOKEN, step(&token)).await["token"].clone();
    assert_eq!(
        (&skipped["status"], &skipped["allowedActions"]),
        (&json!("SKIPPED"), &json!(["queueTokenCall"]))
    );
    assert_eq!(code(&desk.run("queueTokenServe", TOKEN, step(&skipped)).await), "INVALID_TRANSITION");
    let called = desk.run("queueTokenCall", TOKEN, step(&skipped)).await["token"].clone();
    let served = desk.run("queueTokenServe", TOKEN, step(&called)).await["token"].clone();
    assert_eq!((&served["status"], &served["allowedActions"]), (&json!("SERVED"), &json!([])));
    let query = format!("{{ queueTokens(facilityId: \"{}\") {{ number status }} }}", clinic.facility);
    let listed = desk.ask(&query, json!({})).await["queueTokens"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 6);
    assert_eq!(listed[1], json!({ "number": 2, "status": "SERVED" }));
    Ok(())
}

//! A clinic's state is changed by the legal transitions, and each change is written down.

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::json;

use super::kit::{Life, family};

const READ: &str = "{ __typename }";

#[tokio::test]
async fn a_clinic_is_locked_suspended_and_resumed_as_the_states_allow() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let patient = owner.register("Ann", "Zqlocked", "1980-01-02").await;

    let (code, _, told) = life.tenant(&["lock", "northside"]);
    assert_eq!(code, 1);
    assert!(told.contains("ACTIVE can't become LOCKED"), "{told}");
    life.done(&["past-due", "northside"]);
    assert_eq!(life.done(&["lock", "northside"])["state"], "LOCKED");
    // Twice changes nothing, and is written down once.
    life.done(&["lock", "northside"]);
    life.refresh().await?;
    assert_eq!(family(&owner, &patient).await, "Zqlocked");
    let input = json!({ "name": { "given": ["New"], "family": "Nobody" }, "birthDate": "1980-01-02" });
    let write = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } } }";
    let refused = owner.send(write, json!({ "input": input }), &[]).await;
    assert_eq!(refused.code(), "TENANT_LOCKED", "{}", refused.text);

    life.done(&["resume", "northside"]);
    life.done(&["suspend", "northside"]);
    life.refresh().await?;
    assert_eq!(owner.send(READ, json!({}), &[]).await.status, StatusCode::FORBIDDEN);
    let shown = life.done(&["resume", "northside"]);
    life.refresh().await?;
    assert_eq!(family(&owner, &patient).await, "Zqlocked");
    let events: Vec<_> =
        shown["events"].as_array().unwrap().iter().map(|event| event.as_str().unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event.split_once(' ').unwrap().1).collect();
    assert_eq!(kinds, ["PROVISIONED", "PAST_DUE", "LOCKED", "ACTIVE", "SUSPENDED", "ACTIVE"]);
    assert_eq!(life.tenant(&["lock", "nowhere"]).0, 2);
    Ok(())
}

#[tokio::test]
async fn a_renamed_clinic_is_found_under_its_new_name_only_and_the_old_one_is_free() -> Result<()> {
    let life = Life::new().await?;
    life.done(&["rename", "northside", "harbour", "--name", "Harbour Clinic"]);
    life.refresh().await?;
    let at = async |host: &str| life.server.get(host, "/graphql?query=%7B__typename%7D", &[]).await.status;
    assert_eq!(at("northside.praxis.test").await, StatusCode::NOT_FOUND);
    let login = life
        .server
        .login("harbour.praxis.test", "someone@praxis.test", crate::support::server::PASSWORD)
        .await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.text);
    life.server.installation.provision("northside").await?;
    assert_eq!(life.tenant(&["rename", "harbour", "northside"]).0, 1);
    assert_eq!(life.tenant(&["rename", "harbour", "Not a slug"]).0, 2);
    Ok(())
}

#[tokio::test]
async fn a_clinic_leaves_when_its_grace_is_over_and_no_legal_hold_keeps_it() -> Result<()> {
    let life = Life::new().await?;
    assert_eq!(life.tenant(&["archive", "northside"]).0, 1);
    let shown = life.done(&["offboard", "northside", "--grace-days", "3"]);
    assert_eq!(shown["state"], "OFFBOARDING");
    assert!(life.tenant(&["archive", "northside"]).2.contains("grace"), "it can still think better of it");
    life.done(&["resume", "northside"]);
    life.done(&["offboard", "northside", "--grace-days", "0"]);
    assert_eq!(life.done(&["hold", "northside", "--reason", "case 17"])["legal_hold_reason"], "case 17");
    assert!(life.tenant(&["archive", "northside"]).2.contains("legal hold"));
    // Nor by hand: the database holds it.
    assert!(life.sql("UPDATE control.tenant SET state = 'ARCHIVED'").await.is_err());
    assert!(life.sql("DELETE FROM control.tenant_key").await.is_err());
    life.done(&["release", "northside"]);
    assert_eq!(life.done(&["archive", "northside"])["state"], "ARCHIVED");
    life.refresh().await?;
    let login = life.server.login("northside.praxis.test", "someone@praxis.test", "x").await;
    assert_eq!(login.status, StatusCode::NOT_FOUND, "{}", login.text);
    Ok(())
}

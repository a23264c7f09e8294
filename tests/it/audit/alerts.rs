//! What the log shows that somebody should look at: restricted charts and emergencies.

use anyhow::Result;
use serde_json::{Value, json};
use sqlx::Executor as _;

use super::{Clinic, reading::ALERTS};
use crate::support::people::Person;

const READ: &str = "query($id: ID!) { patient(by: { id: $id }) { name { full } } }";

/// Open alerts of a kind, as the privacy officer sees them.
async fn alerts(officer: &Person<'_>, kind: &str) -> Vec<Value> {
    let alerts = officer.ask(ALERTS, json!({})).await["securityAlerts"]["nodes"].clone();
    alerts.as_array().unwrap().iter().filter(|alert| alert["kind"] == kind).cloned().collect()
}

#[tokio::test]
async fn a_restricted_chart_read_from_outside_of_its_care_team_raises_an_alert() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let owner = server.person("northside", "owner").await;
    let officer = server.person("northside", "privacy_officer").await;
    let (ada, bea) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1991-01-02").await,
    );
    let carer = server.person("northside", "physician").await;
    let user = carer.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
    let team = json!({ "patientId": ada, "carer": { "userId": user }, "role": "ATTENDING" });
    assert_eq!(owner.run("careTeamAdd", "userErrors { code }", team).await["userErrors"], json!([]));
    // Before it is restricted, a chart is one among others.
    owner.ask(READ, json!({ "id": ada })).await;
    clinic.seal().await?;
    assert_eq!(alerts(&officer, "RESTRICTED_READING").await, Vec::<Value>::new());

    let label = json!({ "id": ada, "confidentiality": "RESTRICTED" });
    assert_eq!(owner.run("confidentialitySet", "userErrors { code }", label).await["userErrors"], json!([]));
    // Whoever cares for the patient may; another chart is no matter.
    assert_eq!(carer.ask(READ, json!({ "id": ada })).await["patient"]["name"]["full"], "Ada Quill");
    owner.ask(READ, json!({ "id": bea })).await;
    clinic.seal().await?;
    assert_eq!(alerts(&officer, "RESTRICTED_READING").await, Vec::<Value>::new());

    // The owner may read it too, and is asked why; twice within a window is one alert.
    for _ in 0..2 {
        assert_eq!(owner.ask(READ, json!({ "id": ada })).await["patient"]["name"]["full"], "Ada Quill");
        clinic.seal().await?;
    }
    let raised = alerts(&officer, "RESTRICTED_READING").await;
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0]["patientId"], json!(ada));
    assert!(raised[0]["actorName"].as_str().unwrap().starts_with("User owner"), "{raised:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_declares_many_emergencies_raises_an_alert() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    let owner = server.person("northside", "owner").await;
    let officer = server.person("northside", "privacy_officer").await;
    let rule = json!({ "kind": "BREAK_GLASS_USE", "threshold": 2 });
    assert_eq!(owner.run("alertRuleUpdate", "userErrors { code }", rule).await["userErrors"], json!([]));
    let mut patients = Vec::new();
    for (given, family, born) in [("Ada", "Quill", "1990-01-02"), ("Bea", "Rook", "1961-03-04")] {
        patients.push(owner.register(given, family, born).await);
    }
    let declare = async |person: &Person<'_>, patient: &str| {
        let input = json!({ "patientId": patient, "category": "THREAT_TO_LIFE", "classes": ["CLINICAL"],
            "reason": "Unconscious after a fall, allergies unknown" });
        person.run("breakGlassDeclare", "breakGlass { id } userErrors { code }", input).await
    };
    let (often, once) =
        (server.proven("northside", "nurse").await, server.proven("northside", "nurse").await);
    for (nurse, patient) in [(&often, 0), (&once, 0)] {
        assert_eq!(declare(nurse, &patients[patient]).await["userErrors"], json!([]));
    }
    clinic.seal().await?;
    assert_eq!(alerts(&officer, "BREAK_GLASS_USE").await, Vec::<Value>::new());
    // A refused one does not count, the second one does.
    let refused = declare(&once, "pat_01jd3k5n8re6ktp1rb6z9q4x2m").await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(declare(&often, &patients[1]).await["userErrors"], json!([]));
    clinic.seal().await?;
    let raised = alerts(&officer, "BREAK_GLASS_USE").await;
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!((&raised[0]["seen"], &raised[0]["threshold"]), (&json!(2), &json!(2)));
    Ok(())
}

#[tokio::test]
async fn a_rule_that_fails_keeps_no_other_from_looking_and_looks_again_later() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let officer = clinic.server.person("northside", "privacy_officer").await;
    let rule = json!({ "kind": "MASS_READING", "threshold": 1 });
    assert_eq!(owner.run("alertRuleUpdate", "userErrors { code }", rule).await["userErrors"], json!([]));
    let ada = owner.register("Ada", "Quill", "1990-01-02").await;
    let label = json!({ "id": ada, "confidentiality": "RESTRICTED" });
    assert_eq!(owner.run("confidentialitySet", "userErrors { code }", label).await["userErrors"], json!([]));
    owner.ask(READ, json!({ "id": ada })).await;
    let mut admin = clinic.server.installation.admin().await?;
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SET search_path = {}", clinic.schema)))).await?;
    admin.execute("ALTER TABLE sensitivity_label RENAME TO away").await?;
    clinic.seal().await?;
    admin.execute("ALTER TABLE away RENAME TO sensitivity_label").await?;
    let mut count = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut admin).await;
    assert_eq!(
        count("SELECT count(*) FROM audit_pending").await?,
        1,
        "sealed all the same, but for the alert"
    );
    assert_eq!(alerts(&officer, "MASS_READING").await.len(), 1);
    assert_eq!(alerts(&officer, "RESTRICTED_READING").await.len(), 0);
    assert!(count("SELECT count(*) FROM audit_unwatched").await? >= 1);

    clinic.seal().await?;
    assert_eq!(alerts(&officer, "RESTRICTED_READING").await.len(), 1);
    assert_eq!(count("SELECT count(*) FROM audit_unwatched").await?, 0);
    assert_eq!(clinic.first_bad(&[]), None);
    Ok(())
}

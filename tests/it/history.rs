//! What a patient has, had, takes and does not tolerate.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use anyhow::Result;
use futures::future::join_all;
use praxis_entity::ids::{PatientId, TypedId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{people::Person, server::TestServer};

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

fn snomed(code: &str, display: &str) -> Value {
    json!({ "codings": [{ "system": "http://snomed.info/sct", "code": code, "display": display }] })
}

fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

const ALLERGY: &str =
    "allergy { id version status noneKnown allowedActions } userErrors { code message path }";

async fn allergy(person: &Person<'_>, patient: &str, code: Value) -> Value {
    person.run("allergyRecord", ALLERGY, json!({ "patientId": patient, "code": code })).await
}

#[tokio::test]
async fn that_there_is_no_allergy_and_an_allergy_are_never_both_true() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    let none = || snomed("716186003", "No known allergy");
    let stated = allergy(&nurse, &patient, none()).await["allergy"].clone();
    assert_eq!(stated["noneKnown"], true);
    assert_eq!(codes(&allergy(&nurse, &patient, none()).await), ["ALREADY_EXISTS"]);
    let penicillin = || snomed("764146007", "Penicillin");
    assert_eq!(codes(&allergy(&nurse, &patient, penicillin()).await), ["ALREADY_EXISTS"]);
    // It is refuted first; then the allergy stands, and the finding that there is none can't come back.
    let input =
        json!({ "id": stated["id"], "ifVersion": stated["version"], "reason": "Rash after penicillin" });
    let refuted = nurse.run("allergyRefute", ALLERGY, input).await["allergy"].clone();
    assert_eq!(refuted["status"], "REFUTED");
    let present = allergy(&nurse, &patient, penicillin()).await["allergy"].clone();
    assert_eq!(codes(&allergy(&nurse, &patient, none()).await), ["ALREADY_EXISTS"]);
    assert_eq!(
        present["allowedActions"],
        json!(["allergyEnterInError", "allergyInactivate", "allergyRefute", "allergyResolve"])
    );
    let input = json!({ "id": present["id"], "ifVersion": present["version"] });
    let resolved = nurse.run("allergyResolve", ALLERGY, input).await["allergy"].clone();
    let again = allergy(&nurse, &patient, none()).await["allergy"].clone();
    assert_eq!(again["status"], "ACTIVE");
    let input = json!({ "id": resolved["id"], "ifVersion": resolved["version"] });
    assert_eq!(codes(&nurse.run("allergyReactivate", ALLERGY, input).await), ["ALREADY_EXISTS"]);

    // Not even where somebody writes past the rules.
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let id = patient.parse::<PatientId>()?.uuid();
    let insert = format!(
        "INSERT INTO allergy (id, patient_id, recorded_at, status, clinical) VALUES (gen_random_uuid(), '{id}', now(), 'ACTIVE', 'x')"
    );
    let refused = runtime.execute(AssertSqlSafe(insert)).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("allergy_none_known_excludes"));
    for forbidden in ["DELETE FROM allergy", "UPDATE allergy SET none_known = false"] {
        let refused = runtime.execute(forbidden).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{forbidden}");
    }
    Ok(())
}

#[tokio::test]
async fn that_there_is_no_allergy_of_a_kind_is_no_allergy() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    for code in ["409137002", "429625007", "428607008"] {
        let refused = allergy(&nurse, &patient, snomed(code, "No known allergy of a kind")).await;
        assert_eq!((codes(&refused), &refused["allergy"]), (vec!["INVALID"], &Value::Null), "{code}");
    }
    // The same system by its other name.
    let none = json!({ "codings": [{ "system": "urn:oid:2.16.840.1.113883.6.96", "code": "716186003" }] });
    assert_eq!(allergy(&nurse, &patient, none).await["allergy"]["noneKnown"], true);
    Ok(())
}

#[tokio::test]
async fn a_problem_whose_source_gave_no_status_can_be_resolved() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let shown = "condition { id version clinicalStatus allowedActions } userErrors { code path message }";
    let new = json!({ "patientId": patient, "code": snomed("38341003", "Hypertension") });
    let made = owner.run("problemRecord", shown, new).await["condition"].clone();
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let imported = format!(
        "SET session_replication_role = replica; UPDATE {schema}.condition SET clinical_status = NULL"
    );
    server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(imported))).await?;
    let query = "query($id: ID!) { node(id: $id) { ... on Condition { clinicalStatus allowedActions } } }";
    let seen = owner.ask(query, json!({ "id": made["id"] })).await["node"].clone();
    assert_eq!((&seen["clinicalStatus"], &seen["allowedActions"]), (&Value::Null, &made["allowedActions"]));
    let input = json!({ "id": made["id"], "ifVersion": made["version"] });
    let resolved = owner.run("problemResolve", shown, input).await;
    assert_eq!(resolved["condition"]["clinicalStatus"], "RESOLVED", "{resolved}");
    Ok(())
}

#[tokio::test]
async fn of_many_who_say_the_one_and_the_other_at_once_one_side_is_heard() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    for round in 0..4 {
        let patient = nurse.register("Ada", "Quill", &format!("199{round}-01-02")).await;
        let said = (0..6).map(|number| {
            let code = if number % 2 == 0 { snomed("716186003", "None") } else { json!({ "text": "Nuts" }) };
            allergy(&nurse, &patient, code)
        });
        join_all(said).await;
        let query = "query($id: ID!) { patient(by: { id: $id }) { allergies(status: [ACTIVE]) { nodes { noneKnown } } } }";
        let data = nurse.ask(query, json!({ "id": patient })).await;
        let nodes = data["patient"]["allergies"]["nodes"].as_array().unwrap();
        assert!(
            !nodes.is_empty() && nodes.iter().all(|node| node["noneKnown"] == nodes[0]["noneKnown"]),
            "{nodes:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_problem_subsides_comes_back_is_resolved_and_was_a_mistake() -> Result<()> {
    const SHOWN: &str = "condition { id version clinicalStatus verificationStatus abatedAt allowedActions onsetAt } userErrors { code message path }";
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let input = json!({ "patientId": patient, "code": snomed("195967001", "Asthma"), "onset": "1999" });
    let mut problem = physician.run("problemRecord", SHOWN, input).await["condition"].clone();
    assert_eq!(
        (&problem["clinicalStatus"], &problem["onsetAt"]),
        (&json!("ACTIVE"), &json!("1999-01-01T00:00:00.000Z"))
    );
    for (verb, status) in [
        ("problemRemit", "REMISSION"),
        ("problemRelapse", "RELAPSE"),
        ("problemResolve", "RESOLVED"),
        ("problemRecur", "RECURRENCE"),
    ] {
        let input = json!({ "id": problem["id"], "ifVersion": problem["version"] });
        problem = physician.run(verb, SHOWN, input).await["condition"].clone();
        assert_eq!(problem["clinicalStatus"], status);
        assert_eq!(problem["abatedAt"].is_null(), ["RELAPSE", "RECURRENCE"].contains(&status), "{verb}");
    }
    let input = json!({ "id": problem["id"], "ifVersion": problem["version"] });
    assert_eq!(codes(&physician.run("problemRelapse", SHOWN, input).await), ["INVALID_TRANSITION"]);
    let input = json!({ "id": problem["id"], "ifVersion": 1 });
    assert_eq!(codes(&physician.run("problemResolve", SHOWN, input).await), ["VERSION_CONFLICT"]);
    let input =
        json!({ "id": problem["id"], "ifVersion": problem["version"], "reason": "Another patient's" });
    let wrong = physician.run("problemEnterInError", SHOWN, input).await["condition"].clone();
    assert_eq!(
        (&wrong["verificationStatus"], &wrong["allowedActions"]),
        (&json!("ENTERED_IN_ERROR"), &json!([]))
    );
    // Nor does the database let it go on.
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let refused = runtime.execute("UPDATE condition SET clinical_status = 'RESOLVED'").await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("PX001"));
    Ok(())
}

#[tokio::test]
async fn each_chapter_is_recorded_read_and_put_right() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    let record = async |verb: &str, field: &str, more: Value| {
        let mut input = json!({ "patientId": patient });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let recorded = nurse
            .run(verb, &format!("{field} {{ id version status }} userErrors {{ code path }}"), input)
            .await;
        assert_eq!(recorded["userErrors"], json!([]), "{verb}");
        recorded[field].clone()
    };
    let cvx = json!({ "codings": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": "140", "display": "Influenza" }] });
    let given = record(
        "immunizationRecord",
        "immunization",
        json!({ "vaccine": cvx, "givenAt": "2025-10", "lot": "AB12" }),
    )
    .await;
    let refused = record(
        "immunizationRecord",
        "immunization",
        json!({ "vaccine": cvx, "notGivenReason": { "text": "Declined" } }),
    )
    .await;
    assert_eq!((&given["status"], &refused["status"]), (&json!("COMPLETED"), &json!("NOT_DONE")));
    let both = json!({ "patientId": patient, "vaccine": cvx, "notGivenReason": { "text": "Declined" }, "lot": "AB12" });
    assert_eq!(codes(&nurse.run("immunizationRecord", "userErrors { code }", both).await), ["INVALID"]);
    let when = json!({ "patientId": patient, "vaccine": cvx });
    assert_eq!(codes(&nurse.run("immunizationRecord", "userErrors { code }", when).await), ["REQUIRED"]);

    let metformin = record(
        "medicationStatementRecord",
        "medicationStatement",
        json!({ "code": { "text": "Metformin" }, "dosage": "500 mg twice a day", "started": "2024-03" }),
    )
    .await;
    let stop = json!({ "id": metformin["id"], "ifVersion": metformin["version"], "reason": "Nausea" });
    let stopped =
        nurse.run("medicationStatementStop", "medicationStatement { status statusReason }", stop).await;
    assert_eq!(stopped["medicationStatement"], json!({ "status": "STOPPED", "statusReason": "Nausea" }));

    record(
        "procedureRecord",
        "procedure",
        json!({ "code": { "text": "Appendectomy" }, "performed": "2001" }),
    )
    .await;
    let mother = json!({ "relationship": { "text": "mother" }, "deceased": true, "conditions": [{ "code": { "text": "Breast cancer" }, "onsetAge": 52 }] });
    record("familyHistoryRecord", "familyHistory", mother).await;
    let smoking = json!({ "codings": [{ "system": "http://loinc.org", "code": "72166-2" }] });
    record("socialHistoryRecord", "socialHistory", json!({ "code": smoking, "value": { "text": "Smoker" } }))
        .await;
    let latest = record(
        "socialHistoryRecord",
        "socialHistory",
        json!({ "code": smoking, "value": { "text": "Former smoker" }, "since": "2026" }),
    )
    .await;

    let chart = "query($id: ID!) { patient(by: { id: $id }) {
        immunizations { totalCount nodes { givenAt lot notGivenReason { text } status } }
        medicationStatements { nodes { code { text } dosage started status } }
        procedures { nodes { code { text } performed } }
        familyHistory { nodes { relationship { text } deceased conditions { code { text } onsetAge } } }
        socialHistory(status: [CURRENT]) { nodes { id value { text } since } } } }";
    let data = nurse.ask(chart, json!({ "id": patient })).await["patient"].clone();
    assert_eq!(data["immunizations"]["totalCount"], 2);
    assert_eq!(
        data["immunizations"]["nodes"][1],
        json!({ "givenAt": "2025-10", "lot": "AB12", "notGivenReason": null, "status": "COMPLETED" })
    );
    assert_eq!(
        data["medicationStatements"]["nodes"][0],
        json!({ "code": { "text": "Metformin" }, "dosage": "500 mg twice a day", "started": "2024-03", "status": "STOPPED" })
    );
    assert_eq!(
        data["procedures"]["nodes"],
        json!([{ "code": { "text": "Appendectomy" }, "performed": "2001" }])
    );
    assert_eq!(
        data["familyHistory"]["nodes"][0]["conditions"],
        json!([{ "code": { "text": "Breast cancer" }, "onsetAge": 52 }])
    );
    assert_eq!(
        data["socialHistory"]["nodes"],
        json!([{ "id": latest["id"], "value": { "text": "Former smoker" }, "since": "2026" }])
    );

    let mistake = json!({ "id": given["id"], "ifVersion": given["version"], "reason": " " });
    assert_eq!(
        codes(&nurse.run("immunizationEnterInError", "userErrors { code }", mistake).await),
        ["REQUIRED"]
    );
    let mistake = json!({ "id": given["id"], "ifVersion": given["version"], "reason": "Another patient's" });
    let wrong = nurse
        .run("immunizationEnterInError", "immunization { status statusReason allowedActions }", mistake)
        .await;
    assert_eq!(
        wrong["immunization"],
        json!({ "status": "ENTERED_IN_ERROR", "statusReason": "Another patient's", "allowedActions": [] })
    );

    // The desk learns nothing of it, not even how much there is.
    let desk = server.person("northside", "receptionist").await;
    let data = desk.ask("query($id: ID!) { patient(by: { id: $id }) { immunizations { totalCount } allergies { totalCount } } }", json!({ "id": patient })).await;
    assert_eq!(data["patient"], json!({ "immunizations": null, "allergies": null }));
    // And at rest nothing of it is in clear.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM medication_statement WHERE encode(clinical, 'escape') LIKE '%Metformin%'",
    )
    .fetch_one(&mut sql)
    .await?;
    assert_eq!(clear, 0);
    Ok(())
}

#[tokio::test]
async fn of_many_answers_at_once_one_is_current_and_what_became_of_the_others_is_on_record() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    let smoking = json!({ "codings": [{ "system": "http://loinc.org", "code": "72166-2" }] });
    let say = async |answer: usize| {
        let input =
            json!({ "patientId": patient, "code": smoking, "value": { "text": format!("Answer {answer}") } });
        nurse.run("socialHistoryRecord", "socialHistory { id } userErrors { code }", input).await
    };
    for said in join_all((0..8).map(say)).await {
        assert_eq!(said["userErrors"], json!([]));
    }
    let mut sql = server.installation.tenant_connection("northside").await?;
    for (query, expected) in [
        ("SELECT count(*) FROM social_history WHERE status = 'CURRENT'", 1),
        ("SELECT count(*) FROM event WHERE kind = 'SOCIAL_HISTORY_CHANGED'", 7),
        ("SELECT count(*) FROM audit_entry WHERE action = 'social-history.change'", 7),
    ] {
        let found: i64 = sqlx::query_scalar(query).fetch_one(&mut sql).await?;
        assert_eq!(found, expected, "{query}");
    }
    Ok(())
}

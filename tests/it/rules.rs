//! Clinical rules: written, tested, approved by another, asked, and explained.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use praxis_domain::{
    charting,
    event::{Event, Recorded},
    rules,
};
use praxis_entity::{
    encounter::EncounterStatus,
    ids::{EncounterId, EventId, PatientId},
    observation::{ObservationCategory, ObservationStatus},
    value::{CodeableConcept, Coding, ObservationResult, ObservationValue, Quantity},
};
use praxis_platform::clock::Clock;
use serde_json::{Value, json};
use sqlx::Executor;
use uuid::Uuid;

use crate::{
    support::{people::Person, server::TestServer},
    tasks::visit,
};

const RULE: &str = "rule { id version code edition status allowedActions } userErrors { code message path }";

/// A clinic without the rules of its template.
pub async fn clinic() -> Result<TestServer> {
    let server = TestServer::new(&[("northside", "root@northside.test", "owner")]).await?;
    let mut sql = server.installation.tenant_connection("northside").await?;
    sql.execute("UPDATE rule SET status = 'RETIRED' WHERE status = 'ACTIVE'").await?;
    Ok(server)
}

/// A measurement of a visit: code of LOINC, value and unit.
pub async fn measure(server: &TestServer, patient: &str, visit: EncounterId, of: &[(&str, &str, &str)]) {
    let op = server.as_system("northside").await.unwrap();
    let results = of.iter().map(|(code, value, unit)| charting::RecordObservation {
        patient: patient.parse().unwrap(),
        encounter: Some(visit),
        performer: None,
        category: ObservationCategory::VitalSigns,
        status: ObservationStatus::Final,
        effective_at: Some(op.now()),
        issued_at: None,
        result: ObservationResult {
            code: CodeableConcept {
                text: None,
                codings: vec![Coding {
                    system: "http://loinc.org".to_owned(),
                    code: (*code).to_owned(),
                    display: None,
                    version: None,
                }],
            },
            value: Some(ObservationValue::Quantity(Quantity {
                value: value.parse().unwrap(),
                comparator: None,
                unit: (*unit).to_owned(),
                code: (*unit).to_owned(),
            })),
            absent_reason: None,
            interpretations: Vec::new(),
            reference_ranges: Vec::new(),
            components: Vec::new(),
            body_site: None,
            method: None,
            notes: Vec::new(),
            effective: None,
            issued: None,
        },
    });
    charting::record_many(&op, results.collect()).await.unwrap();
    op.commit().await.unwrap();
}

/// Asks the rules about the vital signs of a visit, as the worker does after an event.
pub async fn ask(server: &TestServer, patient: &str, encounter: EncounterId, event: Uuid) {
    let op = server.as_system("northside").await.unwrap();
    let patient: PatientId = patient.parse().unwrap();
    let recorded = Recorded {
        id: EventId(event),
        at: op.now(),
        actor: None,
        encounter_seq: Some(1),
        event: Event::EncounterRecorded { encounter, patient },
    };
    rules::on_vitals(&op, &recorded).await.unwrap();
    op.commit().await.unwrap();
}

fn low_oxygen(condition: &str, severity: &str) -> Value {
    let fact = |number: f64| json!([{ "name": "vitals.spo2", "value": { "number": number } }, { "name": "patient.age", "value": { "number": 40 } }]);
    json!({ "code": "low-oxygen", "title": "Oxygen saturation is low", "cause": "VITALS_RECORDED",
        "condition": condition, "severity": severity, "actions": [{ "alert": {} }],
        "cases": [{ "name": "low", "facts": fact(85.0), "fires": true }, { "name": "well", "facts": fact(98.0), "fires": false }] })
}

async fn draft(author: &Person<'_>, rule: Value) -> Value {
    let drafted = author.run("ruleDraft", RULE, rule).await;
    assert_eq!(drafted["userErrors"], json!([]), "{drafted}");
    drafted["rule"].clone()
}

async fn act(person: &Person<'_>, mutation: &str, rule: &Value) -> Value {
    person.run(mutation, RULE, json!({ "id": rule["id"], "ifVersion": rule["version"] })).await
}

/// Writes a rule, tests it and puts it into use.
pub async fn in_use(author: &Person<'_>, approver: &Person<'_>, rule: Value) -> Value {
    let drafted = draft(author, rule).await;
    let tested = act(author, "ruleTest", &drafted).await;
    assert_eq!(tested["userErrors"], json!([]), "{tested}");
    let active = act(approver, "ruleActivate", &tested["rule"]).await;
    assert_eq!(active["userErrors"], json!([]), "{active}");
    active["rule"].clone()
}

/// A rule in use that raises an alert of this severity below 92 %.
pub async fn low_oxygen_in_use(server: &TestServer, severity: &str) {
    let (author, approver) =
        (server.person("northside", "physician").await, server.person("northside", "owner").await);
    in_use(&author, &approver, low_oxygen("vitals.spo2 < 92", severity)).await;
}

#[tokio::test]
async fn a_rule_is_tested_before_it_is_used_and_approved_by_somebody_else() -> Result<()> {
    let server = clinic().await?;
    let (author, owner) =
        (server.person("northside", "physician").await, server.person("northside", "owner").await);
    let drafted = draft(&author, low_oxygen("vitals.spo2 < 92", "CRITICAL")).await;
    assert_eq!((&drafted["status"], &drafted["edition"]), (&json!("DRAFT"), &json!(1)));
    let early = act(&owner, "ruleActivate", &drafted).await;
    assert_eq!(early["userErrors"][0]["code"], "INVALID_TRANSITION");
    let tested = act(&author, "ruleTest", &drafted).await["rule"].clone();
    assert_eq!(tested["status"], "TESTED");
    assert_eq!(tested["allowedActions"], json!(["ruleRetire"]), "an author does not approve");
    assert_eq!(act(&author, "ruleActivate", &tested).await["userErrors"][0]["code"], "LOCKED");
    let active = act(&owner, "ruleActivate", &tested).await["rule"].clone();
    assert_eq!(active["status"], "ACTIVE");

    // The next edition takes its place.
    let next = in_use(&author, &owner, low_oxygen("vitals.spo2 < 90", "CRITICAL")).await;
    assert_eq!(next["edition"], 2);
    let all = owner.ask("{ rules(filter: { code: \"low-oxygen\" }) { edition status } }", json!({})).await;
    let expected = json!([{ "edition": 2, "status": "ACTIVE" }, { "edition": 1, "status": "RETIRED" }]);
    assert_eq!(all["rules"], expected);

    // What is wrong is said.
    let wrong = |input: Value| author.run("ruleDraft", RULE, input);
    for condition in ["vitals.spo2", "vitals.pulse < 1", "vitals.spo2 < 'x'", "[1].all(x, x > 0)"] {
        let answer = wrong(low_oxygen(condition, "INFO")).await;
        assert_eq!(answer["userErrors"][0]["path"], json!(["input", "condition"]), "{answer}");
    }
    let mut requires = low_oxygen("vitals.spo2 < 92", "INFO");
    requires["actions"] = json!([{ "require": { "text": "x" } }]);
    assert_eq!(wrong(requires).await["userErrors"][0]["code"], "INVALID");
    let mut one_sided = low_oxygen("vitals.spo2 < 92", "INFO");
    one_sided["cases"].as_array_mut().unwrap().pop();
    let one_sided = draft(&author, one_sided).await;
    assert_eq!(act(&author, "ruleTest", &one_sided).await["userErrors"][0]["code"], "REQUIRED");
    let mistaken = draft(&author, low_oxygen("vitals.spo2 > 92", "INFO")).await;
    let answer = act(&author, "ruleTest", &mistaken).await;
    assert_eq!(answer["userErrors"].as_array().unwrap().len(), 2, "{answer}");
    Ok(())
}

#[tokio::test]
async fn the_database_holds_what_a_rule_must_be() -> Result<()> {
    let server = clinic().await?;
    let author = server.person("northside", "physician").await;
    draft(&author, low_oxygen("vitals.spo2 < 92", "CRITICAL")).await;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    let mut admin = server.installation.admin().await?;
    admin.execute(sqlx::AssertSqlSafe(format!("SET search_path = {schema}"))).await?;
    let code = |error: sqlx::Error| error.as_database_error().unwrap().code().unwrap().into_owned();
    let of = "WHERE code = 'low-oxygen'";
    for (statement, refused) in [
        (format!("UPDATE rule SET condition = 'true' {of}"), "42501"),
        ("UPDATE rule_test_case SET fires = false".to_owned(), "42501"),
        ("DELETE FROM rule_evaluation".to_owned(), "42501"),
        ("DELETE FROM alert".to_owned(), "42501"),
        (format!("UPDATE rule SET status = 'ACTIVE' {of}"), "PX001"),
    ] {
        let error = sql.execute(sqlx::AssertSqlSafe(statement.clone())).await.unwrap_err();
        assert_eq!(code(error), refused, "{statement}");
    }
    for (statement, refused) in [
        (format!("UPDATE rule SET condition = 'true' {of}"), "PX003"),
        ("UPDATE rule_test_case SET fires = false".to_owned(), "PX003"),
        (format!("UPDATE rule SET approved_by = author_id {of}"), "23514"),
    ] {
        let error = admin.execute(sqlx::AssertSqlSafe(statement.clone())).await.unwrap_err();
        assert_eq!(code(error), refused, "{statement}");
    }
    // Tested, approved by another, and yet without cases: refused.
    let make = "INSERT INTO rule (id, code, edition, title, cause, condition, actions, severity, status) VALUES \
        (gen_random_uuid(), 'untested', 1, 'x', 'VITALS_RECORDED', 'true', '[{}]', 'INFO', 'DRAFT')";
    sql.execute(make).await?;
    sql.execute("UPDATE rule SET status = 'TESTED' WHERE code = 'untested'").await?;
    let activate = "UPDATE rule SET status = 'ACTIVE', approved_by = (SELECT id FROM user_account LIMIT 1) WHERE code = 'untested'";
    assert_eq!(code(sql.execute(activate).await.unwrap_err()), "23514");
    Ok(())
}

const SUPPORT: &str = "query($id: ID!) { decisionSupport(encounterId: $id) { rule { code edition title } result reason parts { text held } missing facts { name number } } }";

async fn support(person: &Person<'_>, encounter: EncounterId) -> Vec<Value> {
    let seen = person.ask(SUPPORT, json!({ "id": encounter.to_string() })).await;
    let of = |check: &&Value| check["rule"]["code"] == "low-oxygen";
    seen["decisionSupport"].as_array().unwrap().iter().filter(of).cloned().collect()
}

#[tokio::test]
async fn a_rule_that_fires_raises_one_alert_and_says_why() -> Result<()> {
    let server = clinic().await?;
    let (author, owner, nurse) = (
        server.person("northside", "physician").await,
        server.person("northside", "owner").await,
        server.person("northside", "nurse").await,
    );
    in_use(&author, &owner, low_oxygen("vitals.spo2 < 92 && patient.age >= 18", "CRITICAL")).await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
    // Not asked is not checked.
    let before = support(&nurse, encounter).await;
    assert_eq!((&before[0]["result"], &before[0]["reason"]), (&json!("NOT_CHECKED"), &json!("NOT_ASKED")));
    // Neither is what nobody measured.
    ask(&server, &patient, encounter, server.clock.new_id()).await;
    let unmeasured = support(&nurse, encounter).await;
    assert_eq!(unmeasured[0]["reason"], "MISSING_FACTS");
    assert_eq!(unmeasured[0]["missing"], json!(["vitals.spo2"]));

    measure(&server, &patient, encounter, &[("59408-5", "88", "%"), ("8480-6", "120", "kPa")]).await;
    let event = server.clock.new_id();
    ask(&server, &patient, encounter, event).await;
    // The same event asked again changes nothing.
    ask(&server, &patient, encounter, event).await;
    let found = support(&nurse, encounter).await;
    assert_eq!(found[0]["result"], "FIRED");
    let parts =
        json!([{ "text": "vitals.spo2 < 92", "held": true }, { "text": "patient.age >= 18", "held": true }]);
    assert_eq!(found[0]["parts"], parts);
    assert!(
        found[0]["facts"].as_array().unwrap().contains(&json!({ "name": "vitals.spo2", "number": 88.0 }))
    );
    // A pressure in another unit is not taken for one.
    assert!(!found[0]["facts"].to_string().contains("systolic"));
    let alerts = "{ alerts { totalCount nodes { title severity status rule { code condition } } } }";
    let seen = nurse.ask(alerts, json!({})).await;
    assert_eq!(seen["alerts"]["totalCount"], 1);
    let alert = &seen["alerts"]["nodes"][0];
    assert_eq!(alert["title"], "Oxygen saturation is low");
    assert_eq!(alert["rule"], json!({ "code": "low-oxygen", "condition": null }), "a nurse reads no rules");

    // Another edition explains nothing of the past anew.
    in_use(&author, &owner, low_oxygen("vitals.spo2 < 86", "CRITICAL")).await;
    let both = support(&nurse, encounter).await;
    assert_eq!(
        both.iter().map(|check| &check["result"]).collect::<Vec<_>>(),
        [&json!("FIRED"), &json!("NOT_CHECKED")]
    );
    assert_eq!(both[0]["parts"], parts);

    // What was measured lies sealed.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let readable: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM rule_evaluation WHERE position('spo2'::bytea IN explanation) > 0",
    )
    .fetch_one(&mut sql)
    .await?;
    assert_eq!(readable, 0);
    Ok(())
}

#[tokio::test]
async fn a_rule_asks_for_a_task_and_keeps_a_visit_from_being_closed() -> Result<()> {
    let server = clinic().await?;
    let (author, owner, nurse) = (
        server.person("northside", "physician").await,
        server.person("northside", "owner").await,
        server.person("northside", "nurse").await,
    );
    let mut rule = low_oxygen("vitals.spo2 < 92", "WARNING");
    rule["actions"] =
        json!([{ "task": { "code": "GIVE_OXYGEN", "role": "nurse", "priority": "STAT", "dueMinutes": 5 } }]);
    in_use(&author, &owner, rule).await;
    let open = |number: i32| json!([{ "name": "visit.open_tasks", "value": { "number": number } }]);
    let closing = json!({ "code": "no-open-tasks", "title": "Tasks are open", "cause": "ENCOUNTER_CLOSING",
        "condition": "visit.open_tasks > 0", "severity": "WARNING", "actions": [{ "require": { "text": "Finish the open tasks." } }],
        "cases": [{ "name": "some", "facts": open(2), "fires": true }, { "name": "none", "facts": open(0), "fires": false }] });
    in_use(&author, &owner, closing).await;

    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
    let required = async || {
        let op = server.as_system("northside").await.unwrap();
        let required = rules::evaluate(&op, rules::Trigger::EncounterClosing { encounter }).await.unwrap();
        op.commit().await.unwrap();
        required.into_iter().map(|one| one.text).collect::<Vec<_>>()
    };
    assert!(required().await.is_empty());
    measure(&server, &patient, encounter, &[("59408-5", "85", "%")]).await;
    ask(&server, &patient, encounter, server.clock.new_id()).await;
    let inbox = nurse
        .ask(
            "{ tasks(filter: { inbox: MY_ROLES }) { nodes { id version code priority requestedById } } }",
            json!({}),
        )
        .await;
    let task = inbox["tasks"]["nodes"][0].clone();
    assert_eq!((&task["code"], &task["priority"]), (&json!("GIVE_OXYGEN"), &json!("STAT")));
    assert_eq!(task["requestedById"], Value::Null);
    assert_eq!(required().await, ["Finish the open tasks."]);
    let select = "task { id version } userErrors { code }";
    let claimed =
        nurse.run("taskClaim", select, json!({ "id": task["id"], "ifVersion": task["version"] })).await;
    let done = json!({ "id": task["id"], "ifVersion": claimed["task"]["version"], "outcome": "DONE" });
    nurse.run("taskComplete", select, done).await;
    assert!(required().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_rule_does_not_say_the_same_again_with_every_round() -> Result<()> {
    let server = clinic().await?;
    low_oxygen_in_use(&server, "CRITICAL").await;
    let nurse = server.person("northside", "nurse").await;
    let patient = nurse.register("Ada", "Quill", "1990-01-02").await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
    let oxygen: &[_] = &[("59408-5", "85", "%")];
    let temperature: &[_] = &[("8310-5", "37", "Cel")];
    for (measured, alerts) in [(oxygen, 1), (temperature, 1), (oxygen, 2)] {
        measure(&server, &patient, encounter, measured).await;
        ask(&server, &patient, encounter, server.clock.new_id()).await;
        let seen = nurse.ask("{ alerts { totalCount } }", json!({})).await;
        assert_eq!(seen["alerts"]["totalCount"], alerts);
        // The rule was asked each time, and says so.
        assert_eq!(support(&nurse, encounter).await[0]["result"], "FIRED");
    }
    Ok(())
}

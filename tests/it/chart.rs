//! A chart as it was known at a moment.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::time::Duration;

use anyhow::Result;
use chrono::{SecondsFormat, TimeDelta};
use praxis_platform::{
    clock::{Clock, SystemClock},
    vault::crypto,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{people::Person, server::TestServer};

/// What of a list is compared, now and as of then.
const ROWS: &str = "
    conditions(first: 20) { totalCount nodes { id version updatedAt clinicalStatus verificationStatus abatedAt code { text } notes } }
    allergies(first: 20) { totalCount nodes { id version updatedAt status code { text } statusReason } }
    medicationStatements(first: 20) { totalCount nodes { id version status code { text } statusReason } }
    immunizations(first: 20) { nodes { id version status vaccine { text } statusReason } }
    procedures(first: 20) { nodes { id version status code { text } } }
    familyHistory(first: 20) { nodes { id version status relationship { text } statusReason } }
    socialHistory(first: 20) { nodes { id version status code { text } value { text } } }
    observations(first: 20) { totalCount nodes { id version status code { text codings { code } } } }
    encounters(first: 20) { totalCount nodes { id version status startedAt assessment { version text } plan { version text } } }";
const VERSION: &str = "id number kind reason sections { code text } signatures { meaning signedAt }";

/// The chart as it is now: also which documents were signed by now.
async fn live(person: &Person<'_>, patient: &str) -> (Value, Value) {
    let query = format!(
        "query($id: ID!) {{ patient(by: {{ id: $id }}) {{ {ROWS} documents(first: 20) {{ nodes {{ current {{ {VERSION} }} }} }} }} }}"
    );
    let mut chart = person.ask(&query, json!({ "id": patient })).await["patient"].clone();
    let documents = chart.as_object_mut().unwrap().remove("documents").unwrap();
    let nodes = documents["nodes"].as_array().unwrap();
    let signed = nodes.iter().map(|node| node["current"].clone()).filter(|version| !version.is_null());
    (chart, sorted(signed.collect()))
}

/// The chart as of a moment.
async fn as_of(person: &Person<'_>, patient: &str, at: &str) -> (Value, Value) {
    let query = format!(
        "query($id: ID!, $at: DateTime!) {{ patient(by: {{ id: $id }}) {{ chart(asOf: $at) {{ complete {ROWS} documents(first: 20) {{ nodes {{ {VERSION} }} }} }} }} }}"
    );
    let data = person.ask(&query, json!({ "id": patient, "at": at })).await;
    let mut chart = data["patient"]["chart"].clone();
    let lists = chart.as_object_mut().unwrap();
    assert_eq!(lists.remove("complete").unwrap(), true);
    let documents = lists.remove("documents").unwrap();
    (chart, sorted(documents["nodes"].as_array().unwrap().clone()))
}

fn sorted(mut rows: Vec<Value>) -> Value {
    rows.sort_by_key(|row| row["id"].to_string());
    rows.into()
}

fn now() -> String {
    SystemClock.now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Numbers that a seed gives: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }
}

const STEPS: &str = "query($id: ID!) { patient(by: { id: $id }) {
    conditions(first: 20) { nodes { id version allowedActions } }
    allergies(first: 20) { nodes { id version allowedActions } }
    medicationStatements(first: 20) { nodes { id version allowedActions } }
    immunizations(first: 20) { nodes { id version allowedActions } }
    familyHistory(first: 20) { nodes { id version allowedActions } } } }";

/// Something happens: a record, or a step of what is there.
async fn happen(person: &Person<'_>, patient: &str, visit: &mut Value, dice: &mut Dice, round: usize) {
    let text = |words: &str| json!({ "text": format!("{words} {round}") });
    let (verb, input) = match dice.below(12) {
        0 => ("allergyRecord", json!({ "patientId": patient, "code": text("Pollen") })),
        1 => ("problemRecord", json!({ "patientId": patient, "code": text("Asthma") })),
        2 => ("medicationStatementRecord", json!({ "patientId": patient, "code": text("Aspirin") })),
        3 => (
            "immunizationRecord",
            json!({ "patientId": patient, "vaccine": text("Influenza"), "givenAt": "2025-10" }),
        ),
        4 => (
            "socialHistoryRecord",
            json!({ "patientId": patient, "code": { "codings": [{ "system": "http://loinc.org", "code": "72166-2" }] }, "value": text("Smoker") }),
        ),
        5 => ("familyHistoryRecord", json!({ "patientId": patient, "relationship": { "text": "mother" } })),
        6 | 7 => {
            let (verb, input) = match dice.below(3) {
                0 => ("planRecord", json!({ "text": format!("Rest {round}") })),
                1 => (
                    "assessmentRecord",
                    json!({ "text": format!("A cold {round}"), "diagnoses": [{ "code": format!("J20.{}", dice.below(9)), "rank": 1 }] }),
                ),
                _ if visit["status"] == "ON_HOLD" => ("encounterResume", json!({})),
                _ => ("encounterHold", json!({ "reason": "A call" })),
            };
            let mut whole = json!({ "id": visit["id"], "ifVersion": visit["version"] });
            whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
            let done = person.run(verb, "encounter { id version status } userErrors { code }", whole).await;
            if !done["encounter"].is_null() {
                *visit = done["encounter"].clone();
            }
            return;
        }
        _ => {
            let data = person.ask(STEPS, json!({ "id": patient })).await;
            let lists = data["patient"].as_object().unwrap().values();
            let objects = lists.flat_map(|list| list["nodes"].as_array().unwrap());
            let steps: Vec<(&Value, &str)> = objects
                .flat_map(|one| {
                    let actions = one["allowedActions"].as_array().unwrap().iter();
                    actions.map(move |action| (one, action.as_str().unwrap()))
                })
                // A label changes who may read a row, and nothing of what it says.
                .filter(|(_, action)| *action != "confidentialitySet")
                .collect();
            if steps.is_empty() {
                return;
            }
            let (object, action) = steps[dice.below(steps.len())];
            let input = json!({ "id": object["id"], "ifVersion": object["version"], "reason": format!("Round {round}") });
            person.run(action, "userErrors { code }", input).await;
            return;
        }
    };
    let done = person.run(verb, "userErrors { code path }", input).await;
    assert_eq!(done["userErrors"], json!([]), "{verb}");
}

/// Signs a document, or amends the one that is there.
async fn write(person: &Person<'_>, patient: &str, document: &mut Value, round: usize) {
    const SHOWN: &str = "document { id version status } userErrors { code path message }";
    let sections = |words: &str| {
        let codes = ["61150-9", "61149-1", "51848-0", "18776-5"];
        codes.map(|code| json!({ "code": code, "text": format!("{words} {round}") }))
    };
    if document.is_null() {
        let templates = person.ask("{ documentTemplates { id key } }", json!({})).await;
        let templates = templates["documentTemplates"].as_array().unwrap();
        let soap = templates.iter().find(|one| one["key"] == "soap").unwrap_or(&templates[0]);
        let input = json!({ "patientId": patient, "templateId": soap["id"], "sections": sections("Cough") });
        let drafted = person.run("documentDraft", SHOWN, input).await["document"].clone();
        let input = json!({ "id": drafted["id"], "ifVersion": drafted["version"] });
        *document = person.run("documentSign", SHOWN, input).await["document"].clone();
        return;
    }
    let input = json!({ "id": document["id"], "ifVersion": document["version"], "sections": sections("Fever"), "reason": "Mended" });
    *document = person.run("documentAmend", SHOWN, input).await["document"].clone();
}

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

async fn visit(person: &Person<'_>, patient: &str) -> Value {
    const SHOWN: &str = "encounter { id version status } userErrors { code }";
    let made =
        person.run("encounterCreate", SHOWN, json!({ "patientId": patient })).await["encounter"].clone();
    let mut visit = made;
    for step in ["encounterCheckIn", "encounterStart"] {
        let input = json!({ "id": visit["id"], "ifVersion": visit["version"] });
        visit = person.run(step, SHOWN, input).await["encounter"].clone();
    }
    visit
}

#[tokio::test]
async fn at_any_moment_the_chart_is_what_it_was_then() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let seed = u64::from_le_bytes(crypto::random::<8>()?);
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    for (given, born) in [("Ada", "1990-01-02"), ("Bea", "1971-06-05")] {
        let patient = owner.register(given, "Quill", born).await;
        let mut visit = visit(&owner, &patient).await;
        let (mut document, mut seen) = (Value::Null, Vec::new());
        for round in 0..30 {
            if round % 10 == 5 {
                write(&owner, &patient, &mut document, round).await;
            } else {
                happen(&owner, &patient, &mut visit, &mut dice, round).await;
            }
            if dice.below(2) == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
                seen.push((now(), live(&owner, &patient).await));
            }
        }
        assert!(!document.is_null() && seen.len() > 3);
        for (at, (chart, documents)) in &seen {
            let (then, written) = as_of(&owner, &patient, at).await;
            assert_eq!(&then, chart, "seed {seed}, at {at}");
            assert_eq!(&written, documents, "seed {seed}, at {at}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_read_now_may_not_read_as_of_then_and_the_moment_is_written_down() -> Result<()> {
    const READ: &str = "query($id: ID!, $at: DateTime!) { patient(by: { id: $id }) { chart(asOf: $at) {
        asOf complete allergies { nodes { id status allowedActions code { text } } } documents { nodes { id } } } } }";
    let server = clinic().await?;
    let (owner, desk) =
        (server.person("northside", "owner").await, server.person("northside", "receptionist").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let before = now();
    let input = json!({ "patientId": patient, "code": { "text": "Pollen" } });
    let shown = "allergy { id version } userErrors { code }";
    let allergy = owner.run("allergyRecord", shown, input).await["allergy"].clone();
    let between = now();
    let input = json!({ "id": allergy["id"], "ifVersion": allergy["version"], "reason": "Gone" });
    owner.run("allergyResolve", shown, input).await;

    let at = |at: &str| json!({ "id": patient, "at": at });
    let chart = owner.ask(READ, at(&before)).await["patient"]["chart"].clone();
    assert_eq!(chart["allergies"]["nodes"], json!([]));
    let chart = owner.ask(READ, at(&between)).await["patient"]["chart"].clone();
    let known = json!({ "id": allergy["id"], "status": "ACTIVE", "allowedActions": [], "code": { "text": "Pollen" } });
    assert_eq!((&chart["allergies"]["nodes"], &chart["complete"]), (&json!([known]), &json!(true)));

    // A receptionist reads no allergies today, so none of then, and learns of none by what is left out.
    let refused = desk.send(READ, at(&between), &[]).await;
    let chart = &refused.body["data"]["patient"]["chart"];
    assert!(chart["allergies"].is_null() && chart["complete"].is_null(), "{}", refused.text);

    // Nobody knows what will be known.
    let ahead = (SystemClock.now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Micros, true);
    let refused = owner.send(READ, at(&ahead), &[]).await;
    assert_eq!(refused.code(), "BAD_USER_INPUT", "{}", refused.text);

    // Who looked back, at whom and to when is in the log.
    let mut admin = server.installation.admin().await?;
    let op = server.as_system("northside").await?;
    let schema = op.tenant().schema.as_str().to_owned();
    op.rollback().await?;
    let sql = format!("SELECT reason FROM {schema}.audit_entry WHERE action = 'chart.as-of' ORDER BY id");
    let moments: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut admin).await?;
    assert!(moments.contains(&before) && moments.contains(&between), "{moments:?}");

    // What the database keeps, nobody changes, forges or takes away.
    let mut runtime = server.installation.tenant_connection("northside").await?;
    for forbidden in [
        "DELETE FROM chart_version",
        "UPDATE chart_version SET version = 7",
        "INSERT INTO chart_version DEFAULT VALUES",
    ] {
        let refused = runtime.execute(forbidden).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{forbidden}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_document_says_of_a_visit_is_as_sensitive_as_the_document() -> Result<()> {
    const READ: &str = "query($id: ID!, $visit: ID!, $at: DateTime!) {
        encounter(id: $visit) { assessment { text } notes { text } timeline { nodes { kind } } }
        patient(by: { id: $id }) { chart(asOf: $at) { encounters { nodes { assessment { text } } } } } }";
    const SHOWN: &str = "document { id version } userErrors { code path message }";
    let server = clinic().await?;
    let (owner, nurse) =
        (server.person("northside", "owner").await, server.person("northside", "nurse").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let visit = visit(&owner, &patient).await;
    let section = json!({ "code": "51848-0", "title": "Assessment", "feeds": "ASSESSMENT" });
    let template = json!({ "title": "Kept", "type": "34748-4", "sections": [section] });
    let template = owner.run("documentTemplateAdd", "documentTemplate { id }", template).await;
    let input = json!({ "patientId": patient, "encounterId": visit["id"],
        "templateId": template["documentTemplate"]["id"],
        "sections": [{ "code": "51848-0", "text": "Told in confidence" }] });
    let drafted = owner.run("documentDraft", SHOWN, input).await["document"].clone();
    let input = json!({ "id": drafted["id"], "ifVersion": drafted["version"] });
    let signed = owner.run("documentSign", SHOWN, input).await;
    assert_eq!(signed["userErrors"], json!([]));
    let variables = json!({ "id": patient, "visit": visit["id"], "at": now() });
    let seen = async || nurse.send(READ, variables.clone(), &[]).await.body["data"].clone();
    let then = |data: &Value| data["patient"]["chart"]["encounters"]["nodes"][0]["assessment"].clone();

    let data = seen().await;
    let said = json!({ "text": "Told in confidence" });
    assert_eq!((&data["encounter"]["assessment"], &then(&data)), (&said, &said), "{data}");
    assert!(data.to_string().contains("DOCUMENT_SIGNED"), "{data}");

    // Restricted, it is known to be there.
    let input = json!({ "id": drafted["id"], "confidentiality": "RESTRICTED" });
    let labelled = owner.run("confidentialitySet", "userErrors { message }", input).await;
    assert_eq!(labelled["userErrors"], json!([]));
    let (data, kept) = (seen().await, json!({ "text": null }));
    assert_eq!((&data["encounter"]["assessment"], &then(&data)), (&kept, &kept), "{data}");
    assert_eq!(data["encounter"]["notes"], json!([kept]));

    // Very restricted, it is not.
    let schema = server.app.directory.by_slug("northside").unwrap().schema.to_string();
    let mut admin = server.installation.admin().await?;
    let stricter = format!("UPDATE {schema}.sensitivity_label SET level = 'V'");
    admin.execute(AssertSqlSafe(stricter)).await?;
    let data = seen().await;
    assert_eq!((&data["encounter"]["assessment"], &then(&data)), (&Value::Null, &Value::Null), "{data}");
    assert_eq!(data["encounter"]["notes"], json!([]));
    assert!(!data.to_string().contains("DOCUMENT_"), "{data}");
    Ok(())
}

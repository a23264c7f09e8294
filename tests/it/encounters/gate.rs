//! What the gate asks of a note, and what a clinic decides that it asks.

use anyhow::Result;
use praxis_platform::clock::Clock;
use serde_json::{Value, json};

use super::{SLUG, Visit, clinic, requirements, text};
use crate::support::{people::Person, server::TestServer};

const ASSESSMENT: &str = "51848-0";
const PLAN: &str = "18776-5";
const DOCUMENT: &str = "document { id version status } userErrors { code message path }";

/// A clinician who signs in, with their id as one.
pub async fn clinician<'a>(server: &'a TestServer, owner: &Person<'_>, role: &str) -> (Person<'a>, String) {
    let id = owner.clinician(role).await;
    let email = format!("{role}-{}@praxis.test", server.clock.new_id().simple());
    server.user(SLUG, &email, role).await.unwrap();
    let mut sql = server.installation.tenant_connection(SLUG).await.unwrap();
    let link = "UPDATE user_account SET practitioner_id = $1 WHERE email = $2";
    let practitioner: praxis_entity::ids::PractitionerId = id.parse().unwrap();
    sqlx::query(link).bind(practitioner.0).bind(&email).execute(&mut sql).await.unwrap();
    (server.enter(SLUG, &email).await, id)
}

async fn template(person: &Person<'_>, key: &str) -> String {
    let data = person.ask("{ documentTemplates { id key } }", json!({})).await;
    let all = data["documentTemplates"].as_array().unwrap();
    text(&all.iter().find(|template| template["key"] == key).unwrap()["id"])
}

/// A note of a visit that is not signed yet.
async fn note(person: &Person<'_>, visit: &Visit<'_>, key: &str, assessment: &str, plan: &str) -> Value {
    let patient = visit.shown("patient { id }").await["patient"]["id"].clone();
    let mut sections = json!([{ "code": "61150-9", "text": "Cough" }, { "code": ASSESSMENT, "text": assessment },
        { "code": PLAN, "text": plan }]);
    if key != "telephone_encounter" {
        sections.as_array_mut().unwrap().push(json!({ "code": "61149-1", "text": "Clear" }));
    }
    let input = json!({ "patientId": patient, "encounterId": visit.id, "templateId": template(person, key).await, "sections": sections });
    let drafted = person.run("documentDraft", DOCUMENT, input).await;
    assert_eq!(drafted["userErrors"], json!([]));
    drafted["document"].clone()
}

async fn act(person: &Person<'_>, mutation: &str, document: &Value, more: Value) -> Value {
    let mut input = json!({ "id": document["id"], "ifVersion": document["version"] });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let done = person.run(mutation, DOCUMENT, input).await;
    assert_eq!(done["userErrors"], json!([]), "{mutation}");
    done["document"].clone()
}

/// The visit as it stands now.
async fn refresh(visit: &mut Visit<'_>) -> Value {
    let shown = visit.shown("version assessment { version text document { id } } plan { version text document { id } } closeRequirements { code }").await;
    visit.version = shown["version"].as_i64().unwrap();
    shown
}

fn codes(shown: &Value) -> Vec<String> {
    shown["closeRequirements"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect()
}

#[tokio::test]
async fn a_visit_is_closed_once_whoever_answers_for_it_has_signed_a_note() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let ((attending, _), (other, _)) =
        (clinician(&server, &owner, "physician").await, clinician(&server, &owner, "physician").await);
    let mut visit = Visit::under_way(&attending).await;
    visit.complete().await;
    assert_eq!(requirements(&visit.attempt("encounterClose", json!({})).await), ["SIGNED_DOCUMENT"]);

    // A colleague's note is no note of theirs.
    let theirs = note(&other, &visit, "soap", "Well", "Nothing").await;
    assert_eq!(codes(&refresh(&mut visit).await), ["SIGNED_DOCUMENT", "UNSIGNED_DOCUMENT"]);
    act(&other, "documentSign", &theirs, json!({})).await;
    assert_eq!(codes(&refresh(&mut visit).await), ["SIGNED_DOCUMENT"]);

    let own = note(&attending, &visit, "soap", "Well", "Nothing").await;
    let signed = act(&attending, "documentSign", &own, json!({})).await;
    assert_eq!(codes(&refresh(&mut visit).await), Vec::<String>::new());
    // What should not be there is no note either.
    act(&attending, "documentEnterInError", &signed, json!({ "reason": "Another patient's" })).await;
    assert_eq!(codes(&refresh(&mut visit).await), ["SIGNED_DOCUMENT"]);
    // The database looks for itself, and believes nobody who says that nothing is missing.
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let said = "INSERT INTO encounter_closing (encounter_id, encounter_version, closed_at, missing) SELECT id, version, now(), '{}' FROM encounter";
    sqlx::query(said).execute(&mut sql).await?;
    let close = "UPDATE encounter SET status = 'CLOSED'";
    let refused = sqlx::query(close).execute(&mut sql).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "PX021");

    let again = note(&attending, &visit, "soap", "Better", "Nothing more").await;
    act(&attending, "documentSign", &again, json!({})).await;
    refresh(&mut visit).await;
    assert_eq!(visit.go("encounterClose", json!({})).await["status"], "CLOSED");
    Ok(())
}

#[tokio::test]
async fn a_clinic_decides_what_it_asks_of_a_kind_of_visit() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person(SLUG, "physician").await;
    const POLICY: &str =
        "visitPolicy { class version needsVitals needsSignedNote reopenDays } userErrors { code path }";
    let mut visit = Visit::under_way(&physician).await;
    visit.complete().await;
    assert_eq!(codes(&refresh(&mut visit).await), ["SIGNED_DOCUMENT"]);

    let set = json!({ "class": "AMBULATORY", "ifVersion": 1, "needsSignedNote": false, "needsVitals": true });
    let forbidden = "mutation($input: VisitPolicySetInput!) { visitPolicySet(input: $input) { visitPolicy { version } } }";
    let refused = physician.send(forbidden, json!({ "input": set }), &[]).await;
    assert_eq!(
        (refused.code(), refused.body["errors"][0]["extensions"]["permission"].as_str()),
        ("FORBIDDEN", Some("settings:manage"))
    );
    assert_eq!(physician.send("{ visitPolicies { class } }", json!({}), &[]).await.code(), "FORBIDDEN");
    let manager = server.person(SLUG, "practice_manager").await;
    let changed = manager.run("visitPolicySet", POLICY, set.clone()).await;
    assert_eq!(
        changed["visitPolicy"],
        json!({ "class": "AMBULATORY", "version": 2, "needsVitals": true, "needsSignedNote": false, "reopenDays": 7 })
    );
    let stale = manager.run("visitPolicySet", POLICY, set).await;
    assert_eq!(stale["userErrors"][0]["code"], "VERSION_CONFLICT");
    let wrong = json!({ "class": "AMBULATORY", "ifVersion": 2, "reopenDays": 366 });
    let wrong = manager.run("visitPolicySet", POLICY, wrong).await;
    assert_eq!(
        (&wrong["userErrors"][0]["code"], &wrong["userErrors"][0]["path"]),
        (&json!("OUT_OF_RANGE"), &json!(["input", "reopenDays"]))
    );
    let all = manager.ask("{ visitPolicies { class needsSignedNote } }", json!({})).await;
    let asked = all["visitPolicies"].as_array().unwrap().iter().filter(|one| one["needsSignedNote"] == true);
    let asked: Vec<_> = asked.map(|one| text(&one["class"])).collect();
    assert_eq!(asked, ["EMERGENCY", "HOME", "INPATIENT", "VIRTUAL"]);

    // It counts for what is under way, too.
    assert_eq!(codes(&refresh(&mut visit).await), ["MISSING_VITALS"]);
    let pulse = json!({ "id": visit.id, "heartRate": { "value": "72", "unit": "/min" } });
    physician.run("vitalsRecord", "userErrors { code }", pulse).await;
    assert_eq!(visit.go("encounterClose", json!({})).await["status"], "CLOSED");
    Ok(())
}

#[tokio::test]
async fn what_a_signed_note_says_becomes_the_assessment_and_the_plan_of_its_visit() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (physician, id) = clinician(&server, &owner, "physician").await;
    let mut visit = Visit::under_way(&physician).await;
    let written = note(&physician, &visit, "soap", " A cold\n", "Rest").await;
    assert_eq!(refresh(&mut visit).await["assessment"], Value::Null, "nobody signed it yet");
    let before = visit.version;
    let signed = act(&physician, "documentSign", &written, json!({})).await;
    let heard = refresh(&mut visit).await;
    let from = json!({ "id": written["id"] });
    assert_eq!(heard["assessment"], json!({ "version": 1, "text": "A cold", "document": from }));
    assert_eq!(heard["plan"], json!({ "version": 1, "text": "Rest", "document": from }));
    assert_eq!(visit.version, before + 1);
    let by = visit.shown("plan { recordedBy { id } } timeline { nodes { kind } }").await;
    assert_eq!(by["plan"]["recordedBy"]["id"], id);
    assert_eq!(by["timeline"].to_string().matches("_RECORDED").count(), 2);

    // Somebody says it better by hand; an amendment of the plan does not bring back the old assessment.
    visit.go("assessmentRecord", json!({ "text": "A cold, in its second week" })).await;
    let amendment = json!({ "sections": [{ "code": PLAN, "text": "Rest and tea" }], "reason": "Tea helps" });
    let amended = act(&physician, "documentAmend", &signed, amendment).await;
    let heard = refresh(&mut visit).await;
    assert_eq!(
        heard["assessment"],
        json!({ "version": 2, "text": "A cold, in its second week", "document": null })
    );
    assert_eq!((&heard["plan"]["version"], &heard["plan"]["text"]), (&json!(2), &json!("Rest and tea")));
    // Another note that says the same says nothing new.
    let same = note(&physician, &visit, "soap", "A cold, in its second week", "Rest and tea").await;
    let before = visit.version;
    act(&physician, "documentSign", &same, json!({})).await;
    let heard = refresh(&mut visit).await;
    assert_eq!((&heard["assessment"]["version"], &heard["plan"]["version"]), (&json!(2), &json!(2)));
    assert_eq!(visit.version, before);

    // Also after the visit: what it came to is what the note says that counts.
    visit.go("assessmentRecord", json!({ "diagnoses": [{ "code": "J00", "rank": 1 }] })).await;
    visit.go("encounterClose", json!({})).await;
    let amendment =
        json!({ "sections": [{ "code": ASSESSMENT, "text": "Influenza" }], "reason": "The test came back" });
    act(&physician, "documentAmend", &amended, amendment).await;
    let heard = refresh(&mut visit).await;
    assert_eq!(
        (&heard["assessment"]["version"], &heard["assessment"]["text"]),
        (&json!(3), &json!("Influenza"))
    );
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let said: Vec<(String, i64)> = sqlx::query_as("SELECT action, count(*) FROM audit_entry WHERE action IN ('encounter.assess', 'encounter.plan') GROUP BY action ORDER BY action").fetch_all(&mut sql).await?;
    assert_eq!(said, [("encounter.assess".to_owned(), 4), ("encounter.plan".to_owned(), 2)]);
    Ok(())
}

#[tokio::test]
async fn a_note_that_waits_for_a_second_signature_says_nothing_until_it_has_it() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let ((physician, _), (nurse, nurse_id)) =
        (clinician(&server, &owner, "physician").await, clinician(&server, &owner, "nurse").await);
    let mut visit = Visit::under_way(&physician).await;
    let written = note(&nurse, &visit, "soap", "A cold", "Rest").await;
    let waits = act(&nurse, "documentSign", &written, json!({})).await;
    assert_eq!(waits["status"], "IN_REVIEW");
    assert_eq!(refresh(&mut visit).await["plan"], Value::Null);
    act(&physician, "documentCosign", &waits, json!({})).await;
    let shown = visit.shown("plan { text recordedBy { id } } closeRequirements { code }").await;
    assert_eq!(shown["plan"], json!({ "text": "Rest", "recordedBy": { "id": nurse_id } }));
    // The attending's name stands under it now.
    assert_eq!(codes(&shown), ["MISSING_DIAGNOSIS"]);
    // A nurse's own kind of note is none of the visit's plan, whoever signs it.
    let own = note(&nurse, &visit, "nurse_note", "Anxious", "Call the daughter").await;
    act(&nurse, "documentSign", &own, json!({})).await;
    assert_eq!(visit.shown("plan { text }").await["plan"]["text"], "Rest");
    // And whoever may not consult says nothing of a visit, by whatever note.
    let call = note(&nurse, &visit, "telephone_encounter", "Worse", "Come in").await;
    let done = act(&nurse, "documentSign", &call, json!({})).await;
    assert_eq!(done["status"], "SIGNED");
    assert_eq!(visit.shown("plan { text }").await["plan"]["text"], "Rest");
    Ok(())
}

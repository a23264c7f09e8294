//! An id of another clinic, and a cursor, is answered as if there were no such thing.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::arguments::WITH_AN_ID;
use crate::support::server::TestServer;

async fn two_clinics() -> Result<TestServer> {
    TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")]).await
}

/// One object of each kind that can be made through the API.
async fn objects(server: &TestServer, slug: &str) -> HashMap<&'static str, String> {
    let owner = server.person(slug, "owner").await;
    let (facility, practitioner) = (owner.facility("MAIN").await, owner.clinician("Osei").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let first = |data: &Value, path: &str| data.pointer(path).unwrap().as_str().unwrap().to_owned();
    let room = owner.ask(&format!("mutation {{ roomAdd(input: {{ facilityId: \"{facility}\", name: \"A\" }}) {{ room {{ id }} }} }}"), json!({})).await;
    let related = owner.ask(&format!("mutation {{ relatedPersonAdd(input: {{ patientId: \"{patient}\", relationship: {{ text: \"mother\" }}, name: {{ given: [\"Eva\"], family: \"Quill\" }} }}) {{ relatedPerson {{ id }} }} }}"), json!({})).await;
    let booked = owner.ask(&format!("mutation {{ appointmentBook(input: {{ patientId: \"{patient}\", practitionerId: \"{practitioner}\", type: PHONE, startsAt: \"2027-04-01T10:00:00Z\" }}) @idempotent(key: \"first\") {{ appointment {{ id }} }} }}"), json!({})).await;
    let device = owner.ask(&format!("mutation {{ deviceAdd(input: {{ facilityId: \"{facility}\", kind: \"ECG\", name: \"A\" }}) {{ device {{ id }} }} }}"), json!({})).await;
    let kind = owner.ask("{ visitKinds { id } }", json!({})).await;
    let templates = owner.ask("{ documentTemplates { id } }", json!({})).await;
    let template = first(&templates, "/documentTemplates/0/id");
    let drafted = owner.ask(&format!("mutation {{ documentDraft(input: {{ patientId: \"{patient}\", templateId: \"{template}\" }}) {{ document {{ id }} }} }}"), json!({})).await;
    let visit = owner.ask(&format!("mutation {{ encounterCreate(input: {{ patientId: \"{patient}\" }}) {{ encounter {{ id }} }} }}"), json!({})).await;
    HashMap::from([
        ("ntp", template),
        ("doc", first(&drafted, "/documentDraft/document/id")),
        ("fac", facility),
        ("pra", practitioner),
        ("pat", patient.clone()),
        ("any", patient),
        ("roo", first(&room, "/roomAdd/room/id")),
        ("rel", first(&related, "/relatedPersonAdd/relatedPerson/id")),
        ("apt", first(&booked, "/appointmentBook/appointment/id")),
        ("dev", first(&device, "/deviceAdd/device/id")),
        ("vst", first(&kind, "/visitKinds/0/id")),
        ("enc", first(&visit, "/encounterCreate/encounter/id")),
    ])
}

#[tokio::test]
async fn a_foreign_id_answers_exactly_like_one_that_never_was() -> Result<()> {
    let server = two_clinics().await?;
    let (own, foreign) = (objects(&server, "northside").await, objects(&server, "harbor").await);
    let owner = server.proven("northside", "owner").await;
    for (query, kind) in WITH_AN_ID.iter().copied().flatten() {
        let query = query
            .replace("PRA", &own["pra"])
            .replace("PAT", &own["pat"])
            .replace("FAC", &own["fac"])
            .replace("APT", &own["apt"])
            .replace("NTP", &own["ntp"])
            .replace("ENC", &own["enc"]);
        // Of some kinds none is made here: a patient's digits do as well.
        let prefix = if *kind == "any" { "pat" } else { kind };
        let foreign = foreign
            .get(kind)
            .cloned()
            .unwrap_or_else(|| foreign["pat"].replace("pat_", &format!("{prefix}_")));
        let unknown = format!("{prefix}_01jd3k5n8re6ktp1rb6z9q4x2m");
        let answers = [
            owner.send(&query, json!({ "id": foreign }), &[]).await,
            owner.send(&query, json!({ "id": unknown }), &[]).await,
        ];
        let [foreign, unknown] = answers.map(|mut answer| {
            if !answer.body["errors"].is_null() {
                answer.body["errors"][0]["extensions"]["requestId"] = Value::Null;
            }
            // What is left to spend depends on when it was asked, not on what.
            if let Some(cost) = answer.body.pointer_mut("/extensions/cost/throttleStatus") {
                *cost = Value::Null;
            }
            (answer.status, answer.body)
        });
        assert_eq!(foreign, unknown, "{query}");
        let text = foreign.1.to_string();
        assert!(!text.contains("INTERNAL") && !text.contains("Quill"), "{query}: {text}");
    }
    Ok(())
}

#[test]
fn every_argument_that_takes_an_id_is_among_those_tried() {
    let schema = include_str!("../../../schema.graphql");
    let mut inside = "";
    let inputs = schema.lines().filter(|line| {
        if !line.starts_with('\t') {
            inside = line.split(' ').next().unwrap_or_default();
        }
        let takes_an_id = ["ID", "ID!", "[ID!]", "[ID!]!"]
            .iter()
            .any(|ty| line.trim_end_matches(',').ends_with(&format!(": {ty}")));
        // Fields of inputs, and arguments, which are indented twice.
        takes_an_id && (inside == "input" || line.starts_with("\t\t"))
    });
    // A new argument belongs into WITH_AN_ID; then this number grows.
    // Those of subscriptions are tried in `live`.
    assert_eq!(inputs.count(), 250);
}

#[tokio::test]
async fn a_cursor_opens_only_at_its_own_clinic() -> Result<()> {
    let server = two_clinics().await?;
    let (north, harbor) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    for owner in [&north, &harbor] {
        owner.register("Ada", "Quill", "1990-01-02").await;
        owner.register("Bea", "Rook", "1991-01-02").await;
    }
    let query =
        "query($after: String) { patients(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }";
    let cursor =
        harbor.ask(query, json!({ "after": null })).await["patients"]["pageInfo"]["endCursor"].clone();
    assert!(harbor.send(query, json!({ "after": cursor }), &[]).await.body["errors"].is_null());
    let answer = north.send(query, json!({ "after": cursor }), &[]).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    Ok(())
}

//! Labels: what is marked as sensitive is closed to whoever may not read it, of whatever kind it is, and shows nowhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use praxis_entity::ids::AnyId;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{people::Person, server::TestServer};

const SLUG: &str = "northside";
/// A word that is in every row, and that nobody says by chance.
const SECRET: &str = "Zqanemone";

/// Each kind of row with content: how it is made, where the answer has it, and the table that its label names.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("allergyRecord", "allergy", r#"{ "patientId": "$patient", "code": { "text": "$secret" } }"#, "ALLERGY"),
    (
        "medicationStatementRecord",
        "medicationStatement",
        r#"{ "patientId": "$patient", "code": { "text": "$secret" } }"#,
        "MEDICATION_STATEMENT",
    ),
    (
        "immunizationRecord",
        "immunization",
        r#"{ "patientId": "$patient", "vaccine": { "text": "$secret" }, "givenAt": "2020" }"#,
        "IMMUNIZATION",
    ),
    (
        "procedureRecord",
        "procedure",
        r#"{ "patientId": "$patient", "code": { "text": "$secret" } }"#,
        "PROCEDURE",
    ),
    (
        "familyHistoryRecord",
        "familyHistory",
        r#"{ "patientId": "$patient", "relationship": { "text": "$secret" } }"#,
        "FAMILY_HISTORY",
    ),
    (
        "socialHistoryRecord",
        "socialHistory",
        r#"{ "patientId": "$patient", "code": { "text": "$secret" }, "value": { "text": "Daily" } }"#,
        "SOCIAL_HISTORY",
    ),
    (
        "taskCreate",
        "task",
        r#"{ "code": "CALL", "patientId": "$patient", "description": "About $secret" }"#,
        "TASK",
    ),
    (
        "documentDraft",
        "document",
        r#"{ "patientId": "$patient", "templateId": "$template", "sections": [{ "code": "51848-0", "text": "$secret" }] }"#,
        "CLINICAL_DOCUMENT",
    ),
];

const CHART: &str = "query($id: ID!) { patient(by: { id: $id }) {
    allergies(first: 9) { totalCount nodes { id code { text } } }
    medicationStatements(first: 9) { totalCount nodes { id code { text } } }
    immunizations(first: 9) { totalCount nodes { id vaccine { text } } }
    procedures(first: 9) { totalCount nodes { id code { text } } }
    familyHistory(first: 9) { totalCount nodes { id relationship { text } } }
    socialHistory(first: 9) { totalCount nodes { id code { text } } }
    documents(first: 9) { totalCount nodes { id current { sections { text } } } } } }";
const NODE: &str = "query($id: ID!) { node(id: $id) { __typename
    ... on Allergy { code { text } } ... on MedicationStatement { code { text } } ... on Immunization { vaccine { text } }
    ... on Procedure { code { text } } ... on FamilyHistory { relationship { text } } ... on SocialHistory { code { text } }
    ... on Task { description redactions { field reason } }
    ... on ClinicalDocument { current { sections { text } } redactions { field reason } } } }";

struct Chart<'a> {
    owner: Person<'a>,
    nurse: Person<'a>,
    patient: String,
    template: String,
}

impl<'a> Chart<'a> {
    async fn open(server: &'a TestServer) -> Self {
        let (owner, nurse) = (server.person(SLUG, "owner").await, server.person(SLUG, "nurse").await);
        let patient = owner.register("Ada", "Quill", "1990-01-02").await;
        let section = json!({ "code": "51848-0", "title": "Assessment" });
        let template = json!({ "title": "Kept", "type": "34748-4", "sections": [section] });
        let made = owner.run("documentTemplateAdd", "documentTemplate { id }", template).await;
        let template = made["documentTemplate"]["id"].as_str().unwrap().to_owned();
        Self { owner, nurse, patient, template }
    }

    /// A row of a kind; a document is signed, so that others may read it.
    async fn add(&self, (mutation, path, input, _): (&str, &str, &str, &str)) -> String {
        let input = input
            .replace("$patient", &self.patient)
            .replace("$secret", SECRET)
            .replace("$template", &self.template);
        let select = format!("{path} {{ id }} userErrors {{ message }}");
        let made = self.owner.run(mutation, &select, serde_json::from_str(&input).unwrap()).await;
        assert_eq!(made["userErrors"], json!([]), "{mutation}");
        let id = made[path]["id"].as_str().unwrap().to_owned();
        if path == "document" {
            self.owner
                .run("documentSign", "userErrors { message }", json!({ "id": id, "ifVersion": 1 }))
                .await;
        }
        id
    }

    async fn label(&self, id: &str, level: &str) {
        let input = json!({ "id": id, "confidentiality": level });
        let set = self.owner.run("confidentialitySet", "confidentiality userErrors { message }", input).await;
        assert_eq!(set, json!({ "confidentiality": level, "userErrors": [] }), "{id}");
    }
}

async fn node(person: &Person<'_>, id: &str) -> Value {
    person.ask(NODE, json!({ "id": id })).await["node"].clone()
}

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[(SLUG, "root@praxis.test", "owner")]).await
}

#[tokio::test]
async fn what_is_labelled_is_closed_to_whoever_may_not_read_it_and_open_again_without_the_label() -> Result<()>
{
    let server = clinic().await?;
    let chart = Chart::open(&server).await;
    let mut ids = Vec::new();
    for kind in KINDS {
        let id = chart.add(*kind).await;
        assert!(node(&chart.nurse, &id).await.to_string().contains(SECRET), "{}", kind.0);
        chart.label(&id, "RESTRICTED").await;
        let seen = node(&chart.nurse, &id).await;
        assert!(!seen.to_string().contains(SECRET), "{seen}");
        assert!(node(&chart.owner, &id).await.to_string().contains(SECRET), "who may read it still does");
        ids.push(id);
    }
    // That there is a task or a document is known; what it says is not, and it is said why.
    for (id, field) in [(&ids[6], "/description"), (&ids[7], "/current/sections")] {
        let seen = node(&chart.nurse, id).await;
        assert_eq!(seen.pointer(field), Some(&Value::Null), "{seen}");
        assert!(seen["redactions"].to_string().contains("SENSITIVITY"), "{seen}");
    }
    let lists = chart.nurse.ask(CHART, json!({ "id": chart.patient })).await["patient"].clone();
    assert!(!lists.to_string().contains(SECRET), "{lists}");
    for (list, rows) in lists.as_object().unwrap() {
        let counted = if list == "documents" { 1 } else { 0 };
        assert_eq!(rows["totalCount"], counted, "{list}");
    }
    for id in &ids {
        chart.label(id, "NORMAL").await;
        assert!(node(&chart.nurse, id).await.to_string().contains(SECRET));
    }
    Ok(())
}

#[tokio::test]
async fn a_label_of_the_patient_closes_what_is_written_about_their_tasks() -> Result<()> {
    let server = clinic().await?;
    let chart = Chart::open(&server).await;
    let task = chart.add(KINDS[6]).await;
    chart.label(&chart.patient, "RESTRICTED").await;
    let seen = node(&chart.nurse, &task).await;
    assert_eq!(seen["description"], Value::Null);
    assert!(seen["redactions"].to_string().contains("SENSITIVITY"), "{seen}");
    // The work itself goes on, and its answers say no more than reading does.
    let taken = chart
        .nurse
        .run(
            "taskClaim",
            "task { status description } userErrors { message }",
            json!({ "id": task, "ifVersion": 1 }),
        )
        .await;
    assert_eq!(taken["task"], json!({ "status": "ACCEPTED", "description": null }), "{taken}");
    let listed =
        chart.nurse.ask("{ tasks(first: 9) { totalCount nodes { id description } } }", json!({})).await;
    assert_eq!(listed["tasks"]["totalCount"], 1);
    assert!(!listed.to_string().contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn what_was_added_to_a_document_is_as_sensitive_as_the_document() -> Result<()> {
    let server = clinic().await?;
    let chart = Chart::open(&server).await;
    let document = chart.add(KINDS[7]).await;
    let addendum = json!({ "id": document, "ifVersion": 2, "text": format!("More of {SECRET}") });
    let added = chart.owner.run("documentAddendum", "userErrors { message }", addendum).await;
    assert_eq!(added["userErrors"], json!([]));
    let query = "query($id: ID!) { document(id: $id) { addenda { id } } }";
    let document_now = chart.owner.ask(query, json!({ "id": document })).await["document"].clone();
    let addendum = document_now["addenda"][0]["id"].as_str().unwrap();
    assert!(node(&chart.nurse, addendum).await.to_string().contains(SECRET));
    chart.label(&document, "RESTRICTED").await;
    assert!(!node(&chart.nurse, addendum).await.to_string().contains(SECRET));
    assert!(node(&chart.owner, addendum).await.to_string().contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn what_is_very_restricted_is_not_there_and_the_database_keeps_a_label_with_its_patient() -> Result<()>
{
    let server = clinic().await?;
    let chart = Chart::open(&server).await;
    let stranger = chart.owner.register("Bea", "Rook", "1991-02-03").await.parse::<AnyId>()?.uuid();
    let patient = chart.patient.parse::<AnyId>()?.uuid();
    let schema = server.app.directory.by_slug(SLUG).unwrap().schema.to_string();
    let mut admin = server.installation.admin().await?;
    for kind in KINDS {
        let id = chart.add(*kind).await;
        let object = id.parse::<AnyId>()?.uuid();
        let label = |of| {
            format!(
                "INSERT INTO {schema}.sensitivity_label (object_id, object_type, patient_id, level) VALUES ('{object}', '{}', '{of}', 'V')",
                kind.3
            )
        };
        let foreign = admin.execute(AssertSqlSafe(label(stranger))).await.unwrap_err();
        assert_eq!(foreign.as_database_error().unwrap().constraint(), Some("sensitivity_label_object"));
        admin.execute(AssertSqlSafe(label(patient))).await?;
        assert_eq!(node(&chart.nurse, &id).await, Value::Null, "{}", kind.0);
    }
    let lists = chart.nurse.ask(CHART, json!({ "id": chart.patient })).await["patient"].clone();
    assert!(lists.as_object().unwrap().values().all(|rows| rows["totalCount"] == 0), "{lists}");
    let tasks = chart.nurse.ask("{ tasks(first: 9) { totalCount } }", json!({})).await;
    assert_eq!(tasks["tasks"]["totalCount"], 0);
    Ok(())
}

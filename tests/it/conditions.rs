//! Branches, care teams, labels, directives and field policies, as people meet them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod fields;
mod records;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use praxis_domain::{
    encounters::{self, RecordEncounter},
    history::{self, RecordCondition},
    identity::{self, NewUser},
};
use praxis_entity::{
    condition::{ConditionCategory, VerificationStatus},
    encounter::{EncounterClass, EncounterStatus},
    ids::{FacilityId, PractitionerId, UserId},
    value::{CodeableConcept, Coding, ConditionClinical, EncounterClinical},
};
use praxis_platform::{OpFactory, RequestInfo, access::Actor};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::{
    rules,
    support::{
        people::Person,
        server::{PASSWORD, TestServer},
    },
};

const SLUG: &str = "northside";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[(SLUG, "root@northside.test", "owner")]).await
}

fn operator(server: &TestServer) -> OpFactory {
    let tenant = server.app.directory.by_slug(SLUG).unwrap();
    let platform = Arc::clone(&server.app.platform);
    OpFactory::new(platform, tenant, Arc::new(Actor::operator()), RequestInfo::default(), true)
}

/// Somebody who holds a role at one branch, and perhaps is a clinician.
async fn staff<'a>(
    server: &'a TestServer,
    role: &str,
    branch: Option<&str>,
    clinician: Option<&str>,
) -> (Person<'a>, UserId) {
    let op = operator(server).write().await.unwrap();
    let email = format!("{role}-{}@praxis.test", server.installation.clock.new_id().simple());
    let new = NewUser {
        email: email.clone(),
        display_name: email.clone(),
        password: PASSWORD.to_owned(),
        practitioner: clinician.map(|id| id.parse::<PractitionerId>().unwrap()),
    };
    let user = identity::create_user(&op, new).await.unwrap();
    let branch = branch.map(|id| id.parse::<FacilityId>().unwrap());
    identity::grant_role(&op, user.id, role, branch).await.unwrap();
    op.commit().await.unwrap();
    (server.enter(SLUG, &email).await, user.id)
}

async fn execute(server: &TestServer, sql: &str) {
    let tenant = server.app.directory.by_slug(SLUG).unwrap();
    let mut admin = server.installation.admin().await.unwrap();
    let sql = format!("SET search_path = {}; {sql}", tenant.schema);
    admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
}

/// What a server remembers of roles and policies it forgets within two seconds.
async fn two_seconds() {
    tokio::time::sleep(Duration::from_millis(2_050)).await;
}

fn concept(code: &str) -> CodeableConcept {
    let coding = Coding {
        system: "http://snomed.info/sct".to_owned(),
        code: code.to_owned(),
        display: None,
        version: None,
    };
    CodeableConcept { text: Some(code.to_owned()), codings: vec![coding] }
}

/// A visit with a diagnosis: the ids of both.
async fn visit(server: &TestServer, patient: &str, clinician: Option<&str>) -> (String, String) {
    let op = operator(server).write().await.unwrap();
    let (patient, clinician) = (patient.parse().unwrap(), clinician.map(|id| id.parse().unwrap()));
    let new = RecordEncounter {
        patient,
        practitioner: clinician,
        facility: None,
        organization: None,
        appointment: None,
        class: EncounterClass::Ambulatory,
        status: EncounterStatus::Closed,
        started_at: Some(op.now()),
        ended_at: None,
        clinical: EncounterClinical { reasons: vec![concept("35489007")], ..EncounterClinical::default() },
        participants: Vec::new(),
    };
    let encounter = encounters::record(&op, new).await.unwrap();
    let diagnosis = ConditionClinical {
        code: concept("35489007"),
        severity: None,
        body_sites: Vec::new(),
        onset: None,
        abatement: None,
        recorded: None,
        notes: Vec::new(),
    };
    let new = RecordCondition {
        patient,
        encounter: Some(encounter.id),
        recorder: clinician,
        category: ConditionCategory::EncounterDiagnosis,
        clinical_status: None,
        verification_status: VerificationStatus::Confirmed,
        recorded_at: Some(op.now()),
        abated_at: None,
        clinical: diagnosis,
    };
    let condition = history::record(&op, new).await.unwrap();
    op.commit().await.unwrap();
    (encounter.id.to_string(), condition.id.to_string())
}

fn redaction<'a>(object: &'a Value, field: &str) -> &'a Value {
    let all = object["redactions"].as_array().unwrap();
    all.iter().find(|redaction| redaction["field"] == field).unwrap_or(&Value::Null)
}

const FIND: &str = "query($search: String) { patients(search: $search) { totalCount nodes { id } } }";
const CHART: &str = "query($id: ID!) { patient(by: { id: $id }) {
    name { full } phone viewerPermissions allowedActions confidentiality
    conditions { totalCount nodes { id code { text } } }
    encounters { totalCount nodes { id confidentiality reasons { text } redactions { field reason breakGlass } } }
    redactions { field reason permission breakGlass } } }";

async fn chart(person: &Person<'_>, id: &str) -> Value {
    person.ask(CHART, json!({ "id": id })).await["patient"].clone()
}

async fn found(person: &Person<'_>, search: Option<&str>) -> (Value, usize) {
    let patients = person.ask(FIND, json!({ "search": search })).await["patients"].clone();
    (patients["totalCount"].clone(), patients["nodes"].as_array().unwrap().len())
}

#[tokio::test]
async fn an_object_says_what_can_be_done_with_it_as_it_stands() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let desk = server.person(SLUG, "receptionist").await;
    let actions = async |person: &Person<'_>| chart(person, &id).await["allowedActions"].clone();
    assert_eq!(
        actions(&desk).await,
        json!(["appointmentBook", "consentRecord", "patientDeactivate", "patientUpdate", "relatedPersonAdd"])
    );
    let mut owners = actions(&owner).await;
    assert!(owners.as_array().unwrap().contains(&json!("patientRecordDeath")), "{owners}");
    owner
        .run("patientDeactivate", "patient { id } userErrors { code }", json!({ "id": id, "ifVersion": 1 }))
        .await;
    owners = actions(&owner).await;
    assert!(owners.as_array().unwrap().contains(&json!("patientReactivate")));
    assert!(!owners.as_array().unwrap().contains(&json!("appointmentBook")));
    // Each action that is offered is accepted, and one that is not is refused.
    let refused = owner
        .run("patientDeactivate", "patient { id } userErrors { code }", json!({ "id": id, "ifVersion": 2 }))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID_TRANSITION");
    let auditor = server.person(SLUG, "biller").await;
    assert_eq!(actions(&auditor).await, json!([]));
    Ok(())
}

#[tokio::test]
async fn an_owner_looks_through_the_eyes_of_a_role_and_changes_nothing() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let eyes = [("praxis-view-as", "receptionist")];
    let seen = owner.send(CHART, json!({ "id": id }), &eyes).await;
    let patient = &seen.body["data"]["patient"];
    assert_eq!(
        (&patient["name"]["full"], &patient["conditions"]),
        (&json!("Ada Quill"), &Value::Null),
        "{}",
        seen.text
    );
    let viewer = owner.send("{ viewer { roles permissions } }", json!({}), &eyes).await;
    assert!(!viewer.text.contains("condition:read"), "{}", viewer.text);
    let change = "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { userErrors { code } } }";
    assert_eq!(owner.send(change, json!({ "id": id }), &eyes).await.code(), "FORBIDDEN");
    assert_eq!(owner.send("{ viewer { id } }", json!({}), &[("praxis-view-as", "wizard")]).await.status, 400);
    let nurse = server.person(SLUG, "nurse").await;
    assert_eq!(nurse.send("{ viewer { id } }", json!({}), &[("praxis-view-as", "owner")]).await.status, 403);
    let tenant = server.app.directory.by_slug(SLUG).unwrap();
    let count = format!(
        "SELECT count(*) FROM {}.audit_entry WHERE action = 'view-as' AND roles @> '{{receptionist}}'",
        tenant.schema
    );
    let entries: i64 =
        sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut server.installation.admin().await?).await?;
    assert_eq!(entries, 3);
    Ok(())
}

#[tokio::test]
async fn the_holder_of_a_national_number_is_told_to_nobody_who_may_not_read_it() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let create = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } userErrors { __typename code path ... on DuplicatePatientError { candidates { id } } } } }";
    let input = |family: &str, birth: &str| json!({ "input": { "name": { "given": ["A"], "family": family }, "birthDate": birth, "nationalId": "943 476 5919" } });
    let first = owner.ask(create, input("Quill", "1990-01-02")).await;
    let id = first["patientCreate"]["patient"]["id"].as_str().unwrap();
    let desk = server.person(SLUG, "receptionist").await;
    let clash = desk.send(create, input("Rook", "1981-03-04"), &[]).await;
    assert!(!clash.text.contains(id), "{}", clash.text);
    assert_eq!(clash.body["data"]["patientCreate"]["userErrors"][0]["code"], "ALREADY_EXISTS");
    let told = owner.ask(create, input("Rook", "1981-03-04")).await;
    assert_eq!(told["patientCreate"]["userErrors"][0]["candidates"][0]["id"], id);
    // And a person around a patient is an object as any other.
    let related = owner.run("relatedPersonAdd", "relatedPerson { id }", json!({ "patientId": id, "relationship": { "text": "mother" }, "name": { "given": ["Eva"], "family": "Quill" } })).await;
    let related = related["relatedPerson"]["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { id ... on RelatedPerson { name { family } } } }";
    let found = owner.ask(node, json!({ "id": related })).await;
    assert_eq!(found["node"], json!({ "id": related, "name": { "family": "Quill" } }));
    Ok(())
}

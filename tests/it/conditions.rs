//! Branches, care teams, labels, directives and field policies, as people meet them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

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
async fn a_role_held_at_one_branch_reaches_that_branch_and_the_patients_known_there() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (east, west) = (owner.facility("EAST").await, owner.facility("WEST").await);
    let doctor = owner.clinician("Osei").await;
    let (here, there) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1991-01-02").await,
    );
    let book = |patient: &str, facility: &str, hour: u8| {
        json!({ "patientId": patient, "practitionerId": doctor, "facilityId": facility, "type": "PHONE",
            "startsAt": format!("2027-04-01T{hour:02}:00:00Z") })
    };
    let booked = owner
        .run("appointmentBook", "appointment { id } userErrors { message }", book(&here, &east, 10))
        .await;
    assert_eq!(booked["userErrors"], json!([]));
    let foreign = owner
        .run("appointmentBook", "appointment { id } userErrors { message }", book(&there, &west, 12))
        .await;
    let foreign = foreign["appointment"]["id"].as_str().unwrap();

    // No header names the branch: the role applies at its own all the same.
    let (nurse, _) = staff(&server, "nurse", Some(&east), None).await;
    assert_eq!(found(&nurse, None).await, (json!(1), 1));
    assert_eq!(found(&nurse, Some("quill")).await, (json!(1), 1));
    assert_eq!(found(&nurse, Some("rook")).await, (json!(0), 0));
    assert_eq!(found(&nurse, Some("1991-01-02")).await, (json!(0), 0));
    assert_eq!(chart(&nurse, &here).await["name"]["full"], "Ada Quill");
    assert_eq!(chart(&nurse, &there).await, Value::Null);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(nurse.ask(node, json!({ "id": foreign })).await["node"], Value::Null);
    let all = nurse.ask("{ appointments { totalCount nodes { facility { code } } } }", json!({})).await;
    assert_eq!(
        all["appointments"],
        json!({ "totalCount": 1, "nodes": [{ "facility": { "code": "EAST" } }] })
    );

    // What can't be seen can't be changed, and another branch is not booked for.
    let amend = "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { userErrors { code } } }";
    let refused = nurse.ask(amend, json!({ "id": there })).await;
    assert_eq!(refused["patientUpdate"]["userErrors"][0]["code"], "NOT_FOUND");
    let elsewhere = "mutation($input: AppointmentBookInput!) { appointmentBook(input: $input) @idempotent(key: \"1\") { appointment { id } } }";
    let refused = nurse.send(elsewhere, json!({ "input": book(&here, &west, 14) }), &[]).await;
    assert_eq!(refused.code(), "FORBIDDEN", "{}", refused.text);
    // Whom a branch registers is known there.
    let new = nurse.register("Cy", "Stone", "1992-01-02").await;
    assert_eq!(chart(&nurse, &new).await["name"]["full"], "Cy Stone");
    // Once the other patient comes to this branch, they are known here too.
    owner.run("appointmentBook", "appointment { id } userErrors { message }", book(&there, &east, 15)).await;
    assert_eq!(chart(&nurse, &there).await["name"]["full"], "Bea Rook");
    // A role for the whole clinic says nothing at a branch.
    let (manager, _) = staff(&server, "practice_manager", Some(&east), None).await;
    let add = "mutation { facilityAdd(input: { code: \"X\", name: \"X\", timeZone: \"UTC\" }) { facility { id } } }";
    assert_eq!(manager.send(add, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn what_a_patient_forbids_is_kept_back_and_told_as_their_will() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    visit(&server, &id, None).await;
    let (physician, _) = staff(&server, "physician", None, None).await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    let select = "consent { id version } userErrors { code path }";
    let deny = |class: &str, whom: Value| json!({ "patientId": id, "decision": "DENY", "class": class, "whom": whom });

    assert_eq!(chart(&nurse, &id).await["conditions"]["totalCount"], 1);
    owner.run("consentRecord", select, deny("CLINICAL", json!({ "role": "nurse" }))).await;
    let seen = chart(&nurse, &id).await;
    assert_eq!((&seen["name"]["full"], &seen["conditions"]), (&json!("Ada Quill"), &Value::Null));
    assert_eq!(redaction(&seen, "conditions")["reason"], "CONSENT");
    assert_eq!(redaction(&seen, "conditions")["breakGlass"], true);
    let encounter = &seen["encounters"]["nodes"][0];
    assert_eq!(encounter["reasons"], Value::Null);
    assert_eq!(redaction(encounter, "reasons")["reason"], "CONSENT");
    // A filter by what is kept back finds nothing, whatever the code.
    let by_code = "query($id: ID!, $code: String!) { patient(by: { id: $id }) { encounters(filter: { code: { eq: $code } }) { totalCount } } }";
    let code = "http://snomed.info/sct|35489007";
    let count = async |person: &Person<'_>| {
        person.ask(by_code, json!({ "id": id, "code": code })).await["patient"]["encounters"]["totalCount"]
            .clone()
    };
    assert_eq!((count(&nurse).await, count(&physician).await), (json!(0), json!(1)));
    assert_eq!(chart(&physician, &id).await["conditions"]["totalCount"], 1);

    // More specific: this nurse may. Then: this nurse may not know of the patient at all.
    let permit = json!({ "patientId": id, "decision": "PERMIT", "class": "CLINICAL", "whom": { "userId": nurse_id.to_string() } });
    owner.run("consentRecord", select, permit).await;
    assert_eq!(chart(&nurse, &id).await["conditions"]["totalCount"], 1);
    let given =
        owner.run("consentRecord", select, deny("ALL", json!({ "userId": nurse_id.to_string() }))).await;
    assert_eq!(chart(&nurse, &id).await, Value::Null);
    for search in
        [None, Some("quill"), Some("ada@example.org"), Some("quill@example.org"), Some("1990-01-02")]
    {
        assert_eq!(found(&nurse, search).await, (json!(0), 0), "{search:?}");
    }
    // Registering the same person again does not tell that they are here.
    let again = nurse.register("Ada", "Quill", "1990-01-02").await;
    assert_ne!(again, id);

    let revoked = owner
        .run(
            "consentRevoke",
            "consent { revokedAt } userErrors { code }",
            json!({ "id": given["consent"]["id"], "ifVersion": 1 }),
        )
        .await;
    assert!(revoked["consent"]["revokedAt"].is_string(), "{revoked}");
    assert_eq!(chart(&nurse, &id).await["name"]["full"], "Ada Quill");
    let list = owner
        .ask(
            "query($id: ID!) { patient(by: { id: $id }) { consents { decision class scope revokedAt } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(list["patient"]["consents"].as_array().unwrap().len(), 3);
    Ok(())
}

#[tokio::test]
async fn what_rules_say_of_a_restricted_visit_is_told_to_its_clinician_and_kept_from_others() -> Result<()> {
    let server = rules::clinic().await?;
    rules::low_oxygen_in_use(&server, "CRITICAL").await;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let doctor = owner.clinician("Osei").await;
    let (author, _) = staff(&server, "physician", None, Some(&doctor)).await;
    let other = owner.clinician("Rook").await;
    let (colleague, _) = staff(&server, "physician", None, Some(&other)).await;
    // Measured before anybody answers for the visit; whoever takes it on sees what came of it.
    let made = owner.run("encounterCreate", "encounter { id }", json!({ "patientId": id })).await;
    let encounter = made["encounter"]["id"].as_str().unwrap().to_owned();
    let label = json!({ "id": encounter, "confidentiality": "RESTRICTED" });
    owner.run("confidentialitySet", "userErrors { code }", label).await;
    rules::measure(&server, &id, encounter.parse()?, &[("59408-5", "85", "%")]).await;
    rules::ask(&server, &id, encounter.parse()?, server.installation.clock.new_id()).await;
    for (step, version) in [("encounterCheckIn", 1), ("encounterStart", 2)] {
        let input = json!({ "id": encounter, "ifVersion": version });
        let done = author.run(step, "userErrors { code message }", input).await;
        assert_eq!(done["userErrors"], json!([]));
    }
    let seen =
        "query($id: ID!) { alerts(filter: { encounter: { eq: $id } }) { nodes { id severity version } }
        decisionSupport(encounterId: $id) { rule { code } result parts { held } } }";
    let own = author.ask(seen, json!({ "id": encounter })).await;
    assert_eq!(own["alerts"]["nodes"][0]["severity"], "CRITICAL", "{own}");
    let checks = own["decisionSupport"].as_array().unwrap();
    let check = checks.iter().find(|check| check["rule"]["code"] == "low-oxygen").unwrap();
    assert_eq!((&check["result"], &check["parts"]), (&json!("FIRED"), &json!([{ "held": true }])));
    // So they can reply, and close the visit.
    let alert = &own["alerts"]["nodes"][0];
    let input = json!({ "id": alert["id"], "ifVersion": alert["version"] });
    let replied = author.run("alertAcknowledge", "alert { status } userErrors { code }", input).await;
    assert_eq!(replied["alert"]["status"], "ACKNOWLEDGED", "{replied}");
    // Others learn nothing, and are not told that nothing was asked.
    let others = colleague.ask(seen, json!({ "id": encounter })).await;
    assert_eq!(others, json!({ "alerts": { "nodes": [] }, "decisionSupport": null }));
    Ok(())
}

#[tokio::test]
async fn a_label_closes_content_and_a_higher_one_the_object() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let doctor = owner.clinician("Osei").await;
    let (encounter, condition) = visit(&server, &id, Some(&doctor)).await;
    let (author, _) = staff(&server, "physician", None, Some(&doctor)).await;
    let (colleague, colleague_id) = staff(&server, "physician", None, None).await;
    let label = async |person: &Person<'_>, of: &str, level: &str| {
        let input = json!({ "id": of, "confidentiality": level });
        person.run("confidentialitySet", "confidentiality userErrors { code }", input).await
    };

    assert_eq!(label(&owner, &encounter, "RESTRICTED").await["confidentiality"], "RESTRICTED");
    let seen = chart(&colleague, &id).await;
    let visit = &seen["encounters"]["nodes"][0];
    assert_eq!((&visit["id"], &visit["confidentiality"]), (&json!(encounter), &json!("RESTRICTED")));
    assert_eq!(visit["reasons"], Value::Null);
    assert_eq!(redaction(visit, "reasons")["reason"], "SENSITIVITY");
    assert_eq!(redaction(visit, "reasons")["breakGlass"], true);
    // What hangs on the encounter is as sensitive: it is not there.
    assert_eq!(seen["conditions"], json!({ "totalCount": 0, "nodes": [] }));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(colleague.ask(node, json!({ "id": condition })).await["node"], Value::Null);
    let own = chart(&author, &id).await;
    assert_eq!(own["encounters"]["nodes"][0]["reasons"][0]["text"], "35489007");
    assert_eq!(own["conditions"]["totalCount"], 1);

    // Nobody puts a label on that they could not take off again.
    let refused = label(&owner, &encounter, "VERY_RESTRICTED").await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
    assert_eq!(label(&owner, &encounter, "NORMAL").await["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await["conditions"]["totalCount"], 1);

    // A patient of note is there for those only who care for them and may read what is restricted.
    execute(&server, "INSERT INTO role_permission (role_id, permission) SELECT id, 'patient.restricted:read' FROM role WHERE code = 'physician'").await;
    two_seconds().await;
    let select = "careTeamMember { id version } userErrors { code }";
    let team =
        json!({ "patientId": id, "carer": { "userId": colleague_id.to_string() }, "role": "ATTENDING" });
    let member = owner.run("careTeamAdd", select, team.clone()).await;
    let twice = owner.run("careTeamAdd", select, team).await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_EXISTS");
    assert_eq!(label(&colleague, &encounter, "VERY_RESTRICTED").await["userErrors"], json!([]));
    // The author recorded it, the colleague cares for the patient; the owner does neither.
    let visits = async |person: &Person<'_>| chart(person, &id).await["encounters"]["totalCount"].clone();
    assert_eq!(
        (visits(&author).await, visits(&colleague).await, visits(&owner).await),
        (json!(1), json!(1), json!(0))
    );
    assert_eq!(label(&colleague, &id, "VERY_RESTRICTED").await["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await["conditions"]["totalCount"], 1);
    assert_eq!(chart(&author, &id).await, Value::Null);
    assert_eq!(found(&author, Some("quill")).await, (json!(0), 0));
    assert_eq!(found(&owner, Some("quill")).await, (json!(0), 0));
    let ended = json!({ "id": member["careTeamMember"]["id"], "ifVersion": 1 });
    // Whoever may not see the patient can't end it, whoever cares for them can.
    let refused = owner.run("careTeamEnd", select, ended.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    let done = colleague.run("careTeamEnd", select, ended).await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(chart(&colleague, &id).await, Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_permission_can_be_bound_to_the_care_team() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (mine, other) = (
        owner.register("Ada", "Quill", "1990-01-02").await,
        owner.register("Bea", "Rook", "1991-01-02").await,
    );
    for id in [&mine, &other] {
        visit(&server, id, None).await;
    }
    execute(&server, "UPDATE role_permission SET condition = 'CARE_TEAM' FROM role WHERE role.id = role_id AND code = 'nurse' AND permission = 'condition:read'").await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    let team = json!({ "patientId": mine, "carer": { "userId": nurse_id.to_string() }, "role": "NURSE" });
    owner.run("careTeamAdd", "careTeamMember { id } userErrors { code }", team).await;
    assert_eq!(chart(&nurse, &mine).await["conditions"]["totalCount"], 1);
    let seen = chart(&nurse, &other).await;
    assert_eq!(seen["conditions"]["totalCount"], 0);
    assert!(!seen["viewerPermissions"].as_array().unwrap().contains(&json!("condition:read")));
    let listed = nurse.ask("{ patients { nodes { conditions { totalCount } } } }", json!({})).await;
    let counts: Vec<_> = listed["patients"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["conditions"]["totalCount"])
        .collect();
    assert_eq!(counts, [&json!(1), &json!(0)]);
    Ok(())
}

const SET: &str = "mutation($input: FieldPolicySetInput!) { fieldPolicySet(input: $input) { fieldPolicy { id platformPermission } userErrors { code path } } }";

#[tokio::test]
async fn a_clinic_binds_any_field_within_two_seconds_and_loosens_none() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    visit(&server, &id, None).await;
    let policy = |ty: &str, field: &str, permission: &str| json!({ "input": { "type": ty, "field": field, "permission": permission, "reason": "House rule." } });
    let refused = owner.send(SET, policy("Patient", "phone", "audit:read"), &[]).await;
    assert_eq!(refused.code(), "STEP_UP_REQUIRED");
    execute(&server, "UPDATE session SET second_factor_at = now()").await;
    two_seconds().await;
    let (nurse, _) = staff(&server, "nurse", None, None).await;
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { full } phone encounters { nodes { startedAt class } } } }";
    let before = nurse.ask(query, json!({ "id": id })).await;
    assert_eq!(before["patient"]["phone"], "+442079460123");
    assert!(before["patient"]["encounters"]["nodes"][0]["startedAt"].is_string());

    // A sealed field, a plain one, one that is never null; and what can't be bound.
    let mut set = Vec::new();
    for (ty, field) in [("Patient", "phone"), ("Encounter", "startedAt")] {
        let data = owner.ask(SET, policy(ty, field, "audit:read")).await;
        assert_eq!(data["fieldPolicySet"]["userErrors"], json!([]));
        set.push(data["fieldPolicySet"]["fieldPolicy"]["id"].clone());
    }
    for (ty, field, code) in [
        ("Patient", "id", "INVALID"),
        ("Patient", "shoeSize", "NOT_FOUND"),
        ("PageInfo", "hasNextPage", "INVALID"),
        ("Mutation", "fieldPolicyRemove", "INVALID"),
    ] {
        let data = owner.ask(SET, policy(ty, field, "audit:read")).await;
        assert_eq!(data["fieldPolicySet"]["userErrors"][0]["code"], code, "{ty}.{field}");
    }
    two_seconds().await;
    let after = nurse.send(query, json!({ "id": id }), &[]).await;
    assert!(after.body["errors"].is_null(), "{}", after.text);
    let patient = &after.body["data"]["patient"];
    assert_eq!((&patient["phone"], &patient["name"]["full"]), (&Value::Null, &json!("Ada Quill")));
    assert_eq!(patient["encounters"]["nodes"][0], json!({ "startedAt": null, "class": "AMBULATORY" }));
    let summary: Vec<_> = after.body["extensions"]["redactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["coordinate"].as_str().unwrap())
        .collect();
    assert_eq!(summary, ["Encounter.startedAt", "Patient.phone"]);
    // As filter, order or search it would be an oracle.
    for query in [
        "{ patients(filter: { or: [{ phone: { eq: \"+442079460123\" } }] }) { totalCount } }",
        "query($filter: PatientFilter) { patients(filter: $filter) { totalCount } }",
        "query($by: EncounterFilter = { startedAt: { gt: \"2020-01-01T00:00:00Z\" } }) { patients { nodes { encounters(filter: $by) { totalCount } } } }",
        "{ patients { nodes { encounters(filter: { startedAt: { gt: \"2020-01-01T00:00:00Z\" } }) { totalCount } } } }",
    ] {
        let answer = nurse.send(query, json!({ "filter": { "phone": { "eq": "1" } } }), &[]).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{query}: {}", answer.text);
        assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "audit:read");
    }
    // Whoever holds the permission has lost nothing.
    assert_eq!(owner.ask(query, json!({ "id": id })).await["patient"]["phone"], "+442079460123");
    // A field that is never null takes the operation with it, up to what may be null.
    owner.ask(SET, policy("Encounter", "class", "audit:read")).await;
    two_seconds().await;
    let never_null =
        nurse.send("{ patients { nodes { encounters { nodes { class } } } } }", json!({}), &[]).await;
    assert_eq!(never_null.code(), "FORBIDDEN", "{}", never_null.text);

    // Asking for less than the platform asks for changes nothing: the desk still lacks its permission.
    owner.ask(SET, policy("Patient", "nationalId", "patient:read")).await;
    for id in set {
        let remove =
            "mutation($id: ID!) { fieldPolicyRemove(input: { id: $id }) { removedId userErrors { code } } }";
        assert_eq!(owner.ask(remove, json!({ "id": id })).await["fieldPolicyRemove"]["removedId"], id);
    }
    two_seconds().await;
    let query =
        "query($id: ID!) { patient(by: { id: $id }) { phone nationalId redactions { field reason } } }";
    let desk = server.person(SLUG, "receptionist").await;
    let patient = desk.ask(query, json!({ "id": id })).await["patient"].clone();
    assert_eq!(patient["phone"], "+442079460123");
    assert_eq!(redaction(&patient, "nationalId")["reason"], "PERMISSION");
    Ok(())
}

#[tokio::test]
async fn a_field_policy_can_ask_for_the_care_team() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    execute(&server, "UPDATE session SET second_factor_at = now()").await;
    two_seconds().await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let input = json!({ "type": "Patient", "field": "phone", "permission": "patient.contact:read", "condition": "CARE_TEAM", "reason": "House rule." });
    owner.ask(SET, json!({ "input": input })).await;
    let plain = json!({ "type": "Patient", "field": "status", "permission": "patient:read", "condition": "CARE_TEAM", "reason": "House rule." });
    assert_eq!(
        owner.ask(SET, json!({ "input": plain })).await["fieldPolicySet"]["userErrors"][0]["path"],
        json!(["input", "condition"])
    );
    two_seconds().await;
    let (nurse, nurse_id) = staff(&server, "nurse", None, None).await;
    assert_eq!(chart(&nurse, &id).await["phone"], Value::Null);
    // Nor does a search or filter by it tell.
    let by_phone = "{ patients(filter: { phone: { eq: \"+442079460123\" } }) { totalCount } }";
    let count = async || nurse.ask(by_phone, json!({})).await["patients"]["totalCount"].clone();
    assert_eq!((count().await, found(&nurse, Some("+442079460123")).await), (json!(0), (json!(0), 0)));
    assert_eq!(found(&nurse, Some("quill")).await, (json!(1), 1));
    let team = json!({ "patientId": id, "carer": { "userId": nurse_id.to_string() }, "role": "NURSE" });
    owner.run("careTeamAdd", "careTeamMember { id } userErrors { code }", team).await;
    assert_eq!(chart(&nurse, &id).await["phone"], "+442079460123");
    assert_eq!((count().await, found(&nurse, Some("+442079460123")).await), (json!(1), (json!(1), 1)));
    Ok(())
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

#[tokio::test]
async fn a_field_policy_sent_twice_is_set_once() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    execute(&server, "UPDATE session SET second_factor_at = now()").await;
    two_seconds().await;
    let input = json!({ "input": { "type": "Patient", "field": "phone", "permission": "audit:read", "reason": "House rule." } });
    let key = [("idempotency-key", "set")];
    let first = owner.send(SET, input.clone(), &key).await;
    let again = owner.send(SET, input, &key).await;
    assert_eq!(first.body["data"], again.body["data"], "{}", first.text);
    assert_eq!(again.body["extensions"]["idempotentReplay"], json!(["fieldPolicySet"]));
    let id = first.body["data"]["fieldPolicySet"]["fieldPolicy"]["id"].clone();
    let listed = owner.ask("{ fieldPolicies { id type field permission } }", json!({})).await;
    let listed = listed["fieldPolicies"].as_array().unwrap();
    assert_eq!(listed.iter().filter(|policy| policy["field"] == "phone").count(), 1);
    let remove =
        "mutation($id: ID!) { fieldPolicyRemove(input: { id: $id }) { removedId userErrors { code } } }";
    let key = [("idempotency-key", "remove")];
    let first = owner.send(remove, json!({ "id": id }), &key).await;
    assert_eq!(first.body["data"]["fieldPolicyRemove"]["removedId"], id, "{}", first.text);
    let again = owner.send(remove, json!({ "id": id }), &key).await;
    assert_eq!(first.body["data"], again.body["data"]);
    Ok(())
}

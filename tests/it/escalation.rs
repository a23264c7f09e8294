//! Ways in which somebody might get above themselves, or learn what they may not, each of them closed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod clinic_day;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use axum::http::StatusCode;
use praxis_domain::{Error, identity, sensitivity};
use praxis_entity::{
    ids::{FacilityId, PatientId},
    sensitivity_label::Confidentiality,
    user_account,
};
use praxis_platform::{OpFactory, RequestInfo, access::Actor};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{
    people::Person,
    server::{PASSWORD, TestServer},
};

const SLUG: &str = "northside";
const HOST: &str = "northside.praxis.test";

struct Clinic {
    server: TestServer,
}

impl Clinic {
    async fn new() -> Result<Self> {
        Ok(Self { server: TestServer::new(&[(SLUG, "root@praxis.test", "owner")]).await? })
    }

    async fn owner(&self) -> Person<'_> {
        self.server.prove(SLUG, "root@praxis.test").await
    }

    fn operator(&self) -> OpFactory {
        let app = &self.server.app;
        let tenant = app.directory.by_slug(SLUG).unwrap();
        let (actor, platform) = (Arc::new(Actor::operator()), Arc::clone(&app.platform));
        OpFactory::new(platform, tenant, actor, RequestInfo::default(), true)
    }

    /// Gives somebody one more role, perhaps at one branch only.
    async fn give(&self, email: &str, role: &str, branch: Option<&str>) {
        let op = self.operator().write().await.unwrap();
        let user = user_account::Entity::find().filter(user_account::Column::Email.eq(email));
        let user = user.one(op.db()).await.unwrap().unwrap();
        let branch = branch.map(|id| id.parse::<FacilityId>().unwrap());
        identity::grant_role(&op, user.id, role, branch).await.unwrap();
        op.commit().await.unwrap();
    }

    async fn sql(&self, statements: &str) {
        let schema = &self.server.app.directory.by_slug(SLUG).unwrap().schema;
        let sql = format!("SET search_path = {schema}; {statements}");
        let mut admin = self.server.installation.admin().await.unwrap();
        admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }

    async fn user_id(&self, email: &str) -> String {
        let data = self
            .owner()
            .await
            .ask("{ accessReview(first: 100) { nodes { userId email } } }", json!({}))
            .await;
        let nodes = data["accessReview"]["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["email"] == email).unwrap()["userId"].as_str().unwrap().to_owned()
    }
}

async fn make_role(owner: &Person<'_>, code: &str, permissions: &[&str]) {
    let input =
        json!({ "code": code, "name": code, "description": "Made in a test.", "permissions": permissions });
    let made = owner.run("roleCreate", "role { code } userErrors { code path }", input).await;
    assert_eq!(made["userErrors"], json!([]));
}

/// With which code a mutation is refused as a whole.
async fn refused(person: &Person<'_>, field: &str, input: Value) -> String {
    let (first, rest) = field.split_at(1);
    let ty = format!("{}{rest}Input", first.to_uppercase());
    let query = format!("mutation($input: {ty}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
    let answer = person.send(&query, json!({ "input": input }), &[]).await;
    assert!(answer.body["errors"].is_array(), "{field}: {}", answer.text);
    answer.code().to_owned()
}

/// The input of a mutation about a patient, or about a visit.
type Input<'a> = &'a dyn Fn(&str, &str) -> Value;

/// What a server remembers of roles and policies it forgets within two seconds.
async fn two_seconds() {
    tokio::time::sleep(Duration::from_millis(2_050)).await;
}

#[tokio::test]
async fn what_is_held_under_a_condition_can_not_be_given_without_it() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let desk = ["user:read", "user:manage", "role:read", "role:manage", "operation:read", "operation:manage"];
    make_role(&owner, "hr", &[&desk[..], &["patient:read"]].concat()).await;
    make_role(&owner, "reader", &["patient:read"]).await;
    clinic.sql("UPDATE role_permission SET condition = 'CARE_TEAM' WHERE permission = 'patient:read' AND role_id = (SELECT id FROM role WHERE code = 'hr')").await;
    clinic.server.user(SLUG, "hr@praxis.test", "hr").await?;
    clinic.server.user(SLUG, "reader@praxis.test", "reader").await?;
    let hr = clinic.server.prove(SLUG, "hr@praxis.test").await;
    let reader = clinic.user_id("reader@praxis.test").await;

    let invite = json!({ "email": "friend@praxis.test", "displayName": "A Friend", "role": "reader" });
    assert_eq!(refused(&hr, "userInvite", invite).await, "FORBIDDEN");
    assert_eq!(refused(&hr, "userDisable", json!({ "id": reader })).await, "FORBIDDEN");
    assert_eq!(refused(&hr, "userResetSecondFactors", json!({ "userId": reader })).await, "FORBIDDEN");
    let program = json!({ "name": "Export", "permissions": ["patient:read"], "operations": [] });
    let made = hr.run("apiClientCreate", "apiClient { id } userErrors { code path }", program).await;
    assert_eq!(made["userErrors"], json!([{ "code": "OUT_OF_RANGE", "path": ["input", "permissions"] }]));
    // Nor does whoever may less decide whether those who may more have to show a second factor.
    let loosen = json!({ "role": "owner", "required": false });
    assert_eq!(refused(&hr, "roleRequireSecondFactor", loosen.clone()).await, "FORBIDDEN");
    let done = owner.run("roleRequireSecondFactor", "required userErrors { code }", loosen).await;
    assert_eq!(done["required"], false, "{done}");
    // What is held always can be given.
    clinic.sql("UPDATE role_permission SET condition = ''").await;
    two_seconds().await;
    let invite = json!({ "email": "friend@praxis.test", "displayName": "A Friend", "role": "reader" });
    let invited = hr.run("userInvite", "invitation { id } userErrors { code }", invite).await;
    assert_eq!(invited["userErrors"], json!([]));
    Ok(())
}

#[tokio::test]
async fn the_last_owner_is_not_disabled_however_ownership_is_written_down() -> Result<()> {
    let clinic = Clinic::new().await?;
    // A clinic from before a permission was added holds it by `*` alone.
    clinic.sql("DELETE FROM role_permission WHERE permission = 'user:manage'").await;
    let op = clinic.operator().write().await?;
    let owner = user_account::Entity::find().one(op.db()).await?.unwrap();
    let refused = identity::disable_user(&op, owner.id).await;
    assert!(matches!(refused, Err(Error::Violated(_))), "{refused:?}");
    op.rollback().await?;
    // Nor is somebody an owner who manages users of some kind of patient only.
    clinic.server.user(SLUG, "half@praxis.test", "owner").await?;
    clinic.sql("INSERT INTO role (id, code, name, description) VALUES (gen_random_uuid(), 'half', 'Half', ''); \
        INSERT INTO role_permission (role_id, permission, condition) SELECT id, unnest(ARRAY['user:manage', 'role:manage']), 'IN_CARE' FROM role WHERE code = 'half'; \
        UPDATE membership SET role_id = (SELECT id FROM role WHERE code = 'half') WHERE user_id = (SELECT id FROM user_account WHERE email = 'half@praxis.test')").await;
    let op = clinic.operator().write().await?;
    assert!(matches!(identity::disable_user(&op, owner.id).await, Err(Error::Violated(_))));
    op.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_permission_at_one_branch_opens_nothing_of_another_branches_patients() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let east = owner.facility("EAST").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    for (role, permission) in
        [("numbers", "patient.identifiers:read"), ("log", "access-log:read"), ("teller", "disclosure:record")]
    {
        make_role(&owner, role, &[permission]).await;
    }
    let policy = json!({ "type": "Patient", "field": "relatedPersons", "permission": "patient.identifiers:read", "reason": "House rule." });
    let set = owner.run("fieldPolicySet", "fieldPolicy { id } userErrors { code path }", policy).await;
    assert_eq!(set["userErrors"], json!([]));
    clinic.server.user(SLUG, "nia@praxis.test", "nurse").await?;
    for role in ["numbers", "log", "teller"] {
        clinic.give("nia@praxis.test", role, Some(&east)).await;
    }
    two_seconds().await;
    let nia = clinic.server.enter(SLUG, "nia@praxis.test").await;

    // A field that is not sealed is bound as a whole: the permission has to hold for every patient.
    let chart = "query($id: ID!) { patient(by: { id: $id }) { relatedPersons { id } accessLog { nodes { id } totalCount } disclosures { totalCount } redactions { field reason } } }";
    let seen = nia.ask(chart, json!({ "id": id })).await["patient"].clone();
    assert_eq!(seen["relatedPersons"], Value::Null);
    // What is kept about a patient is as open as the patient is to this permission.
    assert_eq!(seen["accessLog"], json!({ "nodes": [], "totalCount": 0 }));
    let redacted: Vec<_> = seen["redactions"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert!(redacted.contains(&&json!("accessLog")), "{redacted:?}");
    let record = json!({ "patientId": id, "disclosedAt": "2026-06-01T10:00:00Z", "purpose": "RESEARCH",
        "recipient": "X", "description": "Y", "reason": "Z" });
    assert_eq!(refused(&nia, "disclosureRecord", record.clone()).await, "FORBIDDEN");

    for role in ["numbers", "log", "teller"] {
        clinic.give("nia@praxis.test", role, None).await;
    }
    two_seconds().await;
    let seen = nia.ask(chart, json!({ "id": id })).await["patient"].clone();
    assert_eq!(seen["relatedPersons"], json!([]));
    assert!(seen["accessLog"]["totalCount"].as_i64().unwrap() > 0, "{seen}");
    let told = nia.run("disclosureRecord", "disclosure { id } userErrors { code }", record).await;
    assert!(told["disclosure"]["id"].is_string(), "{told}");
    Ok(())
}

#[tokio::test]
async fn what_is_hidden_answers_in_the_words_of_what_is_not_there() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let (east, west) = (owner.facility("EAST").await, owner.facility("WEST").await);
    let doctor = owner.clinician("Osei").await;
    let hidden = owner.register("Ada", "Quill", "1990-01-02").await;
    let book = json!({ "patientId": hidden, "practitionerId": doctor, "facilityId": west, "type": "PHONE", "startsAt": "2027-04-01T10:00:00Z" });
    let booked = owner.run("appointmentBook", "appointment { id } userErrors { message }", book).await;
    let visit = booked["appointment"]["id"].as_str().unwrap().to_owned();
    clinic.server.user(SLUG, "root2@praxis.test", "owner").await?;
    clinic.sql("DELETE FROM membership WHERE user_id = (SELECT id FROM user_account WHERE email = 'root2@praxis.test')").await;
    clinic.give("root2@praxis.test", "owner", Some(&east)).await;
    let person = clinic.server.prove(SLUG, "root2@praxis.test").await;

    let nobody = PatientId(clinic.server.installation.clock.new_id()).to_string();
    let nothing = format!("{}{}", &visit[..4], &nobody[4..]);
    let name = json!({ "given": ["Eva"], "family": "Quill" });
    let inputs: [(&str, Input<'_>); 9] = [
        ("patientUpdate", &|patient, _| json!({ "id": patient, "ifVersion": 1, "email": null })),
        ("patientDeactivate", &|patient, _| json!({ "id": patient, "ifVersion": 1 })),
        (
            "relatedPersonAdd",
            &|patient, _| json!({ "patientId": patient, "relationship": { "text": "mother" }, "name": name }),
        ),
        (
            "appointmentBook",
            &|patient, _| json!({ "patientId": patient, "practitionerId": doctor, "facilityId": east, "type": "PHONE", "startsAt": "2027-04-02T10:00:00Z" }),
        ),
        ("appointmentCancel", &|_, visit| json!({ "id": visit, "ifVersion": 1 })),
        (
            "appointmentReschedule",
            &|_, visit| json!({ "id": visit, "ifVersion": 1, "startsAt": "2027-04-03T10:00:00Z" }),
        ),
        (
            "consentRecord",
            &|patient, _| json!({ "patientId": patient, "decision": "DENY", "class": "ALL", "whom": { "role": "nurse" } }),
        ),
        ("confidentialitySet", &|patient, _| json!({ "id": patient, "confidentiality": "RESTRICTED" })),
        (
            "disclosureRecord",
            &|patient, _| json!({ "patientId": patient, "disclosedAt": "2026-06-01T10:00:00Z", "purpose": "RESEARCH", "recipient": "X", "description": "Y", "reason": "Z" }),
        ),
    ];
    for (field, input) in inputs {
        let select = "userErrors { __typename code path message }";
        let of_hidden = person.run(field, select, input(&hidden, &visit)).await;
        let of_nothing = person.run(field, select, input(&nobody, &nothing)).await;
        assert_eq!(of_hidden, of_nothing, "{field}");
        assert_eq!(of_hidden["userErrors"][0]["code"], "NOT_FOUND", "{field}");
    }
    Ok(())
}

#[tokio::test]
async fn of_two_labels_at_the_same_time_the_second_is_judged_by_the_first() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let op = clinic.operator().write().await?;
    sensitivity::label(&op, id.parse()?, Confidentiality::VeryRestricted).await?;
    // The owner neither cares for the patient nor may read what is restricted. They came before it was.
    let take_off = json!({ "id": id, "confidentiality": "NORMAL" });
    let select = "confidentiality userErrors { code }";
    let (taken_off, ()) = tokio::join!(owner.run("confidentialitySet", select, take_off), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        op.commit().await.unwrap();
    });
    assert_eq!(taken_off["userErrors"][0]["code"], "NOT_FOUND", "{taken_off}");
    let chart = "query($id: ID!) { patient(by: { id: $id }) { id } }";
    assert_eq!(owner.ask(chart, json!({ "id": id })).await["patient"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_text_that_no_database_can_hold_is_bad_input_wherever_it_stands() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    let zero = "a\0b";
    for (query, variables) in [
        ("query($s: String) { practitioners(search: $s) { totalCount } }", json!({ "s": zero })),
        ("{ patients(search: \"a\\u0000b\") { totalCount } }", json!({})),
        ("query($s: String = \"a\\u0000b\") { patients(search: $s) { totalCount } }", json!({})),
        (
            "mutation($i: RoleRequireSecondFactorInput!) { roleRequireSecondFactor(input: $i) { role } }",
            json!({ "i": { "role": zero, "required": true } }),
        ),
        (
            "mutation { roleRequireSecondFactor(input: { role: \"a\\u0000b\", required: true }) { role } }",
            json!({}),
        ),
    ] {
        let answer = owner.send(query, variables, &[]).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query}: {}", answer.text);
        assert!(!answer.text.contains("\\u0000"), "{}", answer.text);
    }
    Ok(())
}

#[tokio::test]
async fn who_has_yet_to_show_a_second_factor_changes_no_password() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.owner().await;
    clinic.server.user(SLUG, "nia@praxis.test", "nurse").await?;
    owner.run("roleRequireSecondFactor", "required", json!({ "role": "nurse", "required": true })).await;
    let nia = clinic.server.enter(SLUG, "nia@praxis.test").await;
    let change = json!({ "current": PASSWORD, "password": "nine grey ducks sail home" });
    let headers = [("authorization", nia.bearer.as_str())];
    let answer = clinic.server.post(HOST, "/auth/password", &headers, change).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED");
    Ok(())
}

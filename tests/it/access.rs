//! Who sees what, what is kept back, and what is written down about it.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    sync::Arc,
};

use anyhow::Result;
use praxis_entity::ids::{PatientId, TypedId, UserId};
use praxis_graphql::{
    Access, Caller, RedactionMode,
    api::{GraphqlRequest, Outcome},
    coordinates,
    limits::Limits,
};
use praxis_platform::{
    OpFactory, RequestInfo,
    access::{Actor, ActorKind, PermissionSet},
    template::{Source, Template},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::{rules, support::server::TestServer};

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

const CHART: &str = "query($id: ID!) { patient(by: { id: $id }) {
    name { full } phone nationalId observations { nodes { id } } conditions { nodes { id } }
    encounters { nodes { reasons { text } } } redactions { field reason permission } } }";

#[tokio::test]
async fn the_desk_sees_name_and_phone_and_null_with_a_redaction_for_the_rest() -> Result<()> {
    let server = clinic().await?;
    let (desk, physician) =
        (server.person("northside", "receptionist").await, server.person("northside", "physician").await);
    let id = desk.register("Ada", "Quill", "1990-01-02").await;

    let answer = desk.send(CHART, json!({ "id": id }), &[]).await;
    assert!(answer.body["errors"].is_null(), "{}", answer.text);
    let patient = &answer.body["data"]["patient"];
    assert_eq!(patient["name"]["full"], "Ada Quill");
    assert_eq!(patient["phone"], "+442079460123");
    for field in ["nationalId", "observations", "conditions"] {
        assert_eq!(patient[field], Value::Null, "{field}");
        let redaction =
            patient["redactions"].as_array().unwrap().iter().find(|redaction| redaction["field"] == field);
        assert_eq!(redaction.unwrap()["reason"], "PERMISSION", "{field}");
        let summary = answer.body["extensions"]["redactions"].as_array().unwrap();
        assert!(summary.iter().any(|entry| entry["coordinate"] == format!("Patient.{field}")), "{field}");
    }

    let data = physician.ask(CHART, json!({ "id": id })).await;
    assert_eq!(data["patient"]["observations"], json!({ "nodes": [] }));
    // Who reads charts is not who watches over readers.
    let kept: Vec<_> =
        data["patient"]["redactions"].as_array().unwrap().iter().map(|kept| &kept["field"]).collect();
    assert_eq!(kept, ["accessLog", "disclosures"]);

    // Strict clients get an error for each.
    let strict = desk.send(CHART, json!({ "id": id }), &[("praxis-redaction", "error")]).await;
    assert_eq!(strict.body["data"]["patient"]["name"]["full"], "Ada Quill");
    assert_eq!(strict.body["errors"].as_array().unwrap().len(), 3);
    assert!(
        strict.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .all(|error| error["extensions"]["code"] == "FORBIDDEN")
    );
    Ok(())
}

#[tokio::test]
async fn a_denied_field_is_no_oracle() -> Result<()> {
    let server = clinic().await?;
    let (desk, lab) =
        (server.person("northside", "receptionist").await, server.person("northside", "auditor").await);
    desk.register("Ada", "Quill", "1990-01-02").await;
    let lookup = desk.send("{ patient(by: { nationalId: \"123\" }) { id } }", json!({}), &[]).await;
    assert_eq!((lookup.code(), &lookup.body["data"]["patient"]), ("FORBIDDEN", &Value::Null));
    let answer = lab.send("{ patients { nodes { id } } }", json!({}), &[]).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "patient:read");
    // An object that may not be known of is not found, by whatever way.
    let id = desk.register("Bea", "Rook", "1991-01-02").await;
    assert_eq!(
        lab.ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await["node"],
        Value::Null
    );
    Ok(())
}

/// Roles of the largest template against every coordinate of the schema: fields, mutations, arguments and inputs.
#[test]
fn which_role_may_use_which_field() {
    let template = Template::load(&Source::shipped(), "hospital").unwrap();
    let api = praxis_graphql::build(Limits::default()).unwrap();
    let access: HashMap<String, Access> =
        coordinates().into_iter().map(|coordinate| (coordinate.name, coordinate.access)).collect();
    let roles: Vec<_> = template.roles.iter().map(|role| (role.code.as_str(), &role.permissions)).collect();
    let holders = |coordinates: &[String]| {
        let platform = coordinates.iter().filter_map(|name| match access.get(name) {
            Some(Access::Needs(permission)) => Some(*permission),
            _ => None,
        });
        let clinic = template.field_policies.iter().filter(|policy| {
            coordinates.iter().any(|name| *name == format!("{}.{}", policy.type_name, policy.field))
        });
        let needed: Vec<_> = platform.chain(clinic.map(|policy| policy.permission)).collect();
        let may = |held: &PermissionSet| needed.iter().all(|permission| held.contains(*permission));
        roles.iter().filter(|(_, held)| may(held)).map(|(code, _)| *code).collect::<Vec<_>>().join(" ")
    };
    let mut lines = BTreeMap::new();
    for (name, access) in &access {
        let verb = if name.starts_with("Mutation.") { "write" } else { "read" };
        let who = match access {
            Access::Needs(_) => holders(std::slice::from_ref(name)),
            Access::SignedIn => "(whoever is signed in)".to_owned(),
            Access::Enrolling => "(whoever is signed in, also while a second factor is awaited)".to_owned(),
            Access::Public => "(anyone)".to_owned(),
            Access::Inherited => "(as the field that leads here)".to_owned(),
        };
        lines.insert(name.clone(), format!("{verb:<5} {who}"));
    }
    for (name, takers, asks) in api.inputs() {
        let (writers, readers): (Vec<_>, Vec<_>) =
            takers.into_iter().partition(|taker| taker.starts_with("Mutation."));
        let mut who = Vec::new();
        if !writers.is_empty() {
            // Of several mutations each is asked for on its own.
            let each = writers.iter().map(|writer| {
                let short = writer.trim_start_matches("Mutation.");
                format!("{short}: {}", holders(std::slice::from_ref(writer)))
            });
            who.push(format!("write {}", each.collect::<Vec<_>>().join("; ")));
        }
        if !readers.is_empty() {
            let ask =
                if asks.is_empty() { "(as the field that takes it)".to_owned() } else { holders(&asks) };
            who.push(format!("ask   {ask}"));
        }
        lines.insert(name, who.join("; "));
    }
    let mut table = String::new();
    for (name, who) in &lines {
        writeln!(table, "{name:<48} {who}").unwrap();
    }
    // Whatever the published schema declares is in the table.
    let missing: Vec<_> = declared().into_iter().filter(|name| !lines.contains_key(name)).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    insta::assert_snapshot!(table);
}

/// Every field, argument and input field of the published schema, read as text.
fn declared() -> Vec<String> {
    let (mut owner, mut field, mut quoted, mut all) = ("", "", false, Vec::new());
    for line in include_str!("../../schema.graphql").lines() {
        let quotes = line.matches("\"\"\"").count();
        if quoted || quotes > 0 {
            quoted ^= quotes % 2 == 1;
            continue;
        }
        let name = line.trim_start().split(['(', ':', ' ']).next().unwrap_or_default();
        match line.strip_prefix('\t') {
            None => {
                let mut words = line.split(' ');
                let counts = matches!(words.next(), Some("type" | "input"));
                owner = if counts { words.next().unwrap_or_default() } else { "" };
            }
            Some(_) if owner.is_empty() || name.is_empty() || name.starts_with([')', '#']) => {}
            Some(rest) if rest.starts_with('\t') => all.push(format!("{owner}.{field}({name}:)")),
            Some(_) => {
                field = name;
                all.push(format!("{owner}.{field}"));
            }
        }
    }
    all
}

#[test]
fn every_field_of_the_schema_has_a_policy() {
    let (open, dead) = praxis_graphql::build(Limits::default()).unwrap().policy_gaps();
    assert!(open.is_empty() && dead.is_empty(), "without a policy: {open:?}; without a field: {dead:?}");
}

/// Runs a query in the process and counts its statements.
pub async fn counted(server: &TestServer, actor: Actor, query: &str) -> (u32, Value) {
    let tenant = server.app.directory.by_slug("northside").unwrap();
    let factory = OpFactory::new(
        Arc::clone(&server.app.platform),
        tenant,
        Arc::new(actor),
        RequestInfo::default(),
        true,
    );
    let caller = Caller::new(factory, Arc::default(), RedactionMode::Silent, None);
    let api = praxis_graphql::build(Limits::default()).unwrap();
    let request = GraphqlRequest { query: Some(query.to_owned()), ..GraphqlRequest::default() };
    match api.execute(caller.clone(), request).await {
        Outcome::Executed { body, .. } => (caller.statements(), serde_json::from_slice(&body).unwrap()),
        refused @ Outcome::Refused { .. } => (0, serde_json::json!({ "refused": format!("{refused:?}") })),
    }
}

#[tokio::test]
async fn a_nested_list_costs_the_same_statements_for_two_patients_and_for_twenty() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    owner.facility("MAIN").await;
    let mut patients = Vec::new();
    for number in 0..20_u32 {
        patients.push(
            owner
                .register(
                    &format!("P{number}"),
                    &format!("Family{number}"),
                    &format!("19{:02}-01-01", 60 + number),
                )
                .await,
        );
    }
    for hour in 8..12 {
        let clinician = owner.clinician(&format!("Doctor{hour}")).await;
        for (number, patient) in patients.iter().enumerate() {
            let query = format!(
                "mutation {{ appointmentBook(input: {{ patientId: \"{patient}\", practitionerId: \"{clinician}\", type: PHONE, startsAt: \"2027-04-{:02}T{hour:02}:00:00Z\" }}) @idempotent(key: \"{hour} {number}\") {{ appointment {{ id }} userErrors {{ message }} }} }}",
                number + 1
            );
            let data = owner.ask(&query, json!({})).await;
            assert_eq!(data["appointmentBook"]["userErrors"], json!([]));
        }
    }
    let query = |first: u32| {
        format!(
            "{{ patients(first: {first}) {{ nodes {{ name {{ full }} phone appointments(first: 5) {{ nodes {{ reason practitioner {{ displayName }} }} }} }} }} }}"
        )
    };
    let entries = format!(
        "SELECT count(*) FROM {}.audit_entry WHERE action = 'disclose'",
        server.app.directory.by_slug("northside").unwrap().schema
    );
    let mut admin = server.installation.admin().await?;

    counted(&server, Actor::system(), &query(20)).await;
    let before: i64 = sqlx::query_scalar(AssertSqlSafe(entries.clone())).fetch_one(&mut admin).await?;
    let (few, _) = counted(&server, Actor::system(), &query(2)).await;
    let (many, answer) = counted(&server, Actor::system(), &query(20)).await;
    let after: i64 = sqlx::query_scalar(AssertSqlSafe(entries)).fetch_one(&mut admin).await?;
    assert_eq!(answer["data"]["patients"]["nodes"].as_array().unwrap().len(), 20);
    assert_eq!(answer["data"]["patients"]["nodes"][7]["appointments"]["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(few, many);
    // Patients, appointments, practitioners, and the entry; the keys are at hand.
    assert_eq!(many, 4, "statements");
    assert_eq!(after - before, 2);
    // What decides about whom patients bind (labels, directives, teams) comes along with them.
    let bound = || Actor { kind: ActorKind::User, user: Some(UserId(uuid::Uuid::nil())), ..Actor::system() };
    let (few, _) = counted(&server, bound(), &query(2)).await;
    let (all, answer) = counted(&server, bound(), &query(20)).await;
    assert_eq!(answer["data"]["patients"]["nodes"].as_array().unwrap().len(), 20);
    assert_eq!((few, all), (many, many));
    Ok(())
}

#[tokio::test]
async fn what_visits_need_to_be_closed_costs_the_same_statements_for_two_and_for_twelve() -> Result<()> {
    let server = rules::clinic().await?;
    let (author, owner) =
        (server.person("northside", "physician").await, server.person("northside", "owner").await);
    let open = |number: i32| json!([{ "name": "visit.open_tasks", "value": { "number": number } }]);
    let closing = json!({ "code": "no-tasks-at-all", "title": "Tasks", "cause": "ENCOUNTER_CLOSING",
        "condition": "visit.open_tasks < 1", "severity": "WARNING", "actions": [{ "require": { "text": "Order something." } }],
        "cases": [{ "name": "none", "facts": open(0), "fires": true }, { "name": "some", "facts": open(2), "fires": false }] });
    rules::in_use(&author, &owner, closing).await;
    for number in 0..12 {
        let patient =
            owner.register("Ada", &format!("Family{number}"), &format!("19{}-01-01", 60 + number)).await;
        let made = owner.run("encounterCreate", "userErrors { code }", json!({ "patientId": patient })).await;
        assert_eq!(made["userErrors"], json!([]));
    }
    let query = |first: u32| {
        format!(
            "{{ patients(first: {first}) {{ nodes {{ encounters(first: 2) {{ nodes {{ closeRequirements {{ code }} }} }} }} }} }}"
        )
    };
    counted(&server, Actor::system(), &query(12)).await;
    let (few, _) = counted(&server, Actor::system(), &query(2)).await;
    let (many, answer) = counted(&server, Actor::system(), &query(12)).await;
    let last = &answer["data"]["patients"]["nodes"][11]["encounters"]["nodes"][0]["closeRequirements"];
    assert!(last.as_array().unwrap().contains(&json!({ "code": "CLINIC_RULE" })), "{answer}");
    assert_eq!(few, many);
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_written_down_is_neither_done_nor_answered() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let id = desk.register("Ada", "Quill", "1990-01-02").await;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let mut admin = server.installation.admin().await?;
    let (disclosed, patients): (Vec<String>, Vec<uuid::Uuid>) = {
        desk.ask("query($id: ID!) { patient(by: { id: $id }) { phone } }", json!({ "id": id })).await;
        sqlx::query_as(AssertSqlSafe(format!("SELECT classes, patients FROM {schema}.audit_entry WHERE action = 'disclose' ORDER BY at DESC LIMIT 1")))
            .fetch_one(&mut admin)
            .await?
    };
    assert_eq!(disclosed, ["contact"]);
    assert_eq!(patients, [id.parse::<PatientId>().unwrap().uuid()]);

    admin
        .execute(sqlx::raw_sql(AssertSqlSafe(format!("REVOKE INSERT ON {schema}.audit_entry FROM {schema}"))))
        .await?;
    let read = desk
        .send("query($id: ID!) { patient(by: { id: $id }) { name { full } } }", json!({ "id": id }), &[])
        .await;
    assert_eq!(read.code(), "INTERNAL");
    assert!(!read.text.contains("Quill"), "{}", read.text);
    let update = desk.send("mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { patient { id } } }", json!({ "id": id }), &[]).await;
    assert_eq!(update.code(), "INTERNAL");
    let version: i32 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT version FROM {schema}.patient")))
        .fetch_one(&mut admin)
        .await?;
    assert_eq!(version, 1);
    Ok(())
}

#[tokio::test]
async fn an_edge_to_what_may_not_be_known_of_is_null_and_nothing_more() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    owner.facility("MAIN").await;
    let (patient, clinician) =
        (owner.register("Ada", "Quill", "1990-01-02").await, owner.clinician("Osei").await);
    let book = format!(
        "mutation {{ appointmentBook(input: {{ patientId: \"{patient}\", practitionerId: \"{clinician}\", type: PHONE, startsAt: \"2027-04-01T10:00:00Z\" }}) @idempotent(key: \"1\") {{ appointment {{ id }} }} }}"
    );
    owner.ask(&book, json!({})).await;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let planner = format!(
        "INSERT INTO {schema}.role (id, code, name, description) VALUES ('00000000-0000-7000-8000-000000000009', 'planner', 'Planner', 'Sees times only');
         INSERT INTO {schema}.role_permission VALUES ('00000000-0000-7000-8000-000000000009', 'appointment:read')"
    );
    server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(planner))).await?;
    let planner = server.person("northside", "planner").await;
    let query = "{ appointments { nodes { startsAt reason patient { id } practitioner { displayName } encounter { id } } } }";
    let data = planner.ask(query, json!({})).await;
    let seen = json!([{ "startsAt": "2027-04-01T10:00:00.000Z", "reason": null, "patient": null, "practitioner": null, "encounter": null }]);
    assert_eq!(data["appointments"]["nodes"], seen);
    Ok(())
}

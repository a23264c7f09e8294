//! A sandbox has the clinic's patients in number and shape, and nothing of them.

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::kit::{Life, family};
use crate::support::{
    people::{CITY, Person, STREET},
    server::PASSWORD,
};

/// Every row of every table of a schema as text, and sealed values as they open.
async fn everything(life: &Life, schema: &str) -> Result<String> {
    let mut admin = life.server.installation.admin().await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'",
    )
    .bind(schema)
    .fetch_all(&mut admin)
    .await?;
    let mut text = String::new();
    for table in tables {
        let rows = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {schema}.{table} t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut admin).await?;
        text.push_str(&rows);
    }
    Ok(text)
}

async fn charts(person: &Person<'_>) -> Value {
    let query = "{ patients(first: 20) { nodes { id mrn birthDate email phone name { full given family }
        addresses { lines city } appointments(first: 2) { nodes { startsAt reason } }
        encounters(first: 2) { nodes { types { text } reasons { text } } }
        observations(first: 2) { nodes { code { text } notes } }
        conditions(first: 2) { nodes { code { text } notes } } } } }";
    person.ask(query, json!({})).await["patients"]["nodes"].clone()
}

/// Somebody with a whole chart, every word of it a canary.
fn bundle() -> Value {
    let entry = |resource: Value| json!({ "resource": resource });
    let (subject, coded) = (json!({ "reference": "Patient/p" }), |text: &str| json!({ "text": text }));
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        entry(json!({ "resourceType": "Patient", "id": "p", "birthDate": "1962-02-03",
            "name": [{ "family": "Zqimported", "given": ["Zqbundle"] }] })),
        entry(json!({ "resourceType": "Encounter", "id": "e", "status": "finished", "class": { "code": "AMB" },
            "subject": subject, "type": [coded("Zqvisit")], "reasonCode": [coded("Zqreason")] })),
        entry(json!({ "resourceType": "Observation", "id": "o", "status": "final", "code": coded("Zqobserved"),
            "subject": subject, "valueString": "Zqvalue", "note": [{ "text": "Zqnote" }] })),
        entry(json!({ "resourceType": "Condition", "id": "c", "code": coded("Zqproblem"), "subject": subject,
            "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] } })),
        entry(json!({ "resourceType": "AllergyIntolerance", "id": "a", "patient": subject, "code": coded("Zqallergen") })),
        entry(json!({ "resourceType": "MedicationStatement", "id": "m", "status": "active", "subject": subject,
            "medicationCodeableConcept": coded("Zqmedicine") })),
        entry(json!({ "resourceType": "Immunization", "id": "i", "status": "completed", "patient": subject,
            "vaccineCode": coded("Zqvaccine"), "occurrenceDateTime": "2020-01-02" })),
        entry(json!({ "resourceType": "Procedure", "id": "r", "status": "completed", "subject": subject,
            "code": coded("Zqprocedure"), "performedDateTime": "2020-01-02" })),
    ]})
}

const IMPORTED: [&str; 12] = [
    "Zqimported",
    "Zqbundle",
    "Zqvisit",
    "Zqreason",
    "Zqobserved",
    "Zqvalue",
    "Zqnote",
    "Zqproblem",
    "Zqallergen",
    "Zqmedicine",
    "Zqvaccine",
    "Zqprocedure",
];

#[tokio::test]
async fn a_sandbox_tells_nothing_of_the_patients_it_was_made_from() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let names = ["Zqalphabet", "Zqbromeliad", "Zqcatamaran"];
    let mut ids = Vec::new();
    for (name, born) in names.iter().zip(["1981-02-03", "1982-03-04", "1983-04-05"]) {
        ids.push(owner.register("Zqgivenname", name, born).await);
    }
    owner.clinician("Zqclinician").await;

    let file = life.file("bundle.json");
    std::fs::write(&file, bundle().to_string())?;
    let (code, report, told) = life.praxis(&["fhir", "import", "--tenant", "northside", &file]);
    assert_eq!(code, 0, "{report} {told}");

    let schema = life.schema("northside").await?;
    // A rule of the clinic's own is in use, approved by somebody who is not carried.
    life.sql(&format!(
        "SET session_replication_role = replica; INSERT INTO {schema}.rule (id, code, edition, title, cause, condition, actions,
            severity, status, approved_by, approved_at) SELECT gen_random_uuid(), 'own-rule', 1, 'Ours', cause, condition, actions,
            severity, 'ACTIVE', (SELECT id FROM {schema}.user_account LIMIT 1), now() FROM {schema}.rule LIMIT 1"
    ))
    .await?;
    let cloned = life.done(&["clone", "northside", "--as", "sandbox", "--idempotency-key", "one"]);
    // Four values of each patient, and what was said of the one with a chart.
    assert_eq!((&cloned["patients"], &cloned["madeUp"]), (&json!(4), &json!(4 * 4 + 7)));
    assert_eq!(life.done(&["clone", "northside", "--as", "sandbox", "--idempotency-key", "one"]), cloned);
    assert_eq!(life.tenant(&["clone", "northside", "--as", "northside"]).0, 1);
    assert_eq!(life.schemas().await?, 2, "nothing is left of what failed");
    life.refresh().await?;

    // Nobody who signs in at the original can sign in here; the operator gives somebody an account.
    let login = life.server.login("sandbox.praxis.test", "someone@praxis.test", PASSWORD).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED);
    let guest = life.server.person("sandbox", "owner").await;
    let seen = charts(&guest).await;
    assert_eq!(seen.as_array().unwrap().len(), 4);
    for made_up in ["Made-up condition", "Made-up measurement", "made up"] {
        assert!(seen.to_string().contains(made_up), "{seen}");
    }
    let stored = everything(&life, &life.schema("sandbox").await?).await?;
    let told = format!("{seen}{stored}");
    let raw =
        |id: &String| praxis_entity::ids::decode_base32(id.split_once('_').unwrap().1).unwrap().to_string();
    let bare: Vec<String> = ids.iter().flat_map(|id| [id.clone(), raw(id)]).collect();
    let canaries = names.iter().copied().chain([
        "Zqgivenname",
        "Zqclinician",
        STREET,
        CITY,
        "1981-02-03",
        "442079460123",
    ]);
    for canary in canaries.chain(IMPORTED).chain(bare.iter().map(String::as_str)) {
        assert!(!told.to_lowercase().contains(&canary.to_lowercase()), "{canary}");
    }
    // What was looked for is there at the original.
    let original = charts(&owner).await.to_string();
    assert!(
        ["Zqalphabet", "Zqproblem", "Zqobserved", "Zqreason"].iter().all(|canary| original.contains(canary))
    );
    for id in &ids {
        assert!(family(&guest, id).await.is_null(), "ids are others, too");
    }

    // When a row was written joins it to nothing, and the original's log knows of the clone.
    let sandbox = life.schema("sandbox").await?;
    let told: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) FROM {sandbox}.patient WHERE created_at <> date_trunc('day', created_at, 'UTC')
         UNION ALL SELECT count(*) FROM {sandbox}.observation WHERE updated_at <> date_trunc('day', updated_at, 'UTC')
         UNION ALL SELECT count(*) - 1 FROM {sandbox}.rule WHERE code = 'own-rule' AND status = 'RETIRED'
         UNION ALL SELECT count(*) - 3 FROM {schema}.audit_entry WHERE action = 'tenant.clone'"
    )))
    .fetch_all(&mut life.server.installation.admin().await?)
    .await?;
    assert_eq!(told, [0; 4]);

    // Keys are its own, everything opens with them, and one can work in it.
    assert_eq!(life.praxis(&["key", "verify", "--tenant", "sandbox"]).0, 0);
    let new = guest.register("New", "Zqsandbox", "1990-01-02").await;
    assert_eq!(family(&guest, &new).await, "Zqsandbox");
    let shared: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) FROM {}.phi_key a JOIN {}.phi_key b ON a.commitment = b.commitment OR a.subject = b.subject",
        life.schema("northside").await?,
        life.schema("sandbox").await?
    )))
    .fetch_one(&mut life.server.installation.admin().await?)
    .await?;
    assert_eq!(shared, 0);
    Ok(())
}

//! Visits: from the door to the end, through the gate.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod figures;
pub mod gate;
mod play;

use anyhow::Result;
use chrono::{SecondsFormat, TimeDelta};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

const SLUG: &str = "northside";
const SHOWN: &str = "encounter { id version status } userErrors { __typename code message path
    ... on CloseGateError { requirements { code } } ... on InvalidTransitionError { currentStatus allowedActions } }";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[(SLUG, "owner@praxis.test", "owner")]).await
}

/// A visit on its way.
struct Visit<'a> {
    by: &'a Person<'a>,
    id: String,
    version: i64,
}

impl<'a> Visit<'a> {
    async fn of(by: &'a Person<'a>, input: Value) -> Self {
        let made = by.run("encounterCreate", SHOWN, input).await;
        assert_eq!(made["userErrors"], json!([]));
        Self { by, id: text(&made["encounter"]["id"]), version: 1 }
    }

    /// Under way, of a new patient.
    async fn under_way(by: &'a Person<'a>) -> Self {
        let patient = by.register("Ada", "Quill", "1990-01-02").await;
        let mut visit = Self::of(by, json!({ "patientId": patient })).await;
        visit.go("encounterCheckIn", json!({})).await;
        visit.go("encounterStart", json!({})).await;
        visit
    }

    /// Tries a step.
    async fn attempt(&self, field: &str, more: Value) -> Value {
        let mut input = json!({ "id": self.id, "ifVersion": self.version });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.by.run(field, SHOWN, input).await
    }

    /// Takes a step.
    async fn go(&mut self, field: &str, more: Value) -> Value {
        let done = self.attempt(field, more).await;
        assert_eq!(done["userErrors"], json!([]), "{field}");
        self.version = done["encounter"]["version"].as_i64().unwrap();
        done["encounter"].clone()
    }

    async fn shown(&self, select: &str) -> Value {
        let query = format!("query($id: ID!) {{ encounter(id: $id) {{ {select} }} }}");
        self.by.ask(&query, json!({ "id": self.id })).await["encounter"].clone()
    }

    /// Everything that the gate asks for.
    async fn complete(&mut self) {
        self.go("assessmentRecord", assessment(&[("J20.9", 1)])).await;
        self.go("planRecord", json!({ "text": "Rest" })).await;
    }
}

/// A visit of a new patient that is due by now.
async fn booked(server: &TestServer, owner: &Person<'_>, practitioner: &str) -> Value {
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let soon = server.installation.clock.now() - TimeDelta::minutes(10);
    let input = json!({ "patientId": patient, "practitionerId": practitioner, "type": "IN_PERSON",
        "startsAt": soon.to_rfc3339_opts(SecondsFormat::Secs, true) });
    let made = owner.run("appointmentBook", "appointment { id version } userErrors { message }", input).await;
    assert_eq!(made["userErrors"], json!([]));
    made["appointment"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn assessment(codes: &[(&str, i32)]) -> Value {
    let diagnoses: Vec<_> = codes.iter().map(|(code, rank)| json!({ "code": code, "rank": rank })).collect();
    json!({ "text": "A cold", "diagnoses": diagnoses })
}

fn requirements(refused: &Value) -> Vec<String> {
    let all = refused["userErrors"][0]["requirements"].as_array().unwrap();
    all.iter().map(|one| text(&one["code"])).collect()
}

#[tokio::test]
async fn a_visit_is_closed_through_the_gate_or_past_it_for_a_reason() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let (physician, nurse) = (server.person(SLUG, "physician").await, server.person(SLUG, "nurse").await);
    let mut visit = Visit::under_way(&owner).await;
    let refused = visit.attempt("encounterClose", json!({})).await;
    assert_eq!(refused["userErrors"][0]["__typename"], "CloseGateError");
    let missing = ["MISSING_ASSESSMENT", "MISSING_DIAGNOSIS", "MISSING_PLAN"];
    let named = requirements(&refused);
    assert!(missing.iter().all(|code| named.iter().any(|named| named == code)), "{named:?}");
    let shown = visit.shown("status closeRequirements { code message node { id } }").await;
    assert_eq!(shown["status"], "IN_PROGRESS");
    assert_eq!(shown["closeRequirements"].as_array().unwrap().len(), named.len());

    // Whoever answers for visits may, and nobody else.
    let input = json!({ "id": visit.id, "ifVersion": visit.version, "overrideReason": "In a hurry" });
    let query =
        "mutation($input: EncounterCloseInput!) { encounterClose(input: $input) { userErrors { code } } }";
    let forbidden = nurse.send(query, json!({ "input": input }), &[]).await;
    assert_eq!(forbidden.code(), "FORBIDDEN");
    visit.by = &physician;
    let closed = visit.go("encounterClose", json!({ "overrideReason": "The patient left" })).await;
    assert_eq!(closed["status"], "CLOSED");
    let shown = visit.shown("closeRequirements { code } notes { kind text } closedAt endedAt").await;
    assert_eq!(shown["closeRequirements"], json!([]));
    assert_eq!(shown["notes"][0], json!({ "kind": "OVERRIDE", "text": "The patient left" }));
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let said: Option<String> =
        sqlx::query_scalar("SELECT reason FROM audit_entry WHERE action = 'encounter.close'")
            .fetch_one(&mut sql)
            .await?;
    assert!(said.unwrap().contains("MISSING_PLAN"));

    visit.go("encounterReopen", json!({ "reason": "To finish it" })).await;
    visit.complete().await;
    let left = visit.attempt("encounterClose", json!({})).await;
    if left["userErrors"] != json!([]) {
        // Only what other domains ask for may be left.
        assert!(requirements(&left).iter().all(|code| !code.starts_with("MISSING")), "{left}");
    }
    Ok(())
}

#[tokio::test]
async fn the_database_closes_nothing_past_the_gate() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let _visit = Visit::under_way(&owner).await;
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let refused = sqlx::query("UPDATE encounter SET status = 'CLOSED'").execute(&mut sql).await;
    let code = |error: sqlx::Error| error.as_database_error().unwrap().code().unwrap().into_owned();
    assert_eq!(code(refused.unwrap_err()), "PX021");
    let said = "INSERT INTO encounter_closing (encounter_id, encounter_version, closed_at, missing) SELECT id, version, now(), $1 FROM encounter";
    sqlx::query(said).bind(Vec::<String>::new()).execute(&mut sql).await?;
    let refused = sqlx::query("UPDATE encounter SET status = 'CLOSED'").execute(&mut sql).await;
    assert_eq!(code(refused.unwrap_err()), "PX021");
    // And what is illegal anyway is refused as that.
    let refused = sqlx::query("UPDATE encounter SET status = 'PLANNED'").execute(&mut sql).await;
    assert_eq!(code(refused.unwrap_err()), "PX001");
    // Texts stay as they are.
    let refused = sqlx::query("UPDATE encounter_note SET version = 7").execute(&mut sql).await;
    assert!(refused.is_err() || refused.unwrap().rows_affected() == 0);
    Ok(())
}

#[tokio::test]
async fn a_closed_visit_is_reopened_within_the_days_that_the_clinic_allows() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let mut visit = Visit::under_way(&owner).await;
    visit.go("encounterClose", json!({ "overrideReason": "Done" })).await;
    let silent = visit.attempt("encounterReopen", json!({ "reason": " " })).await;
    assert_eq!(silent["userErrors"][0]["code"], "REQUIRED");
    visit.go("encounterReopen", json!({ "reason": "Something was forgotten" })).await;
    let shown = visit.shown("status endedAt closedAt").await;
    assert_eq!(shown, json!({ "status": "IN_PROGRESS", "endedAt": null, "closedAt": null }));
    visit.go("encounterClose", json!({ "overrideReason": "Done" })).await;
    server.clock.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
    let owner = server.person(SLUG, "owner").await;
    let input = json!({ "id": visit.id, "ifVersion": visit.version, "reason": "Late" });
    let late = owner.run("encounterReopen", SHOWN, input).await;
    assert_eq!(late["userErrors"][0]["code"], "LOCKED");
    Ok(())
}

#[tokio::test]
async fn measurements_are_converted_judged_and_scored() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let visit = Visit::under_way(&owner).await;
    const ROUND: &str = "vitalSigns { takenAt observations { code { codings { code } } notes
        value { ... on QuantityValue { quantity { value code } } } components { value { ... on QuantityValue { quantity { value code } } } } }
        earlyWarningScore { score points missing risk } } userErrors { code path message }";
    let quantity = |value: &str, unit: &str| json!({ "value": value, "unit": unit });
    let whole = json!({ "id": visit.id, "temperature": quantity("98.6", "[degF]"), "heartRate": quantity("95", "/min"),
        "bloodPressure": { "systolic": quantity("120", "mm[Hg]"), "diastolic": quantity("80", "mm[Hg]") },
        "respiratoryRate": quantity("22", "/min"), "oxygenSaturation": quantity("95", "%"), "inhaledOxygen": quantity("2", "L/min"),
        "consciousness": "ALERT", "weight": quantity("70", "kg"), "height": quantity("175", "cm") });
    let taken = owner.run("vitalsRecord", ROUND, whole).await;
    assert_eq!(taken["userErrors"], json!([]));
    let score = &taken["vitalSigns"]["earlyWarningScore"];
    assert_eq!(score, &json!({ "score": 6, "points": 6, "missing": [], "risk": "MEDIUM" }));
    let rows = taken["vitalSigns"]["observations"].as_array().unwrap();
    let row = |code: &str| rows.iter().find(|row| row["code"]["codings"][0]["code"] == code).unwrap();
    assert_eq!(row("8310-5")["value"]["quantity"], json!({ "value": "37.0", "code": "Cel" }));
    assert_eq!(row("8310-5")["notes"], json!(["Measured as 98.6 [degF]."]));
    assert_eq!(row("39156-5")["value"]["quantity"], json!({ "value": "22.9", "code": "kg/m2" }));
    assert_eq!(row("85354-9")["components"].as_array().unwrap().len(), 2);

    // A Fahrenheit number that calls itself Celsius gets in nowhere, and everything wrong is said at once.
    let wrong = json!({ "id": visit.id, "temperature": quantity("98.6", "Cel"), "oxygenSaturation": quantity("98", "mmHg"),
        "bloodPressure": { "systolic": quantity("80", "mm[Hg]"), "diastolic": quantity("120", "mm[Hg]") } });
    let refused = owner.run("vitalsRecord", ROUND, wrong).await;
    let mut paths: Vec<_> =
        refused["userErrors"].as_array().unwrap().iter().map(|one| one["path"].to_string()).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            r#"["input","bloodPressure","diastolic"]"#,
            r#"["input","oxygenSaturation"]"#,
            r#"["input","temperature"]"#
        ]
    );
    let few = owner
        .run("vitalsRecord", ROUND, json!({ "id": visit.id, "heartRate": quantity("72", "/min") }))
        .await;
    let score = &few["vitalSigns"]["earlyWarningScore"];
    assert_eq!((&score["score"], &score["points"]), (&Value::Null, &json!(0)));
    assert_eq!(score["missing"].as_array().unwrap().len(), 6);
    let rounds = visit.shown("version vitalSigns { observations { id } }").await;
    assert_eq!(rounds["vitalSigns"].as_array().unwrap().len(), 2);
    // Whoever measures does not stand in the way of whoever writes.
    assert_eq!(rounds["version"], visit.version);
    Ok(())
}

#[tokio::test]
async fn what_was_measured_by_mistake_counts_no_more_and_stays_on_record() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let visit = Visit::under_way(&owner).await;
    let quantity = |value: &str, unit: &str| json!({ "value": value, "unit": unit });
    let round = json!({ "id": visit.id, "heartRate": quantity("95", "/min"), "respiratoryRate": quantity("22", "/min"),
        "weight": quantity("70", "kg"), "height": quantity("175", "cm") });
    const ROUND: &str = "vitalSigns { observations { id version code { codings { code } } } }";
    let taken = owner.run("vitalsRecord", ROUND, round).await;
    let rows = taken["vitalSigns"]["observations"].as_array().unwrap().clone();
    let row = |code: &str| rows.iter().find(|row| row["code"]["codings"][0]["code"] == code).unwrap().clone();
    const STRUCK: &str = "observation { status notes allowedActions } userErrors { code path }";
    let strike = async |row: &Value, version: i32, reason: &str| {
        let input = json!({ "id": row["id"], "ifVersion": version, "reason": reason });
        owner.run("observationEnterInError", STRUCK, input).await
    };
    let breath = row("9279-1");
    assert_eq!(strike(&breath, 1, " ").await["userErrors"][0]["code"], "REQUIRED");
    assert_eq!(strike(&breath, 7, "Miscounted").await["userErrors"][0]["code"], "VERSION_CONFLICT");
    let struck = strike(&breath, 1, "Miscounted").await["observation"].clone();
    assert_eq!(struck["notes"], json!(["Miscounted"]));
    assert_eq!(
        (&struck["status"], &struck["allowedActions"]),
        (&json!("ENTERED_IN_ERROR"), &json!(["confidentialitySet"]))
    );
    assert_eq!(strike(&breath, 2, "Again").await["userErrors"][0]["code"], "INVALID_TRANSITION");
    // The index that was computed from a weight goes with it.
    strike(&row("29463-7"), 1, "Another patient's").await;
    let seen = visit
        .shown(
            "vitalSigns { observations { code { codings { code } } } earlyWarningScore { points missing } }
            observations(first: 9) { totalCount nodes { status } } timeline(first: 50) { nodes { kind } }",
        )
        .await;
    let left = seen["vitalSigns"][0]["observations"].as_array().unwrap();
    let mut left: Vec<_> = left.iter().map(|row| text(&row["code"]["codings"][0]["code"])).collect();
    left.sort();
    assert_eq!(left, ["8302-2", "8867-4"]);
    let score = &seen["vitalSigns"][0]["earlyWarningScore"];
    assert_eq!(score["points"], 1, "the pulse alone");
    assert!(score["missing"].to_string().contains("RESPIRATORY_RATE"));
    assert_eq!(seen["observations"]["totalCount"], 2);
    let told = seen["timeline"].to_string().matches("OBSERVATION_ENTERED_IN_ERROR").count();
    assert_eq!(told, 3, "breathing, weight, and what was computed: {seen}");
    Ok(())
}

#[tokio::test]
async fn no_rank_and_no_code_of_a_visit_is_there_twice() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let mut visit = Visit::under_way(&owner).await;
    let codes = |refused: &Value| -> Vec<String> {
        refused["userErrors"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect()
    };
    let twice =
        visit.attempt("assessmentRecord", assessment(&[("E11.9", 1), ("I10", 1), ("e11.9", 2)])).await;
    assert_eq!(codes(&twice), ["ALREADY_EXISTS", "ALREADY_EXISTS"]);
    let shapeless = visit.attempt("assessmentRecord", assessment(&[("Diabetes", 1), ("E1", 2)])).await;
    assert_eq!(codes(&shapeless), ["INVALID", "INVALID"]);
    visit.go("assessmentRecord", assessment(&[("E11.9", 1), ("U07.1", 2), ("Z3A.20", 3)])).await;
    // Ranks change places; what is the same stays.
    const SHOWN: &str = "diagnoses { id rank condition { id code { codings { code } } } }";
    let before = visit.shown(SHOWN).await;
    visit.go("assessmentRecord", assessment(&[("U07.1", 1), ("E11.9", 2), ("Z3A.20", 3)])).await;
    let after = visit.shown(SHOWN).await;
    let of = |shown: &Value, code: &str| {
        let all = shown["diagnoses"].as_array().unwrap();
        all.iter().find(|one| one["condition"]["code"]["codings"][0]["code"] == code).unwrap().clone()
    };
    assert_eq!((&of(&after, "U07.1")["rank"], &of(&after, "E11.9")["rank"]), (&json!(1), &json!(2)));
    assert_eq!(of(&after, "Z3A.20")["id"], of(&before, "Z3A.20")["id"]);
    assert_eq!(of(&after, "E11.9")["condition"]["id"], of(&before, "E11.9")["condition"]["id"]);
    // The database holds it too, and knows no code.
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    let again = "INSERT INTO encounter_diagnosis (id, encounter_id, patient_id, condition_id, status, rank, use, code_token)
        SELECT gen_random_uuid(), encounter_id, patient_id, condition_id, status, 9, use, code_token FROM encounter_diagnosis WHERE status = 'RECORDED' LIMIT 1";
    let refused = sqlx::query(again).execute(&mut sql).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("encounter_diagnosis_code_unique"));
    // Texts are kept, version by version.
    let few = visit.shown("notes(first: 1) { version } vitalSigns(first: 0) { takenAt }").await;
    assert_eq!(few, json!({ "notes": [{ "version": 2 }], "vitalSigns": [] }));
    let notes = visit.shown("assessment { version text } notes { version }").await;
    assert_eq!(notes["assessment"]["version"], 2);
    assert_eq!(notes["notes"].as_array().unwrap().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_diagnosis_that_is_taken_back_or_said_otherwise_does_not_stay_in_the_chart() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let mut visit = Visit::under_way(&owner).await;
    let of = |code: &str, text: &str| json!({ "diagnoses": [{ "code": code, "text": text, "rank": 1 }] });
    let conditions = async |visit: &Visit<'_>| -> Vec<(String, String, String)> {
        let shown = visit.shown("conditions { nodes { id code { text } verificationStatus } }").await;
        let all = shown["conditions"]["nodes"].as_array().unwrap().clone();
        let mut all: Vec<_> = all
            .iter()
            .map(|one| (text(&one["code"]["text"]), text(&one["verificationStatus"]), text(&one["id"])))
            .collect();
        all.sort();
        all
    };
    let told = |all: &[(String, String, String)]| -> Vec<(String, String)> {
        all.iter().map(|(text, status, _)| (text.clone(), status.clone())).collect()
    };
    visit.go("assessmentRecord", of("S83.2", "Left knee")).await;
    let first = conditions(&visit).await;
    // The same words and another rank are the same diagnosis.
    visit
        .go("assessmentRecord", json!({ "diagnoses": [{ "code": "S83.2", "text": "Left knee", "rank": 2 }] }))
        .await;
    assert_eq!(conditions(&visit).await, first);
    visit.go("assessmentRecord", of("S83.2", "Right knee")).await;
    let pair = |text: &str, status: &str| (text.to_owned(), status.to_owned());
    let second = conditions(&visit).await;
    assert_eq!(told(&second), [pair("Left knee", "ENTERED_IN_ERROR"), pair("Right knee", "CONFIRMED")]);
    visit.go("assessmentRecord", json!({ "diagnoses": [] })).await;
    let third = conditions(&visit).await;
    assert_eq!(told(&third), [pair("Left knee", "ENTERED_IN_ERROR"), pair("Right knee", "ENTERED_IN_ERROR")]);
    // Said again, it is a new finding.
    visit.go("assessmentRecord", of("S83.2", "Right knee")).await;
    assert_eq!(conditions(&visit).await.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_visit_that_was_called_off_does_not_stand_in_the_way_of_its_appointment() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    owner.facility("MAIN").await;
    let appointment = booked(&server, &owner, &owner.clinician("Osei").await).await;
    let mut first = Visit::of(&owner, json!({ "appointmentId": appointment["id"] })).await;
    first.go("encounterCancel", json!({ "reason": "By mistake" })).await;
    let input = json!({ "id": appointment["id"], "ifVersion": appointment["version"] });
    let here = owner.run("appointmentCheckIn", "appointment { status } userErrors { message }", input).await;
    assert_eq!(here["appointment"]["status"], "CHECKED_IN", "{here}");
    server.work().await?;
    let query = "query($id: ID!) { appointment(id: $id) { encounter { id status } } }";
    let seen = owner.ask(query, json!({ "id": appointment["id"] })).await["appointment"]["encounter"].clone();
    assert_eq!(seen["status"], "ARRIVED", "{seen}");
    assert_ne!(text(&seen["id"]), first.id);
    Ok(())
}

#[tokio::test]
async fn a_visit_and_its_appointment_go_together() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    owner.facility("MAIN").await;
    let practitioner = owner.clinician("Osei").await;
    let appointment = text(&booked(&server, &owner, &practitioner).await["id"]);
    let mut visit = Visit::of(&owner, json!({ "appointmentId": appointment })).await;
    let again = owner.run("encounterCreate", SHOWN, json!({ "appointmentId": appointment })).await;
    assert_eq!(again["userErrors"][0]["code"], "ALREADY_EXISTS");
    let status = async || {
        let query = "query($id: ID!) { appointment(id: $id) { status encounter { id } } }";
        text(&owner.ask(query, json!({ "id": appointment })).await["appointment"]["status"])
    };
    visit.go("encounterCheckIn", json!({})).await;
    assert_eq!(status().await, "CHECKED_IN");
    visit.go("encounterStart", json!({})).await;
    assert_eq!(status().await, "IN_PROGRESS");
    let shown =
        visit.shown("practitioner { id } participants { role startsAt endsAt practitioner { id } }").await;
    assert_eq!(shown["practitioner"]["id"], practitioner);
    assert_eq!(
        (&shown["participants"][0]["role"], &shown["participants"][0]["endsAt"]),
        (&json!("ATND"), &Value::Null)
    );
    visit.go("encounterClose", json!({ "overrideReason": "Done" })).await;
    assert_eq!(status().await, "COMPLETED");
    let shown = visit.shown("participants { endsAt }").await;
    assert!(shown["participants"][0]["endsAt"].is_string());
    Ok(())
}

#[tokio::test]
async fn who_leaves_before_they_are_seen_keeps_neither_visit_nor_time() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    owner.facility("MAIN").await;
    let practitioner = owner.clinician("Osei").await;
    let soon = server.installation.clock.now() + TimeDelta::minutes(10);
    for (given, family, born, by_the_visit) in
        [("Ada", "Quill", "1990-01-02", true), ("Bea", "Rook", "1971-06-05", false)]
    {
        let patient = owner.register(given, family, born).await;
        // The second one gets the time that the first one gave up.
        let booked = json!({ "patientId": patient, "practitionerId": practitioner, "type": "IN_PERSON",
            "startsAt": soon.to_rfc3339_opts(SecondsFormat::Secs, true) });
        let booked = owner.run("appointmentBook", "appointment { id } userErrors { message }", booked).await;
        assert_eq!(booked["userErrors"], json!([]));
        let appointment = text(&booked["appointment"]["id"]);
        let mut visit = Visit::of(&owner, json!({ "appointmentId": appointment })).await;
        visit.go("encounterCheckIn", json!({})).await;
        let query = "query($id: ID!) { appointment(id: $id) { version status allowedActions } }";
        let shown = async || owner.ask(query, json!({ "id": appointment })).await["appointment"].clone();
        let here = shown().await;
        assert!(here["allowedActions"].as_array().unwrap().contains(&json!("appointmentCancel")), "{here}");
        if by_the_visit {
            visit.go("encounterTriage", json!({})).await;
            visit.go("encounterCancel", json!({ "reason": "Went home" })).await;
        } else {
            let input = json!({ "id": appointment, "ifVersion": here["version"], "code": "pat" });
            let off = owner.run("appointmentCancel", "userErrors { message }", input).await;
            assert_eq!(off["userErrors"], json!([]));
            crate::tasks::work_off(&server).await?;
        }
        assert_eq!(shown().await["status"], "CANCELLED");
        assert_eq!(visit.shown("status").await["status"], "CANCELLED");
    }
    Ok(())
}

#[tokio::test]
async fn the_timeline_tells_what_happened_in_its_order_and_without_a_gap() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let mut visit = Visit::under_way(&owner).await;
    visit.complete().await;
    visit.go("encounterHold", json!({ "reason": "The x-ray" })).await;
    visit.go("encounterResume", json!({})).await;
    let shown = visit.shown("timeline(first: 4) { totalCount pageInfo { endCursor hasNextPage } nodes { sequence kind actorName } }").await;
    let timeline = &shown["timeline"];
    let kinds: Vec<_> = timeline["nodes"].as_array().unwrap().iter().map(|one| text(&one["kind"])).collect();
    assert_eq!(
        kinds,
        ["ENCOUNTER_PLANNED", "ENCOUNTER_CHECKED_IN", "ENCOUNTER_STARTED", "ASSESSMENT_RECORDED"]
    );
    assert_eq!((&timeline["totalCount"], &timeline["pageInfo"]["hasNextPage"]), (&json!(7), &json!(true)));
    let rest =
        format!("timeline(after: {}) {{ nodes {{ sequence kind }} }}", timeline["pageInfo"]["endCursor"]);
    let rest = visit.shown(&rest).await;
    let numbers: Vec<_> =
        rest["timeline"]["nodes"].as_array().unwrap().iter().map(|one| one["sequence"].clone()).collect();
    assert_eq!(numbers, [5, 6, 7]);
    Ok(())
}

#[tokio::test]
async fn of_many_at_once_one_starts_the_consultation() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let mut visit = Visit::of(&owner, json!({ "patientId": patient })).await;
    visit.go("encounterCheckIn", json!({})).await;
    let answers = join_all((0..8).map(|_| visit.attempt("encounterStart", json!({})))).await;
    let started = answers.iter().filter(|answer| answer["userErrors"] == json!([])).count();
    assert_eq!(started, 1);
    for lost in answers.iter().filter(|answer| answer["userErrors"] != json!([])) {
        assert_eq!(lost["userErrors"][0]["code"], "VERSION_CONFLICT", "{lost}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_that_was_said_is_stored_in_clear() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person(SLUG, "owner").await;
    let mut visit = Visit::under_way(&owner).await;
    visit.go("assessmentRecord", json!({ "text": "Zebrapneumonie", "diagnoses": [{ "code": "J18.1", "text": "Zebrapneumonie", "rank": 1 }] })).await;
    visit.go("planRecord", json!({ "text": "Zebrapneumonie" })).await;
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    for table in [
        "encounter",
        "encounter_note",
        "encounter_diagnosis",
        "condition",
        "event",
        "observation",
        "audit_entry",
    ] {
        let find =
            format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%Zebra%' OR t::text LIKE '%J18.1%'");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(find)).fetch_one(&mut sql).await?;
        assert_eq!(found, 0, "{table}");
    }
    // Who may not read clinical content sees that there was a visit, and no word of it.
    let desk = server.person(SLUG, "receptionist").await;
    let query = "query($id: ID!) { encounter(id: $id) { status assessment { text } notes { text } diagnoses { rank } vitalSigns { takenAt } } }";
    let seen = desk.send(query, json!({ "id": visit.id }), &[]).await;
    assert_eq!(
        seen.body["data"]["encounter"],
        json!({ "status": "IN_PROGRESS", "assessment": null, "notes": null, "diagnoses": null, "vitalSigns": null }),
        "{}",
        seen.text
    );
    Ok(())
}

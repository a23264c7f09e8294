//! Patients, as the desk and the clinicians meet them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{people::CREATE, server::TestServer};

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

fn found(data: &Value) -> Vec<&str> {
    data["patients"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn record_numbers_are_drawn_without_gaps_and_kept_unique() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let mut numbers = Vec::new();
    for (given, born) in [("Ana", "1980-01-01"), ("Bea", "1981-01-01"), ("Cleo", "1982-01-01")] {
        // A refused registration in between must not use a number up.
        let refused = json!({ "input": { "name": { "given": [], "family": "" }, "birthDate": born } });
        let data = desk.ask(CREATE, refused).await;
        assert_eq!(data["patientCreate"]["patient"], Value::Null);
        assert_eq!(data["patientCreate"]["userErrors"][0]["path"], json!(["input", "name", "family"]));
        let input = json!({ "input": { "name": { "given": [given], "family": "Lind" }, "birthDate": born } });
        let data = desk.ask(CREATE, input).await;
        numbers.push(data["patientCreate"]["patient"]["mrn"].as_str().unwrap().to_owned());
    }
    let digits: Vec<u32> = numbers
        .iter()
        .map(|mrn| mrn.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap())
        .collect();
    assert_eq!(digits[1], digits[0] + 1);
    assert_eq!(digits[2], digits[1] + 1);

    let taken = json!({ "input": { "name": { "given": ["Dora"], "family": "Other" }, "birthDate": "1999-09-09", "mrn": numbers[0] } });
    let data = desk.ask(CREATE, taken).await;
    assert_eq!(data["patientCreate"]["userErrors"][0]["code"], "ALREADY_EXISTS");
    assert_eq!(data["patientCreate"]["userErrors"][0]["path"], json!(["input", "mrn"]));
    Ok(())
}

#[tokio::test]
async fn a_likely_duplicate_is_refused_until_somebody_has_looked_at_it() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let first = desk.register("Anna", "Hansen", "1980-05-17").await;
    let twin = json!({ "name": { "given": ["Anne"], "family": "Hansen" }, "birthDate": "1980-05-17" });
    let data = desk.ask(CREATE, json!({ "input": twin })).await;
    let error = &data["patientCreate"]["userErrors"][0];
    assert_eq!(
        (error["__typename"].as_str(), error["code"].as_str()),
        (Some("DuplicatePatientError"), Some("ALREADY_EXISTS"))
    );
    assert_eq!(error["candidates"], json!([{ "id": first }]));

    let mut accepted = twin;
    accepted["acceptDuplicates"] = json!([first]);
    let data = desk.ask(CREATE, json!({ "input": accepted })).await;
    assert!(data["patientCreate"]["patient"]["id"].is_string());
    assert_eq!(data["patientCreate"]["duplicateCandidates"], json!([{ "id": first }]));
    Ok(())
}

#[tokio::test]
async fn a_patch_changes_what_is_given_clears_what_is_null_and_knows_its_version() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let id = desk.register("Ada", "Quill", "1990-01-02").await;
    let update = "mutation($input: PatientUpdateInput!) { patientUpdate(input: $input) {
        patient { version email phone name { full } }
        userErrors { code ... on VersionConflictError { currentVersion current { id } } } } }";
    let change = json!({ "input": { "id": id, "ifVersion": 1, "email": null, "name": { "given": ["Ada"], "family": "Quillfeather" } } });
    let data = desk.ask(update, change.clone()).await;
    let patient = &data["patientUpdate"]["patient"];
    assert_eq!(
        *patient,
        json!({ "version": 2, "email": null, "phone": "+442079460123", "name": { "full": "Ada Quillfeather" } })
    );

    let data = desk.ask(update, change).await;
    let error = &data["patientUpdate"]["userErrors"][0];
    assert_eq!(*error, json!({ "code": "VERSION_CONFLICT", "currentVersion": 2, "current": { "id": id } }));

    // Found under the new name at once, and under the old one no more.
    let search = "query($text: String!) { patients(search: $text) { nodes { id } } }";
    assert_eq!(found(&desk.ask(search, json!({ "text": "quillf" })).await), [id.as_str()]);
    Ok(())
}

#[tokio::test]
async fn a_patient_is_found_by_whatever_is_known_of_them() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let jose = desk.register("José María", "Núñez-O'Brien", "1975-03-09").await;
    let _other = desk.register("Maria", "Nowak", "1976-04-10").await;
    let search = "query($text: String!) { patients(search: $text) { totalCount nodes { id mrn } } }";
    let mrn = desk.ask(search, json!({ "text": "jose" })).await["patients"]["nodes"][0]["mrn"]
        .as_str()
        .unwrap()
        .to_owned();
    for text in
        ["nunez", "NÚÑ", "obrien jos", "mar nun", mrn.as_str(), "núñez-o'brien@example.org", "1975-03-09"]
    {
        let data = desk.ask(search, json!({ "text": text })).await;
        assert_eq!(found(&data), [jose.as_str()], "{text}");
        assert_eq!(data["patients"]["totalCount"], 1, "{text}");
    }
    // The family shares a telephone.
    assert_eq!(found(&desk.ask(search, json!({ "text": "+44 20 7946 0123" })).await).len(), 2);
    assert!(found(&desk.ask(search, json!({ "text": "nobody" })).await).is_empty());

    let by = "query($by: PatientLookup!) { patient(by: $by) { id } }";
    assert_eq!(desk.ask(by, json!({ "by": { "mrn": mrn } })).await["patient"]["id"], json!(jose));
    assert_eq!(desk.ask(by, json!({ "by": { "mrn": "no such" } })).await["patient"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_record_leaves_care_and_ends_only_by_legal_steps() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let id = owner.register("Ada", "Quill", "1990-01-02").await;
    let step = |field: &str, more: &str| {
        format!(
            "mutation {{ {field}(input: {{ id: \"{id}\", {more} }}) {{ patient {{ status version }} userErrors {{ code }} }} }}"
        )
    };
    let data = owner.ask(&step("patientDeactivate", "ifVersion: 1"), json!({})).await;
    assert_eq!(data["patientDeactivate"]["patient"], json!({ "status": "INACTIVE", "version": 2 }));
    let data = owner.ask(&step("patientDeactivate", "ifVersion: 2"), json!({})).await;
    assert_eq!(data["patientDeactivate"]["userErrors"], json!([{ "code": "INVALID_TRANSITION" }]));
    let data = owner
        .ask(&step("patientRecordDeath", "ifVersion: 2, deceasedAt: \"2999-01-01T00:00:00Z\""), json!({}))
        .await;
    assert_eq!(data["patientRecordDeath"]["userErrors"], json!([{ "code": "OUT_OF_RANGE" }]));
    let data = owner
        .ask(&step("patientRecordDeath", "ifVersion: 2, deceasedAt: \"2026-01-05T10:00:00Z\""), json!({}))
        .await;
    assert_eq!(data["patientRecordDeath"]["patient"]["status"], "DECEASED");
    let data = owner.ask(&step("patientReactivate", "ifVersion: 3"), json!({})).await;
    assert_eq!(data["patientReactivate"]["userErrors"], json!([{ "code": "INVALID_TRANSITION" }]));
    Ok(())
}

#[tokio::test]
async fn walking_the_list_visits_each_patient_once_in_both_directions() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let mut all = Vec::new();
    for number in 0..23 {
        all.push(
            desk.register(
                &format!("P{number}"),
                &format!("Walker{number:02}"),
                &format!("19{:02}-01-01", 60 + number),
            )
            .await,
        );
    }
    let forward = "query($after: String) { patients(first: 5, after: $after) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let backward = "query($before: String) { patients(last: 4, before: $before) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = desk.ask(forward, json!({ "after": after })).await;
        seen.extend(found(&data).into_iter().map(str::to_owned));
        if data["patients"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = data["patients"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, all);
    let (mut seen, mut before) = (Vec::new(), Value::Null);
    loop {
        let data = desk.ask(backward, json!({ "before": before })).await;
        let page: Vec<_> = found(&data).into_iter().map(str::to_owned).collect();
        seen.splice(0..0, page);
        if data["patients"]["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = data["patients"]["pageInfo"]["startCursor"].clone();
    }
    assert_eq!(seen, all);

    // A cursor of one list opens no other, and sizes out of range are refused.
    let foreign = desk
        .send(
            "query($after: String) { patients(search: \"wal\", after: $after) { nodes { id } } }",
            json!({ "after": after }),
            &[],
        )
        .await;
    assert_eq!(foreign.code(), "BAD_USER_INPUT");
    for size in ["first: -1", "first: 101", "last: 101", "first: 1, last: 1"] {
        let answer = desk.send(&format!("{{ patients({size}) {{ nodes {{ id }} }} }}"), json!({}), &[]).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{size}: {}", answer.text);
    }
    Ok(())
}

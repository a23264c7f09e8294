//! Patients, as the desk and the clinicians meet them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{people::CREATE, server::TestServer, steps::refused_steps};

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
    desk.run(
        "patientUpdate",
        "userErrors { code }",
        json!({ "id": id, "ifVersion": 2, "name": { "given": ["Ada"], "family": "Smith" } }),
    )
    .await;
    assert!(found(&desk.ask(search, json!({ "text": "quillf" })).await).is_empty());
    assert_eq!(found(&desk.ask(search, json!({ "text": "smith ada" })).await), [id.as_str()]);
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
async fn everything_that_is_wrong_is_said_at_once_and_where() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let wrong = json!({
        "name": { "given": [], "family": " ", "prefix": "x".repeat(500) },
        "birthDate": "2999-01-01", "mrn": "#!", "email": "no@", "phone": "12", "nationalId": "x".repeat(500),
        "contactPoints": [{ "system": "EMAIL", "value": "no@" }],
        "identifiers": [{ "system": "", "value": "1" }],
        "addresses": [{ "city": "x".repeat(1000) }],
    });
    let payload = desk.run("patientCreate", "patient { id } userErrors { path code message }", wrong).await;
    assert_eq!(payload["patient"], Value::Null);
    let mut paths: Vec<_> = payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
            let path: Vec<_> =
                error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
            format!("{} {}", path.join("."), error["code"].as_str().unwrap())
        })
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "input.addresses.0 TOO_LONG",
            "input.birthDate OUT_OF_RANGE",
            "input.contactPoints.0.value INVALID",
            "input.email INVALID",
            "input.identifiers.0 REQUIRED",
            "input.mrn INVALID",
            "input.name.family REQUIRED",
            "input.name.prefix TOO_LONG",
            "input.nationalId TOO_LONG",
            "input.phone INVALID",
        ]
    );
    let counted = desk.ask("{ patients { totalCount } }", json!({})).await;
    assert_eq!(counted["patients"]["totalCount"], 0);
    Ok(())
}

#[tokio::test]
async fn of_several_who_register_one_person_at_once_one_does() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let input =
        json!({ "input": { "name": { "given": ["Ana"], "family": "Lind" }, "birthDate": "1980-01-01" } });
    let answers = join_all((0..8).map(|_| desk.ask(CREATE, input.clone()))).await;
    let made = answers.iter().filter(|data| data["patientCreate"]["patient"].is_object()).count();
    assert_eq!(made, 1);
    let refused = answers
        .iter()
        .filter(|data| data["patientCreate"]["userErrors"][0]["__typename"] == "DuplicatePatientError");
    assert_eq!(refused.count(), 7);

    // Different persons at once get numbers without gaps.
    let inputs = (0..8).map(|n| {
        json!({ "input": { "name": { "given": ["Bo"], "family": format!("Berg{n}") }, "birthDate": format!("197{n}-02-02") } })
    });
    let answers = join_all(inputs.map(|input| desk.ask(CREATE, input))).await;
    let mut numbers: Vec<u32> = answers
        .iter()
        .map(|data| data["patientCreate"]["patient"]["mrn"].as_str().unwrap()[1..].parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..10).collect::<Vec<u32>>());
    Ok(())
}

#[tokio::test]
async fn numbers_ways_to_reach_and_addresses_are_kept_and_replaced() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    const WHOLE: &str = "patient { id version nationalId email phone identifiers { system value }
        contactPoints { system value use preferred } addresses { lines city postalCode country } } userErrors { code path }";
    let new = json!({
        "name": { "given": ["Ada"], "family": "Quill" }, "birthDate": "1990-01", "nationalId": "943 476 5919",
        "phone": "+44 20 7946 0123",
        "identifiers": [{ "system": "urn:insurer", "value": "A-1" }],
        "contactPoints": [{ "system": "PHONE", "value": "+442079460999", "use": "work" }],
        "addresses": [{ "lines": ["1 High St"], "city": "Leeds", "postalCode": "LS1 1AA", "country": "GB" }],
    });
    let made = owner.run("patientCreate", WHOLE, new).await;
    let patient = &made["patient"];
    assert_eq!(patient["phone"], "+442079460123");
    assert_eq!(patient["identifiers"], json!([{ "system": "urn:insurer", "value": "A-1" }]));
    assert_eq!(patient["contactPoints"].as_array().unwrap().len(), 2);
    assert_eq!(patient["addresses"][0]["city"], "Leeds");
    let id = patient["id"].as_str().unwrap();

    let by = "query($by: PatientLookup!) { patient(by: $by) { id birthDate } }";
    let number = json!({ "by": { "nationalId": patient["nationalId"] } });
    assert_eq!(owner.ask(by, number.clone()).await["patient"], json!({ "id": id, "birthDate": "1990-01" }));

    let change = json!({ "id": id, "ifVersion": 1, "nationalId": null, "phone": null,
        "identifiers": [], "addresses": [{ "lines": ["2 Low St"] }, { "city": "York" }] });
    let changed = owner.run("patientUpdate", WHOLE, change).await;
    let patient = &changed["patient"];
    assert_eq!((&patient["nationalId"], &patient["identifiers"]), (&Value::Null, &json!([])));
    assert_eq!(patient["addresses"][1]["city"], "York");
    assert_eq!(owner.ask(by, number).await["patient"], Value::Null);

    // A number that somebody has is nobody else's.
    let other = owner.register("Bea", "Other", "1970-01-01").await;
    let take = |id: &str, version: i32| json!({ "id": id, "ifVersion": version, "identifiers": [{ "system": "urn:insurer", "value": "B-2" }] });
    assert_eq!(owner.run("patientUpdate", WHOLE, take(id, 2)).await["userErrors"], json!([]));
    let taken = owner.run("patientUpdate", WHOLE, take(&other, 1)).await;
    assert_eq!(taken["userErrors"][0]["code"], "ALREADY_EXISTS");
    Ok(())
}

#[tokio::test]
async fn people_around_a_patient_come_and_go() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let id = desk.register("Ada", "Quill", "2020-01-02").await;
    const PERSON: &str = "relatedPerson { id version active guardian name { full } relationship { codings { code } } } userErrors { code path }";
    let mother = json!({ "patientId": id, "name": { "given": ["Eve"], "family": "Quill" }, "guardian": true,
        "relationship": { "codings": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH" }] } });
    let added = desk.run("relatedPersonAdd", PERSON, mother).await;
    let person = &added["relatedPerson"];
    assert_eq!((&person["name"]["full"], &person["guardian"]), (&json!("Eve Quill"), &json!(true)));
    assert_eq!(person["relationship"]["codings"][0]["code"], "MTH");
    let end = |version: i32| json!({ "id": person["id"], "ifVersion": version });
    let outdated = desk.run("relatedPersonEnd", PERSON, end(7)).await;
    assert_eq!(outdated["userErrors"][0]["code"], "VERSION_CONFLICT");
    let ended = desk.run("relatedPersonEnd", PERSON, end(1)).await;
    assert_eq!(ended["relatedPerson"]["active"], false);
    let again = desk.run("relatedPersonEnd", PERSON, end(2)).await;
    assert_eq!(again["userErrors"][0]["code"], "INVALID_TRANSITION");
    let nameless =
        json!({ "patientId": id, "name": { "given": [], "family": "" }, "relationship": { "text": "aunt" } });
    let refused = desk.run("relatedPersonAdd", PERSON, nameless).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "REQUIRED", "path": ["input", "name", "family"] }]));
    Ok(())
}

#[tokio::test]
async fn filters_combine() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let ada = desk.register("Ada", "Quill", "1990-01-02").await;
    let bea = json!({ "name": { "given": ["Bea"], "family": "Stone" }, "birthDate": "1990-01-02" });
    let bea =
        desk.run("patientCreate", "patient { id }", bea).await["patient"]["id"].as_str().unwrap().to_owned();
    let cleo = desk.register("Cleo", "Reed", "1991-03-04").await;
    desk.run("patientDeactivate", "userErrors { code }", json!({ "id": cleo, "ifVersion": 1 })).await;
    let list = "query($filter: PatientFilter) { patients(filter: $filter) { totalCount nodes { id mrn } } }";
    let data = desk.ask(list, json!({})).await;
    let mrn = data["patients"]["nodes"][1]["mrn"].clone();
    for (filter, expected) in [
        (json!({}), vec![&ada, &bea, &cleo]),
        (json!({ "mrn": { "eq": mrn } }), vec![&bea]),
        (json!({ "mrn": { "in": [] } }), vec![]),
        (json!({ "email": { "in": ["QUILL@example.org", "reed@example.org"] } }), vec![&ada, &cleo]),
        (json!({ "phone": { "eq": "+44 (20) 7946-0123" } }), vec![&ada, &cleo]),
        (json!({ "birthDate": "1990-01-02" }), vec![&ada, &bea]),
        (json!({ "birthDate": "1990" }), vec![]),
        (json!({ "status": "INACTIVE" }), vec![&cleo]),
        (json!({ "not": { "status": "INACTIVE" } }), vec![&ada, &bea]),
        (json!({ "not": { "not": { "status": "INACTIVE" } } }), vec![&cleo]),
        (json!({ "birthDate": "1990-01-02", "not": { "mrn": { "eq": mrn } } }), vec![&ada]),
        (json!({ "or": [{ "mrn": { "eq": mrn } }, { "status": "INACTIVE" }] }), vec![&bea, &cleo]),
        (json!({ "or": [] }), vec![&ada, &bea, &cleo]),
        (
            json!({ "and": [{ "status": "ACTIVE" }, { "or": [{ "birthDate": "1991-03-04" }, { "mrn": { "eq": mrn } }] }] }),
            vec![&bea],
        ),
        (json!({ "updatedAt": { "gt": "2999-01-01T00:00:00Z" } }), vec![]),
        (json!({ "updatedAt": { "lt": "2999-01-01T00:00:00Z" } }), vec![&ada, &bea, &cleo]),
    ] {
        let data = desk.ask(list, json!({ "filter": filter })).await;
        assert_eq!(found(&data), expected, "{filter}");
        assert_eq!(data["patients"]["totalCount"], expected.len(), "{filter}");
    }
    let counts =
        "{ a: patients(first: 1) { totalCount(max: 2) nodes { id } } b: patients { totalCount(max: 0) } }";
    let data = desk.ask(counts, json!({})).await;
    assert_eq!((&data["a"]["totalCount"], &data["b"]["totalCount"]), (&json!(2), &json!(0)));
    let deep = (0..5).fold(json!({ "status": "ACTIVE" }), |inner, _| json!({ "not": inner }));
    assert_eq!(desk.send(list, json!({ "filter": deep }), &[]).await.code(), "BAD_USER_INPUT");
    Ok(())
}

#[tokio::test]
async fn the_database_allows_a_record_the_legal_steps_only() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    desk.register("Ada", "Quill", "1990-01-02").await;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let statuses = ["ACTIVE", "INACTIVE", "DECEASED", "MERGED", "ERASED"];
    let legal =
        [("ACTIVE", "INACTIVE"), ("INACTIVE", "ACTIVE"), ("ACTIVE", "DECEASED"), ("INACTIVE", "DECEASED")];
    // As the server's own role, which cannot go around the trigger; each from its status, then back.
    let refused = refused_steps(&server, &mut sql, "patient", &statuses).await?;
    let expected: BTreeSet<_> = statuses
        .iter()
        .flat_map(|from| statuses.map(|to| (*from, to)))
        .filter(|(from, to)| from != to && !legal.contains(&(*from, *to)))
        .map(|(from, to)| format!("{from} {to}"))
        .collect();
    assert_eq!(refused, expected);
    Ok(())
}

//! Branches, rooms, clinicians and their hours.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

/// `path CODE` of each error.
fn errors(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap().iter().map(|error| {
        let path: Vec<_> =
            error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        format!("{} {}", path.join("."), error["code"].as_str().unwrap())
    });
    errors.collect()
}

#[tokio::test]
async fn branches_and_rooms_have_names_of_their_own() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    const BRANCH: &str = "facility { id code timeZone addressLines active } userErrors { code path }";
    const ROOM: &str = "room { id name facility { code } } userErrors { code path }";
    let branch = |code: &str, zone: &str| json!({ "code": code, "name": "Main", "timeZone": zone, "addressLines": ["1 High St", ""] });
    let main = owner.run("facilityAdd", BRANCH, branch("MAIN", "Europe/London")).await;
    assert_eq!(main["facility"]["addressLines"], json!(["1 High St"]));
    let again = owner.run("facilityAdd", BRANCH, branch("MAIN", "UTC")).await;
    assert_eq!(errors(&again), ["input.code ALREADY_EXISTS"]);
    let wrong = owner.run("facilityAdd", BRANCH, branch("a b", "Europe/Nowhere")).await;
    assert_eq!(errors(&wrong), ["input.code INVALID", "input.timeZone INVALID"]);

    let room = json!({ "facilityId": main["facility"]["id"], "name": "Room 1" });
    let added = owner.run("roomAdd", ROOM, room.clone()).await;
    assert_eq!(added["room"]["facility"]["code"], "MAIN");
    assert_eq!(errors(&owner.run("roomAdd", ROOM, room).await), ["input.name ALREADY_EXISTS"]);
    let data = owner.ask("{ facilities { code } rooms { name } }", json!({})).await;
    assert_eq!(data, json!({ "facilities": [{ "code": "MAIN" }], "rooms": [{ "name": "Room 1" }] }));

    // Who may not, does not: the caller made a wrong call.
    let desk = server.person("northside", "receptionist").await;
    let query = "mutation { facilityAdd(input: { code: \"X\", name: \"X\", timeZone: \"UTC\" }) { userErrors { code } } }";
    let answer = desk.send(query, json!({}), &[]).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "facility:manage");
    Ok(())
}

async fn register(owner: &Person<'_>, more: Value) -> Value {
    const CLINICIAN: &str = "practitioner { id displayName bookable } userErrors { code path }";
    let mut input = json!({ "family": "Osei", "given": ["Ama"] });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    owner.run("practitionerRegister", CLINICIAN, input).await
}

#[tokio::test]
async fn clinicians_are_registered_once_for_each_number() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let npi = |value: &str| json!({ "identifiers": [{ "system": "http://hl7.org/fhir/sid/us-npi", "value": value }] });
    let made = register(&owner, npi("1234567893")).await;
    assert!(made["practitioner"]["displayName"].as_str().unwrap().contains("Osei"), "{made}");
    assert_eq!(errors(&register(&owner, npi("1234567893")).await), ["input.identifiers ALREADY_EXISTS"]);
    assert_eq!(errors(&register(&owner, npi("1234567890")).await), ["input.identifiers.0.value INVALID"]);
    assert_eq!(
        errors(&register(&owner, json!({ "specialty": "wizardry" })).await),
        ["input.specialty NOT_FOUND"]
    );
    assert_eq!(errors(&register(&owner, json!({ "family": " " })).await), ["input.family REQUIRED"]);
    register(&owner, json!({ "family": "Ångström", "bookable": false })).await;

    let find = "query($search: String, $bookable: Boolean) { practitioners(search: $search, bookable: $bookable) { totalCount nodes { family } } }";
    for (variables, families) in [
        (json!({}), vec!["Osei", "Ångström"]),
        (json!({ "search": "ose" }), vec!["Osei"]),
        (json!({ "search": "angstrom" }), vec!["Ångström"]),
        (json!({ "bookable": false }), vec!["Ångström"]),
        (json!({ "search": "100%" }), vec![]),
        (json!({ "search": "_" }), vec![]),
    ] {
        let data = owner.ask(find, variables.clone()).await;
        let nodes = data["practitioners"]["nodes"].as_array().unwrap();
        let mut found: Vec<_> = nodes.iter().map(|node| node["family"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, families, "{variables}");
        assert_eq!(data["practitioners"]["totalCount"], families.len(), "{variables}");
    }
    Ok(())
}

#[tokio::test]
async fn hours_are_replaced_as_a_whole_and_must_make_sense() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let (facility, practitioner) = (owner.facility("MAIN").await, owner.clinician("Osei").await);
    const HOURS: &str = "practitioner { availability { weekday startsLocal endsLocal timeZone facility { code } } } userErrors { code path }";
    let set = async |hours: Value| {
        let input = json!({ "practitionerId": practitioner, "facilityId": facility, "hours": hours });
        owner.run("availabilitySet", HOURS, input).await
    };
    let hours = |weekday: &str, from: &str, until: &str| json!({ "weekday": weekday, "startsLocal": from, "endsLocal": until });
    let both = set(json!([hours("MONDAY", "09:00", "12:00"), hours("MONDAY", "12:00", "17:00")])).await;
    assert_eq!(both["practitioner"]["availability"].as_array().unwrap().len(), 2);
    let one = set(json!([hours("FRIDAY", "08:00", "12:30")])).await;
    let expected = json!({ "weekday": "FRIDAY", "startsLocal": "08:00:00", "endsLocal": "12:30:00",
        "timeZone": "Europe/London", "facility": { "code": "MAIN" } });
    assert_eq!(one["practitioner"]["availability"], json!([expected]));
    let mut ended = hours("SUNDAY", "09:00", "10:00");
    ended["validUntil"] = json!("2020-01-01");
    let wrong = set(json!([
        hours("MONDAY", "12:00", "09:00"),
        hours("TUESDAY", "09:00", "12:00"),
        hours("TUESDAY", "11:00", "13:00"),
        ended
    ]))
    .await;
    assert_eq!(
        errors(&wrong),
        ["input.hours.0.endsLocal INVALID", "input.hours.2 INVALID", "input.hours.3.validUntil INVALID"]
    );
    // What was refused changed nothing; nothing is a choice.
    let query = "query($id: ID!) { practitioner(id: $id) { availability { weekday } } }";
    let data = owner.ask(query, json!({ "id": practitioner })).await;
    assert_eq!(data["practitioner"]["availability"], json!([{ "weekday": "FRIDAY" }]));
    assert_eq!(set(json!([])).await["practitioner"]["availability"], json!([]));
    Ok(())
}

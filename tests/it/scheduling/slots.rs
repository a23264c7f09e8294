//! Free time over several resources, on days when the clock is changed, and what suits a patient best.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Clinic, booked};
use crate::support::people::Person;

async fn free(person: &Person<'_>, search: Value, limit: i32) -> Vec<Value> {
    let query = "query($search: SlotSearch!, $limit: Int!) { slots(search: $search, limit: $limit) {
        startsAt practitioner { id } facility { id } room { id } devices { id } } }";
    let data = person.ask(query, json!({ "search": search, "limit": limit })).await;
    data["slots"].as_array().unwrap().clone()
}

fn starts(slots: &[Value]) -> Vec<String> {
    slots.iter().map(|slot| slot["startsAt"].as_str().unwrap().replace(":00.000Z", "Z")).collect()
}

async fn except(person: &Person<'_>, input: Value) {
    let payload = person.run("availabilityExceptionAdd", "userErrors { code message }", input).await;
    assert_eq!(payload["userErrors"], json!([]));
}

#[tokio::test]
async fn hours_on_days_when_the_clock_is_changed_give_the_slots_that_there_are() -> Result<()> {
    // From 00:30 to 03:30 on the wall clock: starts that there are, and instants at which none is.
    for (zone, day, expected, absent) in [
        // 02:00 to 03:00 does not exist.
        (
            "Europe/Berlin",
            "2027-03-28",
            ["2027-03-27T23:30Z", "2027-03-28T00:30Z"].as_slice(),
            "2027-03-28T01:00Z",
        ),
        ("America/New_York", "2027-03-14", &["2027-03-14T05:30Z", "2027-03-14T06:30Z"], "2027-03-14T07:00Z"),
        // 02:00 to 02:30 does not exist: 02:30 is half an hour after 01:30.
        (
            "Australia/Lord_Howe",
            "2027-10-03",
            &["2027-10-02T14:00Z", "2027-10-02T15:00Z", "2027-10-02T15:30Z"],
            "2027-10-02T15:45Z",
        ),
        // An hour, or half of one, comes twice: each start has the first of them, and what follows is later.
        (
            "Europe/Berlin",
            "2027-10-31",
            &["2027-10-30T22:30Z", "2027-10-30T23:30Z", "2027-10-31T00:30Z"],
            "2027-10-31T01:30Z",
        ),
        (
            "America/New_York",
            "2027-11-07",
            &["2027-11-07T04:30Z", "2027-11-07T05:30Z", "2027-11-07T07:30Z"],
            "2027-11-07T06:30Z",
        ),
        (
            "Australia/Lord_Howe",
            "2027-04-04",
            &["2027-04-03T13:30Z", "2027-04-03T14:30Z", "2027-04-03T16:00Z"],
            "2027-04-03T15:00Z",
        ),
    ] {
        let clinic = Clinic::at(zone).await?;
        let owner = clinic.person("owner").await;
        clinic.hours(&owner, "00:30", "03:30").await;
        let (from, until) = around(day);
        let search = json!({ "practitionerIds": [clinic.practitioner], "from": from, "until": until, "durationMinutes": 60 });
        let found = starts(&free(&owner, search, 100).await);
        let missing: Vec<_> =
            expected.iter().filter(|start| !found.contains(&(**start).to_owned())).collect();
        assert!(missing.is_empty(), "{zone} {day}: {missing:?} not in {found:?}");
        assert!(!found.contains(&absent.to_owned()), "{zone} {day}: {absent} in {found:?}");
        // Whatever was found can be booked.
        for start in expected {
            booked(&owner, clinic.visit_at(&start.replace('Z', ":00Z"), json!({ "durationMinutes": 15 })))
                .await;
        }
    }
    Ok(())
}

/// From a day before until a day after.
fn around(day: &str) -> (String, String) {
    let day: chrono::NaiveDate = day.parse().unwrap();
    let (before, after) = (day.pred_opt().unwrap(), day.succ_opt().unwrap());
    (format!("{before}T00:00:00Z"), format!("{after}T12:00:00Z"))
}

#[tokio::test]
async fn holidays_absences_and_extra_hours_count_on_the_wall_clock_of_the_branch() -> Result<()> {
    let clinic = Clinic::at("Europe/Berlin").await?;
    let owner = clinic.person("owner").await;
    clinic.hours(&owner, "09:00", "11:00").await;
    let search = json!({ "practitionerIds": [clinic.practitioner], "durationMinutes": 60,
        "from": "2027-06-07T00:00:00Z", "until": "2027-06-10T00:00:00Z" });
    let found = starts(&free(&owner, search.clone(), 100).await);
    assert_eq!(found.len(), 15, "three days of five starts: {found:?}");
    let (branch, who) = (&clinic.facility, &clinic.practitioner);
    except(&owner, json!({ "facilityId": branch, "kind": "CLOSED", "firstDay": "2027-06-07" })).await;
    except(&owner, json!({ "facilityId": branch, "of": { "practitionerId": who }, "kind": "CLOSED", "firstDay": "2027-06-08",
        "times": { "startsLocal": "09:00", "endsLocal": "10:00" } })).await;
    except(&owner, json!({ "facilityId": branch, "of": { "practitionerId": who }, "kind": "EXTRA", "firstDay": "2027-06-09",
        "times": { "startsLocal": "20:00", "endsLocal": "21:00" } })).await;
    let found = starts(&free(&owner, search, 100).await);
    assert_eq!(
        found,
        [
            "2027-06-08T08:00Z",
            "2027-06-09T07:00Z",
            "2027-06-09T07:15Z",
            "2027-06-09T07:30Z",
            "2027-06-09T07:45Z",
            "2027-06-09T08:00Z",
            "2027-06-09T18:00Z"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_slot_is_free_when_practitioner_room_and_device_are() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    clinic.hours(&owner, "09:00", "11:00").await;
    let day = clinic.day.clone();
    let search = json!({ "practitionerIds": [clinic.practitioner], "needsRoom": true, "deviceKinds": ["ECG"],
        "from": format!("{day}T00:00:00Z"), "until": format!("{day}T23:00:00Z"), "durationMinutes": 30 });
    assert!(free(&owner, search.clone(), 100).await.is_empty(), "there is no room yet");
    let mut rooms = Vec::new();
    for name in ["A", "B"] {
        let room = json!({ "facilityId": clinic.facility, "name": name });
        rooms.push(owner.run("roomAdd", "room { id }", room).await["room"]["id"].clone());
    }
    let ecg = json!({ "facilityId": clinic.facility, "kind": "ECG", "name": "One" });
    let ecg = owner.run("deviceAdd", "device { id }", ecg).await["device"]["id"].clone();

    let other = owner.clinician("Abara").await;
    booked(&owner, clinic.visit("09:00", json!({ "practitionerId": other, "roomId": rooms[0] }))).await;
    booked(&owner, clinic.visit("09:30", json!({ "practitionerId": other, "deviceIds": [ecg] }))).await;
    booked(&owner, clinic.visit("10:30", json!({ "durationMinutes": 15 }))).await;
    except(&owner, json!({ "facilityId": clinic.facility, "of": { "roomId": rooms[1] }, "kind": "CLOSED", "firstDay": day,
        "times": { "startsLocal": "10:00", "endsLocal": "12:00" } })).await;
    let found = free(&owner, search, 100).await;
    // 09:15 to 09:45: the ECG is taken from 09:30 on. From 10:00 on only room A is open.
    assert_eq!(starts(&found), [format!("{day}T09:00Z"), format!("{day}T10:00Z")]);
    assert_eq!(found[0]["room"]["id"], rooms[1], "room A is taken at nine");
    assert_eq!(found[1]["room"]["id"], rooms[0], "room B is closed at ten");
    assert_eq!(found[0]["devices"], json!([{ "id": ecg }]));
    for slot in &found {
        let more = json!({ "roomId": slot["room"]["id"], "deviceIds": [ecg] });
        booked(&owner, clinic.visit_at(slot["startsAt"].as_str().unwrap(), more)).await;
    }
    Ok(())
}

#[tokio::test]
async fn suggestions_begin_with_who_knows_the_patient_at_a_time_they_like() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    clinic.hours(&owner, "09:00", "17:00").await;
    let other = owner.clinician("Abara").await;
    let hours = json!({ "practitionerId": other, "facilityId": clinic.facility, "hours": [
        { "weekday": "MONDAY", "startsLocal": "08:00", "endsLocal": "17:00" } ] });
    owner.run("availabilitySet", "userErrors { code }", hours).await;
    let member = json!({ "patientId": clinic.patient, "carer": { "practitionerId": clinic.practitioner }, "role": "PRIMARY_CARE" });
    owner.run("careTeamAdd", "careTeamMember { id }", member).await;
    let query = "query($patient: ID!, $search: SlotSearch!, $wishes: SlotPreferences) {
        slotSuggestions(patientId: $patient, search: $search, preferences: $wishes, limit: 3) {
            score reasons slot { startsAt practitioner { id } } } }";
    let search =
        json!({ "from": format!("{}T00:00:00Z", clinic.day), "until": format!("{}T23:00:00Z", clinic.day) });
    let wishes = json!({ "fromLocal": "14:00", "untilLocal": "16:00" });
    let asked = json!({ "patient": clinic.patient, "search": search, "wishes": wishes });
    let found = owner.ask(query, asked).await["slotSuggestions"].clone();
    assert_eq!(found[0]["slot"]["practitioner"]["id"], json!(clinic.practitioner), "{found}");
    assert_eq!(found[0]["slot"]["startsAt"], json!(format!("{}T14:00:00.000Z", clinic.day)));
    assert_eq!(found[0]["reasons"], json!(["CARE_TEAM", "PREFERRED_TIME", "SOON"]));
    assert!(found[2]["score"].as_i64() < found[0]["score"].as_i64(), "two a day of each: {found}");
    Ok(())
}

#[tokio::test]
async fn a_search_over_fifty_clinicians_and_a_month_is_answered_at_once() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    let people = "INSERT INTO practitioner (id, family, bookable) SELECT gen_random_uuid(), 'P' || n, true FROM generate_series(1, 49) n";
    sqlx::query(people).execute(&mut sql).await?;
    let hours = "INSERT INTO availability_rule (id, practitioner_id, facility_id, weekday, starts_local, ends_local, time_zone, valid_from)
        SELECT gen_random_uuid(), p.id, f.id, d, '08:00', '18:00', 'Europe/Berlin', '2026-01-01' FROM practitioner p, facility f, generate_series(1, 5) d";
    sqlx::query(hours).execute(&mut sql).await?;
    let rooms = "INSERT INTO room (id, facility_id, name) SELECT gen_random_uuid(), f.id, 'R' || n FROM facility f, generate_series(1, 10) n";
    sqlx::query(rooms).execute(&mut sql).await?;
    let search =
        json!({ "needsRoom": true, "from": "2027-06-01T00:00:00Z", "until": "2027-07-01T00:00:00Z" });
    let query = "query($patient: ID!, $search: SlotSearch!) { slotSuggestions(patientId: $patient, search: $search) { score } }";
    let start = std::time::Instant::now();
    let found = owner.ask(query, json!({ "patient": clinic.patient, "search": search })).await;
    let elapsed = start.elapsed();
    assert_eq!(found["slotSuggestions"].as_array().unwrap().len(), 5);
    println!("suggestions out of 50 clinicians × 30 days: {elapsed:?}");
    assert!(elapsed.as_secs() < 10, "{elapsed:?} in an unoptimised build");
    Ok(())
}

//! Practitioners, rooms and devices: how much of them there is, and booking beyond it on purpose.

use anyhow::Result;
use serde_json::json;

use super::{APPOINTMENT, Clinic, booked, code, text};

#[tokio::test]
async fn a_group_room_takes_as_many_visits_as_it_has_capacity_and_no_more() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let room = json!({ "facilityId": clinic.facility, "name": "Group" });
    let room = text(&owner.run("roomAdd", "room { id }", room).await["room"]["id"]);
    let set = json!({ "id": room, "ifVersion": 1, "capacity": 3, "overbookLimit": 0 });
    let set = owner.run("resourceCapacitySet", "room { capacity version } userErrors { code }", set).await;
    assert_eq!(set["room"], json!({ "capacity": 3, "version": 2 }));

    for number in 0..4 {
        let who = owner.clinician("Abara").await;
        let more = json!({ "roomId": room, "practitionerId": who });
        let payload = owner.run("appointmentBook", APPOINTMENT, clinic.visit("10:00", more)).await;
        assert_eq!(code(&payload) == "SCHEDULING_CONFLICT", number == 3, "{payload}");
    }
    // Other times are free, and back to back is no collision.
    booked(&owner, clinic.visit("10:30", json!({ "roomId": room }))).await;
    Ok(())
}

#[tokio::test]
async fn a_device_is_booked_with_its_visit_and_given_back_with_it() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let device = json!({ "facilityId": clinic.facility, "kind": "ULTRASOUND", "name": "US 1" });
    let device =
        text(&owner.run("deviceAdd", "device { id } userErrors { code }", device).await["device"]["id"]);
    let first = booked(&owner, clinic.visit("10:00", json!({ "deviceIds": [device] }))).await;
    assert_eq!(first["devices"], json!([{ "id": device }]));
    let other = owner.clinician("Abara").await;
    let with_other = json!({ "deviceIds": [device], "practitionerId": other });
    let refused = owner.run("appointmentBook", APPOINTMENT, clinic.visit("10:15", with_other.clone())).await;
    assert_eq!(refused["userErrors"][0]["conflicts"], json!([{ "id": first["id"] }]));

    // Moved without the device, the device is free.
    let to = json!({ "id": first["id"], "ifVersion": 1, "startsAt": format!("{}T10:00:00Z", clinic.day), "deviceIds": [] });
    let moved = owner.run("appointmentReschedule", APPOINTMENT, to).await;
    assert_eq!(moved["appointment"]["devices"], json!([]));
    booked(&owner, clinic.visit("10:15", with_other)).await;
    Ok(())
}

#[tokio::test]
async fn a_kind_of_visit_asks_for_the_room_and_the_device_that_it_takes() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let kind = owner.ask("{ visitKinds { id version } }", json!({})).await["visitKinds"][0].clone();
    let needs = json!({ "id": kind["id"], "ifVersion": kind["version"], "needsRoom": true, "deviceKinds": ["ECG"],
        "bufferBeforeMinutes": 0, "bufferAfterMinutes": 0 });
    let set = owner
        .run("visitKindConfigure", "visitKind { needsRoom deviceKinds } userErrors { code }", needs)
        .await;
    assert_eq!(set["visitKind"], json!({ "needsRoom": true, "deviceKinds": ["ECG"] }), "{set}");
    let payload = owner
        .run("appointmentBook", APPOINTMENT, clinic.visit("10:00", json!({ "visitKindId": kind["id"] })))
        .await;
    let found: Vec<_> =
        payload["userErrors"].as_array().unwrap().iter().map(|error| error["path"][1].clone()).collect();
    assert_eq!(found, [json!("roomId"), json!("deviceIds")], "{payload}");

    let room = json!({ "facilityId": clinic.facility, "name": "One" });
    let room = owner.run("roomAdd", "room { id }", room).await["room"]["id"].clone();
    let ecg = json!({ "facilityId": clinic.facility, "kind": "ECG", "name": "One" });
    let ecg = owner.run("deviceAdd", "device { id }", ecg).await["device"]["id"].clone();
    let all = json!({ "visitKindId": kind["id"], "roomId": room, "deviceIds": [ecg] });
    booked(&owner, clinic.visit("10:00", all)).await;
    Ok(())
}

#[tokio::test]
async fn overbooking_takes_a_permission_and_stops_at_its_limit() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (owner, nurse) = (clinic.person("owner").await, clinic.person("nurse").await);
    booked(&owner, clinic.visit("10:00", json!({}))).await;
    let beyond = clinic.visit("10:00", json!({ "overbook": true }));
    // Whoever may book may not overbook.
    let input = json!({ "input": beyond });
    let query = "mutation($input: AppointmentBookInput!) { appointmentBook(input: $input) @idempotent(key: \"n\") { appointment { id } } }";
    let denied = nurse.send(query, input, &[]).await;
    assert_eq!(denied.code(), "FORBIDDEN", "{}", denied.text);
    assert_eq!(denied.body["errors"][0]["extensions"]["permission"], "appointment:overbook");

    // The limit of a practitioner is one, unless said otherwise.
    let second = booked(&owner, beyond.clone()).await;
    assert_eq!(second["overbooked"], true);
    let third = owner.run("appointmentBook", APPOINTMENT, beyond.clone()).await;
    assert_eq!(code(&third), "SCHEDULING_CONFLICT");
    // Where there is room, it is no overbooking.
    let free = booked(&owner, clinic.visit("11:00", json!({ "overbook": true }))).await;
    assert_eq!(free["overbooked"], false);

    let set = json!({ "id": clinic.practitioner, "ifVersion": 1, "capacity": 1, "overbookLimit": 0 });
    owner.run("resourceCapacitySet", "userErrors { code }", set).await;
    let none =
        owner.run("appointmentBook", APPOINTMENT, clinic.visit("11:00", json!({ "overbook": true }))).await;
    assert_eq!(code(&none), "SCHEDULING_CONFLICT");
    Ok(())
}

#[tokio::test]
async fn the_database_holds_no_lane_that_a_resource_has_not() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    booked(&owner, clinic.visit("10:00", json!({}))).await;
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    for (lane, refused) in [(0, false), (1, true), (-1, false), (-2, true)] {
        let moved =
            sqlx::query("UPDATE appointment_resource SET lane = $1").bind(lane).execute(&mut sql).await;
        let found =
            moved.err().and_then(|error| error.as_database_error()?.code().map(|code| code.into_owned()));
        assert_eq!(found.as_deref(), refused.then_some("PX020"), "{lane}");
    }
    let copied = "INSERT INTO appointment_resource (appointment_id, resource_id, kind, busy_from, busy_until, lane)
        SELECT appointment_id, gen_random_uuid(), 'DEVICE', busy_from, busy_until, 0 FROM appointment_resource";
    let refused = sqlx::query(copied).execute(&mut sql).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("PX020"));
    Ok(())
}

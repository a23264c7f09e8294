//! Booked visits: never two at once, and a retry books nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{Days, SecondsFormat, TimeDelta, Weekday};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer, steps::refused_steps};

const BOOK: &str = "mutation($input: AppointmentBookInput!) { appointmentBook(input: $input) {
    appointment { id version status startsAt endsAt reason }
    userErrors { __typename code path ... on SchedulingConflictError { conflicts { id } nextFreeSlots } } } }";

struct Clinic {
    server: TestServer,
}

/// Somebody to be seen, by somebody, on a Monday a month or so ahead.
struct Booking {
    day: String,
    facility: String,
    patient: String,
    practitioner: String,
}

impl Clinic {
    async fn new() -> Result<Self> {
        Ok(Self { server: TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await? })
    }

    async fn booking(&self) -> Booking {
        let owner = self.server.person("northside", "owner").await;
        let today = self.server.installation.clock.now().date_naive();
        // In winter and summer alike the tests speak of UTC.
        let facility = json!({ "code": "MAIN", "name": "Main", "timeZone": "UTC" });
        let facility = owner.run("facilityAdd", "facility { id }", facility).await;
        Booking {
            day: (today.week(Weekday::Mon).first_day() + Days::new(35)).to_string(),
            facility: text(&facility["facility"]["id"]),
            patient: owner.register("Ada", "Quill", "1990-01-02").await,
            practitioner: owner.clinician("Osei").await,
        }
    }
}

impl Booking {
    /// At a time of the day.
    fn at(&self, time: &str, minutes: u32) -> Value {
        self.from(&format!("{}T{time}:00Z", self.day), minutes)
    }

    fn from(&self, starts_at: &str, minutes: u32) -> Value {
        json!({ "input": { "patientId": self.patient, "practitionerId": self.practitioner, "type": "IN_PERSON",
            "startsAt": starts_at, "durationMinutes": minutes, "reason": "Headache" } })
    }

    /// The same with more fields.
    fn with(&self, time: &str, minutes: u32, more: Value) -> Value {
        let mut input = self.at(time, minutes);
        input["input"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn book(person: &Person<'_>, input: Value, key: &str) -> Value {
    let answer = person.send(BOOK, input, &[("idempotency-key", key)]).await;
    assert!(answer.body["errors"].is_null(), "{}", answer.text);
    answer.body["data"]["appointmentBook"].clone()
}

#[tokio::test]
async fn a_double_booking_is_refused_with_the_next_free_times() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let first = book(&desk, booking.at("10:00", 30), "one").await;
    assert_eq!(first["appointment"]["status"], "BOOKED");
    assert_eq!(first["appointment"]["endsAt"], format!("{}T10:30:00.000Z", booking.day));
    let second = book(&desk, booking.at("10:15", 30), "two").await;
    let error = &second["userErrors"][0];
    assert_eq!(
        (error["__typename"].as_str(), error["code"].as_str()),
        (Some("SchedulingConflictError"), Some("SCHEDULING_CONFLICT"))
    );
    assert_eq!(error["conflicts"], json!([{ "id": first["appointment"]["id"] }]));
    let free = error["nextFreeSlots"][0].as_str().unwrap();
    // Back to back is no collision, and what was offered can be booked.
    assert_eq!(book(&desk, booking.from(free, 30), "three").await["userErrors"], json!([]));
    // Called off, the time is free again.
    let id = first["appointment"]["id"].as_str().unwrap();
    let cancel = format!(
        "mutation {{ appointmentCancel(input: {{ id: \"{id}\", ifVersion: 1, reason: \"ill\" }}) {{ appointment {{ status cancelReason }} userErrors {{ code }} }} }}"
    );
    let data = desk.ask(&cancel, json!({})).await;
    assert_eq!(
        data["appointmentCancel"]["appointment"],
        json!({ "status": "CANCELLED", "cancelReason": "ill" })
    );
    assert_eq!(book(&desk, booking.at("10:00", 30), "four").await["userErrors"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_retry_with_the_same_key_gets_the_first_answer() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let missing = desk.send(BOOK, booking.at("10:00", 30), &[]).await;
    assert_eq!(missing.code(), "IDEMPOTENCY_KEY_REQUIRED");

    let input = booking.at("10:00", 30);
    let answers =
        join_all((0..32).map(|_| desk.send(BOOK, input.clone(), &[("idempotency-key", "same")]))).await;
    let first = answers[0].body["data"].clone();
    assert!(first["appointmentBook"]["appointment"]["id"].is_string(), "{}", answers[0].text);
    assert!(answers.iter().all(|answer| answer.body["data"] == first));
    let replays =
        answers.iter().filter(|answer| !answer.body["extensions"]["idempotentReplay"].is_null()).count();
    assert_eq!(replays, 31);
    let counted = desk.ask("{ appointments { totalCount } }", json!({})).await;
    assert_eq!(counted["appointments"]["totalCount"], 1);

    let other = desk.send(BOOK, booking.at("12:00", 30), &[("idempotency-key", "same")]).await;
    assert_eq!(other.code(), "IDEMPOTENCY_CONFLICT");
    // Keys are a user's own, and the directive says the same as the header.
    let nurse = clinic.server.person("northside", "nurse").await;
    assert_eq!(book(&nurse, booking.at("14:00", 30), "same").await["userErrors"], json!([]));
    let directive = BOOK.replace(
        "appointmentBook(input: $input)",
        "appointmentBook(input: $input) @idempotent(key: \"same\")",
    );
    let again = desk.send(&directive, input, &[]).await;
    assert_eq!(again.body["data"], first);
    Ok(())
}

#[tokio::test]
async fn of_64_who_race_for_overlapping_times_none_overlap() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let answers = join_all((0..64).map(|racer| {
        let (booking, desk) = (&booking, &desk);
        async move {
            // Starts a quarter of an hour apart, each half an hour long: neighbours collide.
            let starts_at = format!("{:02}:{:02}", 8 + (racer % 16) / 4, (racer % 4) * 15);
            desk.send(BOOK, booking.at(&starts_at, 30), &[("idempotency-key", &format!("racer {racer}"))])
                .await
        }
    }))
    .await;
    let mut booked = 0;
    for answer in &answers {
        assert!(answer.body["errors"].is_null(), "{}", answer.text);
        let payload = &answer.body["data"]["appointmentBook"];
        match payload["userErrors"][0]["code"].as_str() {
            None => booked += 1,
            Some(code) => assert_eq!(code, "SCHEDULING_CONFLICT"),
        }
    }
    assert!((5..=9).contains(&booked), "{booked} booked");
    let mut admin = clinic.server.installation.tenant_connection("northside").await?;
    let overlaps: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM appointment_resource a JOIN appointment_resource b
         ON a.appointment_id < b.appointment_id AND a.resource_id = b.resource_id AND a.blocking AND b.blocking
         AND a.busy_from < b.busy_until AND b.busy_from < a.busy_until",
    )
    .fetch_one(&mut admin)
    .await?;
    assert_eq!(overlaps, 0);
    Ok(())
}

#[tokio::test]
async fn the_database_allows_an_appointment_the_legal_steps_only() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let held = json!({ "visit": booking.at("10:00", 30)["input"] });
    desk.run("appointmentHold", "appointment { id }", held).await;
    let statuses = [
        "PENDING",
        "BOOKED",
        "CONFIRMED",
        "ARRIVED",
        "CHECKED_IN",
        "IN_ROOM",
        "IN_PROGRESS",
        "COMPLETED",
        "CANCELLED",
        "NO_SHOW",
        "EXPIRED",
        "ENTERED_IN_ERROR",
    ];
    let legal = |from: &str, to: &str| match from {
        "PENDING" => ["BOOKED", "CANCELLED", "EXPIRED"].contains(&to),
        "BOOKED" => {
            ["CONFIRMED", "ARRIVED", "CHECKED_IN", "CANCELLED", "NO_SHOW", "ENTERED_IN_ERROR"].contains(&to)
        }
        "CONFIRMED" => ["ARRIVED", "CHECKED_IN", "CANCELLED", "NO_SHOW", "ENTERED_IN_ERROR"].contains(&to),
        "ARRIVED" => ["CHECKED_IN", "CANCELLED", "ENTERED_IN_ERROR"].contains(&to),
        "CHECKED_IN" => ["IN_ROOM", "IN_PROGRESS", "CANCELLED", "ENTERED_IN_ERROR"].contains(&to),
        "IN_ROOM" => ["IN_PROGRESS", "CANCELLED", "ENTERED_IN_ERROR"].contains(&to),
        "IN_PROGRESS" => to == "COMPLETED",
        "NO_SHOW" => ["BOOKED", "ENTERED_IN_ERROR"].contains(&to),
        "COMPLETED" | "CANCELLED" => to == "ENTERED_IN_ERROR",
        _ => false,
    };
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    let refused = refused_steps(&clinic.server, &mut sql, "appointment", &statuses).await?;
    let expected: BTreeSet<_> = statuses
        .iter()
        .flat_map(|from| statuses.map(|to| (*from, to)))
        .filter(|(from, to)| from != to && !legal(from, to))
        .map(|(from, to)| format!("{from} {to}"))
        .collect();
    assert_eq!(refused, expected);
    Ok(())
}

#[tokio::test]
async fn buffers_keep_their_time_free_and_rooms_are_not_shared() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, owner) = (clinic.booking().await, clinic.server.person("northside", "owner").await);
    let kinds =
        owner.ask("{ visitKinds { id key bufferBeforeMinutes bufferAfterMinutes } }", json!({})).await;
    let kinds = kinds["visitKinds"].as_array().unwrap();
    let procedure = kinds.iter().find(|kind| kind["key"] == "minor_procedure").unwrap();
    assert_eq!(
        (&procedure["bufferBeforeMinutes"], &procedure["bufferAfterMinutes"]),
        (&json!(10), &json!(15))
    );
    let buffered = json!({ "visitKindId": procedure["id"] });
    let first = book(&owner, booking.with("10:00", 45, buffered.clone()), "one").await;
    assert_eq!(first["userErrors"], json!([]));
    // 9:50 to 11:00 is held: ending at 9:55 and starting at 10:55 is too close, 9:50 and 11:00 are not.
    for (key, time, free) in
        [("a", "09:25", false), ("b", "10:55", false), ("c", "09:20", true), ("d", "11:00", true)]
    {
        let payload = book(&owner, booking.at(time, 30), key).await;
        assert_eq!(payload["appointment"].is_object(), free, "{time}");
    }
    // A buffered visit's own buffer must fit, too.
    let tight = book(&owner, booking.with("11:35", 30, buffered), "e").await;
    assert_eq!(tight["userErrors"][0]["code"], "SCHEDULING_CONFLICT");

    let room = json!({ "facilityId": booking.facility, "name": "Room 1" });
    let room = owner.run("roomAdd", "room { id }", room).await["room"]["id"].clone();
    let other = owner.clinician("Abara").await;
    let in_room = json!({ "roomId": room });
    let taken = book(&owner, booking.with("14:00", 30, in_room.clone()), "f").await;
    let with_other = json!({ "roomId": room, "practitionerId": other });
    let refused = book(&owner, booking.with("14:15", 30, with_other.clone()), "g").await;
    assert_eq!(refused["userErrors"][0]["conflicts"], json!([{ "id": taken["appointment"]["id"] }]));
    let free = book(&owner, booking.with("14:30", 30, with_other), "h").await;
    assert_eq!(free["userErrors"], json!([]));

    // 32 who race for the room with two clinicians: one gets it.
    let answers = join_all((0..32).map(|racer| {
        let who = if racer % 2 == 0 { &booking.practitioner } else { &other };
        let input = booking.with("16:00", 30, json!({ "roomId": room, "practitionerId": who }));
        let owner = &owner;
        async move { book(owner, input, &format!("racer {racer}")).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|payload| payload["appointment"].is_object()).count(), 1);
    Ok(())
}

const APPOINTMENT: &str = "appointment { id version status startsAt endsAt cancelCode cancelReason reason }
    userErrors { code path ... on VersionConflictError { currentVersion } ... on SchedulingConflictError { conflicts { id } } }";

#[tokio::test]
async fn a_visit_is_moved_called_off_or_missed_but_only_where_that_makes_sense() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let first = book(&desk, booking.at("10:00", 30), "one").await;
    let second = book(&desk, booking.at("11:00", 30), "two").await;
    let (id, day) = (&first["appointment"]["id"], &booking.day);
    let to = |time: &str, version: i32| json!({ "id": id, "ifVersion": version, "startsAt": format!("{day}T{time}:00Z") });
    // Into its own time, which is not in its way, keeping its length.
    let moved = desk.run("appointmentReschedule", APPOINTMENT, to("10:15", 1)).await;
    assert_eq!(moved["appointment"]["endsAt"], format!("{day}T10:45:00.000Z"));
    assert_eq!(moved["appointment"]["version"], 2);
    let outdated = desk.run("appointmentReschedule", APPOINTMENT, to("09:00", 1)).await;
    assert_eq!(
        (&outdated["userErrors"][0]["code"], &outdated["userErrors"][0]["currentVersion"]),
        (&json!("VERSION_CONFLICT"), &json!(2))
    );
    let taken = desk.run("appointmentReschedule", APPOINTMENT, to("10:45", 2)).await;
    assert_eq!(taken["userErrors"][0]["conflicts"], json!([{ "id": second["appointment"]["id"] }]));
    // The old time is free, the new one is held.
    assert!(book(&desk, booking.at("09:45", 30), "three").await["appointment"].is_object());
    assert!(book(&desk, booking.at("10:30", 15), "four").await["appointment"].is_null());

    let missed = desk.run("appointmentMarkNoShow", APPOINTMENT, json!({ "id": id, "ifVersion": 2 })).await;
    assert_eq!(missed["userErrors"][0]["code"], "INVALID_TRANSITION");
    let off = |code: &str, version: i32| json!({ "id": id, "ifVersion": version, "code": code });
    let unknown = desk.run("appointmentCancel", APPOINTMENT, off("bored", 2)).await;
    assert_eq!(unknown["userErrors"], json!([{ "code": "INVALID", "path": ["input", "code"] }]));
    let cancelled = desk.run("appointmentCancel", APPOINTMENT, off("pat", 2)).await;
    assert_eq!(cancelled["appointment"]["cancelCode"], "pat");
    // Why the patient wanted to come is still known.
    assert_eq!(cancelled["appointment"]["reason"], "Headache");
    for (field, input) in [
        ("appointmentCancel", off("pat", 3)),
        ("appointmentReschedule", to("15:00", 3)),
        ("appointmentMarkNoShow", json!({ "id": id, "ifVersion": 3 })),
    ] {
        let refused = desk.run(field, APPOINTMENT, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "INVALID_TRANSITION", "{field}");
    }

    // A visit that should have begun, and nobody came: the time is free again.
    let past = clinic.server.installation.clock.now() - TimeDelta::hours(1);
    let past = past.to_rfc3339_opts(SecondsFormat::Secs, true);
    let begun = book(&desk, booking.from(&past, 30), "five").await;
    let begun = json!({ "id": begun["appointment"]["id"], "ifVersion": 1 });
    let missed = desk.run("appointmentMarkNoShow", APPOINTMENT, begun).await;
    assert_eq!(missed["appointment"]["status"], "NO_SHOW");
    assert!(book(&desk, booking.from(&past, 30), "six").await["appointment"].is_object());
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_booked_is_said_at_once_and_where() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, owner) = (clinic.booking().await, clinic.server.person("northside", "owner").await);
    let nobody = |id: &str| format!("{}00000000000000000000000000", &id[..4]);
    let input = json!({ "input": {
        "patientId": nobody(&booking.patient), "practitionerId": nobody(&booking.practitioner), "type": "VIDEO",
        "facilityId": nobody(&booking.facility), "roomId": nobody("roo_"), "visitKindId": nobody("vst_"),
        "startsAt": "2199-01-01T00:00:00Z", "durationMinutes": 4, "reason": "x".repeat(2000) } });
    let payload = book(&owner, input, "one").await;
    let found: BTreeSet<_> = payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| format!("{} {}", text(&error["path"][1]), text(&error["code"])))
        .collect();
    let expected = [
        "durationMinutes OUT_OF_RANGE",
        "facilityId NOT_FOUND",
        "patientId NOT_FOUND",
        "practitionerId NOT_FOUND",
        "reason TOO_LONG",
        "roomId NOT_FOUND",
        "startsAt OUT_OF_RANGE",
        "visitKindId NOT_FOUND",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());

    owner
        .run("patientDeactivate", "userErrors { code }", json!({ "id": booking.patient, "ifVersion": 1 }))
        .await;
    let payload = book(&owner, booking.at("10:00", 30), "two").await;
    assert_eq!(
        (&payload["userErrors"][0]["code"], &payload["userErrors"][0]["path"]),
        (&json!("LOCKED"), &json!(["input", "patientId"]))
    );
    // A refusal is no outcome: the same key may succeed once the reason is gone.
    owner
        .run("patientReactivate", "userErrors { code }", json!({ "id": booking.patient, "ifVersion": 2 }))
        .await;
    assert!(book(&owner, booking.at("10:00", 30), "two").await["appointment"].is_object());
    Ok(())
}

#[tokio::test]
async fn a_key_counts_for_a_day_and_for_one_mutation() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let first = book(&desk, booking.at("10:00", 30), "same").await;
    // Another mutation under the same key is another matter.
    let cancel = "mutation($input: AppointmentCancelInput!) { appointmentCancel(input: $input) { appointment { status version } userErrors { code } } }";
    let off = json!({ "input": { "id": first["appointment"]["id"], "ifVersion": 1, "reason": "ill" } });
    let key = [("idempotency-key", "same")];
    let done = desk.send(cancel, off.clone(), &key).await;
    assert_eq!(done.body["data"]["appointmentCancel"]["appointment"]["status"], "CANCELLED", "{}", done.text);
    let replayed = desk.send(cancel, off, &key).await;
    assert_eq!(replayed.body["data"], done.body["data"]);
    assert_eq!(replayed.body["extensions"]["idempotentReplay"], json!(["appointmentCancel"]));

    let two = format!(
        "mutation {{ a: appointmentMarkNoShow(input: {{ id: {0}, ifVersion: 1 }}) {{ userErrors {{ code }} }}
                     b: appointmentMarkNoShow(input: {{ id: {0}, ifVersion: 1 }}) {{ userErrors {{ code }} }} }}",
        first["appointment"]["id"]
    );
    assert_eq!(desk.send(&two, json!({}), &key).await.code(), "BAD_USER_INPUT");
    for (key, status) in [("", 400), (&*"x".repeat(256), 400)] {
        let answer = desk.send(BOOK, booking.at("12:00", 30), &[("idempotency-key", key)]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, "BAD_USER_INPUT"), "{key}");
    }

    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    sqlx::query("UPDATE idempotency_key SET expires_at = now() - interval '1 second'")
        .execute(&mut sql)
        .await?;
    let afresh = book(&desk, booking.at("15:00", 30), "same").await;
    assert_eq!(afresh["appointment"]["startsAt"], format!("{}T15:00:00.000Z", booking.day));
    let again = book(&desk, booking.at("15:00", 30), "same").await;
    assert_eq!(again["appointment"]["id"], afresh["appointment"]["id"]);
    Ok(())
}

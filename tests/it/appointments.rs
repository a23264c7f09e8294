//! Booked visits: never two at once, and a retry books nothing.

#![expect(clippy::indexing_slicing, reason = "a test that meets something else fails here")]

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

const BOOK: &str = "mutation($input: AppointmentBookInput!) { appointmentBook(input: $input) {
    appointment { id version status startsAt endsAt reason }
    userErrors { __typename code path ... on SchedulingConflictError { conflicts { id } nextFreeSlots } } } }";

struct Clinic {
    server: TestServer,
}

struct Booking {
    patient: String,
    practitioner: String,
}

impl Clinic {
    async fn new() -> Result<Self> {
        Ok(Self { server: TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await? })
    }

    async fn booking(&self) -> Booking {
        let owner = self.server.person("northside", "owner").await;
        owner.facility("MAIN").await;
        Booking {
            patient: owner.register("Ada", "Quill", "1990-01-02").await,
            practitioner: owner.clinician("Osei").await,
        }
    }
}

impl Booking {
    fn at(&self, starts_at: &str, minutes: u32) -> Value {
        json!({ "input": { "patientId": self.patient, "practitionerId": self.practitioner, "type": "IN_PERSON",
            "startsAt": starts_at, "durationMinutes": minutes, "reason": "Headache" } })
    }
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
    let first = book(&desk, booking.at("2027-03-01T10:00:00Z", 30), "one").await;
    assert_eq!(first["appointment"]["status"], "BOOKED");
    assert_eq!(first["appointment"]["endsAt"], "2027-03-01T10:30:00.000Z");
    let second = book(&desk, booking.at("2027-03-01T10:15:00Z", 30), "two").await;
    let error = &second["userErrors"][0];
    assert_eq!(
        (error["__typename"].as_str(), error["code"].as_str()),
        (Some("SchedulingConflictError"), Some("SCHEDULING_CONFLICT"))
    );
    assert_eq!(error["conflicts"], json!([{ "id": first["appointment"]["id"] }]));
    let free = error["nextFreeSlots"][0].as_str().unwrap();
    // Back to back is no collision, and what was offered can be booked.
    assert_eq!(book(&desk, booking.at(free, 30), "three").await["userErrors"], json!([]));
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
    assert_eq!(book(&desk, booking.at("2027-03-01T10:00:00Z", 30), "four").await["userErrors"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_retry_with_the_same_key_gets_the_first_answer() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    let missing = desk.send(BOOK, booking.at("2027-03-01T10:00:00Z", 30), &[]).await;
    assert_eq!(missing.code(), "IDEMPOTENCY_KEY_REQUIRED");

    let input = booking.at("2027-03-01T10:00:00Z", 30);
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

    let other = desk.send(BOOK, booking.at("2027-03-01T12:00:00Z", 30), &[("idempotency-key", "same")]).await;
    assert_eq!(other.code(), "IDEMPOTENCY_CONFLICT");
    // Keys are a user's own, and the directive says the same as the header.
    let nurse = clinic.server.person("northside", "nurse").await;
    assert_eq!(book(&nurse, booking.at("2027-03-01T14:00:00Z", 30), "same").await["userErrors"], json!([]));
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
            let starts_at = format!("2027-03-02T{:02}:{:02}:00Z", 8 + (racer % 16) / 4, (racer % 4) * 15);
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
    let mut admin = clinic.server.installation.admin().await?;
    let schema: String =
        sqlx::query_scalar("SELECT schema_name FROM control.tenant").fetch_one(&mut admin).await?;
    let overlaps: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT count(*) FROM {schema}.appointment a JOIN {schema}.appointment b ON a.id < b.id AND a.practitioner_id = b.practitioner_id
         AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)"
    )))
    .fetch_one(&mut admin)
    .await?;
    assert_eq!(overlaps, 0);
    Ok(())
}

#[tokio::test]
async fn the_database_refuses_a_status_that_the_table_of_transitions_does_not_allow() -> Result<()> {
    let clinic = Clinic::new().await?;
    let (booking, desk) = (clinic.booking().await, clinic.server.person("northside", "receptionist").await);
    book(&desk, booking.at("2027-03-01T10:00:00Z", 30), "one").await;
    let mut admin = clinic.server.installation.admin().await?;
    let schema: String =
        sqlx::query_scalar("SELECT schema_name FROM control.tenant").fetch_one(&mut admin).await?;
    for status in ["COMPLETED", "IN_PROGRESS"] {
        let error =
            sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE {schema}.appointment SET status = '{status}'")))
                .execute(&mut admin)
                .await
                .unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("PX001"), "{status}");
    }
    let error = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {schema}.audit_entry")))
        .execute(&mut admin)
        .await
        .unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("PX003"));
    Ok(())
}

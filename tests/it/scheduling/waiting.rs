//! The waiting list: who gets a time that becomes free.

use anyhow::Result;
use chrono::TimeDelta;
use praxis_domain::scheduling;
use serde_json::{Value, json};

use super::{APPOINTMENT, Clinic, booked, code};
use crate::support::people::Person;

const ENTRY: &str =
    "waitlistEntry { id version status allowedActions appointment { id status startsAt holdExpiresAt } }
    userErrors { code path message }";

async fn wait(person: &Person<'_>, patient: &str, more: Value) -> Value {
    let mut input = json!({ "patientId": patient, "type": "IN_PERSON", "latest": "2027-12-31T00:00:00Z" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let payload = person.run("waitlistEntryAdd", ENTRY, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["waitlistEntry"].clone()
}

async fn seen(person: &Person<'_>, entry: &Value) -> Value {
    let query = format!(
        "{{ node(id: {}) {{ ... on WaitlistEntry {{ id version status allowedActions appointment {{ id status startsAt holdExpiresAt }} }} }} }}",
        entry["id"]
    );
    person.ask(&query, json!({})).await["node"].clone()
}

fn step(entry: &Value) -> Value {
    json!({ "id": entry["id"], "ifVersion": entry["version"] })
}

#[tokio::test]
async fn a_freed_time_is_offered_to_the_most_pressing_first_and_then_to_the_next() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let patients = [
        owner.register("Bea", "Rook", "1991-01-02").await,
        owner.register("Cid", "Starling", "1992-01-02").await,
        owner.register("Dee", "Tern", "1993-01-02").await,
    ];
    let routine = wait(&owner, &patients[0], json!({})).await;
    let urgent = wait(&owner, &patients[1], json!({ "priority": "URGENT" })).await;
    // Needs longer than what becomes free.
    let long = wait(&owner, &patients[2], json!({ "priority": "URGENT", "durationMinutes": 60 })).await;
    let visit = booked(&owner, clinic.visit("10:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": visit["id"], "ifVersion": 1 })).await;
    clinic.work().await?;

    let offered = seen(&owner, &urgent).await;
    assert_eq!(
        (&offered["status"], &offered["appointment"]["status"]),
        (&json!("OFFERED"), &json!("PENDING"))
    );
    assert_eq!(seen(&owner, &routine).await["status"], "WAITING");
    assert_eq!(seen(&owner, &long).await["status"], "WAITING");
    let taken = owner.run("appointmentBook", APPOINTMENT, clinic.visit("10:00", json!({}))).await;
    assert_eq!(code(&taken), "SCHEDULING_CONFLICT", "the time is held");

    // Nobody answers: the next in line is asked, and the first one waits on, but not for this time.
    clinic.server.clock.advance(TimeDelta::minutes(scheduling::OFFER_MINUTES + 1));
    let owner = clinic.person("owner").await;
    assert!(
        clinic.work().await? >= 3,
        "the hold ran out, its entry is in line again, and the next one is asked"
    );
    assert_eq!(seen(&owner, &urgent).await["status"], "WAITING");
    let next = seen(&owner, &routine).await;
    assert_eq!(next["status"], "OFFERED", "{next}");
    let accepted = owner.run("waitlistOfferAccept", ENTRY, step(&next)).await;
    assert_eq!(accepted["waitlistEntry"]["status"], "BOOKED", "{accepted}");
    assert_eq!(accepted["waitlistEntry"]["appointment"]["status"], "BOOKED");
    Ok(())
}

#[tokio::test]
async fn an_offer_that_ran_out_can_not_be_taken_and_who_is_taken_off_gives_their_time_back() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let entry = wait(&owner, &clinic.patient, json!({ "practitionerId": clinic.practitioner })).await;
    let visit = booked(&owner, clinic.visit("10:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": visit["id"], "ifVersion": 1 })).await;
    clinic.work().await?;
    let offered = seen(&owner, &entry).await;
    let removed = owner.run("waitlistEntryRemove", ENTRY, step(&offered)).await;
    assert_eq!(removed["waitlistEntry"]["status"], "REMOVED");
    assert_eq!(removed["waitlistEntry"]["allowedActions"], json!([]));
    booked(&owner, clinic.visit("10:00", json!({}))).await;

    let entry = wait(&owner, &clinic.patient, json!({})).await;
    let visit = booked(&owner, clinic.visit("12:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": visit["id"], "ifVersion": 1 })).await;
    clinic.work().await?;
    clinic.server.clock.advance(TimeDelta::minutes(scheduling::OFFER_MINUTES + 1));
    let owner = clinic.person("owner").await;
    let late = owner.run("waitlistOfferAccept", ENTRY, step(&seen(&owner, &entry).await)).await;
    // Whether the offer is closed or has been taken back already is a matter of a moment.
    assert!(["LOCKED", "INVALID_TRANSITION"].contains(&code(&late)), "{late}");
    Ok(())
}

#[tokio::test]
async fn the_list_is_read_by_those_only_who_may() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    wait(&owner, &clinic.patient, json!({})).await;
    let query = "{ waitlistEntries(status: [WAITING]) { totalCount nodes { priority patient { id } } } }";
    let listed = owner.ask(query, json!({})).await["waitlistEntries"].clone();
    assert_eq!((&listed["totalCount"], &listed["nodes"][0]["priority"]), (&json!(1), &json!("ROUTINE")));
    assert_eq!(listed["nodes"][0]["patient"]["id"], json!(clinic.patient));
    let biller = clinic.person("biller").await;
    assert_eq!(biller.send(query, json!({}), &[]).await.code(), "FORBIDDEN");
    Ok(())
}

#[tokio::test]
async fn nobody_is_offered_a_time_at_which_nobody_is_there() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let entry = wait(&owner, &clinic.patient, json!({})).await;
    for (time, closed, expected) in
        [("10:00", ["10:15", "11:00"], "WAITING"), ("12:00", ["12:30", "13:00"], "OFFERED")]
    {
        let visit = booked(&owner, clinic.visit(time, json!({}))).await;
        // The clinician falls ill, and the desk calls the visit off.
        let ill = json!({ "facilityId": clinic.facility, "of": { "practitionerId": clinic.practitioner }, "kind": "CLOSED",
            "firstDay": clinic.day, "times": { "startsLocal": closed[0], "endsLocal": closed[1] } });
        let ill = owner.run("availabilityExceptionAdd", "userErrors { code message }", ill).await;
        assert_eq!(ill["userErrors"], json!([]));
        owner.run("appointmentCancel", APPOINTMENT, json!({ "id": visit["id"], "ifVersion": 1 })).await;
        clinic.work().await?;
        assert_eq!(seen(&owner, &entry).await["status"], expected, "{time}");
    }
    Ok(())
}

#[tokio::test]
async fn a_time_that_was_booked_by_mistake_is_offered_too() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let entry = wait(&owner, &clinic.patient, json!({})).await;
    let visit = booked(&owner, clinic.visit("10:00", json!({}))).await;
    let mistake = json!({ "id": visit["id"], "ifVersion": 1 });
    owner.run("appointmentEnterInError", APPOINTMENT, mistake).await;
    clinic.work().await?;
    assert_eq!(seen(&owner, &entry).await["status"], "OFFERED");
    Ok(())
}

#[tokio::test]
async fn who_says_yes_at_the_desk_waits_no_longer() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let entry = wait(&owner, &clinic.patient, json!({})).await;
    let visit = booked(&owner, clinic.visit("10:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": visit["id"], "ifVersion": 1 })).await;
    clinic.work().await?;
    let held = seen(&owner, &entry).await["appointment"]["id"].clone();
    let yes = json!({ "id": held, "ifVersion": 1 });
    let confirmed = owner.run("appointmentHoldConfirm", APPOINTMENT, yes).await;
    assert_eq!(confirmed["appointment"]["status"], "BOOKED", "{confirmed}");
    let taken = seen(&owner, &entry).await;
    assert_eq!((&taken["status"], &taken["appointment"]["id"]), (&json!("BOOKED"), &held));
    assert_eq!(taken["allowedActions"], json!([]));
    Ok(())
}

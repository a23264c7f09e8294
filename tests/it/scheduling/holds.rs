//! Holds that run out, the way of a visit through the clinic, and what is taken back.

use anyhow::Result;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::{APPOINTMENT, Clinic, booked, code};
use crate::support::people::Person;

async fn hold(person: &Person<'_>, visit: Value, minutes: i32) -> Value {
    let input = json!({ "visit": visit, "holdMinutes": minutes });
    person.run("appointmentHold", APPOINTMENT, input).await
}

fn step(appointment: &Value) -> Value {
    json!({ "id": appointment["id"], "ifVersion": appointment["version"] })
}

#[tokio::test]
async fn a_slot_that_is_held_is_nobody_elses_until_the_hold_runs_out() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let held = hold(&desk, clinic.visit("10:00", json!({})), 10).await["appointment"].clone();
    assert_eq!(held["status"], "PENDING", "{held}");
    assert!(held["allowedActions"].as_array().unwrap().contains(&json!("appointmentHoldConfirm")), "{held}");
    let refused = desk.run("appointmentBook", APPOINTMENT, clinic.visit("10:00", json!({}))).await;
    assert_eq!(refused["userErrors"][0]["conflicts"], json!([{ "id": held["id"] }]));

    clinic.server.clock.advance(TimeDelta::minutes(11));
    let desk = clinic.person("receptionist").await;
    let late = desk.run("appointmentHoldConfirm", APPOINTMENT, step(&held)).await;
    assert_eq!(code(&late), "LOCKED");
    // Whoever books now removes the hold on the way.
    booked(&desk, clinic.visit("10:00", json!({}))).await;
    let query = format!("{{ appointment(id: {}) {{ status allowedActions }} }}", held["id"]);
    let gone = desk.ask(&query, json!({})).await["appointment"].clone();
    assert_eq!(gone, json!({ "status": "EXPIRED", "allowedActions": [] }));
    Ok(())
}

#[tokio::test]
async fn a_hold_that_is_taken_up_is_a_visit_like_any_other() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let held = hold(&desk, clinic.visit("10:00", json!({})), 10).await["appointment"].clone();
    let taken = desk.run("appointmentHoldConfirm", APPOINTMENT, step(&held)).await["appointment"].clone();
    assert_eq!((&taken["status"], &taken["holdExpiresAt"]), (&json!("BOOKED"), &Value::Null));
    clinic.server.clock.advance(TimeDelta::minutes(11));
    let desk = clinic.person("receptionist").await;
    let refused = desk.run("appointmentBook", APPOINTMENT, clinic.visit("10:00", json!({}))).await;
    assert_eq!(code(&refused), "SCHEDULING_CONFLICT");
    // Letting go of a hold is calling it off.
    let other = hold(&desk, clinic.visit("12:00", json!({})), 10).await["appointment"].clone();
    let let_go = desk.run("appointmentCancel", APPOINTMENT, step(&other)).await;
    assert_eq!(let_go["appointment"]["status"], "CANCELLED");
    booked(&desk, clinic.visit("12:00", json!({}))).await;
    for minutes in [0, 61, -5] {
        let refused = hold(&desk, clinic.visit("15:00", json!({})), minutes).await;
        assert_eq!(code(&refused), "OUT_OF_RANGE");
    }
    Ok(())
}

#[tokio::test]
async fn holds_that_nobody_asks_for_are_removed_by_themselves() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    for time in ["10:00", "11:00", "12:00"] {
        hold(&desk, clinic.visit(time, json!({})), 5).await;
    }
    hold(&desk, clinic.visit("13:00", json!({})), 60).await;
    clinic.server.clock.advance(TimeDelta::minutes(6));
    clinic.work().await?;
    let desk = clinic.person("receptionist").await;
    let counted =
        desk.ask("{ appointments(filter: { status: { eq: PENDING } }) { totalCount } }", json!({})).await;
    assert_eq!(counted["appointments"]["totalCount"], 1);
    Ok(())
}

#[tokio::test]
async fn a_visit_goes_its_way_step_by_step_and_says_what_may_come_next() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let past = clinic.server.installation.clock.now() - TimeDelta::hours(1);
    let past = past.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut visit = booked(&owner, clinic.visit_at(&past, json!({}))).await;
    for (mutation, status) in [
        ("appointmentConfirm", "CONFIRMED"),
        ("appointmentArrive", "ARRIVED"),
        ("appointmentCheckIn", "CHECKED_IN"),
        ("appointmentRoom", "IN_ROOM"),
        ("appointmentStart", "IN_PROGRESS"),
        ("appointmentComplete", "COMPLETED"),
    ] {
        assert!(
            visit["allowedActions"].as_array().unwrap().contains(&json!(mutation)),
            "{mutation}: {visit}"
        );
        let payload = owner.run(mutation, APPOINTMENT, step(&visit)).await;
        visit = payload["appointment"].clone();
        assert_eq!(visit["status"], status, "{payload}");
    }
    let refused = owner.run("appointmentCheckIn", APPOINTMENT, step(&visit)).await;
    assert_eq!(code(&refused), "INVALID_TRANSITION");
    let told = &refused["userErrors"][0];
    assert_eq!(told["currentStatus"], "COMPLETED");
    assert_eq!(told["allowedActions"], json!(["appointmentEnterInError", "confidentialitySet"]), "{told}");
    let struck = owner.run("appointmentEnterInError", APPOINTMENT, step(&visit)).await;
    assert_eq!(struck["appointment"]["status"], "ENTERED_IN_ERROR");
    Ok(())
}

#[tokio::test]
async fn somebody_who_came_after_all_is_booked_again_on_the_same_day_only() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let day = clinic.day.clone();
    let first = booked(&owner, clinic.visit("10:00", json!({}))).await;
    let second = booked(&owner, clinic.visit("11:00", json!({}))).await;
    clinic.advance_to(&format!("{day}T11:30:00Z"));
    let owner = clinic.person("owner").await;
    let missed = owner.run("appointmentMarkNoShow", APPOINTMENT, step(&first)).await["appointment"].clone();
    assert!(
        missed["allowedActions"].as_array().unwrap().contains(&json!("appointmentUndoNoShow")),
        "{missed}"
    );
    let back = owner.run("appointmentUndoNoShow", APPOINTMENT, step(&missed)).await["appointment"].clone();
    assert_eq!(back["status"], "BOOKED");
    let taken = owner.run("appointmentBook", APPOINTMENT, clinic.visit("10:00", json!({}))).await;
    assert_eq!(code(&taken), "SCHEDULING_CONFLICT");

    // Somebody else got the time meanwhile.
    let missed = owner.run("appointmentMarkNoShow", APPOINTMENT, step(&back)).await["appointment"].clone();
    booked(&owner, clinic.visit("10:00", json!({}))).await;
    let late = owner.run("appointmentUndoNoShow", APPOINTMENT, step(&missed)).await;
    assert_eq!(code(&late), "SCHEDULING_CONFLICT");
    // And on the next day it is too late in any case.
    let missed = owner.run("appointmentMarkNoShow", APPOINTMENT, step(&second)).await["appointment"].clone();
    clinic.server.clock.advance(TimeDelta::hours(13));
    let owner = clinic.person("owner").await;
    let late = owner.run("appointmentUndoNoShow", APPOINTMENT, step(&missed)).await;
    assert_eq!(code(&late), "OUT_OF_RANGE", "{late}");
    Ok(())
}

#[tokio::test]
async fn what_is_called_off_after_the_cut_off_time_is_marked_and_what_is_too_soon_is_not_held() -> Result<()>
{
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let kind = owner.ask("{ visitKinds { id version } }", json!({})).await["visitKinds"][0].clone();
    let times = json!({ "id": kind["id"], "ifVersion": 1, "leadMinutes": 120, "cutoffMinutes": 1440 });
    owner.run("visitKindConfigure", "userErrors { code }", times).await;
    let of_kind = json!({ "visitKindId": kind["id"] });
    let early = booked(&owner, clinic.visit("10:00", of_kind.clone())).await;
    let late = booked(&owner, clinic.visit("12:00", of_kind.clone())).await;
    let off = owner.run("appointmentCancel", APPOINTMENT, step(&early)).await;
    assert_eq!(off["appointment"]["cancelledLate"], false);
    clinic.advance_to(&format!("{}T08:30:00Z", clinic.day));
    let owner = clinic.person("owner").await;
    let off = owner.run("appointmentCancel", APPOINTMENT, step(&late)).await;
    assert_eq!(off["appointment"]["cancelledLate"], true);
    let soon = hold(&owner, clinic.visit("10:00", of_kind.clone()), 10).await;
    assert_eq!(code(&soon), "OUT_OF_RANGE");
    // Staff may book what is too soon to be offered.
    booked(&owner, clinic.visit("10:00", of_kind)).await;
    Ok(())
}

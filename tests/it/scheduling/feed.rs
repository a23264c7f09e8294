//! Calendars under a secret address.

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{APPOINTMENT, Clinic, booked, code, text};

const HOST: &str = "northside.praxis.test";

async fn address(clinic: &Clinic, owner: &crate::support::people::Person<'_>) -> String {
    let input = json!({ "practitionerId": clinic.practitioner });
    text(&owner.run("calendarFeedCreate", "path userErrors { code }", input).await["path"])
}

#[tokio::test]
async fn a_calendar_tells_when_and_where_but_neither_whom_nor_why() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let room = json!({ "facilityId": clinic.facility, "name": "Room; 1, left" });
    let room = owner.run("roomAdd", "room { id }", room).await["room"]["id"].clone();
    let more = json!({ "roomId": room, "reason": "Headache after the war" });
    let kept = booked(&owner, clinic.visit("10:00", more)).await;
    let gone = booked(&owner, clinic.visit("11:00", json!({}))).await;
    owner.run("appointmentCancel", APPOINTMENT, json!({ "id": gone["id"], "ifVersion": 1 })).await;

    let path = address(&clinic, &owner).await;
    let answer = clinic.server.get(HOST, &path, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/calendar; charset=utf-8");
    let day = clinic.day.replace('-', "");
    let calendar = answer.text.replace("\r\n ", "");
    for line in [
        "BEGIN:VCALENDAR".to_owned(),
        format!("UID:{}", kept["id"].as_str().unwrap()),
        format!("DTSTART:{day}T100000Z"),
        format!("DTEND:{day}T103000Z"),
        "SUMMARY:Visit".to_owned(),
        "LOCATION:Main\\, Room\\; 1\\, left".to_owned(),
    ] {
        assert!(calendar.split("\r\n").any(|found| found == line), "{line}: {calendar}");
    }
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1);
    for phi in ["Ada", "Quill", "Headache", "war", "1990", clinic.patient.as_str()] {
        assert!(!calendar.contains(phi), "{phi}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_that_was_taken_back_is_like_one_that_never_was() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let (first, never) = (address(&clinic, &owner).await, format!("/calendar/{}.ics", "A".repeat(43)));
    assert_eq!(clinic.server.get(HOST, &first, &[]).await.status, StatusCode::OK);
    // A new address ends the one before.
    let second = address(&clinic, &owner).await;
    assert_ne!(first, second);
    let input = json!({ "practitionerId": clinic.practitioner });
    let unknown = clinic.server.get(HOST, &never, &[]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let unknown = unknown.without_id();
    assert_eq!(clinic.server.get(HOST, &first, &[]).await.without_id(), unknown);
    owner.run("calendarFeedRevoke", "revoked userErrors { code }", input.clone()).await;
    assert_eq!(clinic.server.get(HOST, &second, &[]).await.without_id(), unknown);
    let none = owner.run("calendarFeedRevoke", "revoked userErrors { code }", input).await;
    assert_eq!((&none["revoked"], code(&none)), (&json!(false), "NOT_FOUND"));
    // Nothing of the secret is stored.
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    let secret = second.trim_start_matches("/calendar/").trim_end_matches(".ics").to_owned();
    let stored: i64 =
        sqlx::query_scalar("SELECT count(*) FROM calendar_feed WHERE position($1::bytea IN token_hash) > 0")
            .bind(secret.into_bytes())
            .fetch_one(&mut sql)
            .await?;
    assert_eq!(stored, 0);
    Ok(())
}

#[tokio::test]
async fn the_address_is_told_once_even_to_a_retry() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let input = json!({ "input": { "practitionerId": clinic.practitioner } });
    let create = "mutation($input: CalendarFeedCreateInput!) { calendarFeedCreate(input: $input) { path userErrors { code } } }";
    let revoke = "mutation($input: CalendarFeedRevokeInput!) { calendarFeedRevoke(input: $input) { revoked userErrors { code } } }";
    let first = owner.send(create, input.clone(), &[("idempotency-key", "same")]).await;
    let path = text(&first.body["data"]["calendarFeedCreate"]["path"]);
    let again = owner.send(create, input.clone(), &[("idempotency-key", "same")]).await;
    assert_eq!(again.body["data"]["calendarFeedCreate"]["path"], Value::Null);
    assert_eq!(again.body["extensions"]["idempotentReplay"], json!(["calendarFeedCreate"]));
    // The retry made no other one.
    assert_eq!(clinic.server.get(HOST, &path, &[]).await.status, StatusCode::OK);
    for _ in 0..2 {
        let revoked = owner.send(revoke, input.clone(), &[("idempotency-key", "gone")]).await;
        assert_eq!(revoked.body["data"]["calendarFeedRevoke"], json!({ "revoked": true, "userErrors": [] }));
    }
    Ok(())
}

#[tokio::test]
async fn nobody_gives_away_a_calendar_that_is_not_theirs() -> Result<()> {
    let clinic = Clinic::new().await?;
    let nurse = clinic.person("nurse").await;
    let query = format!(
        "mutation {{ calendarFeedCreate(input: {{ practitionerId: \"{}\" }}) {{ path }} }}",
        clinic.practitioner
    );
    let denied = nurse.send(&query, json!({}), &[]).await;
    assert_eq!(denied.code(), "FORBIDDEN", "{}", denied.text);
    Ok(())
}

#[tokio::test]
async fn who_manages_one_branch_gives_away_nobodys_calendar_of_all_branches() -> Result<()> {
    let clinic = Clinic::new().await?;
    let input = json!({ "input": { "practitionerId": clinic.practitioner } });
    let create = "mutation($input: CalendarFeedCreateInput!) { calendarFeedCreate(input: $input) { path userErrors { code } } }";
    for (email, branch) in [("here@praxis.test", Some(clinic.facility.parse()?)), ("all@praxis.test", None)] {
        clinic.server.user_at("northside", email, "practice_manager", branch).await?;
        let manager = clinic.server.enter("northside", email).await;
        let answer = manager.send(create, input.clone(), &[("idempotency-key", email)]).await;
        match branch {
            Some(_) => assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text),
            None => assert!(answer.body["data"]["calendarFeedCreate"]["path"].is_string(), "{}", answer.text),
        }
    }
    Ok(())
}

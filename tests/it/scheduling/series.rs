//! Visits that recur.

use anyhow::Result;
use praxis_domain::sensitivity;
use praxis_entity::sensitivity_label::Confidentiality;
use serde_json::{Value, json};

use super::{Clinic, booked, code};

const SERIES: &str =
    "series { id version status rule skipped replaces { id } appointments { id status startsAt } }
    userErrors { code path message ... on SchedulingConflictError { conflicts { id } } }";

fn starts(series: &Value, status: &str) -> Vec<String> {
    let visits = series["appointments"].as_array().unwrap().iter();
    visits
        .filter(|visit| visit["status"] == status)
        .map(|visit| visit["startsAt"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_series_keeps_its_time_of_day_when_the_clock_is_changed() -> Result<()> {
    for (zone, first, expected) in [
        (
            "Europe/Berlin",
            "2027-03-21T08:00:00Z",
            ["2027-03-21T08:00", "2027-03-28T07:00", "2027-04-04T07:00"],
        ),
        (
            "America/New_York",
            "2027-10-31T13:00:00Z",
            ["2027-10-31T13:00", "2027-11-07T14:00", "2027-11-14T14:00"],
        ),
        (
            "Australia/Lord_Howe",
            "2027-03-27T22:00:00Z",
            ["2027-03-27T22:00", "2027-04-03T22:30", "2027-04-10T22:30"],
        ),
    ] {
        let clinic = Clinic::at(zone).await?;
        let desk = clinic.person("receptionist").await;
        let input = json!({ "first": clinic.visit_at(first, json!({})), "rule": "FREQ=WEEKLY;COUNT=3" });
        let payload = desk.run("appointmentSeriesBook", SERIES, input).await;
        let expected: Vec<_> = expected.iter().map(|start| format!("{start}:00.000Z")).collect();
        assert_eq!(starts(&payload["series"], "BOOKED"), expected, "{zone}: {payload}");
    }
    Ok(())
}

#[tokio::test]
async fn each_start_that_is_taken_is_reported_or_left_out() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let (one, three) = ("2027-06-08T10:15:00Z", "2027-06-22T09:45:00Z");
    let in_the_way = [
        booked(&desk, clinic.visit_at(one, json!({}))).await["id"].clone(),
        booked(&desk, clinic.visit_at(three, json!({}))).await["id"].clone(),
    ];
    let first = clinic.visit_at("2027-06-01T10:00:00Z", json!({}));
    let input = json!({ "first": first, "rule": "FREQ=WEEKLY;COUNT=5" });
    let refused = desk.run("appointmentSeriesBook", SERIES, input).await;
    let found: Vec<_> = refused["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["path"][2].clone(), error["conflicts"][0]["id"].clone()))
        .collect();
    assert_eq!(
        found,
        [(json!("1"), in_the_way[0].clone()), (json!("3"), in_the_way[1].clone())],
        "{refused}"
    );
    let counted = desk.ask("{ appointments { totalCount } }", json!({})).await;
    assert_eq!(counted["appointments"]["totalCount"], 2, "nothing was booked");

    let input = json!({ "first": first, "rule": "FREQ=WEEKLY;COUNT=5", "onConflict": "SKIP" });
    let series = desk.run("appointmentSeriesBook", SERIES, input).await["series"].clone();
    assert_eq!(starts(&series, "BOOKED").len(), 3);
    assert_eq!(series["skipped"], json!(["2027-06-08T10:00:00.000Z", "2027-06-22T10:00:00.000Z"]));
    Ok(())
}

#[tokio::test]
async fn a_series_that_is_changed_ends_and_another_takes_over_without_touching_what_was() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let first = clinic.visit_at("2027-06-01T10:00:00Z", json!({ "reason": "Back" }));
    let input = json!({ "first": first, "rule": "FREQ=WEEKLY;COUNT=4" });
    let old = owner.run("appointmentSeriesBook", SERIES, input).await["series"].clone();
    clinic.advance_to("2027-06-09T00:00:00Z");
    let owner = clinic.person("owner").await;
    let to = json!({ "id": old["id"], "ifVersion": old["version"], "startsAt": "2027-06-17T15:00:00Z", "rule": "FREQ=WEEKLY;COUNT=3" });
    let new = owner.run("appointmentSeriesReplace", SERIES, to.clone()).await["series"].clone();
    assert_eq!(new["replaces"]["id"], old["id"], "{new}");
    assert_eq!(starts(&new, "BOOKED").len(), 3);
    let query = format!(
        "{{ appointmentSeries(id: {}) {{ status allowedActions appointments {{ status startsAt }} }} }}",
        old["id"]
    );
    let before = owner.ask(&query, json!({})).await["appointmentSeries"].clone();
    assert_eq!((&before["status"], &before["allowedActions"]), (&json!("REPLACED"), &json!([])));
    assert_eq!(starts(&before, "BOOKED"), ["2027-06-01T10:00:00.000Z", "2027-06-08T10:00:00.000Z"]);
    assert_eq!(starts(&before, "CANCELLED").len(), 2);
    // What the patient comes for was taken over.
    let reasons = format!("{{ appointmentSeries(id: {}) {{ appointments {{ reason }} }} }}", new["id"]);
    let reasons = owner.ask(&reasons, json!({})).await;
    assert_eq!(reasons["appointmentSeries"]["appointments"][2]["reason"], "Back");
    let again = owner.run("appointmentSeriesReplace", SERIES, to).await;
    assert_eq!(code(&again), "VERSION_CONFLICT");

    let off = json!({ "id": new["id"], "ifVersion": new["version"], "from": "2027-06-24T00:00:00Z", "code": "pat" });
    let off = owner.run("appointmentSeriesCancel", SERIES, off).await["series"].clone();
    assert_eq!(off["status"], "CANCELLED", "{off}");
    assert_eq!(starts(&off, "BOOKED"), ["2027-06-17T15:00:00.000Z"]);
    Ok(())
}

#[tokio::test]
async fn a_series_that_could_not_be_changed_is_as_it_was() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let first = clinic.visit_at("2027-06-01T10:00:00Z", json!({}));
    let old = owner
        .run("appointmentSeriesBook", SERIES, json!({ "first": first, "rule": "FREQ=DAILY;COUNT=3" }))
        .await["series"]
        .clone();
    booked(&owner, clinic.visit_at("2027-06-03T15:00:00Z", json!({}))).await;
    let to = json!({ "id": old["id"], "ifVersion": old["version"], "startsAt": "2027-06-02T15:00:00Z", "rule": "FREQ=DAILY;COUNT=3" });
    let refused = owner.run("appointmentSeriesReplace", SERIES, to).await;
    assert_eq!(code(&refused), "SCHEDULING_CONFLICT");
    let query =
        format!("{{ appointmentSeries(id: {}) {{ status appointments {{ status startsAt }} }} }}", old["id"]);
    let still = owner.ask(&query, json!({})).await["appointmentSeries"].clone();
    assert_eq!(still["status"], "ACTIVE");
    assert_eq!(starts(&still, "BOOKED").len(), 3);
    for (rule, expected) in [
        ("FREQ=YEARLY;COUNT=2", "INVALID"),
        ("FREQ=DAILY", "INVALID"),
        ("FREQ=DAILY;UNTIL=20280601", "OUT_OF_RANGE"),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "INVALID"),
    ] {
        let first = clinic.visit_at("2027-06-01T12:00:00Z", json!({}));
        let payload =
            owner.run("appointmentSeriesBook", SERIES, json!({ "first": first, "rule": rule })).await;
        assert_eq!(code(&payload), expected, "{rule}: {payload}");
    }
    Ok(())
}

#[tokio::test]
async fn a_series_with_a_visit_that_one_may_not_touch_stays_as_it_is() -> Result<()> {
    let clinic = Clinic::new().await?;
    let desk = clinic.person("receptionist").await;
    let first = clinic.visit_at("2027-06-01T10:00:00Z", json!({}));
    let input = json!({ "first": first, "rule": "FREQ=WEEKLY;COUNT=3" });
    let series = desk.run("appointmentSeriesBook", SERIES, input).await["series"].clone();
    // Whoever has no part in the patient's care sees it no more from then on.
    let op = clinic.server.as_system("northside").await?;
    let secret = series["appointments"][1]["id"].as_str().unwrap().parse()?;
    sensitivity::label(&op, secret, Confidentiality::VeryRestricted).await?;
    op.commit().await?;
    let step = json!({ "id": series["id"], "ifVersion": series["version"] });
    let to = json!({ "id": series["id"], "ifVersion": series["version"], "startsAt": "2027-06-17T15:00:00Z", "rule": "FREQ=WEEKLY;COUNT=3" });
    for (mutation, input) in [("appointmentSeriesCancel", step), ("appointmentSeriesReplace", to)] {
        let refused = desk.run(mutation, SERIES, input).await;
        assert_eq!(code(&refused), "NOT_FOUND", "{refused}");
    }
    let mut sql = clinic.server.installation.tenant_connection("northside").await?;
    let left = "SELECT count(*) FROM appointment a JOIN appointment_series s ON s.id = a.series_id
        WHERE a.status = 'BOOKED' AND s.status = 'ACTIVE'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut sql).await?, 3);
    Ok(())
}

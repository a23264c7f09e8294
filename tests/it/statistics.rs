//! Numbers of appointments tie to the appointments at any moment, whoever writes, and nobody waits for them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod writers;

use anyhow::Result;
use praxis_entity::ids::FacilityId;
use praxis_fleet::migrate::{Migrator, Options, Outcome};
use praxis_migration::{control, tenant};
use praxis_platform::access::Actor;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use crate::{
    access::counted,
    support::{people::Person, server::TestServer},
};

const ASK: &str = "query($year: Int!, $at: ID) { appointmentStatistics(year: $year, facilityId: $at) { year months {
    month total byStatus { pending booked confirmed arrived checkedIn inRoom inProgress completed cancelled noShow expired enteredInError } } } }";

/// Where entries and rows differ: as one statement, so of one moment.
const DIFFERING: &str = "SELECT count(*) FROM (SELECT facility_id, month, status, sum(change) AS n FROM appointment_count GROUP BY 1, 2, 3) c
    FULL JOIN (SELECT facility_id, date_trunc('month', starts_at AT TIME ZONE time_zone)::date AS month, status, count(*) AS n
        FROM appointment GROUP BY 1, 2, 3) a USING (facility_id, month, status)
    WHERE coalesce(c.n, 0) <> coalesce(a.n, 0)";

/// A clinic with a branch `MAIN`, a patient and a clinician; who owns it is signed in elsewhere.
async fn clinic() -> Result<TestServer> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let owner = server.person("northside", "owner").await;
    owner.facility("MAIN").await;
    owner.register("Ada", "Quill", "1990-01-02").await;
    owner.clinician("Osei").await;
    Ok(server)
}

/// A connection that may do anything in the clinic.
async fn hand(server: &TestServer) -> Result<PgConnection> {
    let mut hand = server.installation.admin().await?;
    let schema = &server.app.directory.by_slug("northside").unwrap().schema;
    hand.execute(AssertSqlSafe(format!("SET search_path = {schema}, ext"))).await?;
    Ok(hand)
}

/// Writes visits as somebody past the API would: each seven hours after the last.
fn visits(branch: &str, zone: &str, first: &str, count: usize, by: usize) -> String {
    format!(
        "INSERT INTO appointment (id, patient_id, practitioner_id, facility_id, modality, status, starts_at, ends_at, time_zone, booked_by)
         SELECT gen_random_uuid(), (SELECT id FROM patient LIMIT 1), (SELECT id FROM practitioner LIMIT 1),
            (SELECT id FROM facility WHERE code = '{branch}'), 'PHONE', 'BOOKED', t, t + interval '15 minutes', '{zone}',
            '00000000-0000-7000-8000-{by:012}'
         FROM (SELECT timestamptz '{first}' + (n - 1) * interval '7 hours' AS t FROM generate_series(1, {count}) AS n) AS times"
    )
}

async fn run(hand: &mut PgConnection, sql: String) -> Result<u64> {
    Ok(hand.execute(AssertSqlSafe(sql)).await?.rows_affected())
}

async fn number(hand: &mut PgConnection, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(hand).await?)
}

/// The twelve months as `(month, total)`, without those that have none.
async fn totals(person: &Person<'_>, year: i32, at: Option<&str>) -> Vec<(String, i64)> {
    let data = person.ask(ASK, json!({ "year": year, "at": at })).await;
    let months = data["appointmentStatistics"]["months"].as_array().unwrap();
    assert_eq!(months.len(), 12);
    let total =
        |month: &Value| (month["month"].as_str().unwrap().to_owned(), month["total"].as_i64().unwrap());
    months.iter().map(total).filter(|(_, total)| *total > 0).collect()
}

#[tokio::test]
async fn a_visit_counts_where_it_stands_from_booking_to_its_end() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let (patient, clinician) =
        (owner.register("Bea", "Rook", "1991-01-02").await, owner.clinician("Adeyemi").await);
    let mut booked = Vec::new();
    for day in ["2027-04-05", "2027-04-06", "2027-06-07"] {
        let input = json!({ "patientId": patient, "practitionerId": clinician, "type": "PHONE", "startsAt": format!("{day}T10:00:00Z") });
        let payload =
            owner.run("appointmentBook", "appointment { id version } userErrors { message }", input).await;
        assert_eq!(payload["userErrors"], json!([]));
        booked.push(payload["appointment"].clone());
    }
    let input = json!({ "id": booked[0]["id"], "ifVersion": booked[0]["version"], "code": "pat" });
    let cancelled = owner.run("appointmentCancel", "userErrors { message }", input).await;
    assert_eq!(cancelled["userErrors"], json!([]));
    let data = owner.ask(ASK, json!({ "year": 2027 })).await;
    let april = &data["appointmentStatistics"]["months"][3];
    assert_eq!((&april["month"], &april["total"]), (&json!("2027-04"), &json!(2)));
    assert_eq!((&april["byStatus"]["booked"], &april["byStatus"]["cancelled"]), (&json!(1), &json!(1)));
    assert_eq!(totals(&owner, 2027, None).await, [("2027-04".into(), 2), ("2027-06".into(), 1)]);
    // A hold is none yet, and what was a mistake never was one.
    let mut hand = hand(&server).await?;
    run(
        &mut hand,
        "UPDATE appointment SET status = 'ENTERED_IN_ERROR' WHERE starts_at > '2027-06-01'".into(),
    )
    .await?;
    let data = owner.ask(ASK, json!({ "year": 2027 })).await;
    let june = &data["appointmentStatistics"]["months"][5];
    assert_eq!((&june["total"], &june["byStatus"]["enteredInError"]), (&json!(0), &json!(1)));
    assert_eq!(number(&mut hand, DIFFERING).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_month_is_that_of_the_branch_when_the_visit_got_its_time() -> Result<()> {
    let server = clinic().await?;
    let (owner, mut hand) = (server.person("northside", "owner").await, hand(&server).await?);
    // New Year's Eve at eight in the evening, in Tokyo already January; the third zone is known to nobody.
    for (zone, count) in [("Asia/Tokyo", 1), ("America/New_York", 2), ("Mars/Olympus", 4)] {
        for _ in 0..count {
            run(&mut hand, visits("MAIN", zone, "2027-12-31T20:00:00Z", 1, 1)).await?;
        }
    }
    assert_eq!(totals(&owner, 2027, None).await, [("2027-12".into(), 6)]);
    assert_eq!(totals(&owner, 2028, None).await, [("2028-01".into(), 1)]);
    // The branch moves: what was is not rewritten, and goes out where it came in.
    run(&mut hand, "UPDATE facility SET time_zone = 'Asia/Tokyo'".into()).await?;
    assert_eq!(totals(&owner, 2027, None).await, [("2027-12".into(), 6)]);
    run(&mut hand, "DELETE FROM appointment WHERE time_zone <> 'Asia/Tokyo'".into()).await?;
    assert_eq!(totals(&owner, 2027, None).await, []);
    run(&mut hand, "DELETE FROM appointment".into()).await?;
    assert_eq!(totals(&owner, 2028, None).await, []);
    let emptied = hand.execute("TRUNCATE appointment CASCADE").await.unwrap_err();
    assert_eq!(emptied.as_database_error().unwrap().code().as_deref(), Some("PX003"));
    Ok(())
}

#[tokio::test]
async fn who_runs_one_branch_is_told_its_numbers_only() -> Result<()> {
    let server = clinic().await?;
    let (owner, mut hand) = (server.person("northside", "owner").await, hand(&server).await?);
    let harbour = owner.facility("HARBOUR").await;
    let main = "SELECT id FROM facility WHERE code = 'MAIN'";
    let main = FacilityId(sqlx::query_scalar(main).fetch_one(&mut hand).await?);
    run(&mut hand, visits("MAIN", "UTC", "2027-05-03T08:00:00Z", 3, 1)).await?;
    run(&mut hand, visits("HARBOUR", "UTC", "2027-05-03T08:00:00Z", 5, 1)).await?;
    assert_eq!(totals(&owner, 2027, None).await, [("2027-05".into(), 8)]);
    assert_eq!(totals(&owner, 2027, Some(&harbour)).await, [("2027-05".into(), 5)]);

    server.user_at("northside", "lead@praxis.test", "practice_manager", Some(main)).await?;
    let lead = server.enter("northside", "lead@praxis.test").await;
    assert_eq!(totals(&lead, 2027, None).await, [("2027-05".into(), 3)]);
    assert_eq!(totals(&lead, 2027, Some(&main.to_string())).await, [("2027-05".into(), 3)]);
    // Another branch is refused in the words of one that is not there.
    let unknown = "fac_01jd3k5n8re6ktp1rb6z9q4x2m";
    for at in [harbour.as_str(), unknown] {
        assert_eq!(lead.send(ASK, json!({ "year": 2027, "at": at }), &[]).await.code(), "FORBIDDEN");
    }
    assert_eq!(owner.send(ASK, json!({ "year": 2027, "at": unknown }), &[]).await.code(), "BAD_USER_INPUT");
    for (role, code) in [("physician", "FORBIDDEN"), ("receptionist", "FORBIDDEN"), ("biller", "")] {
        let person = server.person("northside", role).await;
        let answer = person.send(ASK, json!({ "year": 2027 }), &[]).await;
        let said = answer.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert_eq!(said, code, "{role}: {}", answer.text);
    }
    // Under a condition it is nobody's: numbers meet none.
    run(
        &mut hand,
        "UPDATE role_permission SET condition = 'FACILITY' WHERE permission = 'statistics:read'".into(),
    )
    .await?;
    let biller = server.person("northside", "biller").await;
    assert_eq!(biller.send(ASK, json!({ "year": 2027 }), &[]).await.code(), "FORBIDDEN");
    for year in [i32::MIN, 0, 1899, 2200, i32::MAX] {
        assert_eq!(owner.send(ASK, json!({ "year": year }), &[]).await.code(), "BAD_USER_INPUT", "{year}");
    }
    Ok(())
}

#[tokio::test]
async fn asking_is_one_statement_over_a_few_rows_whatever_the_size_of_the_clinic() -> Result<()> {
    let server = clinic().await?;
    let mut hand = hand(&server).await?;
    let query = "{ appointmentStatistics(year: 2027) { months { total byStatus { booked cancelled } } } }";
    let (few, _) = counted(&server, Actor::system(), query).await;
    for _ in 0..100 {
        run(&mut hand, visits("MAIN", "UTC", "2027-05-03T08:00:00Z", 1, 1)).await?;
    }
    run(&mut hand, visits("MAIN", "UTC", "2027-01-01T08:00:00Z", 1_000, 1)).await?;
    let (many, answer) = counted(&server, Actor::system(), query).await;
    // The numbers, and the entry that somebody asked.
    assert_eq!((few, many), (2, 2), "{answer}");
    // One by one, a month's entries are folded with the ninth; a statement adds one, however many rows it has.
    assert!(number(&mut hand, "SELECT max(n) FROM (SELECT count(*) AS n FROM appointment_count GROUP BY month, status) AS entries").await? <= 8);
    assert_eq!(number(&mut hand, DIFFERING).await?, 0);
    // What changes nothing that is counted adds nothing.
    let before = number(&mut hand, "SELECT count(*) FROM appointment_count").await?;
    run(&mut hand, "UPDATE appointment SET overbooked = true".into()).await?;
    assert_eq!(number(&mut hand, "SELECT count(*) FROM appointment_count").await?, before);
    Ok(())
}

#[tokio::test]
async fn nobody_writes_numbers_by_hand() -> Result<()> {
    let server = clinic().await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    run(&mut runtime, visits("MAIN", "UTC", "2027-05-03T08:00:00Z", 1, 1)).await?;
    for forbidden in [
        "INSERT INTO appointment_count (facility_id, month, status, change) SELECT facility_id, month, status, 1 FROM appointment",
        "UPDATE appointment_count SET change = 2",
        "DELETE FROM appointment_count",
        "SELECT count_appointments(facility_id, month, status, 1) FROM appointment",
    ] {
        let refused = runtime.execute(forbidden).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{forbidden}");
    }
    assert_eq!(number(&mut runtime, "SELECT sum(change) FROM appointment_count").await?, 1);
    Ok(())
}

#[tokio::test]
async fn rows_that_are_there_before_the_step_are_counted_by_it() -> Result<()> {
    let server = clinic().await?;
    let mut hand = hand(&server).await?;
    // Back to the version before.
    hand.execute(sqlx::raw_sql(
        "DROP FUNCTION appointments_counted() CASCADE; DROP FUNCTION count_appointments(uuid, date, text, bigint);
         DROP TABLE appointment_count; ALTER TABLE appointment DROP COLUMN month; DROP FUNCTION month_of(timestamptz, text);
         UPDATE tenant_self SET schema_version = 33; UPDATE control.tenant SET schema_version = 33",
    ))
    .await?;
    run(&mut hand, visits("MAIN", "Europe/London", "2027-01-01T00:00:00Z", 900, 1)).await?;
    run(&mut hand, "UPDATE appointment SET status = 'CANCELLED' WHERE starts_at < '2027-03-01'".into())
        .await?;
    let mut steps = tenant::steps();
    steps.truncate(34);
    let migrator = Migrator::with_steps(&server.installation.url, control::steps(), steps);
    let (keys, clock) = (&*server.installation.keys, &server.installation.clock);
    let report = migrator.up(keys, clock, &Options::default(), &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, 1));
    assert_eq!(number(&mut hand, "SELECT sum(change) FROM appointment_count").await?, 900);
    assert_eq!(number(&mut hand, DIFFERING).await?, 0);
    Ok(())
}

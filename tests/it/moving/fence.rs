//! The database keeps writers out, whoever they are and whatever they have heard.

use anyhow::Result;
use sqlx::Connection;
use tokio::time::{Duration, Instant, sleep};

use super::kit::{Moving, family};

#[tokio::test]
async fn a_writer_that_has_begun_is_waited_for_and_one_that_comes_meanwhile_is_served_at_the_new_home()
-> Result<()> {
    let moving = Moving::new().await?;
    let owner = moving.server.person("northside", "owner").await;
    let schema = moving.schema().await?;
    // Somebody who writes for long: behind the gate, as the server does.
    let mut slow = moving.server.installation.tenant_connection("northside").await?;
    let mut writing = slow.begin().await?;
    sqlx::query("SELECT cell.enter()").execute(&mut *writing).await?;
    let mover = moving.begin("east", "slow")?;
    moving
        .until("SELECT EXISTS (SELECT FROM control.operation WHERE kind = 'MOVE' AND step = 'pause')")
        .await?;
    sleep(Duration::from_millis(800)).await;
    assert_eq!(moving.row().await?.0, "main", "it waits");
    // Others are held up for no longer than a pause.
    let begun = Instant::now();
    let patient = owner.register("Ann", "Zqmeanwhile", "1980-01-02").await;
    let waited = begun.elapsed();
    sqlx::query("INSERT INTO counter (name, n) VALUES ('zq', 7)").execute(&mut *writing).await?;
    writing.commit().await?;
    let ended = mover.wait_with_output().await?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let moved: serde_json::Value = serde_json::from_slice(&ended.stdout)?;
    eprintln!("a writer meanwhile was answered after {waited:?}; {moved}");
    assert!(moved["pauses"].as_u64().unwrap() > 1, "{moved}");
    assert!(moved["longestPauseMs"].as_u64().unwrap() < 1_000, "{moved}");
    assert_eq!(family(&owner, &patient).await, "Zqmeanwhile");
    let mut there = moving.server.installation.tenant_connection("northside").await?;
    let carried: i64 =
        sqlx::query_scalar("SELECT n FROM counter WHERE name = 'zq'").fetch_one(&mut there).await?;
    assert_eq!(carried, 7, "what was written last came along");
    // The old home is gone for whoever is still connected to it.
    let late = sqlx::query("UPDATE counter SET n = n").execute(&mut slow).await;
    assert!(late.is_err(), "{schema} took a write after it was left");
    Ok(())
}

#[tokio::test]
async fn a_home_that_is_closed_takes_no_row_from_anybody_and_is_read_and_opens_again() -> Result<()> {
    let moving = Moving::new().await?;
    let owner = moving.server.person("northside", "owner").await;
    let patient = owner.register("Ann", "Zqclosed", "1980-01-02").await;
    let schema = moving.schema().await?;
    // A mover that is killed between the closing of the old home and the last commit: held there by the row of the ledger.
    let mut admin = moving.server.installation.admin().await?;
    let stall = format!(
        "CREATE FUNCTION public.stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER stall AFTER UPDATE ON control.tenant DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (OLD.cell_id <> NEW.cell_id) EXECUTE FUNCTION public.stall(); -- {schema}"
    );
    moving.sql("main", &stall).await?;
    let mut mover = moving.begin("east", "killed")?;
    moving.until("SELECT EXISTS (SELECT FROM cell.moved)").await?;
    mover.kill().await?;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND datname = current_database() AND pid <> pg_backend_pid()")
        .execute(&mut admin)
        .await?;
    moving.sql("main", "DROP TRIGGER stall ON control.tenant; DROP FUNCTION public.stall()").await?;
    assert_eq!(moving.row().await?, ("main".to_owned(), 0, Some("east".to_owned())));

    for settings in ["RESET session_replication_role", "SET session_replication_role = replica"] {
        let write = format!("{settings}; UPDATE {schema}.patient SET version = version");
        let refused = moving.sql("main", &write).await.unwrap_err();
        assert!(refused.to_string().contains("moves to another cell"), "{refused}");
    }
    // It is read; what is to leave an entry in the log, too, is not shown without it.
    let mut reader = moving.server.installation.tenant_connection("northside").await?;
    let patients: i64 = sqlx::query_scalar("SELECT count(*) FROM patient").fetch_one(&mut reader).await?;
    assert_eq!(patients, 1);
    let query = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } userErrors { code } } }";
    let input = serde_json::json!({ "input": { "name": { "given": ["Bob"], "family": "Zqlate" }, "birthDate": "1980-01-02" } });
    let refused = owner.send(query, input.clone(), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "TENANT_MOVING"), "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "1");

    moving.done(&["tenant", "move", "northside", "--cancel"]).await?;
    assert_eq!(moving.row().await?, ("main".to_owned(), 0, None));
    assert_eq!(moving.traces("main").await?, Vec::<String>::new());
    assert_eq!(moving.left("east").await?, Vec::<String>::new());
    let taken = owner.send(query, input, &[]).await;
    assert!(taken.body["errors"].is_null(), "{}", taken.text);
    moving.to("east").await?;
    assert_eq!(family(&owner, &patient).await, "Zqclosed");
    Ok(())
}

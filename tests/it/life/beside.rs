//! What lies beside a clinic: there is no more than one, and its keys and its work are kept for it.

use anyhow::Result;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::kit::{Life, family};

impl Life {
    async fn number(&self, sql: &str) -> Result<i64> {
        let mut admin = self.server.installation.admin().await?;
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut admin).await?)
    }
}

#[tokio::test]
async fn restored_and_swapped_under_a_key_it_is_not_swapped_back_by_asking_again() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    let new = owner.register("Bob", "Zqnewer", "1990-01-02").await;
    life.done(&["suspend", "northside"]);
    for _ in 0..2 {
        let swapped = life.done(&["restore", &file, "--swap", "--idempotency-key", "drill"]);
        assert_eq!((&swapped["isLive"], &swapped["auditVerified"]), (&json!(true), &json!(true)));
    }
    let back = life.done(&["swap", "northside"]);
    assert_eq!((&back["isLive"], &back["auditVerified"]), (&json!(false), &json!(true)), "what was live is");
    // Nor when it was taken back since.
    let again = life.done(&["restore", &file, "--swap", "--idempotency-key", "drill"]);
    assert_eq!(again["isLive"], false);
    life.done(&["resume", "northside"]);
    life.refresh().await?;
    assert_eq!(family(&owner, &new).await, "Zqnewer");
    Ok(())
}

#[tokio::test]
async fn of_two_restored_beside_the_second_is_refused_until_the_first_is_gone() -> Result<()> {
    let life = Life::new().await?;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    life.done(&["restore", &file]);
    let (code, _, told) = life.tenant(&["restore", &file]);
    assert!(code == 1 && told.contains("lies beside"), "{told}");
    assert_eq!(life.schemas().await?, 2);
    life.done(&["discard", "northside", "--yes"]);
    life.done(&["restore", &file]);
    Ok(())
}

#[tokio::test]
async fn no_key_is_retired_that_what_lies_beside_needs() -> Result<()> {
    let life = Life::new().await?;
    // With something that is sealed under the key of that time.
    life.server.person("northside", "owner").await.register("Ann", "Zqbeside", "1980-01-02").await;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    assert_eq!(life.praxis(&["key", "rotate", "--tenant", "northside"]).0, 0);
    life.sql("UPDATE control.tenant_key SET created_at = created_at - interval '1 day'").await?;
    let retire = ["key", "retire", "--tenant", "northside", "--yes"];
    assert_eq!(life.praxis(&retire).1[0]["tenant_keys"], 1);
    // The key of its time is there again, and stays for as long as something lies there.
    assert_eq!(life.done(&["restore", &file])["keysPutBack"], 1);
    life.sql("UPDATE control.tenant_key SET created_at = created_at - interval '1 day'").await?;
    let (code, rows, _) = life.praxis(&retire);
    assert_eq!((code, &rows[0]["state"], &rows[0]["tenant_keys"]), (4, &json!("beside"), &json!(0)));
    life.done(&["suspend", "northside"]);
    life.done(&["swap", "northside"]);
    assert_eq!(
        life.praxis(&["key", "verify", "--tenant", "northside"]).0,
        3,
        "under older keys, and it opens"
    );
    life.done(&["swap", "northside"]);
    let (code, _, told) = life.tenant(&["discard", "northside", "--yes"]);
    assert!(code == 0 && told.contains("praxis key retire"), "{told}");
    assert_eq!(life.praxis(&retire).1[0]["tenant_keys"], 1);
    assert_eq!(life.praxis(&["key", "verify", "--tenant", "northside"]).0, 0);
    Ok(())
}

#[tokio::test]
async fn work_is_planned_anew_and_what_waited_waits_where_it_was() -> Result<()> {
    let life = Life::new().await?;
    let schema = life.schema("northside").await?;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    life.done(&["restore", &file]);
    life.done(&["suspend", "northside"]);
    // Written down, and waiting, in what is live now.
    life.sql(&format!(
        "INSERT INTO cell.planned (tenant, name) VALUES ('{schema}', 'MADE_UP');
         DELETE FROM cell.ready; INSERT INTO cell.ready (tenant, queue, run_at) VALUES ('{schema}', 'mail', '2040-01-02Z')"
    ))
    .await?;
    life.done(&["swap", "northside"]);
    assert_eq!(life.number("SELECT count(*) FROM cell.planned").await?, 0);
    // A worker looks, finds nothing in what was restored, and puts the hint down.
    life.sql("DELETE FROM cell.ready").await?;
    life.done(&["swap", "northside"]);
    let waits = "SELECT count(*) FROM cell.ready WHERE queue = 'mail' AND run_at = '2040-01-02Z'";
    assert_eq!(life.number(waits).await?, 1);

    life.sql(&format!(
        "INSERT INTO cell.planned (tenant, name) VALUES ('{schema}', 'MADE_UP'); DROP SCHEMA {schema} CASCADE;
         UPDATE control.tenant SET oldest_build = 7"
    ))
    .await?;
    life.done(&["restore", &file]);
    assert_eq!(life.number("SELECT count(*) FROM cell.planned").await?, 0);
    let oldest = praxis_platform::tenancy::snapshot_oldest_build();
    assert_eq!(life.number("SELECT oldest_build::bigint FROM control.tenant").await?, i64::from(oldest));
    Ok(())
}

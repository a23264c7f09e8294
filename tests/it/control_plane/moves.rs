//! Clinics are brought to another cell by whoever asks at the control plane.

use anyhow::Result;
use serde_json::json;
use tokio::time::{Duration, sleep};

use super::kit::Plane;
use crate::support::installation::TestInstallation;

#[tokio::test]
async fn a_clinic_is_moved_by_the_executor_once_for_each_key_and_not_where_it_is_already() -> Result<()> {
    let plane = Plane::start_over(TestInstallation::new().await?.with_cell("east").await?, &[]).await?;
    let (clinic, token) = (plane.clinic("northside").await?, plane.token().await);
    let to = |cell: &str, key: &str| json!({ "idempotencyKey": key, "id": clinic, "to": cell });
    for (cell, why) in [("main", "already"), ("west", "no cell")] {
        let refused = plane.begin(&token, "tenantMove", "TenantMoveInput", to(cell, why)).await;
        assert_eq!(refused["userErrors"][0]["code"], "REFUSED", "{refused}");
    }
    let begun = plane.begin(&token, "tenantMove", "TenantMoveInput", to("east", "one")).await;
    let ended = plane.ended(&token, &begun).await?;
    assert_eq!((&ended["state"], &ended["kind"]), (&json!("DONE"), &json!("MOVE")), "{ended}");
    assert!(ended["detail"]["longestPauseMs"].as_u64().unwrap() < 1_000, "{ended}");
    assert_eq!(ended["actor"], super::kit::OPS);
    let again = plane.begin(&token, "tenantMove", "TenantMoveInput", to("east", "one")).await;
    assert_eq!(again["operation"]["id"], begun["operation"]["id"]);
    let other = plane.begin(&token, "tenantMove", "TenantMoveInput", to("main", "one")).await;
    assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_CONFLICT", "{other}");
    let cancel =
        "mutation($id: ID!) { tenantMoveCancel(input: { id: $id }) { changed userErrors { code } } }";
    let late = plane.ask(&token, cancel, json!({ "id": clinic })).await["tenantMoveCancel"].clone();
    assert_eq!(late["changed"], false, "{late}");
    Ok(())
}

#[tokio::test]
async fn a_move_of_the_command_line_that_is_killed_is_taken_up_by_the_control_plane() -> Result<()> {
    let plane = Plane::start_over(TestInstallation::new().await?.with_cell("east").await?, &[]).await?;
    plane.clinic("northside").await?;
    let mut mover =
        plane.installation.spawn_plainly(&["tenant", "move", "northside", "--to", "east"], &[])?;
    let mut admin = plane.installation.admin().await?;
    let begun = "SELECT count(*) FROM control.tenant WHERE moving_to IS NOT NULL";
    while sqlx::query_scalar::<_, i64>(begun).fetch_one(&mut admin).await? == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    mover.kill().await?;
    for _ in 0..600 {
        let there = "SELECT cell_id = 'east' AND EXISTS (SELECT FROM control.operation WHERE kind = 'MOVE' AND state = 'DONE') FROM control.tenant";
        if sqlx::query_scalar(there).fetch_one(&mut admin).await? {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("nobody took it up")
}

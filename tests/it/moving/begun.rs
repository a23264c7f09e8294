//! There and back again: everything is there, nothing is left behind.

use anyhow::Result;
use serde_json::json;

use super::kit::{Moving, family};

#[tokio::test]
async fn a_clinic_moves_and_comes_back_with_everything_and_leaves_nothing_behind() -> Result<()> {
    let moving = Moving::new().await?;
    let owner = moving.server.person("northside", "owner").await;
    let patient = owner.register("Ann", "Zqmoves", "1980-01-02").await;
    moving.server.work().await?;

    let moved = moving.to("east").await?;
    assert_eq!((&moved["from"], &moved["to"]), (&json!("main"), &json!("east")));
    assert!(moved["rows"].as_u64().unwrap() > 100, "{moved}");
    assert_eq!(moved["compared"], moved["comparedAfter"], "{moved}");
    assert!(moved["longestPauseMs"].as_u64().unwrap() < 1_000, "{moved}");
    eprintln!("{moved}");
    assert_eq!(moving.row().await?, ("east".to_owned(), 1, None));
    assert_eq!(moving.left("main").await?, Vec::<String>::new());
    assert_eq!(moving.traces("east").await?, Vec::<String>::new());
    moving.is_whole().await?;

    // The session is the same, and the server need not have heard.
    assert_eq!(family(&owner, &patient).await, "Zqmoves");
    let second = owner.register("Bob", "Zqeast", "1981-01-02").await;
    moving.server.work().await?;

    let back = moving.to("main").await?;
    assert_eq!((&back["from"], &back["to"]), (&json!("east"), &json!("main")));
    assert_eq!(moving.row().await?, ("main".to_owned(), 2, None));
    assert_eq!(moving.left("east").await?, Vec::<String>::new());
    for (id, name) in [(&patient, "Zqmoves"), (&second, "Zqeast")] {
        assert_eq!(family(&owner, id).await, name);
    }
    let third = owner.register("Cat", "Zqback", "1982-01-02").await;
    assert_eq!(family(&owner, &third).await, "Zqback");
    moving.server.work().await?;
    moving.is_whole().await?;
    moving.done(&["migrate", "verify"]).await?;
    moving.done(&["migrate", "drift"]).await?;

    // And what is made of it afterwards is right.
    moving.done(&["tenant", "clone", "northside", "--as", "sandbox"]).await?;
    let file = std::env::temp_dir()
        .join(format!("praxis-moved-{}.pxe", moving.server.installation.clock.new_id().simple()));
    let exported = moving.done(&["tenant", "export", "northside", "--to", &file.to_string_lossy()]).await;
    drop(std::fs::remove_file(&file));
    assert!(exported?["rows"].as_u64().unwrap() > 100);
    Ok(())
}

#[tokio::test]
async fn a_move_is_an_operation_that_is_done_once_under_its_key() -> Result<()> {
    let moving = Moving::new().await?;
    let go = ["tenant", "move", "northside", "--to", "east", "--idempotency-key", "monday"];
    let moved = moving.done(&go).await?;
    assert_eq!(moving.done(&go).await?, moved);
    assert_eq!(moving.row().await?.1, 1);
    let listed = moving.done(&["tenant", "operations", "northside"]).await?;
    assert_eq!((&listed[0]["kind"], &listed[0]["state"]), (&json!("MOVE"), &json!("DONE")));
    let events: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM control.tenant_event WHERE kind LIKE 'MOVE%' ORDER BY id")
            .fetch_all(&mut moving.server.installation.admin().await?)
            .await?;
    assert_eq!(events, ["MOVE_BEGUN", "MOVED"]);
    Ok(())
}

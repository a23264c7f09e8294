//! What the mover refuses, and what is refused while it moves.

use anyhow::Result;
use serde_json::json;

use super::kit::Moving;

impl Moving {
    async fn is_refused(&self, cell: &str, why: &str) -> Result<()> {
        let (code, _, told) = self.praxis(&["tenant", "move", "northside", "--to", cell]).await?;
        assert!(code != 0 && told.contains(why), "{code} {told}");
        assert_eq!(self.row().await?, ("main".to_owned(), 0, None));
        assert_eq!(self.traces("main").await?, Vec::<String>::new());
        Ok(())
    }
}

#[tokio::test]
async fn a_clinic_does_not_move_to_a_cell_that_is_unknown_full_drained_or_its_own() -> Result<()> {
    let moving = Moving::new().await?;
    moving.is_refused("main", "already").await?;
    moving.is_refused("west", "west").await?;
    moving.sql("main", "INSERT INTO control.cell (id) VALUES ('west')").await?;
    moving.is_refused("west", "west").await?;
    moving.done(&["cell", "drain", "east"]).await?;
    moving.is_refused("east", "drained").await?;
    moving.done(&["cell", "activate", "east"]).await?;
    moving.to("east").await?;
    moving.server.installation.provision("southside").await?;
    moving.sql("main", "UPDATE control.cell SET max_tenants = 1 WHERE id = 'east'").await?;
    let (code, _, told) = moving.praxis(&["tenant", "move", "southside", "--to", "east"]).await?;
    assert!(code != 0 && told.contains("full"), "{told}");
    Ok(())
}

#[tokio::test]
async fn while_a_clinic_moves_its_schema_does_not_change_and_nothing_lies_beside_it() -> Result<()> {
    let moving = Moving::new().await?;
    moving.sql("main", "UPDATE control.tenant SET moving_to = 'east'").await?;
    for change in ["schema_version = schema_version + 1", "state = 'SUSPENDED', schema_version = 1"] {
        let sql = format!("UPDATE control.tenant SET {change}");
        let error = moving.sql("main", &sql).await.unwrap_err();
        assert!(error.to_string().contains("moves to another cell"), "{error}");
    }
    // It is locked and named like any other.
    moving.sql("main", "UPDATE control.tenant SET state = 'SUSPENDED'").await?;
    moving.sql("main", "UPDATE control.tenant SET moving_to = NULL, state = 'ACTIVE'").await?;

    let file = std::env::temp_dir()
        .join(format!("praxis-beside-{}.pxe", moving.server.installation.clock.new_id().simple()));
    let path = file.to_string_lossy().into_owned();
    moving.done(&["tenant", "export", "northside", "--to", &path]).await?;
    let restored = moving.done(&["tenant", "restore", &path]).await;
    drop(std::fs::remove_file(&file));
    assert_eq!(restored?["placed"], json!("beside"));
    moving.is_refused("east", "lies beside").await?;
    moving.done(&["tenant", "discard", "northside", "--yes"]).await?;
    moving.to("east").await?;
    Ok(())
}

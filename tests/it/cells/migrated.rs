//! A run of migrations goes over the clinics of both cells.

use anyhow::Result;
use praxis_fleet::migrate::{Drift, Migrator, Options, Outcome, Selection};
use praxis_migration::{Step, Steps, control, tenant};
use praxis_platform::tenancy::Cells;
use sqlx::AssertSqlSafe;

use super::kit::Land;

fn ahead(cells: &Cells) -> Migrator {
    let mut steps: Steps = tenant::steps();
    steps.push(Step::new("m9999_nickname", "ALTER TABLE patient ADD COLUMN nickname bytea".to_owned()));
    Migrator::with_steps(cells, control::steps(), steps)
}

#[tokio::test]
async fn a_step_reaches_the_clinics_of_both_cells_and_then_there_is_nothing_to_do() -> Result<()> {
    let land = Land::new().await?;
    land.installation.provision("northside").await?;
    land.create("harbor");
    let (keys, clock) = (&*land.installation.keys, &land.installation.clock);
    let nothing = Migrator::new(land.cells()).up(keys, clock, &Options::default(), &|_| {}).await?;
    assert_eq!((nothing.outcome, nothing.migrated), (Outcome::Done, 0));

    let report = ahead(&land.cells()).up(keys, clock, &Options::default(), &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, 2), "{report:?}");
    let mut control = land.installation.admin().await?;
    let target = i32::try_from(tenant::steps().len())? + 1;
    let rows: Vec<(String, String, i32)> =
        sqlx::query_as("SELECT schema_name, cell_id, schema_version FROM control.tenant")
            .fetch_all(&mut control)
            .await?;
    for (schema, cell, version) in rows {
        assert_eq!(version, target);
        let sql = format!(
            "SELECT count(nickname), (SELECT schema_version FROM {schema}.tenant_self) FROM {schema}.patient"
        );
        let mut home = land.cells().connect(&cell).await?;
        let found: (i64, i32) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut home).await?;
        assert_eq!(found, (0, target), "{cell}");
    }
    let steps: i64 =
        sqlx::query_scalar("SELECT count(*) FROM control.migration_run_step").fetch_one(&mut control).await?;
    assert_eq!(steps, 2);
    let again = ahead(&land.cells()).up(keys, clock, &Options::default(), &|_| {}).await?;
    assert_eq!((again.outcome, again.migrated), (Outcome::Done, 0));
    let Drift { drifted, newer, .. } = ahead(&land.cells()).drift(&Selection::default(), 2).await?;
    assert!(drifted.is_empty() && newer == 0, "{drifted:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_done_in_the_cell_before_the_control_schema_heard_of_it_is_not_done_again() -> Result<()> {
    let land = Land::new().await?;
    land.create("harbor");
    let (keys, clock) = (&*land.installation.keys, &land.installation.clock);
    ahead(&land.cells()).up(keys, clock, &Options::default(), &|_| {}).await?;
    let mut control = land.installation.admin().await?;
    // As if it had been killed between the two.
    sqlx::query("UPDATE control.tenant SET schema_version = schema_version - 1")
        .execute(&mut control)
        .await?;
    let report = ahead(&land.cells()).up(keys, clock, &Options::default(), &|_| {}).await?;
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    let version: i32 =
        sqlx::query_scalar("SELECT schema_version FROM control.tenant").fetch_one(&mut control).await?;
    assert_eq!(version, i32::try_from(tenant::steps().len())? + 1);
    Ok(())
}

#[tokio::test]
async fn a_clinic_of_a_cell_that_drifted_is_found_and_put_right() -> Result<()> {
    let land = Land::new().await?;
    land.create("harbor");
    let schema: String = sqlx::query_scalar("SELECT schema_name FROM control.tenant")
        .fetch_one(&mut land.installation.admin().await?)
        .await?;
    let drift = AssertSqlSafe(format!("ALTER TABLE {schema}.patient ADD COLUMN extra text"));
    sqlx::query(drift).execute(&mut land.home().await?).await?;
    assert_eq!(land.praxis(&["migrate", "drift"]).0, 3);
    let (code, _, told) = land.praxis(&["migrate", "status"]);
    assert_eq!(code, 0, "{told}");
    Ok(())
}

#[tokio::test]
async fn where_what_a_cell_has_besides_its_clinics_is_behind_or_not_known_verifying_says_so() -> Result<()> {
    let land = Land::new().await?;
    let cell = |rows: &serde_json::Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.clone().find(|row| row["schema"] == "(cell east)").map(|row| row["state"].clone()).unwrap()
    };
    let (code, rows, _) = land.praxis(&["migrate", "verify"]);
    assert_eq!((code, cell(&rows)), (0, "current".into()), "{rows}");
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["schema"] == "(cell main)").count(), 1);

    let last = "DELETE FROM cell.migration WHERE version = (SELECT max(version) FROM cell.migration)";
    sqlx::query(last).execute(&mut land.home().await?).await?;
    let (code, rows, _) = land.praxis(&["migrate", "verify"]);
    assert_eq!((code, cell(&rows)), (3, "behind".into()), "{rows}");

    let (code, rows, _) = land.with("", &["migrate", "verify"]);
    assert_eq!((code, cell(&rows)), (4, "away".into()), "{rows}");
    Ok(())
}

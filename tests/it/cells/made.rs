//! Cells and the clinics in them are made wholly or not at all, and again where that was cut off.

use std::{process::Stdio, time::Duration};

use anyhow::Result;
use praxis_platform::vault::crypto;
use serde_json::json;
use tokio::process::Command;

use super::kit::{Land, create};
use crate::support::installation::database_elsewhere;

#[tokio::test]
async fn a_cell_is_added_listed_drained_and_activated() -> Result<()> {
    let land = Land::bare(database_elsewhere().await?).await?;
    let (code, _, told) = land.praxis(&create("harbor"));
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("praxis cell add"), "{told}");

    let added = land.done(&["cell", "add", "east", "--max-tenants", "2"]);
    assert_eq!(
        (&added["changed"], &added["max_tenants"], &added["version"]),
        (&json!(true), &json!(2), &json!(praxis_migration::cell::steps().len()))
    );
    assert_eq!(land.done(&["cell", "add", "east"])["changed"], false, "it is there already");

    // What can't be one.
    for name in ["main", "East", "north"] {
        assert_eq!(land.praxis(&["cell", "add", name]).0, 2, "{name}");
    }
    let twice = format!("{} west={}", land.setting(), land.east);
    let (code, _, told) = land.with(&twice, &["cell", "add", "west"]);
    assert_eq!(code, 1);
    assert!(told.contains("\"east\" already"), "{told}");
    let control = format!("west={}", land.installation.url);
    assert!(land.with(&control, &["cell", "add", "west"]).2.contains("control schema"));
    assert_eq!(land.with("east=nowhere", &["cell", "list"]).0, 2);

    // An address that leads elsewhere: nothing is made there.
    let elsewhere = format!("east={}", database_elsewhere().await?);
    let (code, _, told) = land.with(&elsewhere, &create("harbor"));
    assert!(code == 1 && told.contains("is not this cell"), "{told}");
    assert!(land.with(&elsewhere, &["cell", "list"]).1[0]["problem"].as_str().unwrap().contains("no cell"));

    land.create("harbor");
    let cells = land.done(&["cell", "list"]);
    let shown: Vec<_> = cells
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| (&cell["name"], &cell["tenants"], &cell["reachable"]))
        .collect();
    assert_eq!(shown, [(&json!("east"), &json!(1), &json!(true)), (&json!("main"), &json!(0), &json!(true))]);
    let unknown = land.with("", &["cell", "list"]).1;
    assert_eq!((&unknown[0]["configured"], &unknown[0]["reachable"]), (&json!(false), &json!(false)));

    assert_eq!(land.done(&["cell", "drain", "east"])["role"], "draining");
    assert!(land.praxis(&create("second")).2.contains("draining"));
    assert_eq!(land.done(&["cell", "activate", "east"])["changed"], true);
    land.create("second");
    // It holds two at the most.
    assert_eq!(land.praxis(&create("third")).0, 1);
    assert_eq!(land.praxis(&["cell", "drain", "north"]).0, 2);
    land.nothing_is_half_made().await
}

#[tokio::test]
async fn killed_at_any_point_a_clinic_of_a_cell_is_there_wholly_or_not_at_all() -> Result<()> {
    let land = Land::new().await?;
    land.create("first");
    let slowly = std::time::Instant::now();
    land.create("second");
    let takes = u64::try_from(slowly.elapsed().as_millis())?;
    let mut made = 0;
    for attempt in 0..12 {
        let slug = format!("clinic-{attempt}");
        let command = land.installation.command();
        let mut child = Command::from(command)
            .env("PRAXIS_CELLS", land.setting())
            .args(create(&slug))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let [noise] = crypto::random::<1>()?;
        tokio::time::sleep(Duration::from_millis(takes * u64::from(noise) / 255)).await;
        child.kill().await?;
        // What it had sent is ended by the servers.
        tokio::time::sleep(Duration::from_millis(300)).await;
        land.nothing_is_half_made().await?;
        made += usize::from(land.praxis(&create(&slug)).0 == 0);
    }
    eprintln!("{made} of 12 had not been made when they were killed, {takes} ms each");
    let (mut control, mut home) = (land.installation.admin().await?, land.home().await?);
    let clinics: i64 =
        sqlx::query_scalar("SELECT count(*) FROM control.tenant WHERE cell_id = 'east' AND state = 'ACTIVE'")
            .fetch_one(&mut control)
            .await?;
    assert_eq!(clinics, 14);
    let whole: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relname = 'tenant_self' AND relnamespace::regnamespace::text ~ '^t_'")
        .fetch_one(&mut home)
        .await?;
    assert!(whole >= 14);
    land.nothing_is_half_made().await
}

#[tokio::test]
async fn a_pool_of_a_cell_is_filled_there_and_taken_from() -> Result<()> {
    let land = Land::new().await?;
    let filled = land.done(&["tenant", "pool", "fill", "--size", "2", "--cell", "east"]);
    assert_eq!((&filled["made"], &filled["ready"]), (&json!(2), &json!(2)));
    // The other cell's pool is another one.
    land.installation.provision("northside").await?;
    land.create("harbor");
    let status = land.done(&["tenant", "pool", "status", "--cell", "east"]);
    assert_eq!((&status["ready"], &status["reserved"]), (&json!(1), &json!(0)));
    assert_eq!(land.done(&["tenant", "pool", "status", "--cell", "main"])["ready"], 0);
    land.nothing_is_half_made().await
}

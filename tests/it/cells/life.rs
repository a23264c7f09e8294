//! What operators do with a clinic of a further cell: keys, limits, exports, sandboxes, its end.

use anyhow::Result;
use serde_json::{Value, json};

use super::kit::{Elsewhere, Land};
use crate::support::server::TestServer;

/// `praxis …` beside a server: the exit code, what was printed, what was told.
fn praxis(server: &TestServer, elsewhere: &Elsewhere, arguments: &[&str]) -> (i32, Value, String) {
    let mut command = server.installation.command();
    let output = command.env("PRAXIS_CELLS", &elsewhere.setting).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
}

fn done(server: &TestServer, elsewhere: &Elsewhere, arguments: &[&str]) -> Value {
    let (code, printed, told) = praxis(server, elsewhere, arguments);
    assert_eq!(code, 0, "praxis {}: {told}", arguments.join(" "));
    printed
}

#[tokio::test]
async fn keys_of_a_clinic_of_a_cell_are_rotated_verified_and_retired() -> Result<()> {
    let (server, elsewhere) = Land::new().await?.served().await?;
    server.person("harbor", "owner").await.register("Bob", "Zqharbor", "1981-01-02").await;
    let run = |arguments: &[&str]| done(&server, &elsewhere, arguments);
    assert_eq!(run(&["key", "rotate", "--tenant", "harbor"])["rotated"], true);
    assert_eq!(run(&["key", "rotate", "--data", "--tenant", "harbor"])["rotated"], true);
    run(&["key", "verify"]);
    assert_eq!(run(&["key", "status"])["tenants"].as_array().unwrap().len(), 2);
    run(&["key", "retire", "--tenant", "harbor", "--yes"]);
    run(&["audit", "verify", "--tenant", "harbor"]);
    Ok(())
}

#[tokio::test]
async fn a_clinic_of_a_cell_is_limited_counted_exported_copied_and_shredded() -> Result<()> {
    let (server, elsewhere) = Land::new().await?.served().await?;
    server.person("harbor", "owner").await.register("Bob", "Zqharbor", "1981-01-02").await;
    let run = |arguments: &[&str]| done(&server, &elsewhere, arguments);
    run(&["tenant", "limits", "harbor", "--seats", "3"]);
    let usage = run(&["tenant", "usage", "harbor"]);
    let seats = usage.as_array().unwrap().iter().find(|row| row["name"] == "SEATS").unwrap();
    assert_eq!((&seats["used"], &seats["most"]), (&json!(1), &json!(3)));

    let file =
        std::env::temp_dir().join(format!("praxis-{}.pxe", server.installation.clock.new_id().simple()));
    let path = file.to_str().unwrap();
    let exported = run(&["tenant", "export", "harbor", "--to", path]);
    assert_eq!(exported["slug"], "harbor");
    // Not across databases yet: said so, and nothing done.
    let (code, _, told) = praxis(&server, &elsewhere, &["tenant", "restore", path]);
    assert!(code == 1 && told.contains("not yet for a clinic of another cell"), "{told}");
    std::fs::remove_file(file)?;

    run(&["tenant", "clone", "harbor", "--as", "harbor-sandbox"]);
    server.app.directory.refresh().await?;
    let sandbox = server.app.directory.by_slug("harbor-sandbox").unwrap();
    assert_eq!(sandbox.cell, "east");
    server.person("harbor-sandbox", "owner").await;

    run(&["tenant", "offboard", "harbor", "--grace-days", "0"]);
    run(&["tenant", "archive", "harbor"]);
    let certificate = run(&["tenant", "shred", "harbor", "--yes"]);
    assert!(certificate["dataKeys"].as_i64().unwrap() > 0, "{certificate}");
    let mut home = elsewhere.cells.connect("east").await?;
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' UNION SELECT tenant FROM cell.ready UNION SELECT tenant FROM cell.planned",
    )
    .fetch_all(&mut home)
    .await?;
    assert!(left.iter().all(|schema| *schema == sandbox.schema.to_string()), "{left:?}");
    Ok(())
}

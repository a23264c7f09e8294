//! What operators do with a clinic of a further cell: keys, limits, exports, restores, sandboxes, its end.

use anyhow::Result;
use praxis_entity::ids::encode_base32;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

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

/// An export of `harbor`, which goes with the value.
struct Exported(String);

impl Exported {
    fn of(server: &TestServer, elsewhere: &Elsewhere) -> Self {
        let name = format!("praxis-{}.pxe", server.installation.clock.new_id().simple());
        let path = std::env::temp_dir().join(name).to_string_lossy().into_owned();
        done(server, elsewhere, &["tenant", "export", "harbor", "--to", &path]);
        Self(path)
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// How many patients the clinic of the cell has.
async fn patients(elsewhere: &Elsewhere, schema: &str) -> Result<i64> {
    let mut home = elsewhere.cells.connect("east").await?;
    let count = format!("SELECT count(*) FROM {schema}.patient");
    Ok(sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut home).await?)
}

#[tokio::test]
async fn a_clinic_of_a_cell_is_restored_beside_itself_and_exchanged_there() -> Result<()> {
    let (server, elsewhere) = Land::new().await?.served().await?;
    let owner = server.person("harbor", "owner").await;
    owner.register("Bob", "Zqharbor", "1981-01-02").await;
    let run = |arguments: &[&str]| done(&server, &elsewhere, arguments);
    let file = Exported::of(&server, &elsewhere);
    let path = file.0.as_str();
    owner.register("Eve", "Zqlater", "1982-01-02").await;
    let schema = server.app.directory.by_slug("harbor").unwrap().schema.to_string();

    let restored = run(&["tenant", "restore", path, "--idempotency-key", "drill"]);
    assert_eq!((&restored["placed"], &restored["isLive"]), (&json!("beside"), &json!(false)));
    let aside = restored["schema"].as_str().unwrap();
    assert_eq!((patients(&elsewhere, &schema).await?, patients(&elsewhere, aside).await?), (2, 1));
    assert!(praxis(&server, &elsewhere, &["tenant", "restore", path]).2.contains("lies beside"));
    assert!(praxis(&server, &elsewhere, &["tenant", "swap", "harbor"]).2.contains("suspend the tenant"));
    run(&["tenant", "suspend", "harbor"]);
    let swapped = run(&["tenant", "swap", "harbor"]);
    assert_eq!((&swapped["isLive"], &swapped["auditVerified"]), (&json!(true), &json!(true)));
    assert_eq!((patients(&elsewhere, &schema).await?, patients(&elsewhere, aside).await?), (1, 2));

    // As if it had been killed between the two databases: it is told, and not exchanged back.
    let mut control = server.installation.admin().await?;
    let untold =
        "SET session_replication_role = replica; DELETE FROM control.tenant_event WHERE kind = 'SWAPPED'";
    control.execute(sqlx::raw_sql(untold)).await?;
    for refused in [&["tenant", "resume", "harbor"][..], &["tenant", "discard", "harbor", "--yes"]] {
        assert!(praxis(&server, &elsewhere, refused).2.contains("an exchange was begun"));
    }
    assert_eq!(run(&["tenant", "swap", "harbor"])["isLive"], true);
    assert_eq!(patients(&elsewhere, &schema).await?, 1);

    assert_eq!(run(&["tenant", "swap", "harbor"])["isLive"], false);
    assert_eq!((patients(&elsewhere, &schema).await?, patients(&elsewhere, aside).await?), (2, 1));
    run(&["tenant", "resume", "harbor"]);
    run(&["tenant", "discard", "harbor", "--yes"]);
    assert!(patients(&elsewhere, aside).await.is_err());
    run(&["key", "verify", "--tenant", "harbor"]);
    server.app.directory.refresh().await?;
    server.person("harbor", "owner").await.register("Ida", "Zqafter", "1983-01-02").await;
    Ok(())
}

#[tokio::test]
async fn a_clinic_that_a_cell_lost_comes_back_in_its_place() -> Result<()> {
    let (server, elsewhere) = Land::new().await?.served().await?;
    server.person("harbor", "owner").await.register("Bob", "Zqharbor", "1981-01-02").await;
    let run = |arguments: &[&str]| done(&server, &elsewhere, arguments);
    let file = Exported::of(&server, &elsewhere);
    let path = file.0.as_str();
    let schema = server.app.directory.by_slug("harbor").unwrap().schema.to_string();
    let mut home = elsewhere.cells.connect("east").await?;
    let lose = format!("DROP SCHEMA {schema} CASCADE; DELETE FROM cell.ready; DELETE FROM cell.planned");
    home.execute(sqlx::raw_sql(AssertSqlSafe(lose))).await?;

    let restored = run(&["tenant", "restore", path, "--idempotency-key", "back"]);
    assert_eq!((&restored["placed"], &restored["schema"]), (&json!("in_place"), &json!(schema)));
    assert_eq!(restored["auditVerified"], true);
    assert_eq!(patients(&elsewhere, &schema).await?, 1);

    // As if it had been killed before it took its place: asked for again, it goes on there.
    let mut control = server.installation.admin().await?;
    let find = "SELECT id FROM control.operation WHERE kind = 'RESTORE'";
    let operation = sqlx::query_scalar(find).fetch_one(&mut control).await?;
    let staged = format!("t_{}", encode_base32(operation));
    let back = "ALTER TABLE control.operation DISABLE TRIGGER USER;
        UPDATE control.operation SET state = 'RUNNING', finished_at = NULL WHERE kind = 'RESTORE';
        ALTER TABLE control.operation ENABLE TRIGGER USER";
    control.execute(sqlx::raw_sql(back)).await?;
    let rename = format!("ALTER SCHEMA {schema} RENAME TO {staged}");
    home.execute(sqlx::raw_sql(AssertSqlSafe(rename))).await?;
    let again = run(&["tenant", "restore", path, "--idempotency-key", "back"]);
    assert_eq!((&again["placed"], &again["auditVerified"]), (&json!("in_place"), &json!(true)));
    assert_eq!(patients(&elsewhere, &schema).await?, 1);
    server.app.directory.refresh().await?;
    server.person("harbor", "owner").await.register("Ida", "Zqafter", "1983-01-02").await;
    Ok(())
}

//! An export of an older build comes back at its own version, and is brought forward like any clinic.

use anyhow::Result;
use serde_json::json;

use super::kit::{Life, family};

#[tokio::test]
async fn an_older_export_is_restored_at_its_version_and_migrated() -> Result<()> {
    let life = Life::new().await?;
    let (schema, owner) = (life.schema("northside").await?, life.server.installation.names.owner_role());
    let mut steps = praxis_migration::tenant::sources();
    let newest = steps.len();
    steps.pop();
    // The clinic as the build before this one had made it.
    life.sql(&format!(
        "DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema} AUTHORIZATION {owner}; SET ROLE {owner};
         GRANT USAGE ON SCHEMA {schema} TO {schema}; SET praxis.role = '{schema}'; SET search_path = {schema}; {};
         INSERT INTO tenant_self (tenant_id, schema_version) SELECT id, {version} FROM control.tenant;
         RESET ROLE; UPDATE control.tenant SET schema_version = {version}",
        steps.join("\n;\n"),
        version = newest - 1
    ))
    .await?;
    let file = life.file("older.pxe");
    let exported = life.done(&["export", "northside", "--to", &file]);
    assert_eq!(exported["schemaVersion"], json!(newest - 1));

    life.sql(&format!("DROP SCHEMA {schema} CASCADE")).await?;
    let restored = life.done(&["restore", &file]);
    assert_eq!(restored["manifest"], without_file(exported));
    assert_eq!(life.praxis(&["migrate", "verify"]).0, 3, "it is behind");
    assert_eq!(life.praxis(&["migrate", "up"]).0, 0);
    life.refresh().await?;
    life.praxis(&["role", "ensure", "--tenant", "northside"]);
    let guest = life.server.person("northside", "owner").await;
    let patient = guest.register("Ann", "Zqforward", "1980-01-02").await;
    assert_eq!(family(&guest, &patient).await, "Zqforward");
    Ok(())
}

fn without_file(mut exported: serde_json::Value) -> serde_json::Value {
    for field in ["file", "handedOut", "rows"] {
        exported.as_object_mut().unwrap().remove(field);
    }
    exported
}

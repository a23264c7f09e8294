//! Cells at the control plane: which there are, and clinics made in them.

use anyhow::Result;
use serde_json::json;

use super::kit::Plane;
use crate::support::installation::database_elsewhere;

#[tokio::test]
async fn clinics_are_made_in_cells_and_a_cell_that_is_not_known_is_refused() -> Result<()> {
    let setting: &'static str = Box::leak(format!("east={}", database_elsewhere().await?).into_boxed_str());
    let plane = Plane::start_with(&[("PRAXIS_CELLS", setting)]).await?;
    let token = plane.token().await;
    let input = |key: &str, cell: &str| json!({ "idempotencyKey": key, "slug": "harbor", "displayName": "Harbor", "template": "general-practice", "cell": cell });
    let kind = "TenantCreateInput";
    let refused = plane.begin(&token, "tenantCreate", kind, input("first", "east")).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "REFUSED", "path": ["input", "cell"] }]));

    let mut command = plane.installation.command();
    let added = command.env("PRAXIS_CELLS", setting).args(["cell", "add", "east"]).output()?;
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    // As long as the control plane knows of a cell only by its name, it makes nothing there.
    sqlx::query("INSERT INTO control.cell (id) VALUES ('west')")
        .execute(&mut plane.installation.admin().await?)
        .await?;
    let refused = plane.begin(&token, "tenantCreate", kind, input("first", "west")).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "REFUSED", "path": ["input", "cell"] }]));

    let fill = json!({ "idempotencyKey": "fill", "size": 1, "cell": "east" });
    let begun = plane.begin(&token, "poolFill", "PoolFillInput", fill).await;
    assert_eq!(plane.ended(&token, &begun).await?["detail"], json!({ "made": 1 }));
    let begun = plane.begin(&token, "tenantCreate", kind, input("second", "east")).await;
    let made = plane.ended(&token, &begun).await?;
    assert_eq!(made["state"], "DONE", "{made}");
    let again = plane.begin(&token, "tenantCreate", kind, input("second", "east")).await;
    assert_eq!(again["operation"]["id"], made["id"]);
    let seen =
        "{ cells { id isConfigured tenants } tenants(first: 5) { nodes { slug usage { name used } } } }";
    let seen = plane.ask(&token, seen, json!({})).await;
    let cells = json!([
        { "id": "east", "isConfigured": true, "tenants": 1 },
        { "id": "main", "isConfigured": true, "tenants": 0 },
        { "id": "west", "isConfigured": false, "tenants": 0 },
    ]);
    assert_eq!(seen["cells"], cells);
    let usage = seen["tenants"]["nodes"][0]["usage"].as_array().unwrap();
    assert!(!usage.is_empty(), "{seen}");
    Ok(())
}

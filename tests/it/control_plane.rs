//! Operators see the installation at a port of their own, and nothing of what is in a clinic.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod bounds;
mod cells;
mod kit;
mod life;
mod moves;
mod people;
mod work;

use anyhow::Result;
use serde_json::{Value, json};

use kit::Plane;

#[tokio::test]
async fn an_operator_sees_the_clinics_page_by_page_and_where_the_fleet_stands() -> Result<()> {
    let plane = Plane::start().await?;
    let token = plane.token().await;
    for slug in ["clinic-0", "clinic-1", "clinic-2", "northside"] {
        plane.installation.provision(slug).await?;
    }
    let page = "query($after: String) { tenants(first: 3, after: $after) {
        nodes { slug domains { host } events { nodes { kind } } operations { nodes { kind } } }
        edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }";
    let first = plane.ask(&token, page, json!({})).await["tenants"].clone();
    let slugs = |page: &Value| {
        page["nodes"].as_array().unwrap().iter().map(|node| node["slug"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(slugs(&first), ["clinic-0", "clinic-1", "clinic-2"]);
    for node in first["nodes"].as_array().unwrap() {
        assert_eq!(node["events"]["nodes"], json!([{ "kind": "PROVISIONED" }]));
        assert_eq!((&node["domains"], &node["operations"]["nodes"]), (&json!([]), &json!([])));
    }
    let info = &first["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&true.into(), &false.into()));
    assert_eq!(info["endCursor"], first["edges"][2]["cursor"]);
    assert_eq!(first["totalCount"], 4);
    let rest = plane.ask(&token, page, json!({ "after": info["endCursor"] })).await["tenants"].clone();
    assert_eq!(slugs(&rest), ["northside"]);
    assert_eq!(
        (&rest["pageInfo"]["hasNextPage"], &rest["pageInfo"]["hasPreviousPage"]),
        (&false.into(), &true.into())
    );
    for (filter, count) in [
        ("search: \"NORTH\", state: ACTIVE", 1),
        ("isHeld: true", 0),
        ("cell: \"main\", template: \"general-practice\", isHeld: false", 4),
        ("belowVersion: 1", 0),
    ] {
        let query = format!("{{ tenants(filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(plane.ask(&token, &query, json!({})).await["tenants"]["totalCount"], count, "{filter}");
    }
    let fleet = "{ fleet { controlVersion controlTarget tenantTarget versions { version tenants } servers { build } }
        cells { id role tenants } pool { ready outdated } migrationPlan { controlSteps steps { name } }
        migrationRuns { nodes { id } } templates viewer { email rights isProved } tenant(slug: \"nobody\") { id }
        tenantEvents { nodes { kind } } operations { nodes { kind } } }";
    let seen = plane.ask(&token, fleet, json!({})).await;
    let target = &seen["fleet"]["tenantTarget"];
    assert_eq!(seen["fleet"]["versions"], json!([{ "version": target, "tenants": 4 }]));
    assert_eq!(seen["fleet"]["controlVersion"], seen["fleet"]["controlTarget"]);
    assert_eq!(seen["cells"], json!([{ "id": "main", "role": "ACTIVE", "tenants": 4 }]));
    assert_eq!(seen["pool"], json!({ "ready": 0, "outdated": 0 }));
    assert_eq!(
        (&seen["migrationPlan"]["steps"], &seen["migrationRuns"]["nodes"], &seen["tenant"]),
        (&json!([]), &json!([]), &Value::Null)
    );
    assert_eq!(seen["tenantEvents"]["nodes"].as_array().unwrap().len(), 4);
    let rights = json!(["READ", "MANAGE", "HOLD", "DESTROY"]);
    assert_eq!(seen["viewer"], json!({ "email": kit::OPS, "rights": rights, "isProved": true }));
    Ok(())
}

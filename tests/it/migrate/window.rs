//! Servers of two builds side by side while schemas grow and shrink: each serves what it can.

use anyhow::Result;
use axum::http::StatusCode;
use praxis_fleet::migrate::{Options, Outcome, Selection};
use praxis_migration::{Step, tenant};
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};

use super::with_steps;
use crate::support::{
    process::{free_address, post},
    server::TestServer,
};

const ASK: &str = "{\"query\":\"{ __typename }\"}";

async fn registered(admin: &mut PgConnection) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar("SELECT build FROM control.server").fetch_all(admin).await?)
}

#[tokio::test]
async fn nothing_is_taken_away_while_a_server_uses_it() -> Result<()> {
    let build = i32::try_from(tenant::steps().len())?;
    let server =
        TestServer::new(&[("north", "n@praxis.test", "owner"), ("south", "s@praxis.test", "owner")]).await?;
    let installation = &server.installation;
    let mut admin = installation.admin().await?;
    // The next build adds a column; the one after it takes an index away that the first one may need.
    let steps = || {
        [
            Step::new("m9998_nickname", "ALTER TABLE patient ADD COLUMN nickname bytea"),
            Step::new("m9999_gone", format!("-- praxis: contract {}\nDROP INDEX session_by_user", build + 1)),
        ]
    };
    let migrator = with_steps(&installation.url, steps());
    let up = async |options: Options| {
        migrator.up(&*installation.keys, &installation.clock, &options, &|_| {}).await
    };

    // A server of this build is there, and says so, as the one of this test does that serves nobody yet.
    let address = free_address().await?;
    let mut old = installation.spawn_server(address, &[]).await?;
    for _ in 0..100 {
        if registered(&mut admin).await? == [build, build] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(registered(&mut admin).await?, [build, build]);
    let report = up(Options::default()).await?;
    assert_eq!((report.outcome, report.migrated, report.target), (Outcome::Waiting, 2, build + 1));
    let waiting = report.waiting.map(|waiting| (waiting.step, waiting.needs, waiting.oldest_server));
    assert_eq!(waiting, Some(("m9999_gone".to_owned(), build + 1, Some(build))));
    let ask: serde_json::Value = serde_json::from_str(ASK)?;
    let served =
        async |host: &str| post(address, host, "/graphql", &[], &ask).await.map(|answer| answer.status);
    // It goes on serving what grew.
    assert_eq!(served("north.praxis.test").await, Some(StatusCode::OK));
    // Asked for growth only, there is nothing that waits.
    let expand = up(Options { expand_only: true, ..Options::default() }).await?;
    assert_eq!((expand.outcome, expand.migrated), (Outcome::Done, 0));

    // It goes; one clinic is brought to its end.
    old.kill().await?;
    admin.execute("UPDATE control.server SET seen_at = now() - interval '1 minute'").await?;
    let selection = Selection { tenants: vec!["south".to_owned()], ..Selection::default() };
    let report = up(Options { selection, ..Options::default() }).await?;
    assert_eq!((report.outcome, report.migrated, report.target), (Outcome::Done, 1, build + 2));
    // One of the old build that comes back serves the other clinic, and says of this one that it has to wait.
    server.app.directory.refresh().await?;
    let query = "/graphql?query=%7B__typename%7D";
    assert_eq!(server.get("north.praxis.test", query, &[]).await.status, StatusCode::OK);
    let refused = server.get("south.praxis.test", query, &[]).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "TENANT_MIGRATING"));
    Ok(())
}

#[tokio::test]
async fn a_change_of_one_clinic_is_all_that_a_server_reads() -> Result<()> {
    let server =
        TestServer::new(&[("north", "n@praxis.test", "owner"), ("south", "s@praxis.test", "owner")]).await?;
    let mut admin = server.installation.admin().await?;
    let mut change = admin.begin().await?;
    // Behind the trigger's back, a change that is not announced, to see what is read.
    change
        .execute(sqlx::raw_sql(
            "SET LOCAL session_replication_role = replica; UPDATE control.tenant SET display_name = 'unseen' WHERE slug = 'north'",
        ))
        .await?;
    change.commit().await?;
    admin.execute("UPDATE control.tenant SET slug = 'east' WHERE slug = 'south'").await?;
    server.app.directory.refresh().await?;
    let name = |slug: &str| server.app.directory.by_slug(slug).map(|tenant| tenant.display_name.clone());
    assert_eq!(name("north").as_deref(), Some("NORTH"));
    assert_eq!((name("south"), name("east").as_deref()), (None, Some("SOUTH")));
    // A domain is a matter of the whole directory.
    let id: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM control.tenant WHERE slug = 'east'").fetch_one(&mut admin).await?;
    let domain = format!(
        "INSERT INTO control.tenant_domain (host, tenant_id, verified_at) VALUES ('east.example', '{id}', now())"
    );
    admin.execute(AssertSqlSafe(domain)).await?;
    server.app.directory.refresh().await?;
    assert_eq!(name("north").as_deref(), Some("unseen"));
    let query = "/graphql?query=%7B__typename%7D";
    assert_eq!(server.get("east.example", query, &[]).await.status, StatusCode::OK);
    Ok(())
}

//! One server serves the clinics of both cells, and does their work.

use std::sync::Arc;

use anyhow::Result;
use axum::http::StatusCode;
use praxis_platform::{
    audit::Entry,
    clock::Clock,
    mail::{self, Links, Mailer, NewMail, Smtp, Transport},
    tenancy::Control,
};
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::kit::{Elsewhere, Land};
use crate::{
    mail::send_all,
    support::{server::TestServer, smtp::MailServer},
};

/// The schema of a clinic, as the directory says.
fn schema(server: &TestServer, slug: &str) -> String {
    server.app.directory.by_slug(slug).unwrap().schema.to_string()
}

#[tokio::test]
async fn clinics_of_two_cells_are_served_side_by_side_and_each_is_where_it_belongs() -> Result<()> {
    let (server, Elsewhere { cells, .. }) = Land::new().await?.served().await?;
    let (north, harbor) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    north.register("Ann", "Zqnorth", "1980-01-02").await;
    harbor.register("Bob", "Zqharbor", "1981-01-02").await;
    harbor.register("Cy", "Zqharbour", "1982-01-02").await;

    // The rows are in one cell and not in the other.
    for (slug, cell, other, patients) in [("northside", "main", "east", 1_i64), ("harbor", "east", "main", 2)]
    {
        let schema = schema(&server, slug);
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {schema}.patient"));
        let found: i64 = sqlx::query_scalar(count).fetch_one(&mut cells.connect(cell).await?).await?;
        assert_eq!(found, patients, "{slug}");
        let there: bool =
            sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL OR to_regrole($1) IS NOT NULL")
                .bind(&schema)
                .fetch_one(&mut cells.connect(other).await?)
                .await?;
        assert!(!there, "{slug} is in {other}");
    }

    // Who belongs to one has nothing in the other.
    let query = json!({ "query": "{ __typename viewer { __typename } }" });
    let foreign = [("authorization", north.bearer.as_str())];
    let answer = server.post("harbor.praxis.test", "/graphql", &foreign, query).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{}", answer.text);
    Ok(())
}

#[tokio::test]
async fn connections_never_leave_their_cell_and_login_roles_are_of_one_cell() -> Result<()> {
    let (server, Elsewhere { cells, .. }) = Land::new().await?.served().await?;
    for slug in ["northside", "harbor", "northside", "harbor"] {
        server.as_system(slug).await?.rollback().await?;
    }
    // One seat each: the shards are different, and so are the servers.
    assert_eq!(server.app.platform.pool.idle(), 2);
    let shard = |slug: &str| server.app.directory.by_slug(slug).unwrap().login_shard;
    assert_ne!(shard("northside"), shard("harbor"));
    for (slug, other) in [("northside", "east"), ("harbor", "main")] {
        let role = server.installation.names.app_role(shard(slug));
        let there: bool = sqlx::query_scalar("SELECT to_regrole($1) IS NOT NULL")
            .bind(role)
            .fetch_one(&mut cells.connect(other).await?)
            .await?;
        assert!(!there, "the login role of {slug} is in {other}");
    }
    Ok(())
}

#[tokio::test]
async fn jobs_are_planned_and_done_and_mails_sent_in_both_cells() -> Result<()> {
    let (server, Elsewhere { cells, .. }) = Land::new().await?.served().await?;
    let worker = server.app.worker.as_ref().unwrap();
    worker.plan().await?;
    for (slug, cell) in [("northside", "main"), ("harbor", "east")] {
        let mut home = cells.connect(cell).await?;
        let planned: i64 = sqlx::query_scalar("SELECT count(*) FROM cell.planned WHERE tenant = $1")
            .bind(schema(&server, slug))
            .fetch_one(&mut home)
            .await?;
        assert!(planned > 0, "nothing is planned at {slug}");
    }
    // Recurring work comes round within a day, and is put down for the next one.
    server.clock.advance(chrono::TimeDelta::days(2));
    let now = server.clock.now();
    assert!(server.work().await? >= 2);
    let post = MailServer::start(&[]).await;
    let mailer = Mailer {
        platform: Arc::clone(&server.app.platform),
        directory: Arc::clone(&server.app.directory),
        control: Control::connect(&cells, &*server.installation.keys).await?,
        transport: Transport::Smtp(Smtp::parse(&post.url())?),
        from: "no-reply@praxis.test".parse()?,
        links: Links { origin: "https://{host}".to_owned() },
    };
    for slug in ["northside", "harbor"] {
        let done = format!(
            "SELECT count(*) FILTER (WHERE run_at > $1), count(*) FROM {}.job",
            schema(&server, slug)
        );
        let cell = server.app.directory.by_slug(slug).unwrap().cell.clone();
        let query = sqlx::query_as::<_, (i64, i64)>(AssertSqlSafe(done)).bind(now);
        let (later, all) = query.fetch_one(&mut cells.connect(&cell).await?).await?;
        assert!(later > 0 && later == all, "{later} of {all} jobs were done at {slug}");
        let op = server.as_system(slug).await?;
        let facts = json!({ "name": "Ada", "at": "today" });
        let mail = NewMail {
            to: format!("ada@{slug}.example"),
            template: "password_changed",
            locale: None,
            facts: facts.as_object().unwrap().clone(),
            dedupe_key: None,
        };
        mail::enqueue(&op, mail).await?;
        op.record(Entry::done("test"));
        op.commit().await?;
    }
    assert_eq!(send_all(&mailer).await?.sent, 2);
    // What was looked at has left no hint behind that is due; a later one has sent mails forgotten.
    for cell in ["main", "east"] {
        let due = "SELECT count(*) FROM cell.ready WHERE queue = 'mail' AND run_at <= $1";
        let left: i64 = sqlx::query_scalar(due)
            .bind(server.clock.now())
            .fetch_one(&mut cells.connect(cell).await?)
            .await?;
        assert_eq!(left, 0, "{cell}");
    }
    Ok(())
}

#[tokio::test]
async fn a_clinic_of_a_cell_that_is_not_configured_is_refused_and_the_others_are_served() -> Result<()> {
    let (server, _) = Land::new().await?.served().await?;
    server.user("harbor", "owner@praxis.test", "owner").await?;
    // Another server, which knows nothing of the cell.
    let app = server.another().await?;
    let other = TestServer { app, ..server };
    let login =
        other.login("harbor.praxis.test", "owner@praxis.test", crate::support::server::PASSWORD).await;
    assert_eq!(
        (login.status, login.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "UPSTREAM_UNAVAILABLE"),
        "{}",
        login.text
    );
    other.person("northside", "owner").await.register("Ann", "Zqnorth", "1980-01-02").await;
    Ok(())
}

//! A cell that is away takes only its own clinics along, and they are back by themselves.

use anyhow::Result;
use axum::http::StatusCode;
use praxis_fleet::migrate::{Migrator, Options};
use praxis_platform::tenancy::connect_admin;
use sqlx::Executor;

use super::kit::{Land, PATIENTS, none};
use crate::support::{cluster::own_cluster, people::Person};

async fn code(person: &Person<'_>) -> (StatusCode, String) {
    let answer = person.send(PATIENTS, none(), &[]).await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test]
async fn a_cell_that_is_down_is_nobody_elses_trouble_and_its_clinics_come_back_by_themselves() -> Result<()> {
    let cluster = own_cluster("away", true).await?;
    connect_admin(&cluster.superuser_dsn("postgres")).await?.execute("CREATE DATABASE east").await?;
    let land = Land::bare(cluster.superuser_dsn("east")).await?;
    land.done(&["cell", "add", "east"]);
    assert_eq!(land.praxis(&["doctor"]).0, 0, "{:?}", land.praxis(&["doctor"]));
    let (server, elsewhere) = land.served().await?;
    let (north, harbor) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    let good = (StatusCode::OK, String::new());
    assert_eq!((code(&north).await, code(&harbor).await), (good.clone(), good.clone()));

    cluster.stop().await?;
    for _ in 0..3 {
        let (status, code_) = code(&harbor).await;
        assert_eq!((status, code_.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UPSTREAM_UNAVAILABLE"));
        assert_eq!(code(&north).await, good);
    }
    // Work of the others goes on.
    let worker = server.app.worker.as_ref().unwrap();
    worker.plan().await?;
    server.clock.advance(chrono::TimeDelta::days(2));
    assert!(server.work().await? > 0);
    // And a server starts.
    drop(server.another().await?);

    // The doctor names the cell; a run of migrations says that it left it.
    let mut command = server.installation.command();
    let doctor = command.env("PRAXIS_CELLS", &elsewhere.setting).arg("doctor").output()?;
    let checks: serde_json::Value = serde_json::from_slice(&doctor.stdout)?;
    let failed: Vec<_> =
        checks.as_array().unwrap().iter().filter(|check| check["verdict"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{checks}");
    assert!(failed[0]["check"] == "cell" && failed[0]["found"].as_str().unwrap().starts_with("east:"));
    let installation = &server.installation;
    let migrator = Migrator::new(&elsewhere.cells);
    let report = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await?;
    assert_eq!(report.outcome, praxis_fleet::migrate::Outcome::Partial);

    let cluster = own_cluster("away", false).await?;
    // Sessions have ended since.
    let (north, harbor) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    assert_eq!((code(&north).await, code(&harbor).await), (good.clone(), good));
    harbor.register("Bob", "Zqharbor", "1981-01-02").await;
    cluster.stop().await
}

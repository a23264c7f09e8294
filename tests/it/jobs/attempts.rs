//! What fails is tried again, what cannot succeed is given up, and no job is done twice.

use std::collections::BTreeSet;

use sqlx::Executor;

use super::*;
use crate::support::steps::refused_steps;

#[tokio::test]
async fn a_job_that_fails_leaves_nothing_and_is_tried_again_later() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { fail: 2.into(), ..Counting::default() }).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    assert_eq!(done(&server, "northside").await?, (0, 0));
    let row = rows(&server, "northside").await?.remove(0);
    assert_eq!(
        (row.status, row.attempts, row.last_error.as_deref()),
        (JobStatus::Queued, 1, Some("as it was told"))
    );
    // Not before its time.
    assert_eq!(results(&work_off(&worker).await?), []);
    server.clock.advance(TimeDelta::seconds(2));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    server.clock.advance(TimeDelta::seconds(4));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Done]);
    assert_eq!(done(&server, "northside").await?, (1, 1));
    let row = rows(&server, "northside").await?.remove(0);
    assert_eq!((row.status, row.attempts), (JobStatus::Done, 3));
    assert!(row.finished_at.is_some());
    // The hints of its leases come round, and find nothing.
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(results(&work_off(&worker).await?), []);
    let mut admin = server.installation.admin().await?;
    let hints: i64 = sqlx::query_scalar("SELECT count(*) FROM cell.ready WHERE queue = 'jobs'")
        .fetch_one(&mut admin)
        .await?;
    assert_eq!(hints, 0);
    Ok(())
}

#[tokio::test]
async fn a_job_that_panics_ends_only_itself() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { panic: 1.into(), ..Counting::default() }).await?;
    let now = server.clock.now();
    enqueue(&server, "northside", (0..5).map(|n| new_job(&n.to_string(), now)).collect()).await?;
    let ran = work_off(&worker).await?;
    let postponed = results(&ran).into_iter().filter(|result| *result == Outcome::Postponed).count();
    assert_eq!((ran.len(), postponed), (5, 1));
    server.clock.advance(TimeDelta::seconds(2));
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Done]);
    assert_eq!(done(&server, "northside").await?, (5, 1));
    Ok(())
}

#[tokio::test]
async fn what_cannot_succeed_is_given_up_until_an_operator_decides() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting { fail: 26.into(), ..Counting::default() }).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let mut sum = Vec::new();
    while !sum.contains(&Outcome::Dead) {
        sum.extend(results(&work_off(&worker).await?));
        server.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(sum.len(), 25);
    assert_eq!(results(&work_off(&worker).await?), []);
    let dead = rows(&server, "northside").await?.remove(0);
    assert_eq!(dead.status, JobStatus::Dead);

    let op = factory(&server, "northside").write().await?;
    assert_eq!(jobs::retry(&op, Some(dead.id)).await?, 1);
    op.commit().await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    let op = factory(&server, "northside").write().await?;
    assert_eq!(jobs::discard(&op, Some(dead.id)).await?, 1);
    op.commit().await?;
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(results(&work_off(&worker).await?), []);
    assert_eq!(rows(&server, "northside").await?[0].status, JobStatus::Discarded);
    assert_eq!(done(&server, "northside").await?, (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_do_each_job_once() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let (one, two) = (
        worker(&server, &server.app, Counting::default()).await?,
        worker(&server, &other, Counting::default()).await?,
    );
    let writing = async {
        for batch in 0..20 {
            let now = server.clock.now();
            let jobs = (0..15).map(|n| new_job(&format!("{batch}-{n}"), now)).collect();
            enqueue(&server, "northside", jobs).await?;
        }
        anyhow::Ok(())
    };
    let working = async |worker: &Worker| {
        let mut count = 0;
        while done(&server, "northside").await?.0 < 300 {
            count += work_off(worker).await?.len();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(count)
    };
    let ((), a, b) = tokio::try_join!(writing, working(&one), working(&two))?;
    assert!(a > 0 && b > 0, "{a} and {b}");
    server.clock.advance(TimeDelta::hours(1));
    work_off(&one).await?;
    assert_eq!(done(&server, "northside").await?, (300, 1));
    Ok(())
}

#[tokio::test]
async fn a_worker_that_outlived_its_lease_takes_back_what_it_did() -> Result<()> {
    let server = clinic().await?;
    let slow =
        worker(&server, &server.app, Counting { takes: Duration::from_secs(2), ..Counting::default() })
            .await?;
    let quick = worker(&server, &server.app, Counting::default()).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let (late, early) = tokio::try_join!(work_off(&slow), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.clock.advance(TimeDelta::minutes(3));
        // Waits for the row that the slow one has changed and not committed; finds the job done by nobody.
        work_off(&quick).await
    })?;
    let mut ended = results(&late);
    ended.extend(results(&early));
    ended.sort_by_key(|result| *result as u8);
    assert_eq!(ended, [Outcome::Done, Outcome::Lost]);
    assert_eq!(done(&server, "northside").await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn what_one_zone_does_not_know_waits_for_a_server_that_does() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Jobs).await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    assert_eq!(results(&work_off(&worker).await?), [Outcome::Postponed]);
    assert_eq!(rows(&server, "northside").await?[0].last_error.as_deref(), Some("unknown here"));
    Ok(())
}

#[tokio::test]
async fn the_database_knows_how_a_job_may_fare() -> Result<()> {
    let server = clinic().await?;
    enqueue(&server, "northside", vec![new_job("a", server.clock.now())]).await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let lift = format!("ALTER TABLE {schema}.job DROP CONSTRAINT job_finished_has_time");
    server.installation.admin().await?.execute(sqlx::AssertSqlSafe(lift)).await?;
    let statuses = ["QUEUED", "RUNNING", "DONE", "DEAD", "DISCARDED"];
    let refused = refused_steps(&server, &mut runtime, "job", &statuses).await?;
    let legal = [
        "QUEUED RUNNING",
        "RUNNING QUEUED",
        "RUNNING DONE",
        "RUNNING DEAD",
        "DEAD QUEUED",
        "QUEUED DISCARDED",
        "DEAD DISCARDED",
    ];
    let all = statuses.iter().flat_map(|from| statuses.iter().map(move |to| format!("{from} {to}")));
    let expected: BTreeSet<String> = all
        .filter(|step| !legal.contains(&step.as_str()) && step.split_once(' ').is_some_and(|(a, b)| a != b))
        .collect();
    assert_eq!(refused, expected);
    Ok(())
}

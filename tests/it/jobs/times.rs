//! When work is done: at its time, each time, at night, and as soon as it is committed.

use praxis_domain::jobs::{self as work, Work};
use praxis_platform::tenancy::Queue;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn work_of_the_same_key_is_written_once_and_done_at_its_time() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Counting::default()).await?;
    let tomorrow = server.clock.now() + TimeDelta::days(1);
    let now = server.clock.now();
    assert_eq!(enqueue(&server, "northside", vec![new_job("a", tomorrow), new_job("b", now)]).await?, 2);
    assert_eq!(enqueue(&server, "northside", vec![new_job("a", now)]).await?, 0);
    assert_eq!(work_off(&worker).await?.len(), 1);
    server.clock.advance(TimeDelta::hours(23));
    assert_eq!(work_off(&worker).await?.len(), 0);
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(work_off(&worker).await?.len(), 1);
    assert_eq!(done(&server, "northside").await?, (2, 1));
    Ok(())
}

#[tokio::test]
async fn recurring_work_is_done_once_each_time_on_all_servers_together() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let hourly = || Counting { recurring: Some("COUNT"), fail: 1.into(), ..Counting::default() };
    let (one, two) =
        (worker(&server, &server.app, hourly()).await?, worker(&server, &other, hourly()).await?);
    enqueue(&server, "northside", vec![new_job("RECURRING", server.clock.now())]).await?;
    let mut ran = 0;
    for _ in 0..12 {
        let (a, b) = tokio::try_join!(work_off(&one), work_off(&two))?;
        ran += results(&a).into_iter().chain(results(&b)).filter(|result| *result == Outcome::Done).count();
        server.clock.advance(TimeDelta::minutes(30));
    }
    assert!((4..=6).contains(&ran), "{ran}");
    assert_eq!(done(&server, "northside").await?, (1, ran as i64));
    assert_eq!(rows(&server, "northside").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn each_clinic_keeps_house_at_night_by_its_own_clock() -> Result<()> {
    let server = clinic().await?;
    let worker = worker(&server, &server.app, Jobs).await?;
    let tenant = server.app.directory.by_slug("northside").unwrap();
    // One question tells who lacks some: nobody the second time, and a new clinic once it is there.
    assert_eq!(worker.plan().await?, 1);
    assert_eq!(worker.plan().await?, 0);
    server.installation.provision("harbor").await?;
    server.app.directory.refresh().await?;
    assert_eq!(worker.plan().await?, 1);
    assert_eq!(worker.plan().await?, 0);
    let op = factory(&server, "northside").read();
    let named = JobFilter { status: None, name: Some("FORGET_OLD_JOBS".to_owned()) };
    let planned = jobs::list(&op, &named).await?;
    assert_eq!(planned.len(), 1);
    let zone: chrono_tz::Tz = tenant.time_zone.parse()?;
    assert_eq!(planned[0].run_at.with_timezone(&zone).format("%H:%M").to_string(), "03:17");

    enqueue(&server, "northside", vec![new_job("old", server.clock.now())]).await?;
    let counting = self::worker(&server, &server.app, Counting::default()).await?;
    // The counting one finds the old job; what else is due is left to the other.
    assert_eq!(work_off(&counting).await?.len(), 1);
    server.clock.advance(TimeDelta::days(32));
    work_off(&worker).await?;
    assert_eq!(rows(&server, "northside").await?.len(), 0);
    let again = jobs::list(&factory(&server, "northside").read(), &named).await?;
    assert!(again[0].run_at > server.clock.now() && again[0].attempts == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_announced_with_its_commit_and_what_is_under_way_when_a_server_stops_is_finished()
-> Result<()> {
    let server = clinic().await?;
    let worker = Arc::new(
        worker(&server, &server.app, Counting { takes: Duration::from_millis(400), ..Counting::default() })
            .await?,
    );
    let stop = CancellationToken::new();
    let running = tokio::spawn(working::run(Arc::clone(&worker), stop.clone()));
    let now = server.clock.now();
    enqueue(&server, "northside", (0..12).map(|n| new_job(&n.to_string(), now)).collect()).await?;
    while rows(&server, "northside").await?.iter().all(|row| row.status == JobStatus::Queued) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    running.await?;
    // Nobody looks any more, so the bell is there to be heard; it is not rung for what is taken back or not yet due.
    let rung =
        async || timeout(Duration::from_millis(300), worker.platform.bell.rung(Queue::Jobs)).await.is_ok();
    while rung().await {}
    enqueue(&server, "northside", vec![new_job("later", now + TimeDelta::days(1))]).await?;
    assert!(!rung().await);
    enqueue(&server, "northside", vec![new_job("now", now)]).await?;
    assert!(rung().await);
    // Four were under way; the others are as if nobody had taken them up.
    let rows = rows(&server, "northside").await?;
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    assert_eq!((count(JobStatus::Done), count(JobStatus::Queued)), (4, 10));
    assert!(rows.iter().filter(|row| row.status == JobStatus::Queued).all(|row| row.attempts == 0));
    Ok(())
}

#[tokio::test]
async fn one_night_forgets_all_old_jobs_however_many_there_are() -> Result<()> {
    let server = clinic().await?;
    enqueue(&server, "northside", vec![new_job("old", server.clock.now())]).await?;
    assert_eq!(work_off(&worker(&server, &server.app, Counting::default()).await?).await?.len(), 1);
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let more = format!(
        "BEGIN; SET LOCAL search_path = {schema}; SET LOCAL session_replication_role = replica;
        INSERT INTO job SELECT another.* FROM job AS one, generate_series(1, 10000) AS n, jsonb_populate_record(NULL::job,
            to_jsonb(one) || jsonb_build_object('id', md5(n::text)::uuid, 'dedupe_key', n::text)) AS another; COMMIT"
    );
    server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(more))).await?;
    let worker = worker(&server, &server.app, Jobs).await?;
    worker.plan().await?;
    server.clock.advance(TimeDelta::days(32));
    work_off(&worker).await?;
    let left = "SELECT count(*) FROM job WHERE name = 'COUNT'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut runtime).await?, 0);
    Ok(())
}

#[tokio::test]
async fn work_is_written_with_ids_and_codes() -> Result<()> {
    let server = clinic().await?;
    let op = factory(&server, "northside").write().await?;
    let tonight = op.now() + TimeDelta::hours(3);
    work::enqueue(&op, Work::ForgetOldJobs, tonight, "tonight").await?;
    op.record(Entry::done("test"));
    op.commit().await?;
    let op = factory(&server, "northside").read();
    let row = jobs::list(&op, &JobFilter::default()).await?.remove(0);
    assert_eq!(
        (row.name.as_str(), row.payload, row.dedupe_key.as_deref()),
        ("FORGET_OLD_JOBS", None, Some("tonight"))
    );
    Ok(())
}

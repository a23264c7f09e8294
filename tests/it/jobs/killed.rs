//! Workers that are killed while they work.

use sqlx::Executor;

use super::*;

/// Counts in the database how often each job ended, in the transaction of its effects.
const WITNESS: &str = "CREATE FUNCTION {schema}.witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema} AS $$
    BEGIN
        INSERT INTO counter (name, n) VALUES ('end:' || NEW.dedupe_key, 1) ON CONFLICT (name) DO UPDATE SET n = counter.n + 1;
        RETURN NULL;
    END $$;
    CREATE TRIGGER job_witness AFTER UPDATE ON {schema}.job FOR EACH ROW WHEN (NEW.status = 'DONE') EXECUTE FUNCTION {schema}.witness()";

/// How many jobs of the test were done, and the most that one was.
async fn ends(server: &TestServer) -> Result<(i64, i64)> {
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let counted = "SELECT count(*), coalesce(max(n), 0) FROM counter WHERE name LIKE 'end:k%'";
    Ok(sqlx::query_as(counted).fetch_one(&mut runtime).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_workers_lose_nothing_and_double_nothing() -> Result<()> {
    const JOBS: i64 = 1_500;
    let server = clinic().await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let witness = sqlx::AssertSqlSafe(WITNESS.replace("{schema}", &schema));
    server.installation.admin().await?.execute(sqlx::raw_sql(witness)).await?;
    let now = server.clock.now();
    let job = |n| NewJob { name: "FORGET_OLD_JOBS".to_owned(), ..new_job(&format!("k{n}"), now) };
    enqueue(&server, "northside", (0..JOBS).map(job).collect()).await?;
    let mut kills = 0;
    for round in 0..6 {
        let before = ends(&server).await?.0;
        let mut process = server.installation.spawn(&["worker"], &[])?;
        let begun = Instant::now();
        while ends(&server).await?.0 < before + 20 + 30 * round && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        process.kill().await?;
        kills += 1;
        // What the killed one had taken up is nobody's until its lease ends; there is more to do meanwhile.
    }
    let (ended, _) = ends(&server).await?;
    assert!(ended > kills && ended < JOBS, "{ended} after {kills} kills");
    let worker = worker(&server, &server.app, Jobs).await?;
    for _ in 0..3 {
        server.clock.advance(TimeDelta::minutes(3));
        work_off(&worker).await?;
    }
    assert_eq!(ends(&server).await?, (JOBS, 1));
    Ok(())
}

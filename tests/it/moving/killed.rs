//! The mover is killed wherever it is, and run again.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::kit::{Moving, family, random};

/// Moves, each of which is killed once at least.
fn kills() -> u32 {
    env::var("PRAXIS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// A name for each number.
fn letters(number: usize) -> String {
    let digit = |place: u32| char::from(b'a' + u8::try_from(number / 26_usize.pow(place) % 26).unwrap());
    format!("Zq{}", [2, 1, 0].map(digit).iter().collect::<String>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mover_that_is_killed_anywhere_is_taken_up_and_no_write_is_lost() -> Result<()> {
    let moving = Moving::new().await?;
    let owner = moving.server.person("northside", "owner").await;
    let first = owner.register("Ann", "Zqfirst", "1980-01-02").await;
    // How long one takes that is not killed.
    let begun = tokio::time::Instant::now();
    moving.to("east").await?;
    let whole = u64::try_from(begun.elapsed().as_millis())?;
    let done = AtomicBool::new(false);
    let writing = async {
        let mut written = Vec::new();
        while !done.load(Ordering::Relaxed) {
            let name = letters(written.len());
            // Nobody is taken for somebody else.
            let (year, day) = (1930 + written.len() % 80, 1 + written.len() / 80 % 28);
            let born = format!("{year}-03-{day:02}");
            let query = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) { patient { id } userErrors { code } } }";
            let input =
                json!({ "input": { "name": { "given": ["Bob"], "family": name }, "birthDate": born } });
            let answer = owner.send(query, input, &[]).await;
            match answer.body["data"]["patientCreate"]["patient"]["id"].as_str() {
                Some(id) => written.push((id.to_owned(), name)),
                None => assert_eq!(answer.code(), "TENANT_MOVING", "{}", answer.text),
            }
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(written)
    };
    let killing = async {
        let mut at = Vec::new();
        let result = async {
            for number in 0..kills() {
                let to = if number % 2 == 0 { "main" } else { "east" };
                let key = format!("move-{number}");
                loop {
                    let mut mover = moving.begin(to, &key)?;
                    sleep(Duration::from_millis(whole / 5 + random(whole))).await;
                    if mover.try_wait()?.is_some() {
                        // It was done before it could be killed, or could not have the lock of the one before yet.
                        let ended = mover.wait_with_output().await?;
                        assert!(
                            matches!(ended.status.code(), Some(0 | 5)),
                            "{}",
                            String::from_utf8_lossy(&ended.stderr)
                        );
                        if ended.status.success() {
                            at.push("whole".to_owned());
                            break;
                        }
                        continue;
                    }
                    mover.kill().await?;
                    let step = "SELECT coalesce(step, 'none') || ' in ' || cell_id FROM control.operation o JOIN control.tenant t ON t.id = o.tenant_id
                        WHERE o.kind = 'MOVE' AND o.idempotency_key = $1";
                    let step: Option<String> = sqlx::query_scalar(step)
                        .bind(&key)
                        .fetch_optional(&mut moving.server.installation.admin().await?)
                        .await?;
                    at.push(step.unwrap_or_else(|| "nothing".to_owned()));
                    if random(2) == 0 {
                        continue;
                    }
                    let go = ["tenant", "move", "northside", "--to", to, "--idempotency-key", &key];
                    let mut ended = moving.praxis(&go).await?;
                    while ended.0 == 5 {
                        sleep(Duration::from_millis(100)).await;
                        ended = moving.praxis(&go).await?;
                    }
                    assert_eq!(ended.0, 0, "{}", ended.2);
                    break;
                }
                let there = if to == "main" { "east" } else { "main" };
                assert_eq!(moving.row().await?.0, to);
                assert_eq!(moving.left(there).await?, Vec::<String>::new());
                assert_eq!(moving.traces(to).await?, Vec::<String>::new());
            }
            anyhow::Ok(())
        };
        let result = result.await;
        done.store(true, Ordering::Relaxed);
        result.map(|()| at)
    };
    let (written, at) = tokio::try_join!(writing, killing)?;
    eprintln!("{} written; killed at {at:?}", written.len());
    assert!(written.len() > 5);
    for (id, name) in written {
        assert_eq!(family(&owner, &id).await, json!(name), "{id} was acknowledged and is lost");
    }
    assert_eq!(family(&owner, &first).await, "Zqfirst");
    moving.server.work().await?;
    moving.is_whole().await
}

//! Operations that are killed, asked for again, or meet another one.

use std::{fs, time::Duration};

use anyhow::Result;
use data_encoding::HEXLOWER;
use praxis_platform::vault::crypto;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnection};
use tokio::time::sleep;

use super::kit::Life;

impl Life {
    /// Waits until a question is answered with yes.
    async fn until(&self, question: &'static str) -> Result<()> {
        let mut admin = self.server.installation.admin().await?;
        for _ in 0..1_200 {
            if sqlx::query_scalar(question).fetch_one(&mut admin).await? {
                return Ok(());
            }
            sleep(Duration::from_millis(25)).await;
        }
        anyhow::bail!("it never came: {question}")
    }

    /// Runs a command again for as long as another process is at it.
    async fn when_free(&self, arguments: &[&str]) -> (i32, serde_json::Value, String) {
        for _ in 0..100 {
            let ended = self.tenant(arguments);
            if ended.0 != 5 {
                return ended;
            }
            sleep(Duration::from_millis(100)).await;
        }
        self.tenant(arguments)
    }
}

/// Keeps whatever works on an operation from going on, until the end of the transaction.
const STALL: &str = "SELECT FROM control.operation WHERE state = 'RUNNING' FOR UPDATE";

const RUNNING: &str = "SELECT EXISTS (SELECT FROM control.operation WHERE state = 'RUNNING')";

#[tokio::test]
async fn under_a_key_nothing_else_is_done_than_what_it_was_first_used_for() -> Result<()> {
    let life = Life::new().await?;
    let [file, other, key, holder] =
        ["one.pxe", "other.pxe", "nightly", "holder"].map(|name| life.file(name));
    fs::write(&holder, HEXLOWER.encode(&crypto::random::<32>()?))?;
    let done = life.done(&["export", "northside", "--to", &file, "--idempotency-key", &key]);
    assert_eq!(life.done(&["export", "northside", "--to", &file, "--idempotency-key", &key]), done);
    for more in [&["--to", &other][..], &["--to", &file, "--key-file", &holder]] {
        let again = [&["export", "northside", "--idempotency-key", &key][..], more].concat();
        let (code, _, told) = life.tenant(&again);
        assert!(code == 1 && told.contains("something else was asked for"), "{told}");
    }
    // Whoever asks again believes that the file is there.
    fs::rename(&file, &other)?;
    let (code, _, told) = life.tenant(&["export", "northside", "--to", &file, "--idempotency-key", &key]);
    assert!(code == 1 && told.contains("take another key"), "{told}");
    life.done(&["clone", "northside", "--as", "sandbox", "--idempotency-key", "one"]);
    let (code, _, told) = life.tenant(&["clone", "northside", "--as", "another", "--idempotency-key", "one"]);
    assert!(code == 1 && told.contains("something else was asked for"), "{told}");
    // One that nobody chose is told, and listed.
    let (_, _, told) = life.tenant(&["export", "northside", "--to", &life.file("third.pxe")]);
    let listed = life.done(&["operations", "northside"]);
    let key = listed[2]["idempotency_key"].as_str().unwrap();
    assert!(told.contains(key), "{told}");
    Ok(())
}

#[tokio::test]
async fn of_two_exports_to_the_same_file_one_is_refused_and_the_other_is_whole() -> Result<()> {
    let life = Life::new().await?;
    let file = life.file("northside.pxe");
    let mut slow =
        life.server.installation.spawn_plainly(&["tenant", "export", "northside", "--to", &file], &[])?;
    life.until(RUNNING).await?;
    let mut admin = life.server.installation.admin().await?;
    let mut stall = admin.begin().await?;
    sqlx::query(STALL).execute(&mut *stall).await?;
    life.done(&["export", "northside", "--to", &file]);
    let whole = fs::read(&file)?;
    stall.rollback().await?;
    assert!(!slow.wait().await?.success());
    assert_eq!(fs::read(&file)?, whole);
    assert_eq!(fs::read_dir(&life.folder)?.count(), 1, "nothing is left of the other");
    life.done(&["restore", &file]);
    Ok(())
}

#[tokio::test]
async fn an_export_that_was_handed_out_counts_however_it_ended_and_keeps_shredding_waiting() -> Result<()> {
    let life = Life::new().await?;
    let (file, key) = (life.file("northside.pxe"), life.file("key"));
    fs::write(&key, HEXLOWER.encode(&crypto::random::<32>()?))?;
    let export = ["tenant", "export", "northside", "--to", &file, "--key-file", &key];
    let mut killed = life.server.installation.spawn_plainly(&export, &[])?;
    life.until("SELECT EXISTS (SELECT FROM control.operation WHERE detail->>'handedOut' = 'true')").await?;
    let mut admin = life.server.installation.admin().await?;
    let mut stall = admin.begin().await?;
    sqlx::query(STALL).execute(&mut *stall).await?;
    life.done(&["offboard", "northside", "--grace-days", "0"]);
    life.done(&["archive", "northside"]);
    assert_eq!(life.tenant(&["shred", "northside", "--yes"]).0, 5, "an export is under way");
    killed.kill().await?;
    stall.rollback().await?;
    let (code, certificate, told) = life.when_free(&["shred", "northside", "--yes"]).await;
    assert_eq!((code, &certificate["exportsHandedOut"]), (0, &json!(1)), "{told}");
    // Nobody puts a key back, by whatever way.
    let back = "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) SELECT id, 1, ''::bytea, '' FROM control.tenant";
    assert!(life.sql(back).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_a_killed_clone_left_goes_with_the_next_one() -> Result<()> {
    let life = Life::new().await?;
    let mut admin: PgConnection = life.server.installation.admin().await?;
    let mut stall = admin.begin().await?;
    sqlx::query("SELECT FROM control.cell FOR UPDATE").execute(&mut *stall).await?;
    let clone = ["tenant", "clone", "northside", "--as", "sandbox"];
    let mut killed = life.server.installation.spawn_plainly(&clone, &[])?;
    life.until(r"SELECT count(*) = 2 FROM pg_namespace WHERE nspname LIKE 't\_%'").await?;
    killed.kill().await?;
    stall.rollback().await?;
    life.until(
        "SELECT bool_and(pg_try_advisory_xact_lock(hashtextextended('px-operation ' || id, 0))) FROM control.operation",
    )
    .await?;
    assert_eq!(life.schemas().await?, 2);
    // Under another key, for nobody remembers the first one's.
    life.done(&["clone", "northside", "--as", "sandbox"]);
    assert_eq!(life.schemas().await?, 2, "the original and the sandbox");
    Ok(())
}

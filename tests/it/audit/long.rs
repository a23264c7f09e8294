//! A log grows for ever, and what is done every few seconds must not grow with it.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Clinic;

impl Clinic {
    /// How many entries Postgres read so far, once it counted that so many were sealed.
    async fn entries_read_when_sealed(&mut self, sealed: i64) -> Result<i64> {
        let of = |table: &str| {
            format!("FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = '{table}'")
        };
        // What a connection did is counted with its next transaction, or when it did nothing for ten seconds.
        for _ in 0..120 {
            let counted = self.number(&format!("SELECT n_tup_ins {}", of("audit_leaf"))).await?;
            if counted >= sealed {
                let read = format!("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) {}", of("audit_entry"));
                return self.number(&read).await;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        ensure!(false, "Postgres counted no {sealed} sealed entries");
        Ok(0)
    }
}

#[tokio::test]
async fn sealing_reads_what_waits_and_not_the_log_behind_it() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    for _ in 0..5 {
        clinic.entries(1_000).await?;
    }
    let sealed = clinic.number("SELECT count(*) FROM audit_leaf").await?;
    assert!(sealed >= 5_000);
    let before = clinic.entries_read_when_sealed(sealed).await?;
    clinic.entries(1).await?;
    let read = clinic.entries_read_when_sealed(sealed + 1).await? - before;
    assert!((1..100).contains(&read), "{read} entries were read to seal one");
    Ok(())
}

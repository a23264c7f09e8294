//! A log grows for ever, and what is done every few seconds must not grow with it.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Clinic, reading::ALERTS};

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

    /// How many entries Postgres read so far, once all connections that rest have told it.
    async fn entries_read(&mut self) -> Result<i64> {
        tokio::time::sleep(Duration::from_secs(12)).await;
        let sealed = self.number("SELECT count(*) FROM audit_leaf").await?;
        self.entries_read_when_sealed(sealed).await
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

#[tokio::test]
async fn whoever_an_alert_tells_of_is_not_counted_anew_with_every_reading() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.server.user("northside", "program@praxis.test", "owner").await?;
    let read = "query($id: ID!) { patient(by: { id: $id }) { name { full } } }";
    let ada = {
        let program = clinic.server.enter("northside", "program@praxis.test").await;
        let rule = json!({ "kind": "MASS_READING", "threshold": 1 });
        let ruled = program.run("alertRuleUpdate", "userErrors { code }", rule).await;
        assert_eq!(ruled["userErrors"], json!([]));
        let ada = program.register("Ada", "Quill", "1990-01-02").await;
        program.ask(read, json!({ "id": ada })).await;
        clinic.seal().await?;
        ada
    };
    // What a program reads in a while, which nobody has to seal once more.
    let readings = "INSERT INTO audit_entry SELECT another.*
        FROM (SELECT * FROM audit_entry WHERE action = 'disclose' LIMIT 1) AS one, generate_series(1, 2000) AS n,
        jsonb_populate_record(NULL::audit_entry, to_jsonb(one) || jsonb_build_object('id', md5(n::text)::uuid)) AS another";
    clinic.tamper(readings).await?;
    let sealed = clinic.number("SELECT count(*) FROM audit_leaf").await?;
    let before = clinic.entries_read_when_sealed(sealed).await?;
    {
        let program = clinic.server.enter("northside", "program@praxis.test").await;
        program.ask(read, json!({ "id": ada })).await;
        clinic.seal().await?;
    }
    let read = clinic.entries_read_when_sealed(sealed + 1).await? - before;
    assert!((1..100).contains(&read), "{read} entries were read to seal one");
    let officer = clinic.server.person("northside", "privacy_officer").await;
    let alerts = officer.ask(ALERTS, json!({})).await["securityAlerts"]["nodes"].clone();
    assert_eq!(alerts.as_array().unwrap().iter().filter(|alert| alert["kind"] == "MASS_READING").count(), 1);
    Ok(())
}

#[tokio::test]
async fn who_reads_the_log_does_not_wait_for_all_of_it() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let read = "query($id: ID!) { patient(by: { id: $id }) { name { full } } }";
    let ada = {
        let owner = clinic.server.person("northside", "owner").await;
        let ada = owner.register("Ada", "Quill", "1990-01-02").await;
        owner.ask(read, json!({ "id": ada })).await;
        ada
    };
    for _ in 0..5 {
        clinic.entries(1_000).await?;
    }
    clinic.server.user("northside", "officer@praxis.test", "privacy_officer").await?;
    let before = clinic.entries_read().await?;
    {
        let officer = clinic.server.enter("northside", "officer@praxis.test").await;
        let log = "query($id: ID!) { newest: auditEntries(first: 20) { nodes { id } }
            ofAda: auditEntries(filter: { patientIds: [$id] }) { totalCount nodes { id action } }
            patient(by: { id: $id }) { accessLog { totalCount nodes { id } } } }";
        let told = officer.ask(log, json!({ "id": ada })).await;
        assert_eq!(told["newest"]["nodes"].as_array().unwrap().len(), 20);
        let ours = [&told["ofAda"], &told["patient"]["accessLog"]];
        for ours in ours {
            let entries = ours["nodes"].as_array().unwrap().len();
            assert!((2..20).contains(&entries), "{told}");
            assert_eq!(ours["totalCount"], entries);
        }
        clinic.seal().await?;
    }
    let read = clinic.entries_read().await? - before;
    assert!((20..1_000).contains(&read), "{read} of 5,000 entries were read");
    Ok(())
}

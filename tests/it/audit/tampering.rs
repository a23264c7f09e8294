//! As the superuser, with triggers switched off: each change is found, and named by its first entry.
//!
//! What `praxis audit verify` finds in the database, an auditor's own program finds in the export; the
//! one used here is found by `PRAXIS_AUDIT_VERIFY` and left out where there is none.

use std::{path::Path, process::Command};

use anyhow::Result;
use sqlx::AssertSqlSafe;

use super::Clinic;

fn newest(folder: &Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(folder.join("checkpoints")).unwrap();
    files.map(|file| file.unwrap().path()).max().unwrap()
}

/// What an independent auditor says of an export and of checkpoints kept before.
fn auditor(folder: &Path, kept: &[&Path]) -> Option<(bool, String)> {
    let program = std::env::var("PRAXIS_AUDIT_VERIFY").ok()?;
    let key = std::fs::read_to_string(folder.join("key.txt")).unwrap();
    let newest = newest(folder);
    let output = Command::new(program)
        .arg(folder.join("entries.jsonl"))
        .arg(key.trim())
        .arg(&newest)
        .args(kept)
        .output()
        .unwrap();
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[tokio::test]
async fn every_change_by_the_superuser_is_found_and_its_first_entry_named() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(40).await?;
    let honest = clinic.export("honest")?;
    assert_eq!(clinic.first_bad(&[]), None);
    if let Some((good, said)) = auditor(&honest, &[]) {
        assert!(good, "{said}");
    }
    let kept = newest(&honest);
    let last = clinic.number("SELECT max(seq) FROM audit_leaf").await?;
    clinic.entries(40).await?;

    let entry = |seq: i64| format!("(SELECT entry_id FROM audit_leaf WHERE seq = {seq})");
    let save = "CREATE TABLE saved_entry AS SELECT * FROM audit_entry; CREATE TABLE saved_leaf AS SELECT * FROM audit_leaf; CREATE TABLE saved_checkpoint AS SELECT * FROM audit_checkpoint";
    let restore = "DELETE FROM audit_entry; INSERT INTO audit_entry SELECT * FROM saved_entry; DELETE FROM audit_leaf; INSERT INTO audit_leaf SELECT * FROM saved_leaf; DELETE FROM audit_checkpoint; INSERT INTO audit_checkpoint SELECT * FROM saved_checkpoint; DELETE FROM audit_pending";
    clinic.tamper(save).await?;
    let insert = "UPDATE audit_leaf SET seq = seq + 100000 WHERE seq >= 20; UPDATE audit_leaf SET seq = seq - 99999 WHERE seq >= 100000; \
         INSERT INTO audit_entry (id, at, actor_kind, roles, action, patients, classes, purpose, outcome) VALUES ('00000000-0000-7000-8000-000000000001', now(), 'USER', '{}', 'disclose', '{}', '{}', 'TREAT', 'OK'); \
         INSERT INTO audit_leaf SELECT 20, '00000000-0000-7000-8000-000000000001', leaf_hash, line_hash, true FROM audit_leaf WHERE seq = 19";
    let swap = format!(
        "UPDATE audit_entry SET id = '00000000-0000-7000-8000-000000000002' WHERE id = {0}; UPDATE audit_entry SET id = {0} WHERE id = {1}; \
         UPDATE audit_entry SET id = {1} WHERE id = '00000000-0000-7000-8000-000000000002'",
        entry(10),
        entry(11)
    );
    let cut = |from: i64| {
        format!(
            "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_leaf WHERE seq >= {from}); DELETE FROM audit_leaf WHERE seq >= {from}"
        )
    };
    // What is done, the place it should be found at, what is found, and how an auditor's program says it.
    let cases = [
        (
            "edit",
            format!("UPDATE audit_entry SET actor_id = gen_random_uuid() WHERE id = {}", entry(15)),
            15,
            "altered",
            "entry 16: hash chain broken",
        ),
        (
            "delete",
            format!("DELETE FROM audit_entry WHERE id = {}", entry(12)),
            12,
            "deleted",
            "entry 12: hash chain broken",
        ),
        (
            "delete with its leaf",
            format!(
                "DELETE FROM audit_entry WHERE id = {}; DELETE FROM audit_leaf WHERE seq = 12",
                entry(12)
            ),
            12,
            "missing",
            "entry 12: sequence gap",
        ),
        ("insert", insert.to_owned(), 20, "altered", "entry 21: hash chain broken"),
        ("swap", swap, 10, "altered", "entry 11: hash chain broken"),
        ("cut the tail", cut(last + 3), last + 3, "cut", "truncated"),
        (
            "cut the tail with its checkpoints",
            format!("{}; DELETE FROM audit_checkpoint", cut(last - 2)),
            last - 2,
            "cut",
            "truncated",
        ),
        (
            "edit and delete its leaf",
            format!(
                "UPDATE audit_entry SET times = 2 WHERE id = {0}; DELETE FROM audit_leaf WHERE seq >= 0 AND entry_id = {0}",
                entry(15)
            ),
            15,
            "missing",
            "entry",
        ),
    ];
    for (name, sql, place, fault, auditors) in cases {
        clinic.tamper(&sql).await?;
        assert_eq!(clinic.first_bad(&[&kept]), Some((place.to_string(), fault.to_owned())), "{name}");
        let stored = clinic.number("SELECT count(*) FROM audit_checkpoint").await?;
        if stored > 0 {
            let folder = clinic.export(&name.replace(' ', "-"))?;
            if let Some((good, said)) = auditor(&folder, &[&kept]) {
                assert!(!good && said.contains(auditors), "{name}: {said}");
            }
        }
        clinic.tamper(restore).await?;
        assert_eq!(clinic.first_bad(&[&kept]), None, "restored after {name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_history_rewritten_and_signed_again_differs_from_an_older_checkpoint() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(20).await?;
    let kept: Vec<_> = [clinic.export("first")?, {
        clinic.entries(20).await?;
        clinic.export("second")?
    }]
    .iter()
    .map(|folder| newest(folder))
    .collect();
    let (small, large) = (clinic.number("SELECT min(size) FROM audit_checkpoint").await?, 25);
    // Somebody who holds the database and the keys: everything is made again without one entry.
    clinic.tamper(&format!("DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = {large}); DELETE FROM audit_leaf; DELETE FROM audit_node; DELETE FROM audit_checkpoint; INSERT INTO audit_pending SELECT id FROM audit_entry")).await?;
    clinic.seal().await?;
    assert_eq!(clinic.first_bad(&[]), None, "nobody kept a checkpoint: that is why `watch` does");
    let (place, fault) = clinic.first_bad(&[&kept[0], &kept[1]]).unwrap();
    assert!(["rewritten", "cut"].contains(&fault.as_str()), "{fault}");
    assert!(place.parse::<i64>()? >= small, "{place}");
    let folder = clinic.export("rewritten")?;
    if let Some((good, said)) = auditor(&folder, &[&kept[1]]) {
        assert!(!good, "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_proof_convinces_without_the_database_and_only_of_its_own_entry() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(700).await?;
    let (_, said) = clinic.audit(&["key", "--tenant", "northside"]);
    let key = said["key"].as_str().unwrap().to_owned();
    let out = clinic.folder.to_str().unwrap().to_owned();
    let mut files = Vec::new();
    for seq in [0, 255, 256, 600, 700] {
        let id = clinic.number(&format!("SELECT seq FROM audit_leaf WHERE seq = {seq}")).await?;
        let sql = format!("SELECT entry_id FROM {}.audit_leaf WHERE seq = {id}", clinic.schema);
        let entry: uuid::Uuid = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut clinic.admin).await?;
        let entry = praxis_entity::ids::AuditEntryId(entry).to_string();
        let (good, said) = clinic.audit(&["prove", "--tenant", "northside", "--out", &out, &entry]);
        assert!(good, "{said}");
        assert_eq!(said["index"], seq);
        files.push((format!("{out}/{entry}.json"), format!("{out}/{entry}.tlog-proof")));
    }
    for (position, (line, proof)) in files.iter().enumerate() {
        for (other, (_, proof_of_another)) in files.iter().enumerate() {
            let (good, said) = clinic.audit(&["check", "--key", &key, line, proof_of_another]);
            assert_eq!(good, position == other, "{said}");
        }
        let changed = std::fs::read_to_string(line)?.replace("test", "rest");
        std::fs::write(line, changed + " ")?;
        assert!(!clinic.audit(&["check", "--key", &key, line, proof]).0);
    }
    Ok(())
}

#[tokio::test]
async fn a_witness_keeps_checkpoints_and_tells_of_a_log_that_went_back() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(10).await?;
    let out = clinic.folder.join("witness");
    let watch = ["watch", "--all", "--once", "--out", out.to_str().unwrap()];
    assert!(clinic.audit(&watch).0);
    clinic.entries(10).await?;
    assert!(clinic.audit(&watch).0);
    let size = clinic.number("SELECT max(size) FROM audit_checkpoint").await?;
    clinic.tamper(&format!("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_leaf WHERE seq >= {0}); DELETE FROM audit_leaf WHERE seq >= {0}; DELETE FROM audit_checkpoint WHERE size > {0}", size - 10)).await?;
    let (good, said) = clinic.audit(&watch);
    assert!(!good && said[0]["faults"][0].as_str().unwrap().contains("the tail was cut"), "{said}");
    Ok(())
}

#[tokio::test]
async fn an_entry_that_commits_late_is_sealed_and_servers_do_not_seal_twice() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    let late = clinic.system().write_always().await?;
    late.record(praxis_platform::audit::Entry::done("late"));
    clinic.entries(5).await?;
    late.commit().await?;
    let other = clinic.server.another().await?;
    let tenant = other.directory.by_slug("northside").unwrap();
    let elsewhere = praxis_platform::OpFactory::new(
        other.platform,
        tenant,
        std::sync::Arc::new(praxis_platform::access::Actor::system()),
        praxis_platform::RequestInfo::default(),
        true,
    );
    for _ in 0..10 {
        let op = clinic.system().read();
        let entries = (0..50).map(|_| praxis_platform::audit::Entry::done("race")).collect();
        op.record_all(entries).await?;
        let waiting = praxis_platform::audit::Waiting::default();
        let (here, there) = tokio::join!(clinic.seal(), praxis_domain::audit::keep(&elsewhere, &waiting));
        here?;
        there?;
    }
    clinic.seal().await?;
    assert_eq!(clinic.first_bad(&[]), None);
    let unsealed = clinic.number("SELECT count(*) FROM audit_pending").await?;
    let late = clinic.number("SELECT count(*) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id WHERE e.action = 'late'").await?;
    assert_eq!((unsealed, late), (0, 1));
    Ok(())
}

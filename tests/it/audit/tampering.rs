//! As the superuser, with triggers switched off: each change is found, and named by its first entry.
//!
//! What `praxis audit verify` finds in the database, an auditor's own program finds in the export; the
//! one used here is found by `PRAXIS_AUDIT_VERIFY` and left out where there is none.

use std::{path::Path, process::Command};

use anyhow::Result;
use praxis::heads::Remembered;
use praxis_platform::audit::{Heads, Waiting};
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
            // What is left of a log with holes is exported, and the exit says that there are some.
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
    // The database's superuser needs no key for it: everything is taken back to be sealed again, without
    // one entry. A server that saw the log refuses; one that starts now knows nothing of it, and signs.
    clinic.tamper(&format!("DELETE FROM audit_entry WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = {large}); DELETE FROM audit_leaf; DELETE FROM audit_node; DELETE FROM audit_checkpoint; INSERT INTO audit_pending SELECT id FROM audit_entry ON CONFLICT DO NOTHING")).await?;
    assert!(clinic.seal().await.is_err(), "it saw more");
    let restarted = clinic.server.another().await?;
    praxis_domain::audit::keep(&Clinic::system_of(&restarted), &Waiting::default()).await?;
    assert!(clinic.entries(1).await.is_err(), "it is still another log than it saw");
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
    // What a killed witness left half done is no checkpoint, and does no harm to one.
    let tenant = clinic.server.app.directory.by_slug("northside").unwrap().id;
    let newest = out.join(format!("{tenant}.checkpoint"));
    let day = std::fs::read_dir(&out)?.map(|file| file.unwrap().path()).find(|path| *path != newest).unwrap();
    let first = std::fs::read(&day)?;
    std::fs::hard_link(&day, out.join(format!("{tenant}.partial")))?;
    clinic.entries(10).await?;
    assert!(clinic.audit(&watch).0);
    assert_eq!(std::fs::read(&day)?, first);
    assert_ne!(std::fs::read(&newest)?, first);
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
    let elsewhere = Clinic::system_of(&other);
    for _ in 0..10 {
        let op = clinic.system().read();
        let entries = (0..50).map(|_| praxis_platform::audit::Entry::done("race")).collect();
        op.record_all(entries).await?;
        let waiting = Waiting::default();
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

#[tokio::test]
async fn a_tail_that_is_taken_back_to_an_older_checkpoint_is_not_sealed_again() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(10).await?;
    let size = clinic.number("SELECT max(size) FROM audit_checkpoint").await?;
    clinic.entries(10).await?;
    // The victim goes, the others wait again, and the tree is what the older checkpoint says.
    let victim = format!("(SELECT entry_id FROM audit_leaf WHERE seq = {})", size + 3);
    clinic
        .tamper(&format!(
            "INSERT INTO audit_pending SELECT entry_id FROM audit_leaf WHERE seq >= {size} AND entry_id <> {victim};
             DELETE FROM audit_entry WHERE id = {victim}; DELETE FROM audit_leaf WHERE seq >= {size};
             DELETE FROM audit_checkpoint WHERE size > {size}"
        ))
        .await?;
    let refused = clinic.seal().await.unwrap_err();
    assert!(format!("{refused:#}").contains("not what was signed"), "{refused:#}");
    // Nor by one that starts now and has what another wrote down.
    let tenant = clinic.server.app.directory.by_slug("northside").unwrap().id;
    let head = clinic.server.app.platform.backlog.heads().of(tenant).unwrap();
    let folder = clinic.folder.join("heads");
    Remembered::recall(&folder, clinic.server.app.platform.backlog.heads())?.write(tenant, &head)?;
    let restarted = clinic.server.another().await?;
    let held = Remembered::recall(&folder, restarted.platform.backlog.heads())?;
    let second = Remembered::recall(&folder, &Heads::default()).unwrap_err().to_string();
    assert!(second.contains("another process"), "{second}");
    drop(held);
    assert_eq!(restarted.platform.backlog.heads().of(tenant), Some(head));
    assert!(praxis_domain::audit::keep(&Clinic::system_of(&restarted), &Waiting::default()).await.is_err());
    std::fs::write(folder.join(format!("{tenant}.head")), "spoilt")?;
    assert!(Remembered::recall(&folder, restarted.platform.backlog.heads()).is_err());
    assert_eq!(clinic.number("SELECT max(size) FROM audit_checkpoint").await?, size);
    Ok(())
}

#[tokio::test]
async fn a_server_goes_on_from_what_another_sealed_and_not_from_what_nobody_signed() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(3).await?;
    let other = clinic.server.another().await?;
    let elsewhere = Clinic::system_of(&other);
    elsewhere.read().record_all(vec![praxis_platform::audit::Entry::done("elsewhere")]).await?;
    praxis_domain::audit::keep(&elsewhere, &Waiting::default()).await?;
    clinic.entries(2).await?;
    assert_eq!(clinic.first_bad(&[]), None);

    // The hash that the next line goes on from is under no signature.
    let spoil = "UPDATE audit_checkpoint SET line_hash = sha256('else') WHERE size = (SELECT max(size) FROM audit_checkpoint)";
    clinic.tamper(spoil).await?;
    let last = clinic.number("SELECT max(size) FROM audit_checkpoint").await? - 1;
    assert_eq!(clinic.first_bad(&[]), Some((last.to_string(), "bad_checkpoint".to_owned())));
    assert!(clinic.entries(1).await.is_err());
    let restarted = clinic.server.another().await?;
    let sealed = praxis_domain::audit::keep(&Clinic::system_of(&restarted), &Waiting::default()).await;
    assert!(sealed.is_err(), "neither does a server that knows nothing");
    Ok(())
}

#[tokio::test]
async fn what_no_checkpoint_covers_and_what_waits_for_ever_are_faults() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(5).await?;
    let size = clinic.number("SELECT max(size) FROM audit_checkpoint").await?;
    clinic.entries(5).await?;
    clinic.tamper("CREATE TABLE saved AS SELECT * FROM audit_checkpoint").await?;
    clinic.tamper(&format!("DELETE FROM audit_checkpoint WHERE size > {size}")).await?;
    assert_eq!(clinic.first_bad(&[]), Some((size.to_string(), "unsigned".to_owned())));
    clinic.tamper("INSERT INTO audit_checkpoint SELECT * FROM saved ON CONFLICT DO NOTHING").await?;

    // A row that would have verifying count to the end of days.
    let far = "UPDATE audit_leaf SET seq = 4611686018427387904 WHERE seq = (SELECT max(seq) FROM audit_leaf)";
    clinic.tamper(far).await?;
    assert_eq!(clinic.first_bad(&[]).unwrap().1, "missing");
    clinic
        .tamper(
            "UPDATE audit_leaf SET seq = (SELECT max(size) FROM audit_checkpoint) - 1 WHERE seq > 1000000",
        )
        .await?;
    assert_eq!(clinic.first_bad(&[]), None);

    // Deleted before it was sealed: others are sealed all the same, and it is not forgotten.
    let op = clinic.system().read();
    op.record_all(vec![praxis_platform::audit::Entry::done("victim")]).await?;
    clinic.tamper("DELETE FROM audit_entry WHERE action = 'victim'").await?;
    clinic.tamper("INSERT INTO audit_pending SELECT gen_random_uuid() FROM generate_series(1, 1500)").await?;
    clinic.entries(5).await?;
    assert_eq!(
        clinic.number("SELECT count(*) FROM audit_pending p JOIN audit_entry e ON e.id = p.entry_id").await?,
        0
    );
    assert_eq!(clinic.first_bad(&[]).unwrap().1, "deleted");
    clinic.tamper("DELETE FROM audit_pending").await?;
    assert_eq!(clinic.first_bad(&[]), None);

    // Never sealed: no server looks at it any more.
    op.record_all(vec![praxis_platform::audit::Entry::done("forgotten")]).await?;
    assert_eq!(clinic.first_bad(&[]), None, "it has only just been written");
    clinic
        .tamper("UPDATE audit_entry SET at = now() - interval '2 hours' WHERE action = 'forgotten'")
        .await?;
    assert!(clinic.faults().contains(&"unsealed".to_owned()), "{:?}", clinic.faults());
    Ok(())
}

#[tokio::test]
async fn a_witness_that_found_something_keeps_its_evidence() -> Result<()> {
    let mut clinic = Clinic::new().await?;
    clinic.entries(10).await?;
    let out = clinic.folder.join("evidence");
    let watch = ["watch", "--all", "--once", "--out", out.to_str().unwrap()];
    assert!(clinic.audit(&watch).0);
    let kept = |out: &Path| {
        let files = std::fs::read_dir(out).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.map(|path| std::fs::read_to_string(&path).unwrap()).collect();
        files.sort();
        files
    };
    let before = kept(&out);
    assert_eq!(before.len(), 2, "the newest, and the first of the day");
    // The first entry is edited, and a row is put in that covers everything there will ever be.
    clinic.tamper("UPDATE audit_entry SET times = 7 WHERE id = (SELECT entry_id FROM audit_leaf WHERE seq = 0); INSERT INTO audit_checkpoint SELECT 9000000000, at, edge, line_hash, note FROM audit_checkpoint LIMIT 1").await?;
    for _ in 0..2 {
        let (good, said) = clinic.audit(&watch);
        assert!(!good && said.to_string().contains("is not what was sealed"), "{said}");
        assert_eq!(kept(&out), before);
    }
    // What can't be read is no clinic without evidence.
    for file in std::fs::read_dir(&out)? {
        std::fs::write(file?.path(), [0xff, 0xfe])?;
    }
    let (good, said) = clinic.audit(&watch);
    assert!(!good && said[0]["trouble"].as_str().unwrap().contains("reading"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_witness_that_runs_sees_the_log_go_back_and_clinics_that_were_made_since() -> Result<()> {
    use tokio::io::{AsyncBufReadExt, BufReader};

    let mut clinic = Clinic::new().await?;
    clinic.entries(5).await?;
    let size = clinic.number("SELECT max(size) FROM audit_checkpoint").await?;
    clinic.entries(5).await?;
    let installation = &clinic.server.installation;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_praxis"));
    command.env("DATABASE_URL", &installation.url).env("PRAXIS_ROOT_KEY", installation.root_key());
    command.args(["--output", "ndjson", "audit", "watch", "--all", "--interval", "1", "--out"]);
    command.arg(clinic.folder.join("running")).stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut witness = command.spawn()?;
    let mut lines = BufReader::new(witness.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(std::time::Duration::from_secs(60), lines.next_line()).await??;
        anyhow::Ok(serde_json::from_str::<serde_json::Value>(&line.unwrap())?)
    };
    let seen = next().await?;
    assert_eq!((&seen["tenant"], &seen["faults"]), (&"northside".into(), &serde_json::json!([])), "{seen}");

    clinic.server.installation.provision("harbor").await?;
    let seen = next().await?;
    assert_eq!((&seen["tenant"], &seen["size"]), (&"harbor".into(), &0.into()), "{seen}");

    // Entries, leaves and checkpoints together: nothing in the database says that there were more.
    clinic.tamper(&format!("DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_leaf WHERE seq >= {size}); DELETE FROM audit_leaf WHERE seq >= {size}; DELETE FROM audit_checkpoint WHERE size > {size}")).await?;
    assert_eq!(clinic.first_bad(&[]), None);
    let seen = next().await?;
    let faults = seen["faults"].to_string();
    assert!(faults.contains("the tail was cut") || faults.contains("is gone"), "{seen}");
    Ok(())
}

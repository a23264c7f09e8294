//! Root, tenant and data keys are rotated while people work; the rotation is killed half way and goes on.
//!
//! Small by itself; `PRAXIS_TEST_PATIENTS=10000 cargo nextest run -E 'test(/keys::load/)' --no-capture`
//! is the whole of it, and prints the figures.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that meets something else fails here, and says what it measured"
)]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use praxis::config::{Config, Overrides};
use praxis_domain::patients::{RegisterPatient, register};
use praxis_entity::value::{HumanName, PartialDate};
use praxis_platform::{OpFactory, RequestInfo, access::Actor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::support::{installation::TestInstallation, people::Person, server::TestServer};

/// A clinic with a server, and a root key file that the command line shares with it.
pub(super) struct Works {
    pub(super) server: TestServer,
    folder: PathBuf,
}

impl Drop for Works {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Works {
    pub(super) async fn new() -> Result<Self> {
        let installation = TestInstallation::new().await?;
        let folder = env::temp_dir().join(format!("praxis-keys-{}", installation.clock.new_id().simple()));
        fs::create_dir(&folder)?;
        fs::write(folder.join("root.key"), &installation.root_key)?;
        fs::set_permissions(folder.join("root.key"), fs::Permissions::from_mode(0o600))?;
        installation.provision("northside").await?;
        let values = vec![
            ("database.url", installation.url.clone()),
            ("keys.root_key_file", folder.join("root.key").to_string_lossy().into_owned()),
            ("http.base_domain", "praxis.test".to_owned()),
            ("database.connections", "8".to_owned()),
            ("database.wait_ms", "15000".to_owned()),
            // Two people who ask as fast as they can are not what the limits are for.
            ("rates.tenant_points", "10000000".to_owned()),
            ("rates.tenant_restore", "10000000".to_owned()),
            ("rates.actor_points", "10000000".to_owned()),
            ("rates.actor_restore", "10000000".to_owned()),
        ];
        let config = Config::explain(&Overrides { file: None, values }, &[].into())?.0;
        Ok(Self { server: TestServer::over(installation, config).await?, folder })
    }

    /// `praxis key …` as a process of its own.
    pub(super) fn key(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_praxis"));
        command
            .args(["-o", "ndjson", "key"])
            .args(args)
            .env_clear()
            .env("DATABASE_URL", &self.server.installation.url)
            .env("PRAXIS_ROOT_KEY_FILE", self.folder.join("root.key"))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end: the exit code, and the lines it printed.
    pub(super) async fn run(&self, args: &[&str]) -> Result<(i32, Vec<Value>)> {
        let output = self.key(args).output().await?;
        let code = output.status.code().context("it was killed")?;
        let lines = String::from_utf8(output.stdout)?;
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        if !complaints.is_empty() {
            eprintln!("praxis key {}: {complaints}", args.join(" "));
        }
        Ok((code, lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?))
    }

    /// Runs it, and kills it once it has told of `batches` batches of a step; says how many were done.
    async fn kill_in(&self, args: &[&str], step: &str, batches: usize) -> Result<usize> {
        let mut child = self.key(args).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut seen = 0;
        while let Some(line) = lines.next_line().await? {
            let event: Value = serde_json::from_str(&line)?;
            assert_ne!(event["event"], "finished", "it ended before it could be killed");
            seen += usize::from(event["event"] == "advanced" && event["step"] == step);
            if seen == batches {
                break;
            }
        }
        child.kill().await?;
        Ok(seen)
    }

    async fn number(&self, sql: &str) -> Result<i64> {
        let mut admin = self.server.installation.admin().await?;
        let find = "SELECT schema_name FROM control.tenant WHERE slug = 'northside'";
        let schema: String = sqlx::query_scalar(find).fetch_one(&mut admin).await?;
        let sql = sqlx::AssertSqlSafe(sql.replace("{schema}", &schema));
        Ok(sqlx::query_scalar(sql).fetch_one(&mut admin).await?)
    }
}

/// A family name that begins as no other: alike beginnings and birth dates count as duplicates.
fn family(number: usize) -> String {
    let letter = |place: usize| char::from(b'a' + u8::try_from(number / place % 26).unwrap());
    format!("{}{}{}son", letter(676), letter(26), letter(1))
}

/// Registers many patients the short way.
async fn patients(works: &Works, count: usize) -> Result<Vec<String>> {
    let app = &works.server.app;
    let tenant = app.directory.by_slug("northside").context("no clinic")?;
    let operator = Arc::new(Actor::operator());
    let factory = OpFactory::new(Arc::clone(&app.platform), tenant, operator, RequestInfo::default(), true);
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let op = factory.write().await?;
        for number in ids.len()..(ids.len() + 50).min(count) {
            let name = HumanName {
                given: vec![format!("Given{number}")],
                family: family(number),
                ..HumanName::default()
            };
            let born = PartialDate::Year(1930 + i32::try_from(number % 90)?);
            let patient = register(&op, RegisterPatient::named(name, born)).await?.patient;
            ids.push(patient.id.to_string());
        }
        op.commit().await?;
    }
    Ok(ids)
}

/// What people who work at the clinic noticed.
#[derive(Default)]
struct Noticed {
    took: Mutex<Vec<Duration>>,
    failed: Mutex<Vec<String>>,
}

impl Noticed {
    fn count(&self) -> usize {
        self.took.lock().unwrap().len()
    }

    fn percentile(&self, of: f64) -> Duration {
        let mut took = self.took.lock().unwrap().clone();
        took.sort_unstable();
        let at = (took.len() as f64 * of) as usize;
        took.get(at.min(took.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Reads, searches, changes and registers patients until told to stop.
async fn work(person: &Person<'_>, ids: &[String], seed: usize, noticed: &Noticed, stop: &AtomicBool) {
    let mut step = seed;
    while !stop.load(Ordering::Relaxed) {
        step += 1;
        let id = &ids[step * 7919 % ids.len()];
        let key = format!("{seed}-{step}");
        let (query, variables) = match step % 4 {
            0 => (
                "query($id: ID!) { patient(by: { id: $id }) { mrn name { full } birthDate } }",
                json!({ "id": id }),
            ),
            1 => (
                "{ patients(first: 10) { nodes { name { full } nationalId redactions { field } } } }",
                json!({}),
            ),
            2 => (
                "query($id: ID!) { patient(by: { id: $id }) { version name { given family } } }",
                json!({ "id": id }),
            ),
            _ => (
                crate::support::people::CREATE,
                json!({ "input": { "name": { "given": ["New"], "family": family(step) },
                    "birthDate": format!("{}-{:02}-02", 1900 + seed, 1 + step % 12) } }),
            ),
        };
        let begun = Instant::now();
        let answer = person.send(query, variables, &[("idempotency-key", &key)]).await;
        noticed.took.lock().unwrap().push(begun.elapsed());
        let mut wrong = !answer.body["errors"].is_null();
        if step % 4 == 2 && !wrong {
            // Read, and written back changed: no rotation may come between.
            let patient = &answer.body["data"]["patient"];
            let input = json!({ "id": id, "ifVersion": patient["version"],
                "name": { "given": patient["name"]["given"], "family": format!("F{seed}x{step}") } });
            let begun = Instant::now();
            let answer = person.send(UPDATE, json!({ "input": input }), &[("idempotency-key", &key)]).await;
            noticed.took.lock().unwrap().push(begun.elapsed());
            let problem = &answer.body["data"]["patientUpdate"]["userErrors"];
            // Two of those who work may meet at one patient; that is theirs to settle.
            let conflict = problem[0]["code"] == "VERSION_CONFLICT" || problem[0]["code"] == "CONFLICT";
            wrong = !answer.body["errors"].is_null() || (problem != &json!([]) && !conflict);
            if wrong {
                noticed.failed.lock().unwrap().push(answer.text);
            }
        } else if wrong || answer.text.contains("KEY_UNAVAILABLE") || answer.text.contains("\"full\":null") {
            wrong = true;
            noticed.failed.lock().unwrap().push(answer.text);
        }
        if wrong {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

const UPDATE: &str = "mutation($input: PatientUpdateInput!) { patientUpdate(input: $input) {
    patient { version } userErrors { code path message } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_while_people_work_and_a_killed_rotation_goes_on() -> Result<()> {
    let count = env::var("PRAXIS_TEST_PATIENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
    let works = Works::new().await?;
    let begun = Instant::now();
    let ids = patients(&works, count).await?;
    eprintln!("{count} patients registered in {:?}", begun.elapsed());
    let desk = works.server.person("northside", "receptionist").await;
    let owner = works.server.person("northside", "receptionist").await;
    let quiet_for = if count >= 10_000 { 20 } else { 3 };

    // What it is like without a rotation.
    let (quiet, stop) = (Noticed::default(), AtomicBool::new(false));
    tokio::join!(work(&desk, &ids, 1, &quiet, &stop), work(&owner, &ids, 2, &quiet, &stop), async {
        tokio::time::sleep(Duration::from_secs(quiet_for)).await;
        stop.store(true, Ordering::Relaxed);
    });
    assert!(quiet.failed.lock().unwrap().is_empty(), "{:?}", quiet.failed.lock().unwrap());

    let (busy, stop) = (Noticed::default(), AtomicBool::new(false));
    let rotation = async {
        let result = rotate_everything(&works, count).await;
        stop.store(true, Ordering::Relaxed);
        result
    };
    let (.., rotated) =
        tokio::join!(work(&desk, &ids, 3, &busy, &stop), work(&owner, &ids, 4, &busy, &stop), rotation);
    rotated?;
    let failed = busy.failed.lock().unwrap();
    assert!(failed.is_empty(), "{} failed, such as {:?}", failed.len(), failed.first());
    let (before, during) = (quiet.percentile(0.95), busy.percentile(0.95));
    eprintln!(
        "{} requests quiet, {} during: p95 {before:?} and {during:?} (ratio {:.2}), longest {:?} and {:?}, none failed",
        quiet.count(),
        busy.count(),
        during.as_secs_f64() / before.as_secs_f64(),
        quiet.percentile(1.0),
        busy.percentile(1.0),
    );
    Ok(())
}

async fn rotate_everything(works: &Works, count: usize) -> Result<()> {
    // Data keys: killed after some batches, and gone on with.
    works.kill_in(&["rotate", "--data", "--tenant", "northside"], "rows", 2).await?;
    let (code, rows) = works.run(&["verify"]).await?;
    assert_eq!(code, 3, "{rows:?}");
    let keys = works.number("SELECT count(*) FROM {schema}.phi_key WHERE version = 2").await?;
    assert!(keys >= i64::try_from(count)?, "{keys}");
    let begun = Instant::now();
    let (code, events) = works.run(&["rotate", "--data", "--tenant", "northside"]).await?;
    let took = begun.elapsed();
    assert_eq!(code, 0, "{events:?}");
    let finished = events.last().unwrap();
    let made = finished["data_keys_made"].as_u64().unwrap();
    assert!(
        made >= u64::try_from(count)?,
        "the killed run was finished, then came the one asked for: {finished}"
    );
    let rows = finished["rows"].as_u64().unwrap();
    eprintln!(
        "data keys: {rows} rows sealed anew in {took:?}, {:.0} a second",
        rows as f64 / took.as_secs_f64()
    );
    assert_eq!(works.number("SELECT max(version)::bigint FROM {schema}.phi_key").await?, 3);
    let open = works.number("SELECT count(*) FROM {schema}.key_rotation WHERE finished_at IS NULL").await?;
    assert_eq!(open, 0);

    // The tenant's key: killed after the new version was made, and gone on with.
    works.kill_in(&["rotate", "--tenant", "northside"], "data keys", 1).await?;
    let begun = Instant::now();
    let (code, events) = works.run(&["rotate", "--tenant", "northside"]).await?;
    assert_eq!(code, 0, "{events:?}");
    eprintln!(
        "tenant key: {} data keys wrapped anew in {:?}",
        events.last().unwrap()["data_keys"],
        begun.elapsed()
    );
    assert!(works.number("SELECT max(version)::bigint FROM control.tenant_key").await? >= 2);

    // The root key.
    let begun = Instant::now();
    let (code, events) = works.run(&["rotate", "--root"]).await?;
    assert!(code == 0 && events.last().unwrap()["tenant_keys"].as_u64() >= Some(3), "{events:?}");
    eprintln!("root key: {:?}", begun.elapsed());

    // What was written meanwhile by whoever still held an older key.
    let (code, events) = works.run(&["rewrap"]).await?;
    assert_eq!(code, 0, "{events:?}");
    let (code, found) = works.run(&["verify"]).await?;
    assert_eq!(code, 0, "{found:?}");
    eprintln!("verified: {}", found.last().unwrap());
    assert_eq!(found.last().unwrap()["orphaned_keys"], 0);
    Ok(())
}

#[tokio::test]
async fn older_keys_go_when_nothing_needs_them_and_not_before() -> Result<()> {
    let works = Works::new().await?;
    let desk = works.server.person("northside", "receptionist").await;
    let id = desk.register("Mairead", "Quill", "1980-02-03").await;
    let search = json!({ "id": id });
    let read = "query($id: ID!) { patient(by: { id: $id }) { name { full } } patients(first: 1, search: \"quill\") { nodes { id } } }";
    let before = desk.ask(read, search.clone()).await;

    assert_eq!(works.run(&["retire"]).await?.0, 7);
    for rotation in [&["rotate", "--root"][..], &["rotate", "--tenant", "northside"], &["rotate", "--data"]] {
        assert_eq!(works.run(rotation).await?.0, 0, "{rotation:?}");
        assert_eq!(desk.ask(read, search.clone()).await, before);
    }
    // Too young: a server may hold them still.
    let (code, rows) = works.run(&["retire", "--yes"]).await?;
    assert_eq!((code, &rows[0]["tenant_keys"], &rows[0]["data_keys"]), (0, &json!(0), &json!(0)), "{rows:?}");
    assert!(rows[0]["too_young"].as_i64().unwrap() >= 2);

    let mut admin = works.server.installation.admin().await?;
    let schema: String =
        sqlx::query_scalar("SELECT schema_name FROM control.tenant").fetch_one(&mut admin).await?;
    let age = format!(
        "UPDATE {schema}.phi_key SET created_at = created_at - interval '1 day';
         UPDATE control.tenant_key SET created_at = created_at - interval '1 day'"
    );
    sqlx::Executor::execute(&mut admin, sqlx::raw_sql(sqlx::AssertSqlSafe(age))).await?;
    // Something that is left under an older key stops it.
    let spoil =
        format!("UPDATE {schema}.patient SET contact = overlay(contact placing '\\x00000001' from 5)");
    let good: Vec<u8> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT contact FROM {schema}.patient")))
            .fetch_one(&mut admin)
            .await?;
    sqlx::query(sqlx::AssertSqlSafe(spoil)).execute(&mut admin).await?;
    let (code, rows) = works.run(&["verify"]).await?;
    let faults = &rows.last().unwrap()["faults"];
    assert_eq!((code, faults[0]["column"].as_str()), (1, Some("contact")), "{rows:?}");
    assert_eq!(works.run(&["retire", "--yes"]).await?.0, 4);
    assert_eq!(works.number("SELECT count(*) FROM control.tenant_key").await?, 2);
    sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE {schema}.patient SET contact = $1")))
        .bind(good)
        .execute(&mut admin)
        .await?;

    let (code, rows) = works.run(&["retire", "--yes"]).await?;
    assert_eq!((code, &rows[0]["tenant_keys"]), (0, &json!(1)), "{rows:?}");
    assert_eq!(works.number("SELECT count(*) FROM control.tenant_key").await?, 1);
    assert_eq!(works.number("SELECT count(*) FROM {schema}.phi_key WHERE version = 1").await?, 0);
    let keys = fs::read_to_string(works.folder.join("root.key"))?;
    assert_eq!(keys.lines().count(), 1, "the older root key is gone");
    assert_eq!(desk.ask(read, search.clone()).await, before);
    assert_eq!(works.run(&["verify"]).await?.0, 0);
    // And a server that starts now needs nothing older.
    let audited = works
        .number("SELECT count(DISTINCT action) FROM {schema}.audit_entry WHERE action LIKE 'key.%'")
        .await?;
    assert_eq!(audited, 3);
    Ok(())
}

#[tokio::test]
async fn a_rotation_that_was_asked_for_happens_or_says_that_it_did_not() -> Result<()> {
    let works = Works::new().await?;
    works.server.person("northside", "receptionist").await.register("Mairead", "Quill", "1980-02-03").await;
    let finished = |rows: Vec<Value>| rows.last().unwrap()["rotated"].clone();

    // A root key that is prepared is not prepared twice, and then is the one that is used.
    let (code, rows) = works.run(&["rotate", "--root", "--prepare"]).await?;
    assert_eq!((code, finished(rows)), (0, json!(true)));
    let (code, rows) = works.run(&["rotate", "--root", "--prepare"]).await?;
    assert_eq!((code, finished(rows)), (4, json!(false)));
    let keys = || fs::read_to_string(works.folder.join("root.key")).map(|text| text.lines().count());
    assert_eq!(keys()?, 2);
    assert_eq!(works.run(&["rotate", "--root"]).await?.0, 0);
    assert_eq!(keys()?, 2);
    // Half of a rotation is finished before the next, which happens too.
    let half = "UPDATE control.installation_key SET wrapped = (SELECT wrapped FROM half), wrapper = (SELECT wrapper FROM half)";
    let mut admin = works.server.installation.admin().await?;
    let keep = "CREATE TEMPORARY TABLE half AS SELECT wrapped, wrapper FROM control.installation_key";
    sqlx::query(keep).execute(&mut admin).await?;
    assert_eq!(works.run(&["rotate", "--root"]).await?.0, 0);
    sqlx::query(half).execute(&mut admin).await?;
    let (code, rows) = works.run(&["rotate", "--root"]).await?;
    assert_eq!((code, finished(rows), keys()?), (0, json!(true), 4));
    let events = "SELECT string_agg(kind, ' ' ORDER BY id) FROM control.tenant_event WHERE kind LIKE 'ROOT%'";
    let events: String = sqlx::query_scalar(events).fetch_one(&mut admin).await?;
    assert_eq!(events, "ROOT_PREPARE ROOT_ROTATE ROOT_ROTATE ROOT_REWRAP ROOT_ROTATE");

    // Somebody is at a data key all the time: no new version of the clinic's key on top of an unfinished one.
    let find = "SELECT schema_name FROM control.tenant";
    let schema: String = sqlx::query_scalar(find).fetch_one(&mut admin).await?;
    let mut busy = sqlx::Connection::begin(&mut admin).await?;
    let hold = format!("SELECT FROM {schema}.phi_key FOR UPDATE");
    sqlx::query(sqlx::AssertSqlSafe(hold)).execute(&mut *busy).await?;
    let (code, rows) = works.run(&["rotate", "--tenant", "northside"]).await?;
    assert_eq!(
        (code, rows.last().unwrap()["left"].as_u64() > Some(0), finished(rows)),
        (4, true, json!(true))
    );
    let (code, rows) = works.run(&["rotate", "--tenant", "northside"]).await?;
    assert_eq!((code, finished(rows)), (4, json!(false)));
    busy.rollback().await?;
    let noted = "SELECT count(*) FROM {schema}.audit_entry WHERE action = 'key.rotate-tenant'";
    assert_eq!(works.number(noted).await?, 1, "one happened");
    let (code, rows) = works.run(&["rotate", "--tenant", "northside"]).await?;
    assert_eq!((code, finished(rows)), (0, json!(true)));
    assert_eq!(works.number("SELECT max(version)::bigint FROM control.tenant_key").await?, 3);
    assert_eq!(works.run(&["rewrap"]).await?.0, 0);
    let noted = "SELECT count(*) FROM {schema}.audit_entry WHERE action = 'key.rewrap'";
    assert_eq!(works.number(noted).await?, 1);
    Ok(())
}

#[tokio::test]
async fn the_installations_own_key_is_opened_too_and_commands_on_root_keys_take_turns() -> Result<()> {
    let works = Works::new().await?;
    let mut admin = works.server.installation.admin().await?;
    assert!(praxis_platform::rotation::turn::changing(&mut admin).await?);
    assert_eq!(works.run(&["rotate", "--root"]).await?.0, 5);
    assert_eq!(works.run(&["retire", "--yes"]).await?.0, 4);
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut admin).await?;
    sqlx::Connection::close(admin).await?;
    // A file with a single key may lie where nothing can be written.
    let lock = works.folder.join("root.key.lock");
    fs::remove_file(&lock).ok();
    assert_eq!(works.run(&["retire", "--yes"]).await?.0, 0);
    assert!(!lock.exists());

    let mut admin = works.server.installation.admin().await?;
    assert_eq!(works.run(&["verify"]).await?.0, 0);
    let spoil =
        "UPDATE control.installation_key SET wrapped = set_byte(wrapped, 30, get_byte(wrapped, 30) # 1)";
    sqlx::query(spoil).execute(&mut admin).await?;
    let (code, rows) = works.run(&["verify"]).await?;
    let fault = &rows.last().unwrap()["faults"][0];
    assert_eq!((code, fault["table"].as_str()), (1, Some("control.installation_key")), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn passwords_of_login_roles_are_sent_as_verifiers_that_let_them_in() -> Result<()> {
    let works = Works::new().await?;
    let mut admin = works.server.installation.admin().await?;
    let stored: Vec<String> = sqlx::query_scalar(
        "SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL AND rolname LIKE 'praxis\\_' || (SELECT id FROM control.installation) || '\\_%'",
    )
    .fetch_all(&mut admin)
    .await?;
    // The server of this test is connected with them.
    assert!(stored.len() >= 2 && stored.iter().all(|one| one.starts_with("SCRAM-SHA-256$16:")));
    Ok(())
}

//! What the log costs. Not run by default: `cargo nextest run --run-ignored only -E 'test(figures)'`.

use std::time::{Duration, Instant};

use anyhow::Result;
use praxis_platform::audit::Entry;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::Clinic;

/// Rounds of a block; the first tenth only warms up.
const ROUNDS: usize = 33;
/// Blocks with the log and without, in turn, so that a busy machine is as unkind to either.
const BLOCKS: usize = 30;

/// Tables that take entries, or only say so. Only the superuser can make it so.
struct Log {
    admin: PgConnection,
    tables: [String; 2],
}

impl Log {
    async fn of(clinic: &Clinic) -> Result<Self> {
        let mut admin = clinic.server.installation.admin().await?;
        let tables = ["audit_entry", "audit_change"].map(|table| format!("{}.{table}", clinic.schema));
        let function = format!("{}.unwritten()", clinic.schema);
        let create = format!(
            "CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        );
        admin.execute(AssertSqlSafe(create)).await?;
        for table in &tables {
            let trigger = format!(
                "CREATE TRIGGER a_unwritten BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}"
            );
            admin.execute(AssertSqlSafe(trigger)).await?;
        }
        Ok(Self { admin, tables })
    }

    async fn takes(&mut self, entries: bool) -> Result<()> {
        let what = if entries { "DISABLE" } else { "ENABLE" };
        for table in &self.tables {
            let alter = format!("ALTER TABLE {table} {what} TRIGGER a_unwritten");
            self.admin.execute(AssertSqlSafe(alter)).await?;
        }
        Ok(())
    }

    /// The medians of some work while the log is written, and while it is not.
    async fn compare(&mut self, mut work: impl AsyncFnMut()) -> Result<(Duration, Duration)> {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for block in 0..BLOCKS {
            let entries = block % 2 == 0;
            self.takes(entries).await?;
            let times = if entries { &mut with } else { &mut without };
            for round in 0..ROUNDS {
                let start = Instant::now();
                work().await;
                if round >= ROUNDS / 10 {
                    times.push(start.elapsed());
                }
            }
        }
        Ok((median(with), median(without)))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// While the tables take nothing, an entry is still made, authenticated and sent: that is measured alone, and taken
/// from what the request takes then.
#[tokio::test]
#[ignore = "measures"]
#[expect(clippy::print_stderr, reason = "figures are for reading")]
async fn what_an_entry_adds_to_a_mutation_and_to_a_reading() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let ada = owner.register("Ada", "Quill", "1990-01-02").await;
    let mut log = Log::of(&clinic).await?;

    let op = clinic.system().read();
    let patient = op.new_id();
    let alone = log.compare(async || op.record(Entry::done("disclose").of(patient)).await.unwrap()).await?;
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { full } phone } }";
    let reading = log.compare(async || drop(owner.ask(query, json!({ "id": ada })).await)).await?;
    let change = "mutation($id: ID!, $version: Int!, $phone: PhoneNumber) { patientUpdate(input: { id: $id, ifVersion: $version, phone: $phone }) { userErrors { code } } }";
    let mut version = 0;
    let mutation = log
        .compare(async || {
            version += 1;
            let phone = format!("+4420794601{:02}", version % 100);
            let told = owner.ask(change, json!({ "id": ada, "version": version, "phone": phone })).await;
            assert_eq!(told["patientUpdate"]["userErrors"], json!([]));
        })
        .await?;
    eprintln!("an entry alone: {:?}; made and sent but not taken: {:?}", alone.0, alone.1);
    for (name, (with, unwritten)) in [("disclosing reading", reading), ("mutation", mutation)] {
        let without = unwritten.saturating_sub(alone.1);
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        eprintln!("{name}: {with:?} with the log, {without:?} without: × {ratio:.2}");
        assert!(ratio < 2.0, "{name}: {ratio}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "measures"]
#[expect(clippy::print_stderr, reason = "figures are for reading")]
async fn a_hundred_thousand_entries_are_sealed_and_verified() -> Result<()> {
    let clinic = Clinic::new().await?;
    let start = Instant::now();
    clinic.entries(100_000).await?;
    eprintln!("written and sealed in {:?}", start.elapsed());
    let (good, said) = clinic.audit(&["verify", "--tenant", "northside"]);
    eprintln!("{said}");
    assert!(good);
    Ok(())
}

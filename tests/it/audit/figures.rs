//! What the log costs. Not run by default: `cargo nextest run --run-ignored only -E 'test(figures)'`.

use std::time::{Duration, Instant};

use anyhow::Result;
use praxis_platform::audit::Entry;
use serde_json::json;

use super::Clinic;

const ROUNDS: u32 = 200;

async fn mean(mut work: impl AsyncFnMut(u32)) -> Duration {
    for round in 0..20 {
        work(round).await;
    }
    let start = Instant::now();
    for round in 20..20 + ROUNDS {
        work(round).await;
    }
    start.elapsed() / ROUNDS
}

fn ratio(whole: Duration, entry: Duration) -> f64 {
    whole.as_secs_f64() / (whole.saturating_sub(entry)).as_secs_f64()
}

/// The entry is one INSERT of its own in either case, so what it takes alone is what it adds.
#[tokio::test]
#[ignore = "measures"]
#[expect(clippy::print_stderr, reason = "figures are for reading")]
async fn what_an_entry_adds_to_a_mutation_and_to_a_reading() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let ada = owner.register("Ada", "Quill", "1990-01-02").await;
    let query = "query($id: ID!) { patient(by: { id: $id }) { name { full } phone } }";
    let reading = mean(async |_| drop(owner.ask(query, json!({ "id": ada })).await)).await;
    let change = "mutation($id: ID!, $version: Int!, $phone: PhoneNumber) { patientUpdate(input: { id: $id, ifVersion: $version, phone: $phone }) { userErrors { code } } }";
    let mutation = mean(async |round| {
        let phone = format!("+4420794601{:02}", round % 100);
        let variables = json!({ "id": ada, "version": round + 1, "phone": phone });
        drop(owner.ask(change, variables).await);
    })
    .await;
    let op = clinic.system().read();
    let patient = op.new_id();
    let entry = mean(async |_| op.record(Entry::done("disclose").of(patient)).await.unwrap()).await;
    eprintln!("reading {reading:?}, mutation {mutation:?}, an entry alone {entry:?}");
    eprintln!(
        "with the log to without: reading {:.2}, mutation {:.2}",
        ratio(reading, entry),
        ratio(mutation, entry)
    );
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

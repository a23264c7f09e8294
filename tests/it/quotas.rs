//! What a clinic may have, and how long its statements may take: held at the moment it is needed, also in a race.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod seats;
mod statements;
mod storage;

use serde_json::{Value, json};

use crate::support::{installation::TestInstallation, people::Person};

/// `praxis …` for the installation: whether it went well, what was printed, and what was told.
fn praxis(installation: &TestInstallation, arguments: &[&str]) -> (bool, Value, String) {
    let output = installation.command().args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
}

/// Limits the clinic.
fn limit(installation: &TestInstallation, arguments: &[&str]) {
    let (done, _, told) = praxis(installation, &[&["tenant", "limits", "northside"], arguments].concat());
    assert!(done, "{told}");
}

/// How much the clinic has of something and may have, as the operator sees it.
fn usage(installation: &TestInstallation, name: &str) -> (i64, Option<i64>) {
    let (done, rows, told) = praxis(installation, &["tenant", "usage", "northside"]);
    assert!(done, "{told}");
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    (row["used"].as_i64().unwrap(), row["most"].as_i64())
}

/// What the clinic's own people see.
async fn own_usage(person: &Person<'_>) -> Value {
    let query = "{ usage { seats { used max } storage { usedBytes maxBytes } } }";
    person.ask(query, json!({})).await["usage"].clone()
}

fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

//! Random walks: whatever an appointment says is possible is, and nothing else.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::{APPOINTMENT, Clinic, booked, code};
use crate::support::people::Person;

/// The mutations that take nothing but the appointment.
const STEPS: [&str; 11] = [
    "appointmentHoldConfirm",
    "appointmentConfirm",
    "appointmentArrive",
    "appointmentCheckIn",
    "appointmentRoom",
    "appointmentStart",
    "appointmentComplete",
    "appointmentCancel",
    "appointmentMarkNoShow",
    "appointmentUndoNoShow",
    "appointmentEnterInError",
];

/// A stream of numbers that need not be random, only uneven.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

fn allowed(visit: &Value) -> Vec<&'static str> {
    let listed = visit["allowedActions"].as_array().unwrap();
    STEPS.into_iter().filter(|step| listed.contains(&json!(step))).collect()
}

async fn step(person: &Person<'_>, mutation: &str, visit: &Value) -> Value {
    let input = json!({ "id": visit["id"], "ifVersion": visit["version"] });
    person.run(mutation, APPOINTMENT, input).await
}

#[tokio::test]
async fn what_is_said_to_be_possible_is_and_nothing_else() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.person("owner").await;
    let (mut seen, mut refused) = (BTreeSet::new(), 0);
    for seed in 0..8 {
        let mut noise = Noise(seed * 77 + 1);
        let now = clinic.server.installation.clock.now();
        let starts_at = now - TimeDelta::minutes(30 * i64::try_from(seed)? + 30);
        let starts_at = starts_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut visit = booked(&owner, clinic.visit_at(&starts_at, json!({ "durationMinutes": 15 }))).await;
        for _ in 0..8 {
            seen.insert(visit["status"].as_str().unwrap().to_owned());
            let open = allowed(&visit);
            for closed in STEPS.into_iter().filter(|step| !open.contains(step)) {
                let payload = step(&owner, closed, &visit).await;
                assert!(
                    ["INVALID_TRANSITION", "OUT_OF_RANGE"].contains(&code(&payload)),
                    "{closed} {visit}: {payload}"
                );
                refused += 1;
            }
            if open.is_empty() {
                break;
            }
            let chosen = open[noise.next(open.len())];
            let payload = step(&owner, chosen, &visit).await;
            assert_eq!(payload["userErrors"], json!([]), "{chosen} {visit}: {payload}");
            visit = payload["appointment"].clone();
        }
    }
    println!("{} statuses seen, {refused} steps refused", seen.len());
    assert!(seen.len() >= 6 && refused > 100, "{seen:?} {refused}");
    Ok(())
}

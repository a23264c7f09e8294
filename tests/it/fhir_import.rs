//! What other systems exported goes in whole, once, and as it was written.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a wrong value must end the test"
)]

mod history;
mod hostile;
mod stored;
mod values;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use praxis_interop::fhir::{Input, Options, Report, import};
use praxis_platform::{
    OpFactory, Platform, RequestInfo,
    access::Actor,
    audit::Backlog,
    bell::Bell,
    keyring::{KeyTimes, Keyring},
    names::NameIndexes,
    tenancy::{Control, Pool, PoolLimits, Tenant},
};
use serde_json::Value;

use crate::support::installation::TestInstallation;
use stored::Stored;

const MAPPED: [&str; 11] = [
    "Organization",
    "Practitioner",
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "AllergyIntolerance",
    "MedicationRequest",
    "Immunization",
    "Procedure",
    "DocumentReference",
];

/// The operator at a clinic of their own.
async fn clinic() -> Result<OpFactory> {
    let installation = TestInstallation::new().await?;
    let tenant = installation.provision("northside").await?;
    operator(&installation, tenant).await
}

/// The operator at a clinic that is there.
async fn operator(installation: &TestInstallation, tenant: Tenant) -> Result<OpFactory> {
    let control = Control::connect(&installation.url, &*installation.keys).await?;
    let limits = PoolLimits { connections: 4, wait: Duration::from_secs(30), ..PoolLimits::default() };
    let platform = Arc::new(Platform {
        pool: Pool::new(control.clone(), limits),
        keyring: Keyring::new(
            control,
            Arc::clone(&installation.keys) as _,
            Arc::clone(&installation.clock),
            KeyTimes::default(),
        ),
        clock: Arc::clone(&installation.clock),
        names: NameIndexes::new(1),
        backlog: Backlog::default(),
        readings: Arc::default(),
        bell: Bell::default(),
    });
    Ok(OpFactory::new(platform, Arc::new(tenant), Arc::new(Actor::operator()), RequestInfo::default(), true))
}

async fn take_in(clinic: &OpFactory, files: &[PathBuf]) -> Result<Report> {
    Ok(import(clinic, &Input::open(files)?, Options { source: "", progress: &|_| {} }).await?)
}

/// The files of a data set; `None`, said loudly, where it is not at hand.
fn data(set: &str, ending: &str) -> Option<Vec<PathBuf>> {
    let root =
        env::var_os("PRAXIS_TEST_DATA").map_or_else(|| Path::new("../shared/data").to_owned(), PathBuf::from);
    let Ok(folder) = fs::read_dir(root.join(set)) else {
        eprintln!("NOT TESTED: {} is absent; set PRAXIS_TEST_DATA", root.join(set).display());
        return None;
    };
    let mut files: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    Some(files)
}

fn count(counts: &mut BTreeMap<String, u64>, resource: &Value) {
    *counts.entry(resource["resourceType"].as_str().unwrap().to_owned()).or_default() += 1;
}

#[tokio::test]
async fn six_bundles_go_in_whole_and_once_or_is_not_tested_without_data() -> Result<()> {
    let Some(files) = data("fhir-synthea-2019", "json") else { return Ok(()) };
    assert_eq!(files.len(), 6);
    let mut expected = BTreeMap::new();
    let mut resources = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let bundle: Value = serde_json::from_str(&text)?;
        for entry in bundle["entry"].as_array().unwrap() {
            count(&mut expected, &entry["resource"]);
            resources.push(entry["resource"].clone());
        }
    }
    let clinic = clinic().await?;
    let report = take_in(&clinic, &files).await?;
    eprintln!("{} ms, {} rows/s", report.duration_ms, report.rows_per_second);
    assert_eq!(report.failures, []);
    for (kind, read) in &expected {
        let counts = report.of(kind);
        let modelled = MAPPED.contains(&kind.as_str());
        assert_eq!(counts.read, *read, "{kind}");
        assert_eq!(counts.created + counts.unchanged, if modelled { *read } else { 0 }, "{kind}");
        assert_eq!(counts.kept_sealed, if modelled { 0 } else { *read }, "{kind}");
    }

    let stored = Stored::load(&clinic).await?;
    for (kind, rows) in &stored.rows {
        assert_eq!(*rows, report.of(kind).created, "{kind}");
    }
    assert_eq!(stored.rows["Observation"], expected["Observation"]);
    for resource in &resources {
        values::check(&stored, resource);
    }
    for file in &files {
        values::check_numbers(&stored, &fs::read_to_string(file)?);
    }

    let again = take_in(&clinic, &files).await?;
    for counts in &again.types {
        assert_eq!(
            (counts.created, counts.kept_sealed, counts.failed),
            (0, 0, 0),
            "{}",
            counts.resource_type
        );
        assert_eq!(counts.unchanged, expected[&counts.resource_type]);
    }
    let after = Stored::load(&clinic).await?;
    assert_eq!((after.rows, after.kept.len()), (stored.rows, stored.kept.len()));
    Ok(())
}

#[tokio::test]
async fn bulk_files_go_in_whatever_their_order_or_is_not_tested_without_data() -> Result<()> {
    let Some(mut files) = data("fhir-synthea-2025-bulk", "ndjson") else { return Ok(()) };
    // Patients last: every other file refers to them.
    files.sort_by_key(|file| file.to_string_lossy().contains("Patient."));
    let mut expected = BTreeMap::new();
    let mut checked = Vec::new();
    for file in &files {
        for line in fs::read_to_string(file)?.lines() {
            let resource: Value = serde_json::from_str(line)?;
            count(&mut expected, &resource);
            if resource["resourceType"] != "Patient" {
                checked.push(resource);
            }
        }
    }
    let clinic = clinic().await?;
    let report = take_in(&clinic, &files).await?;
    eprintln!("{} ms, {} rows/s", report.duration_ms, report.rows_per_second);
    assert_eq!(report.failures, []);
    for (kind, read) in &expected {
        let counts = report.of(kind);
        assert_eq!(counts.created + counts.unchanged + counts.kept_sealed, *read, "{kind}");
    }
    let stored = Stored::load(&clinic).await?;
    for (kind, rows) in &stored.rows {
        assert_eq!(*rows, report.of(kind).created, "{kind}");
    }
    for resource in &checked {
        values::check(&stored, resource);
    }
    for encounter in checked.iter().filter(|resource| resource["resourceType"] == "Encounter") {
        let row = stored.encounter(encounter);
        let npi = encounter["participant"][0]["individual"]["reference"]
            .as_str()
            .unwrap()
            .rsplit('|')
            .next()
            .unwrap();
        assert_eq!(row.practitioner_id, stored.practitioners.get(npi).copied());
        assert!(row.practitioner_id.is_some() && row.organization_id.is_some());
    }
    let again = take_in(&clinic, &files).await?;
    assert_eq!(again.types.iter().map(|one| one.unchanged).sum::<u64>(), expected.values().sum::<u64>());
    Ok(())
}

#[tokio::test]
async fn golden_bundles_go_in_or_say_why_not_or_is_not_tested_without_data() -> Result<()> {
    let Some(files) = data("fhir-uscore-inferno", "json") else { return Ok(()) };
    let clinic = clinic().await?;
    let report = take_in(&clinic, &files).await?;
    for failed in &report.failures {
        eprintln!("{}:{}: {} {}", failed.file, failed.position, failed.path, failed.reason);
    }
    for counts in &report.types {
        eprintln!("{counts:?}");
        assert_eq!(counts.read, counts.created + counts.unchanged + counts.kept_sealed + counts.failed);
    }
    assert!(report.of("Patient").created > 0 && report.of("Observation").created > 0);
    let again = take_in(&clinic, &files).await?;
    assert_eq!(again.types.iter().map(|one| one.created + one.kept_sealed).sum::<u64>(), 0);
    Ok(())
}

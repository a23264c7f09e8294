//! Files that are wrong by accident or on purpose: a typed failure each, and no more than that.

use std::{env, fs, path::PathBuf};

use anyhow::Result;
use praxis_interop::fhir::Input;
use praxis_platform::vault::crypto;
use serde_json::{Value, json};

use super::{clinic, stored::Stored, take_in};

/// A file that goes away with the test.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(ending: &str, text: &str) -> Result<Self> {
        let noise = data_encoding::BASE32_NOPAD.encode(&crypto::random::<10>()?);
        let file = env::temp_dir().join(format!("praxis-test-{noise}.{ending}"));
        fs::write(&file, text)?;
        Ok(Self(file))
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        vec![self.0.clone()]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

pub(super) fn patient(id: &str, family: &str, born: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id, "name": [{ "family": family }], "birthDate": born })
}

fn observation(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "code": { "text": "weight" }, "subject": { "reference": format!("Patient/{patient}") }
    })
}

pub(super) fn with(mut resource: Value, key: &str, value: Value) -> Value {
    resource[key] = value;
    resource
}

pub(super) fn lines(resources: &[Value]) -> String {
    resources.iter().map(|resource| format!("{resource}\n")).collect()
}

#[tokio::test]
async fn what_is_wrong_is_named_without_a_word_of_content_and_the_rest_goes_in() -> Result<()> {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let cases = [
        (observation("o1", "p1"), ""),
        (
            with(observation("o2", "p1"), "code", json!({ "coding": [{ "code": 7 }] })),
            "Observation.code.coding[0].code",
        ),
        (
            with(observation("o3", "p1"), "valueQuantity", json!({ "value": "secret" })),
            "Observation.valueQuantity.value",
        ),
        (with(observation("o4", "p1"), "status", json!("secret")), "Observation.status"),
        (
            with(observation("o5", "p1"), "effectiveDateTime", json!("secret")),
            "Observation.effectiveDateTime",
        ),
        (
            with(with(observation("o6", "p1"), "valueString", json!("a")), "valueBoolean", json!(true)),
            "Observation.value[x]",
        ),
        (observation("o7", "nobody"), "Observation.subject"),
        (observation("o8", "broken"), "Observation.subject"),
        (
            with(observation("o9", "p1"), "encounter", json!({ "reference": "Encounter/other" })),
            "Observation.encounter",
        ),
        (with(observation("o10", "p1"), "component", json!([{ "code": {} }])), "Observation.component"),
        (with(patient("broken", "secret", "1970"), "birthDate", json!("secret")), "Patient.birthDate"),
        (with(patient("p3", "secret", "2999-01-01"), "gender", json!("male")), "Patient.birthDate"),
        (json!({ "resourceType": "Patient", "name": [] }), "Patient.id"),
        (
            json!({ "resourceType": "Basic", "id": "b", "subject": { "reference": "Patient/nobody" } }),
            "Basic.subject",
        ),
        (json!({ "resourceType": "Basic", "id": "a/b" }), "Basic.id"),
        (json!({ "resourceType": "secret secret", "id": "1" }), "resourceType"),
        (
            json!({ "resourceType": "Practitioner", "id": "x", "identifier": [{ "system": "urn:s", "value": "a\u{0}b" }] }),
            "Practitioner.identifier",
        ),
        (json!(["secret"]), ""),
    ];
    let mut text = lines(&[patient("p1", "Núñez", "1970-02"), patient("p2", "Li", "1980")]);
    let visit = json!({ "resourceType": "Encounter", "id": "other", "status": "finished", "subject": { "reference": "Patient/p2" } });
    text += &lines(&[visit]);
    text += &cases.iter().map(|(resource, _)| format!("{resource}\n")).collect::<String>();
    text += &format!("{{\"resourceType\":\"Basic\",\"id\":\"d\",\"x\":{deep}}}\n");
    text += "{\"resourceType\":\"Basic\",\"id\":\"e\",\"id\":\"f\"}\n";
    let file = Scratch::new("ndjson", &text)?;
    let clinic = clinic().await?;
    let report = take_in(&clinic, &file.files()).await?;
    for (line, (_, path)) in
        (4..).zip(&cases).filter(|(_, (resource, path))| !path.is_empty() || resource.is_array())
    {
        let failed = report.failures.iter().find(|failed| failed.position == line);
        assert_eq!(failed.map(|failed| failed.path.as_str()), Some(*path), "line {line}");
    }
    assert_eq!(report.failures.len(), cases.len() - 1 + 2, "{:#?}", report.failures);
    assert!(!serde_json::to_string(&report)?.contains("secret"));
    assert_eq!((report.of("Patient").created, report.of("Observation").created), (2, 1));

    // The broken one is mended at its source: a rerun takes in what is new, and what waited for it.
    let mended = Scratch::new(
        "ndjson",
        &lines(&[patient("broken", "Mended", "1970"), observation("o8", "broken"), observation("o1", "p1")]),
    )?;
    let report = take_in(&clinic, &mended.files()).await?;
    assert_eq!(
        (report.failed(), report.of("Observation").created, report.of("Observation").unchanged),
        (0, 1, 1)
    );
    Ok(())
}

#[tokio::test]
async fn a_file_cut_off_stops_everything_before_it_begins() -> Result<()> {
    let clinic = clinic().await?;
    let good = Scratch::new("json", &patient("p1", "Good", "1970").to_string())?;
    for (ending, text) in [
        ("ndjson", format!("{}\n{{\"resourceType\":\"Patient\",\"na", patient("p2", "Secret", "1970"))),
        ("json", "{\"resourceType\":\"Bundle\",\"entry\":[{".to_owned()),
        ("json", "{\"resourceType\":\"Bundle\",\"entry\":{\"a\":\"Secret\"}}".to_owned()),
        ("json", String::new()),
    ] {
        let bad = Scratch::new(ending, &text)?;
        let error = Input::open(&[good.0.clone(), bad.0.clone()]).unwrap_err().to_string();
        assert!(error.contains("line ") && !error.contains("Secret"), "{error}");
        assert!(take_in(&clinic, &[good.0.clone(), bad.0.clone()]).await.is_err());
    }
    assert_eq!(Stored::load(&clinic).await?.rows["Patient"], 0);
    Ok(())
}

#[tokio::test]
async fn people_are_known_by_their_numbers_and_never_by_a_record_number_alone() -> Result<()> {
    let clinic = clinic().await?;
    let numbers = |mrn: &str, ssn: &str| {
        json!([
            { "type": { "coding": [{ "code": "MR" }] }, "system": "urn:mr", "value": mrn },
            { "system": "http://hl7.org/fhir/sid/us-ssn", "value": ssn }
        ])
    };
    let ann = with(patient("1", "Ann", "1970-01-01"), "identifier", numbers("77", "999-10-0001"));
    let married = with(patient("2", "Married", "1970-01-01"), "identifier", numbers("88", "999-10-0001"));
    let thief = with(patient("3", "Bob", "1999"), "identifier", numbers("99", "999-10-0001"));
    let mut bob = with(patient("4", "Bob", "1999"), "identifier", numbers("77", "999-10-0002"));
    bob["identifier"][0]["system"] = json!("urn:other-clinic");
    let file = Scratch::new("ndjson", &lines(&[ann, married, thief, bob]))?;
    let report = take_in(&clinic, &file.files()).await?;
    let counts = report.of("Patient");
    assert_eq!((counts.created, counts.unchanged, counts.failed), (2, 1, 1));
    assert_eq!(report.failures[0].position, 3);
    let stored = Stored::load(&clinic).await?;
    let mut mrns: Vec<_> = stored.patients.values().map(|patient| patient.number.mrn.as_str()).collect();
    mrns.sort_unstable();
    assert_eq!(mrns, ["77", "M0000001"]);

    // The same id, and quite another person: not the one whose chart is here.
    let stranger = Scratch::new("ndjson", &lines(&[patient("1", "Zoe", "2001"), observation("z", "1")]))?;
    let report = take_in(&clinic, &stranger.files()).await?;
    assert_eq!((report.of("Patient").failed, report.of("Observation").failed), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_bundle_may_refer_by_url_within_itself_and_to_unknown_others() -> Result<()> {
    let clinic = clinic().await?;
    let entry = |resource: Value| {
        let url = format!(
            "https://ehr.example/fhir/{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        json!({ "fullUrl": url, "resource": resource })
    };
    let mut seen = observation("o", "1");
    seen["performer"] = json!([{ "reference": "Practitioner?identifier=urn:npi|none" }]);
    seen["valueRatio"] = json!({ "numerator": { "value": 1 }, "denominator": { "value": 128 } });
    seen["text"] = json!({ "status": "generated", "div": "<div>kept</div>" });
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        entry(seen.clone()), entry(patient("1", "Ann", "1970")), {},
        { "request": { "method": "DELETE", "url": "Patient/1" } }
    ]});
    let file = Scratch::new("json", &bundle.to_string())?;
    let report = take_in(&clinic, &file.files()).await?;
    assert_eq!(report.failures.iter().map(|failed| failed.position).collect::<Vec<_>>(), [3, 4]);
    let stored = Stored::load(&clinic).await?;
    let (row, result) = &stored.observations[&stored.mapped(&seen)];
    assert_eq!(row.performer_id, None);
    assert_eq!(serde_json::to_value(&result.value)?, json!({ "text": "1:128" }));
    let rest = &stored.kept(&seen).json;
    assert!(["performer", "valueRatio", "text"].iter().all(|key| rest[key] == seen[key]), "{rest}");
    assert!(rest.get("code").is_none() && rest.get("subject").is_none());
    Ok(())
}

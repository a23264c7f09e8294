//! The example visit of the documentation, played as it is printed there.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{SLUG, clinic, requirements, text};
use crate::support::people::Person;

const SCRIPT: &str = include_str!("../../../docs/examples/visit.graphql");

/// One operation of a script: its name, its text, and what is taken along from its answer.
struct Scene {
    name: String,
    text: String,
    keep: Vec<(String, String)>,
}

fn scenes(script: &str) -> Vec<Scene> {
    let (mut scenes, mut keep): (Vec<Scene>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    for line in script.lines() {
        if let Some((name, path)) = line.strip_prefix("# keep ").and_then(|rest| rest.split_once(" = ")) {
            keep.push((name.to_owned(), path.to_owned()));
        } else if line.starts_with("mutation ") || line.starts_with("query ") {
            let name = line.split([' ', '(', '{']).nth(1).unwrap().to_owned();
            scenes.push(Scene { name, text: line.to_owned(), keep: std::mem::take(&mut keep) });
        } else if let Some(scene) = scenes.last_mut().filter(|_| !line.starts_with('#')) {
            scene.text.push('\n');
            scene.text.push_str(line);
        }
    }
    scenes
}

/// What stands at a path: `documentTemplates[key=soap].id`.
fn found_at<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(data, |value, part| match part.trim_end_matches(']').split_once('[') {
        None => value.get(part),
        Some((name, wanted)) => {
            let (key, text) = wanted.split_once('=')?;
            value.get(name)?.as_array()?.iter().find(|one| one[key] == text)
        }
    })
}

/// Plays a script and returns each answer by the name of its operation.
async fn play(person: &Person<'_>, script: &str) -> HashMap<String, Value> {
    let (mut kept, mut answers): (Map<String, Value>, HashMap<String, Value>) = Default::default();
    for scene in scenes(script) {
        let head = scene.text.split('{').next().unwrap();
        let wanted = kept.iter().filter(|(name, _)| head.contains(&format!("${name}:")));
        let variables: Map<_, _> = wanted.map(|(name, value)| (name.clone(), value.clone())).collect();
        let data = person.ask(&scene.text, Value::Object(variables)).await;
        for (name, path) in scene.keep {
            let value = found_at(&data, &path).filter(|value| !value.is_null());
            assert!(value.is_some(), "{}: {data}", scene.name);
            kept.insert(name, value.unwrap().clone());
        }
        answers.insert(scene.name, data);
    }
    answers
}

#[tokio::test]
async fn the_example_visit_is_played_as_it_is_printed() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person(SLUG, "physician").await;
    let answers = play(&physician, SCRIPT).await;
    let vitals = &answers["Vitals"]["vitalsRecord"]["vitalSigns"];
    assert_eq!(
        vitals["earlyWarningScore"]["missing"],
        json!(["RESPIRATORY_RATE", "INHALED_OXYGEN", "CONSCIOUSNESS"])
    );
    assert!(vitals.to_string().contains(r#"{"code":"Cel""#) || vitals.to_string().contains("37.0"));
    let early = &answers["CloseTooEarly"]["encounterClose"];
    assert_eq!(early["encounter"], Value::Null);
    assert_eq!(early["userErrors"][0]["__typename"], "CloseGateError");
    let note = &answers["Note"]["documentDraft"]["document"]["id"];
    assert_eq!(requirements(early), ["SIGNED_DOCUMENT", "UNSIGNED_DOCUMENT"]);
    assert_eq!(early["userErrors"][0]["requirements"][1]["node"]["id"], *note);
    let visit = &answers["Sign"]["documentSign"]["document"]["encounter"];
    assert_eq!(visit["closeRequirements"], json!([]));
    assert_eq!(visit["assessment"]["version"], 1);
    assert_eq!((&visit["plan"]["version"], &visit["plan"]["document"]["id"]), (&json!(2), note));
    let seen = &answers["Timeline"]["encounter"];
    let kinds: Vec<_> =
        seen["timeline"]["nodes"].as_array().unwrap().iter().map(|one| text(&one["kind"])).collect();
    assert_eq!(
        kinds,
        [
            "ENCOUNTER_PLANNED",
            "ENCOUNTER_CHECKED_IN",
            "VITALS_RECORDED",
            "ENCOUNTER_STARTED",
            "ASSESSMENT_RECORDED",
            "PLAN_RECORDED",
            "DOCUMENT_DRAFTED",
            "TASK_CREATED",
            "DOCUMENT_SIGNED",
            "PLAN_RECORDED"
        ]
    );
    assert_eq!(seen["tasks"]["nodes"][0]["code"], "ORDER");
    assert_eq!(seen["documents"]["nodes"][0]["status"], "SIGNED");
    let closed = &answers["Close"]["encounterClose"];
    assert_eq!(closed["userErrors"], json!([]));
    assert_eq!(closed["encounter"]["status"], "CLOSED");
    assert_eq!(
        closed["encounter"]["timeline"]["nodes"],
        json!([{ "sequence": 11, "kind": "ENCOUNTER_CLOSED" }])
    );
    Ok(())
}

//! Whole lives of documents: whatever is done in whatever order, what was signed stays, and every refusal has its shape.

use std::collections::BTreeMap;

use anyhow::Result;
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{ASSESSMENT, PLAN, clinic, draft, template, texts};
use crate::support::people::Person;

/// What is tried, and whether its author or a physician does it.
#[derive(Debug, Clone, Copy)]
enum Try {
    Save,
    Sign,
    Cosign,
    Amend,
    Addendum,
    EnterInError,
    Discard,
}

impl Try {
    const ALL: [Self; 7] = [
        Self::Save,
        Self::Sign,
        Self::Cosign,
        Self::Amend,
        Self::Addendum,
        Self::EnterInError,
        Self::Discard,
    ];

    /// The mutation, and what it takes besides id and version.
    fn call(self, number: usize) -> (&'static str, Value) {
        let plan = texts(&[(PLAN, &format!("Plan {number}"))]);
        match self {
            Self::Save => ("documentSave", json!({ "sections": plan })),
            Self::Sign => ("documentSign", json!({})),
            Self::Cosign => ("documentCosign", json!({})),
            Self::Amend => ("documentAmend", json!({ "sections": plan, "reason": "Said in a test" })),
            Self::Addendum => ("documentAddendum", json!({ "text": "More" })),
            Self::EnterInError => ("documentEnterInError", json!({ "reason": "Said in a test" })),
            Self::Discard => ("documentDiscard", json!({})),
        }
    }

    /// Where it leads from a status, as the trade has it: by a nurse who wrote it, or by a physician.
    fn leads(self, status: &str, author: bool, amended: bool) -> Option<&'static str> {
        let signed = ["IN_REVIEW", "SIGNED", "AMENDED"].contains(&status);
        match self {
            Self::Save if status == "DRAFT" && author => Some("DRAFT"),
            Self::Sign if status == "DRAFT" && author => Some("IN_REVIEW"),
            Self::Discard if status == "DRAFT" && author => Some("DISCARDED"),
            Self::Cosign if status == "IN_REVIEW" && !author => {
                Some(if amended { "AMENDED" } else { "SIGNED" })
            }
            Self::Amend if signed => Some(if author { "IN_REVIEW" } else { "AMENDED" }),
            Self::Addendum if signed => Some(match status {
                "IN_REVIEW" => "IN_REVIEW",
                "SIGNED" => "SIGNED",
                _ => "AMENDED",
            }),
            Self::EnterInError if signed => Some("ENTERED_IN_ERROR"),
            _ => None,
        }
    }
}

const WHOLE: &str = "query($id: ID!) { document(id: $id) { version status draft { text }
    versions { number current supersedes kind sha256 reason sections { code text } signatures { meaning signerId sha256 } } addenda { id status } } }";

async fn whole(person: &Person<'_>, id: &Value) -> Value {
    person.ask(WHOLE, json!({ "id": id })).await["document"].clone()
}

/// What holds of every document, wherever it stands.
fn sound(document: &Value, before: &Value) {
    let versions = document["versions"].as_array().unwrap();
    let (status, earlier) = (document["status"].as_str().unwrap(), before["versions"].as_array().unwrap());
    // Nothing that was signed is gone or says something else; only which one counts may have changed.
    let without = |version: &Value| {
        let mut version = version.clone();
        let fields = version.as_object_mut().unwrap();
        fields.remove("current");
        // A cosignature comes later.
        fields.remove("signatures");
        version
    };
    for (now, then) in versions.iter().zip(earlier) {
        assert_eq!(without(now), without(then));
        let (now, then) = (now["signatures"].as_array().unwrap(), then["signatures"].as_array().unwrap());
        assert!(now.starts_with(then), "no signature is taken back");
    }
    assert!(versions.len() >= earlier.len());
    assert_eq!(versions.is_empty(), ["DRAFT", "DISCARDED"].contains(&status), "{status}");
    let current = versions.iter().filter(|version| version["current"] == true).count();
    assert_eq!(current, usize::from(!versions.is_empty()), "one version counts");
    for (number, version) in versions.iter().enumerate() {
        assert_eq!(version["number"], json!(number + 1));
        let signatures = version["signatures"].as_array().unwrap();
        assert_eq!(signatures[0]["meaning"], "AUTHOR");
        assert!(signatures.iter().all(|one| one["sha256"] == version["sha256"]), "they signed what it says");
        if let [author, cosigner] = signatures.as_slice() {
            assert_eq!(cosigner["meaning"], "COSIGN");
            assert_ne!(author["signerId"], cosigner["signerId"], "nobody cosigns their own");
        }
    }
}

#[tokio::test]
async fn whatever_is_done_in_whatever_order_what_was_signed_stays() -> Result<()> {
    let server = clinic().await?;
    let (nurse, physician) =
        (server.person("northside", "nurse").await, server.person("northside", "physician").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let mut runner = TestRunner::deterministic();
    let step = (proptest::sample::select(Try::ALL.to_vec()), any::<bool>(), any::<bool>());
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..16 {
        let steps = vec(step.clone(), 3..14).new_tree(&mut runner).unwrap().current();
        let mut before = {
            let drafted = draft(&nurse, &patient, "soap").await;
            let whole = whole(&nurse, &drafted["id"]).await;
            (drafted["id"].clone(), whole)
        };
        for (number, (tried, by_author, hurry)) in steps.into_iter().enumerate() {
            let (id, document) = &before;
            // Half of the drafts are signed soon, so that the rest of life is met as well.
            let tried = if hurry && document["status"] == "DRAFT" { Try::Sign } else { tried };
            let hurried = hurry && document["status"] == "DRAFT";
            // Nurses may not cosign at all.
            let author = hurried || (by_author && !matches!(tried, Try::Cosign));
            let person = if author { &nurse } else { &physician };
            let status = document["status"].as_str().unwrap();
            let head =
                document["versions"].as_array().unwrap().iter().find(|version| version["current"] == true);
            let amended = head.is_some_and(|head| head["kind"] == "AMENDMENT");
            let (mutation, more) = tried.call(number);
            let mut input = json!({ "id": id, "ifVersion": document["version"] });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let done = person.run(mutation, "userErrors { code }", input).await;
            let after = whole(&nurse, id).await;
            match tried.leads(status, author, amended) {
                Some(to) => {
                    assert_eq!(done["userErrors"], json!([]), "{tried:?} from {status}");
                    assert_eq!(after["status"], to, "{tried:?} from {status}");
                }
                None => {
                    let code = done["userErrors"][0]["code"].as_str().unwrap();
                    assert!(
                        ["INVALID_TRANSITION", "LOCKED"].contains(&code),
                        "{tried:?} from {status}: {code}"
                    );
                    assert_eq!(&after, document, "{tried:?} from {status} changed something");
                }
            }
            sound(&after, document);
            *reached.entry(after["status"].as_str().unwrap().to_owned()).or_default() += 1;
            before = (id.clone(), after);
        }
    }
    assert_eq!(reached.len(), 6, "all but what was received: {reached:?}");
    Ok(())
}

/// What clients branch on: type, code and place of every refusal. It changes only in review.
#[tokio::test]
async fn every_refusal_of_a_document_has_its_shape() -> Result<()> {
    let server = clinic().await?;
    let (nurse, physician) =
        (server.person("northside", "nurse").await, server.person("northside", "physician").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let soap = template(&nurse, "soap").await;
    let own = draft(&nurse, &patient, "soap").await;
    let waiting = draft(&nurse, &patient, "soap").await;
    nurse.run("documentSign", "userErrors { code }", json!({ "id": waiting["id"], "ifVersion": 1 })).await;
    let nowhere = "doc_01jd3k5n8re6ktp1rb6z9q4x2m";
    let mut shapes = BTreeMap::new();
    let mut note = async |what: &'static str, person: &Person<'_>, mutation: &str, input: Value| {
        let select = "userErrors { __typename code path message
            ... on InvalidTransitionError { currentStatus allowedActions } ... on VersionConflictError { currentVersion } }";
        let refused = person.run(mutation, select, input).await;
        shapes.insert(what, refused["userErrors"].clone());
    };
    let of = |document: &Value, version: i32, more: Value| {
        let mut input = json!({ "id": document["id"], "ifVersion": version });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let (empty, reason) = (json!({}), json!({ "reason": "Said in a test" }));
    note(
        "draft: no such patient",
        &nurse,
        "documentDraft",
        json!({ "patientId": "pat_01jd3k5n8re6ktp1rb6z9q4x2m", "templateId": soap }),
    )
    .await;
    note(
        "draft: no such template",
        &nurse,
        "documentDraft",
        json!({ "patientId": patient, "templateId": "ntp_01jd3k5n8re6ktp1rb6z9q4x2m" }),
    )
    .await;
    note(
        "save: no such document",
        &nurse,
        "documentSave",
        json!({ "id": nowhere, "ifVersion": 1, "sections": [] }),
    )
    .await;
    note(
        "save: an unknown section",
        &nurse,
        "documentSave",
        of(&own, 1, json!({ "sections": texts(&[("1-8", "x")]) })),
    )
    .await;
    note("save: another version", &nurse, "documentSave", of(&own, 7, json!({ "sections": [] }))).await;
    note("save: another's draft", &physician, "documentSave", of(&own, 1, json!({ "sections": [] }))).await;
    note("sign: another's draft", &physician, "documentSign", of(&own, 1, empty.clone())).await;
    note("sign: twice", &nurse, "documentSign", of(&waiting, 2, empty.clone())).await;
    note("cosign: a draft", &physician, "documentCosign", of(&own, 1, empty.clone())).await;
    note("discard: what is signed", &nurse, "documentDiscard", of(&waiting, 2, empty.clone())).await;
    note("amend: a draft", &nurse, "documentAmend", of(&own, 1, json!({ "sections": [], "reason": "x" })))
        .await;
    note(
        "amend: nothing and no reason",
        &nurse,
        "documentAmend",
        of(&waiting, 2, json!({ "sections": [], "reason": " " })),
    )
    .await;
    note("addendum: to a draft", &nurse, "documentAddendum", of(&own, 1, json!({ "text": "x" }))).await;
    note("addendum: without words", &nurse, "documentAddendum", of(&waiting, 2, json!({ "text": " " })))
        .await;
    note("enter in error: a draft", &nurse, "documentEnterInError", of(&own, 1, reason.clone())).await;
    let bare = json!({ "sections": texts(&[(ASSESSMENT, " ")]) });
    let saved = nurse.run("documentSave", "document { version }", of(&own, 1, bare)).await;
    let version = i32::try_from(saved["document"]["version"].as_i64().unwrap())?;
    note("sign: what must be said is missing", &nurse, "documentSign", of(&own, version, empty)).await;
    insta::assert_json_snapshot!(shapes);
    Ok(())
}

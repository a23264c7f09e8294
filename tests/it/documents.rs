//! Clinical documents: written, signed, continued, and never changed behind anybody's back.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::TimeDelta;
use futures::future::join_all;
use praxis_entity::ids::{DocumentId, TypedId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{people::Person, server::TestServer};

mod lives;

const SHOWN: &str = "document { id version status draft { code text } current { number kind reason sections { code title text } signatures { meaning signerId sha256 } } allowedActions } userErrors { code message path }";
const READ: &str = "query($id: ID!) { document(id: $id) { status current { number sha256 sections { code text } } versions { number current supersedes kind reason sections { code text } } addenda { id type status current { sections { text } } } } }";

const SUBJECTIVE: &str = "61150-9";
const OBJECTIVE: &str = "61149-1";
const ASSESSMENT: &str = "51848-0";
const PLAN: &str = "18776-5";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

fn texts(texts: &[(&str, &str)]) -> Value {
    texts.iter().map(|(code, text)| json!({ "code": code, "text": text })).collect()
}

fn soap() -> Value {
    texts(&[
        (SUBJECTIVE, "Cough for three days"),
        (OBJECTIVE, "Chest clear"),
        (ASSESSMENT, "Viral bronchitis"),
        (PLAN, "Rest\nFluids"),
    ])
}

/// The id of a template of the clinic.
async fn template(person: &Person<'_>, key: &str) -> String {
    let data = person.ask("{ documentTemplates { id key version } }", json!({})).await;
    let all = data["documentTemplates"].as_array().unwrap();
    let found = all.iter().find(|template| template["key"] == key).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

async fn draft(person: &Person<'_>, patient: &str, key: &str) -> Value {
    let template = template(person, key).await;
    let input = json!({ "patientId": patient, "templateId": template, "sections": soap() });
    let drafted = person.run("documentDraft", SHOWN, input).await;
    assert_eq!(drafted["userErrors"], json!([]));
    drafted["document"].clone()
}

async fn act(person: &Person<'_>, mutation: &str, document: &Value, more: Value) -> Value {
    let mut input = json!({ "id": document["id"], "ifVersion": document["version"] });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    person.run(mutation, SHOWN, input).await
}

/// The same where nothing may stand in the way.
async fn done(person: &Person<'_>, mutation: &str, document: &Value, more: Value) -> Value {
    let done = act(person, mutation, document, more).await;
    assert_eq!(done["userErrors"], json!([]), "{mutation}");
    done["document"].clone()
}

fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

fn uuid(document: &Value) -> String {
    document["id"].as_str().unwrap().parse::<DocumentId>().unwrap().uuid().to_string()
}

#[tokio::test]
async fn a_note_is_drafted_saved_signed_amended_and_compared() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let template = template(&physician, "soap").await;
    let begun = physician
        .run("documentDraft", SHOWN, json!({ "patientId": patient, "templateId": template }))
        .await["document"]
        .clone();
    assert_eq!(begun["status"], "DRAFT");
    let first =
        done(&physician, "documentSave", &begun, json!({ "sections": texts(&[(PLAN, "Rest")]) })).await;
    // What was seen before is not what would be overwritten.
    let stale = act(&physician, "documentSave", &begun, json!({ "sections": texts(&[(PLAN, "Run")]) })).await;
    assert_eq!(codes(&stale), ["VERSION_CONFLICT"]);
    let empty = texts(&[(SUBJECTIVE, " "), (OBJECTIVE, ""), (ASSESSMENT, "")]);
    let emptied = done(&physician, "documentSave", &first, json!({ "sections": empty })).await;
    let unready = act(&physician, "documentSign", &emptied, json!({})).await;
    assert!(codes(&unready).iter().all(|code| *code == "REQUIRED") && !codes(&unready).is_empty());
    assert!(
        unready["userErrors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|error| error["path"] == json!(["input", "sections", SUBJECTIVE]))
    );

    let saved = done(&physician, "documentSave", &emptied, json!({ "sections": soap() })).await;
    let signed = done(&physician, "documentSign", &saved, json!({})).await;
    assert_eq!((&signed["status"], &signed["draft"]), (&json!("SIGNED"), &Value::Null));
    assert_eq!(signed["current"]["number"], 1);
    assert_eq!(signed["current"]["signatures"][0]["meaning"], "AUTHOR");
    for verb in ["documentSave", "documentSign", "documentDiscard", "documentCosign"] {
        let more = if verb == "documentSave" { json!({ "sections": [] }) } else { json!({}) };
        assert_eq!(codes(&act(&physician, verb, &signed, more).await), ["INVALID_TRANSITION"], "{verb}");
    }

    let change = json!({ "sections": texts(&[(PLAN, "Rest\nAmoxicillin")]), "reason": "Culture came back" });
    let amended = done(&physician, "documentAmend", &signed, change.clone()).await;
    assert_eq!((&amended["status"], &amended["current"]["number"]), (&json!("AMENDED"), &json!(2)));
    assert_eq!(amended["current"]["reason"], "Culture came back");
    let same = act(&physician, "documentAmend", &amended, change).await;
    assert_eq!(codes(&same), ["INVALID"]);

    let read = physician.ask(READ, json!({ "id": signed["id"] })).await["document"].clone();
    let versions = read["versions"].as_array().unwrap();
    assert_eq!(
        versions.iter().map(|one| one["supersedes"].clone()).collect::<Vec<_>>(),
        [Value::Null, json!(1)]
    );
    assert_eq!(versions.iter().map(|one| one["current"].clone()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(versions[0]["sections"][3], json!({ "code": PLAN, "text": "Rest\nFluids" }));
    let compare = "query($id: ID!) { document(id: $id) { differences(from: 1, to: 2) { code before after lines { change text } } } }";
    let differences =
        physician.ask(compare, json!({ "id": signed["id"] })).await["document"]["differences"].clone();
    assert_eq!(
        differences,
        json!([{ "code": PLAN, "before": "Rest\nFluids", "after": "Rest\nAmoxicillin", "lines": [
            { "change": "KEPT", "text": "Rest" }, { "change": "REMOVED", "text": "Fluids" }, { "change": "ADDED", "text": "Amoxicillin" } ] }])
    );
    let listed =
        "query($id: ID!) { patient(by: { id: $id }) { documents { totalCount nodes { id type } } } }";
    let listed = physician.ask(listed, json!({ "id": patient })).await;
    assert_eq!(listed["patient"]["documents"]["nodes"], json!([{ "id": signed["id"], "type": "11506-3" }]));
    Ok(())
}

#[tokio::test]
async fn nobody_changes_what_was_signed_and_a_superuser_does_not_go_unnoticed() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let drafted = draft(&physician, &patient, "soap").await;
    let signed = done(&physician, "documentSign", &drafted, json!({})).await;
    let other = draft(&physician, &patient, "soap").await;
    let other = done(&physician, "documentSign", &other, json!({})).await;
    let id = uuid(&signed);

    // The server's own role has neither the right, nor would the triggers let it.
    let mut runtime = server.installation.tenant_connection("northside").await?;
    for statement in [
        format!("UPDATE document_version SET body = 'x' WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET head = false WHERE document_id = '{id}'"),
        format!("DELETE FROM document_version WHERE document_id = '{id}'"),
        "TRUNCATE document_version CASCADE".to_owned(),
        format!("UPDATE document_signature SET meaning = 'COSIGN' WHERE document_id = '{id}'"),
        format!("DELETE FROM clinical_document WHERE id = '{id}'"),
        format!("UPDATE clinical_document SET encounter_id = NULL, author_id = NULL WHERE id = '{id}'"),
        "ALTER TABLE document_version DISABLE TRIGGER document_version_kept".to_owned(),
        "SET session_replication_role = replica".to_owned(),
    ] {
        let refused = runtime.execute(AssertSqlSafe(statement.clone())).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{statement}");
    }
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let mut admin = server.installation.admin().await?;
    admin.execute(AssertSqlSafe(format!("SET search_path = {schema}"))).await?;
    // A version that is not the next one, and a second head.
    for (statement, refused_by) in [
        ("SELECT d.document_id, 3, gen_random_uuid(), 1", "document_version_supersedes_the_one_before"),
        ("SELECT d.document_id, 3, gen_random_uuid(), 2", "document_version_one_head"),
        ("SELECT d.document_id, 1, gen_random_uuid(), NULL::integer", "document_version_one_head"),
    ] {
        let insert = format!(
            "INSERT INTO document_version (document_id, version, id, supersedes, patient_id, kind, author_id, authored_at, body, sha256) {statement}, d.patient_id, d.kind, d.author_id, d.authored_at, d.body, d.sha256 FROM document_version d WHERE d.document_id = '{id}'"
        );
        let refused = runtime.execute(AssertSqlSafe(insert)).await.unwrap_err();
        let constraint = refused.as_database_error().unwrap().constraint().unwrap().to_owned();
        assert!(
            constraint == refused_by || constraint == "document_version_pkey",
            "{statement}: {constraint}"
        );
    }
    let other_id = uuid(&other);
    for statement in [
        format!("UPDATE document_version SET kind = 'AMENDMENT' WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET head = false WHERE document_id = '{id}'"),
        format!("DELETE FROM document_version WHERE document_id = '{id}'"),
    ] {
        let refused = admin.execute(AssertSqlSafe(statement.clone())).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("PX003"), "{statement}");
    }

    // Who turns the triggers off changes what is stored, and not what it is compared with.
    admin.execute("SET session_replication_role = replica").await?;
    for (number, tamper) in [
        format!("UPDATE document_version SET authored_at = authored_at + interval '1 day' WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET author_id = NULL WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET sha256 = sha256('x'::bytea) WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET body = (SELECT body FROM document_version WHERE document_id = '{other_id}') WHERE document_id = '{id}'"),
        format!("UPDATE document_version SET body = set_byte(body, 60, get_byte(body, 60) # 1) WHERE document_id = '{id}'"),
        format!("UPDATE clinical_document SET type_code = '18842-5' WHERE id = '{id}'"),
    ]
    .iter()
    .enumerate()
    {
        admin.execute("CREATE TEMP TABLE kept AS SELECT * FROM document_version").await?;
        admin.execute("CREATE TEMP TABLE kept_document AS SELECT * FROM clinical_document").await?;
        admin.execute(AssertSqlSafe(tamper.clone())).await?;
        let answer = physician.send(READ, json!({ "id": signed["id"] }), &[]).await;
        assert_eq!(answer.code(), "INTEGRITY_FAILED", "{tamper}: {}", answer.text);
        assert_eq!(answer.body["data"]["document"]["current"]["sections"], Value::Null, "{tamper}");
        assert!(!answer.text.contains("bronchitis"), "{tamper}");
        // Nothing is built on it either.
        let change = json!({ "id": signed["id"], "ifVersion": signed["version"], "reason": "x", "sections": texts(&[(PLAN, "y")]) });
        let query = "mutation($input: DocumentAmendInput!) { documentAmend(input: $input) { userErrors { code } } }";
        let amend = physician.send(query, json!({ "input": change }), &[]).await;
        assert!(["INTEGRITY_FAILED", "INTERNAL"].contains(&amend.code()), "{tamper}: {}", amend.text);
        let written = format!("SELECT count(*) FROM audit_entry WHERE outcome = 'FAILED' AND reason = 'INTEGRITY_FAILED' AND action LIKE 'DocumentVersion.%' AND {number} >= 0");
        let noted: i64 = sqlx::query_scalar(AssertSqlSafe(written)).fetch_one(&mut admin).await?;
        assert!(noted > 0, "{tamper}");
        admin.execute("DELETE FROM document_version; INSERT INTO document_version SELECT * FROM kept; UPDATE clinical_document d SET type_code = k.type_code FROM kept_document k WHERE k.id = d.id; DROP TABLE kept; DROP TABLE kept_document").await?;
        let read = physician.ask(READ, json!({ "id": signed["id"] })).await;
        assert_eq!(read["document"]["current"]["sections"][2]["text"], "Viral bronchitis");
    }
    Ok(())
}

#[tokio::test]
async fn what_somebody_signs_who_may_not_cosign_waits_for_another() -> Result<()> {
    let server = clinic().await?;
    let (physician, nurse) =
        (server.person("northside", "physician").await, server.person("northside", "nurse").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let drafted = draft(&nurse, &patient, "soap").await;
    // A draft is its author's alone.
    let seen = physician
        .ask(
            "query($id: ID!) { document(id: $id) { version draft { text } allowedActions } }",
            json!({ "id": drafted["id"] }),
        )
        .await;
    assert_eq!(seen["document"]["draft"], Value::Null);
    assert_eq!(seen["document"]["allowedActions"], json!(["confidentialitySet"]));
    let foreign = act(&physician, "documentSign", &drafted, json!({})).await;
    assert_eq!(codes(&foreign), ["LOCKED"]);

    let waiting = done(&nurse, "documentSign", &drafted, json!({})).await;
    assert_eq!(waiting["status"], "IN_REVIEW");
    let cosigned = done(&physician, "documentCosign", &waiting, json!({})).await;
    assert_eq!(cosigned["status"], "SIGNED");
    let signatures = cosigned["current"]["signatures"].as_array().unwrap();
    assert_eq!(signatures.iter().map(|one| one["meaning"].clone()).collect::<Vec<_>>(), ["AUTHOR", "COSIGN"]);
    assert_eq!(signatures[0]["sha256"], signatures[1]["sha256"]);
    // The nurse's own kind of note needs nobody else.
    let own = draft(&nurse, &patient, "nurse_note").await;
    assert_eq!(done(&nurse, "documentSign", &own, json!({})).await["status"], "SIGNED");
    // What a nurse amends waits again.
    let change = json!({ "sections": texts(&[(PLAN, "Rest")]), "reason": "Patient called" });
    let again = done(&nurse, "documentAmend", &cosigned, change).await;
    assert_eq!(again["status"], "IN_REVIEW");
    assert_eq!(done(&physician, "documentCosign", &again, json!({})).await["status"], "AMENDED");
    Ok(())
}

#[tokio::test]
async fn one_place_at_a_time_edits_a_draft_until_its_lease_is_over() -> Result<()> {
    let server = clinic().await?;
    server.user("northside", "ines@praxis.test", "physician").await?;
    let (desktop, tablet) = (
        server.enter("northside", "ines@praxis.test").await,
        server.enter("northside", "ines@praxis.test").await,
    );
    let patient = desktop.register("Ada", "Quill", "1990-01-02").await;
    let drafted = draft(&desktop, &patient, "soap").await;
    let leased = done(&desktop, "documentLeaseTake", &drafted, json!({})).await;
    let sections = json!({ "sections": texts(&[(PLAN, "From the tablet")]) });
    assert_eq!(codes(&act(&tablet, "documentSave", &leased, sections.clone()).await), ["LOCKED"]);
    assert_eq!(codes(&act(&tablet, "documentLeaseTake", &leased, json!({})).await), ["LOCKED"]);
    let taken = done(&tablet, "documentLeaseTake", &leased, json!({ "takeOver": true })).await;
    let lease = "query($id: ID!) { document(id: $id) { lease { mine } } }";
    assert_eq!(tablet.ask(lease, json!({ "id": drafted["id"] })).await["document"]["lease"]["mine"], true);
    assert_eq!(desktop.ask(lease, json!({ "id": drafted["id"] })).await["document"]["lease"]["mine"], false);
    let saved = done(&tablet, "documentSave", &taken, sections).await;
    // The lease ends by itself, and the version still keeps the other place from overwriting.
    server.clock.advance(TimeDelta::minutes(6));
    let (desktop, tablet) = (
        server.enter("northside", "ines@praxis.test").await,
        server.enter("northside", "ines@praxis.test").await,
    );
    let stale = json!({ "sections": texts(&[(PLAN, "From the desktop")]) });
    assert_eq!(codes(&act(&desktop, "documentSave", &drafted, stale.clone()).await), ["VERSION_CONFLICT"]);
    let mine = done(&desktop, "documentSave", &saved, stale).await;
    let free = done(&desktop, "documentLeaseRelease", &mine, json!({})).await;
    let discarded = done(&tablet, "documentDiscard", &free, json!({})).await;
    assert_eq!(discarded["status"], "DISCARDED");
    Ok(())
}

#[tokio::test]
async fn of_many_who_save_the_same_version_one_is_heard() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let drafted = draft(&physician, &patient, "soap").await;
    let saves = (0..8).map(|number| {
        let text = format!("Try {number}");
        let sections = json!({ "sections": texts(&[(PLAN, &text)]) });
        let (physician, drafted) = (&physician, &drafted);
        async move { act(physician, "documentSave", drafted, sections).await }
    });
    let mut outcomes = BTreeMap::new();
    for saved in join_all(saves).await {
        let code = codes(&saved).first().map_or("SAVED", |code| *code).to_owned();
        *outcomes.entry(code).or_insert(0) += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([("SAVED".to_owned(), 1), ("VERSION_CONFLICT".to_owned(), 7)]));
    Ok(())
}

#[tokio::test]
async fn a_changed_template_leaves_older_documents_as_they_are() -> Result<()> {
    let server = clinic().await?;
    let (physician, manager) =
        (server.person("northside", "physician").await, server.person("northside", "practice_manager").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let new = json!({ "title": "Travel advice", "type": "34748-4", "sections": [
        { "code": ASSESSMENT, "title": "Risk", "required": true }, { "code": PLAN, "title": "Vaccines", "text": "- " } ] });
    let shown = "documentTemplate { id version } userErrors { code path }";
    let added = manager.run("documentTemplateAdd", shown, new).await["documentTemplate"].clone();
    let input =
        json!({ "patientId": patient, "templateId": added["id"], "sections": texts(&[(ASSESSMENT, "Low")]) });
    let drafted = physician.run("documentDraft", SHOWN, input.clone()).await["document"].clone();
    let to = json!({ "id": added["id"], "ifVersion": added["version"], "title": "Travel", "type": "34748-4", "sections": [
        { "code": SUBJECTIVE, "title": "Route", "required": true } ] });
    let changed = manager.run("documentTemplateChange", shown, to).await;
    assert_eq!(changed["documentTemplate"]["version"], 2);
    let signed = done(&physician, "documentSign", &drafted, json!({})).await;
    assert_eq!(
        signed["current"]["sections"],
        json!([{ "code": ASSESSMENT, "title": "Risk", "text": "Low" }, { "code": PLAN, "title": "Vaccines", "text": "- " }])
    );
    let refused = physician.run("documentDraft", SHOWN, input.clone()).await;
    assert_eq!(refused["userErrors"][0]["path"], json!(["input", "sections", "0", "code"]));
    let wrong = json!({ "title": "", "type": "34748-5", "sections": [
        { "code": PLAN, "title": "Plan" }, { "code": PLAN, "title": "Plan" }, { "code": "x", "title": "" } ] });
    let wrong = manager.run("documentTemplateAdd", shown, wrong).await;
    assert_eq!(codes(&wrong), ["REQUIRED", "INVALID", "ALREADY_EXISTS", "INVALID", "REQUIRED"]);
    let retire = json!({ "id": added["id"], "ifVersion": 2 });
    manager.run("documentTemplateRetire", shown, retire).await;
    assert_eq!(codes(&physician.run("documentDraft", SHOWN, input).await), ["NOT_FOUND"]);
    Ok(())
}

#[tokio::test]
async fn what_is_added_and_what_should_not_be_there_both_stay_in_sight() -> Result<()> {
    let server = clinic().await?;
    let (physician, other) =
        (server.person("northside", "physician").await, server.person("northside", "physician").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let drafted = draft(&physician, &patient, "soap").await;
    assert_eq!(
        codes(&act(&other, "documentAddendum", &drafted, json!({ "text": "x" })).await),
        ["INVALID_TRANSITION"]
    );
    let signed = done(&physician, "documentSign", &drafted, json!({})).await;
    let added = done(&other, "documentAddendum", &signed, json!({ "text": "Seen by cardiology too." })).await;
    assert_eq!((&added["status"], &added["current"]["number"]), (&json!("SIGNED"), &json!(1)));
    assert_eq!(codes(&act(&other, "documentAddendum", &signed, json!({ "text": " " })).await), ["REQUIRED"]);
    let read = physician.ask(READ, json!({ "id": signed["id"] })).await["document"].clone();
    assert_eq!(read["addenda"][0]["id"], added["id"]);
    assert_eq!(read["addenda"][0]["current"]["sections"][0]["text"], "Seen by cardiology too.");
    let wrong =
        done(&physician, "documentEnterInError", &signed, json!({ "reason": "Another patient's" })).await;
    assert_eq!(
        (&wrong["status"], &wrong["current"]["kind"]),
        (&json!("ENTERED_IN_ERROR"), &json!("RETRACTION"))
    );
    let read = physician.ask(READ, json!({ "id": signed["id"] })).await["document"].clone();
    assert_eq!(read["versions"].as_array().unwrap().len(), 2);
    assert_eq!(read["versions"][0]["sections"][2]["text"], "Viral bronchitis");
    Ok(())
}

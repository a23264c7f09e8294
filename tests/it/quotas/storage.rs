//! Storage: how many bytes the documents may be.

use std::{env, fs};

use anyhow::Result;
use data_encoding::HEXLOWER;
use futures::future::join_all;
use praxis_platform::vault::crypto;
use serde_json::{Value, json};

use super::{codes, limit, own_usage, praxis, usage};
use crate::support::{people::Person, server::TestServer};

const SHOWN: &str = "document { id version status } userErrors { code path }";
const PLAN: &str = "18776-5";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@praxis.test", "owner")]).await
}

async fn template(person: &Person<'_>) -> String {
    let data = person.ask("{ documentTemplates { id key } }", json!({})).await;
    let all = data["documentTemplates"].as_array().unwrap();
    all.iter().find(|template| template["key"] == "soap").unwrap()["id"].as_str().unwrap().to_owned()
}

fn sections(plan: &str) -> Value {
    ["61150-9", "61149-1", "51848-0", PLAN]
        .map(|code| json!({ "code": code, "text": plan }))
        .into_iter()
        .collect()
}

async fn act(person: &Person<'_>, mutation: &str, document: &Value, more: Value) -> Value {
    let mut input = json!({ "id": document["id"], "ifVersion": document["version"] });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    person.run(mutation, SHOWN, input).await
}

/// What the rows come to, counted anew.
async fn counted(server: &TestServer) -> Result<i64> {
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let sql = format!(
        "SELECT ((SELECT coalesce(sum(octet_length(draft)), 0) FROM {schema}.clinical_document)
            + (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.document_version)
            + (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.fhir_resource))::bigint"
    );
    let mut admin = server.installation.admin().await?;
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut admin).await?)
}

#[tokio::test]
async fn what_was_begun_is_finished_in_a_clinic_that_is_full_and_nothing_new_is_begun() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let owner = server.person("northside", "owner").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let template = template(&physician).await;
    let new = json!({ "patientId": patient, "templateId": template, "sections": sections("Rest") });
    assert_eq!(usage(&server.installation, "STORAGE"), (0, None));
    let begun = physician.run("documentDraft", SHOWN, new.clone()).await["document"].clone();
    let (one, _) = usage(&server.installation, "STORAGE");
    assert!(one > 100 && one == counted(&server).await?, "{one}");

    let full = one + 10;
    limit(&server.installation, &["--storage", &full.to_string()]);
    let refused = physician.run("documentDraft", SHOWN, new.clone()).await;
    assert_eq!((codes(&refused), &refused["document"]), (vec!["STORAGE_EXHAUSTED"], &Value::Null));
    assert_eq!(usage(&server.installation, "STORAGE"), (one, Some(full)));

    // The note grows, is signed, corrected and added to.
    let plan = json!({ "sections": sections(&"Rest and fluids. ".repeat(40)) });
    let saved = act(&physician, "documentSave", &begun, plan).await;
    assert_eq!(codes(&saved), [""; 0]);
    let signed = act(&physician, "documentSign", &saved["document"], json!({})).await;
    assert_eq!(signed["document"]["status"], "SIGNED");
    let change = json!({ "sections": [{ "code": PLAN, "text": "Rest" }], "reason": "Culture" });
    let amended = act(&physician, "documentAmend", &signed["document"], change).await;
    assert_eq!(codes(&amended), [""; 0]);
    let (used, _) = usage(&server.installation, "STORAGE");
    assert!(used > full && used == counted(&server).await?, "{used}");
    let seen = own_usage(&owner).await["storage"].clone();
    assert_eq!(seen, json!({ "usedBytes": used.to_string(), "maxBytes": full.to_string() }));
    let denied = server.person("northside", "nurse").await;
    let denied = denied.send("{ usage { storage { usedBytes } } }", json!({}), &[]).await;
    assert_eq!(denied.code(), "FORBIDDEN");

    limit(&server.installation, &["--storage", "1GB"]);
    assert_eq!(codes(&physician.run("documentDraft", SHOWN, new).await), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_begin_at_once_as_many_can_as_there_is_room_for() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let template = template(&physician).await;
    let new = json!({ "patientId": patient, "templateId": template, "sections": sections("Rest") });
    physician.run("documentDraft", SHOWN, new.clone()).await;
    let (one, _) = usage(&server.installation, "STORAGE");
    limit(&server.installation, &["--storage", &(4 * one + one / 2).to_string()]);
    let begun = join_all((0..12).map(|_| physician.run("documentDraft", SHOWN, new.clone()))).await;
    let (done, refused): (Vec<_>, Vec<_>) = begun.iter().partition(|payload| payload["document"].is_object());
    assert!(refused.iter().all(|payload| codes(payload) == ["STORAGE_EXHAUSTED"]), "{refused:?}");
    assert_eq!((done.len(), refused.len()), (3, 9));
    let (used, most) = usage(&server.installation, "STORAGE");
    assert!(Some(used) <= most && used == counted(&server).await?, "{used}");
    let mut sql = server.installation.admin().await?;
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let left = format!("SELECT count(*) FROM {schema}.storage_change");
    assert_eq!(sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(left)).fetch_one(&mut sql).await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_import_that_does_not_fit_takes_nothing_in() -> Result<()> {
    let server = clinic().await?;
    let file = env::temp_dir().join(format!("praxis-quota-{}.ndjson", server.installation.clock.new_id()));
    let mut claims = String::new();
    for number in 0..20 {
        let noise = HEXLOWER.encode(&crypto::random::<1_000>()?);
        let claim = json!({ "resourceType": "Claim", "id": format!("c{number}"), "text": { "div": noise } });
        claims += &format!("{claim}\n");
    }
    fs::write(&file, claims)?;
    let import = ["fhir", "import", "--tenant", "northside", &file.to_string_lossy()];
    limit(&server.installation, &["--storage", "20KB"]);
    let (done, _, told) = praxis(&server.installation, &import);
    assert!(!done && told.contains("no storage left"), "{told}");
    assert_eq!(usage(&server.installation, "STORAGE"), (0, Some(20_000)));
    limit(&server.installation, &["--storage", "1MB"]);
    let (done, _, told) = praxis(&server.installation, &import);
    fs::remove_file(&file)?;
    assert!(done, "{told}");
    let (used, _) = usage(&server.installation, "STORAGE");
    assert!(used > 40_000 && used == counted(&server).await?, "{used}");
    Ok(())
}

#[tokio::test]
async fn what_a_clinic_may_have_is_not_brought_back_with_it_and_a_sandbox_counts_for_itself() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let new = json!({ "patientId": patient, "templateId": template(&physician).await, "sections": sections("Rest") });
    physician.run("documentDraft", SHOWN, new).await;
    let (used, _) = usage(&server.installation, "STORAGE");
    let folder = env::temp_dir().join(format!("praxis-quota-{}", server.installation.clock.new_id()));
    fs::create_dir(&folder)?;
    let file = folder.join("northside.pxe");
    let file = file.to_string_lossy();
    let done = |arguments: &[&str]| {
        let (done, _, told) = praxis(&server.installation, arguments);
        assert!(done, "{}: {told}", arguments.join(" "));
    };
    done(&["tenant", "export", "northside", "--to", &file]);
    limit(&server.installation, &["--seats", "7", "--storage", "1MB"]);
    done(&["tenant", "restore", &file]);
    done(&["tenant", "suspend", "northside"]);
    done(&["tenant", "swap", "northside"]);
    done(&["tenant", "resume", "northside"]);
    fs::remove_dir_all(&folder)?;
    assert_eq!(usage(&server.installation, "STORAGE"), (used, Some(1_000_000)));
    assert_eq!(usage(&server.installation, "SEATS"), (2, Some(7)));

    done(&["tenant", "clone", "northside", "--as", "sandbox"]);
    let (done, rows, told) = praxis(&server.installation, &["tenant", "usage", "sandbox"]);
    assert!(done, "{told}");
    let rows = rows.as_array().unwrap();
    // Nobody's account is carried.
    assert_eq!(rows[0], json!({ "name": "SEATS", "used": 0, "most": null }));
    let mut admin = server.installation.admin().await?;
    let find = "SELECT schema_name FROM control.tenant WHERE slug = 'sandbox'";
    let schema: String = sqlx::query_scalar(find).fetch_one(&mut admin).await?;
    let sum = format!(
        "SELECT ((SELECT coalesce(sum(octet_length(draft)), 0) FROM {schema}.clinical_document)
            + (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.document_version)
            + (SELECT coalesce(sum(octet_length(body)), 0) FROM {schema}.fhir_resource))::bigint"
    );
    let sum: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sum)).fetch_one(&mut admin).await?;
    assert_eq!(rows[1], json!({ "name": "STORAGE", "used": sum, "most": null }));
    Ok(())
}

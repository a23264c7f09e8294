//! Workflows: tasks that open one after another, by themselves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    support::{people::Person, server::TestServer},
    tasks::work_off,
};

const DEFINITION: &str = "workflowDefinition { id version code edition status steps { key follows } } userErrors { code message path }";
const INSTANCE: &str = "workflowInstance { id version status definition { edition } tasks { id version code status } } userErrors { code message path }";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

fn step(key: &str, follows: &[&str], guard: Option<&str>) -> Value {
    json!({ "key": key, "task": key.to_uppercase(), "role": "nurse", "follows": follows, "guard": guard, "dueMinutes": 60 })
}

fn discharge(steps: Vec<Value>) -> Value {
    json!({ "code": "discharge", "name": "Discharge", "steps": steps })
}

/// Writes an edition and puts it into use.
async fn in_use(owner: &Person<'_>, workflow: Value) -> Value {
    let defined = owner.run("workflowDefine", DEFINITION, workflow).await;
    assert_eq!(defined["userErrors"], json!([]), "{defined}");
    let defined = &defined["workflowDefinition"];
    let input = json!({ "id": defined["id"], "ifVersion": defined["version"] });
    let active = owner.run("workflowActivate", DEFINITION, input).await;
    assert_eq!(active["workflowDefinition"]["status"], "ACTIVE", "{active}");
    active["workflowDefinition"].clone()
}

async fn start(owner: &Person<'_>) -> Value {
    let started = owner.run("workflowStart", INSTANCE, json!({ "code": "discharge" })).await;
    assert_eq!(started["userErrors"], json!([]), "{started}");
    started["workflowInstance"].clone()
}

async fn look(owner: &Person<'_>, instance: &Value) -> Value {
    let query = format!(
        "query($id: ID!) {{ workflowInstance(id: $id) {{ {} }} }}",
        INSTANCE.split(" } userErrors").next().unwrap().trim_start_matches("workflowInstance { ")
    );
    owner.ask(&query, json!({ "id": instance["id"] })).await["workflowInstance"].clone()
}

/// The codes of the tasks that are open.
fn open(instance: &Value) -> Vec<&str> {
    let tasks = instance["tasks"].as_array().unwrap().iter();
    tasks.filter(|task| task["status"] == "REQUESTED").map(|task| task["code"].as_str().unwrap()).collect()
}

/// A nurse does a task of the workflow, and the worker what follows.
async fn finish(server: &TestServer, nurse: &Person<'_>, instance: &Value, code: &str, outcome: &str) {
    let task = instance["tasks"].as_array().unwrap().iter().find(|task| task["code"] == code).unwrap();
    let select = "task { id version } userErrors { code message }";
    let taken =
        nurse.run("taskClaim", select, json!({ "id": task["id"], "ifVersion": task["version"] })).await;
    assert_eq!(taken["userErrors"], json!([]), "{taken}");
    let done = json!({ "id": task["id"], "ifVersion": taken["task"]["version"], "outcome": outcome });
    let done = nurse.run("taskComplete", select, done).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    work_off(server).await.unwrap();
}

#[tokio::test]
async fn steps_open_when_those_before_are_done_and_guards_decide() -> Result<()> {
    let server = clinic().await?;
    let (owner, nurse) =
        (server.person("northside", "owner").await, server.person("northside", "nurse").await);
    let steps = vec![
        step("letter", &["review", "pharmacy"], None),
        step("review", &[], None),
        step("pharmacy", &["review"], Some("review.outcome == 'DONE'")),
        step("transport", &["review"], Some("review.outcome == 'PARTLY_DONE'")),
    ];
    in_use(&owner, discharge(steps)).await;
    let instance = start(&owner).await;
    assert_eq!(open(&instance), ["REVIEW"]);
    finish(&server, &nurse, &instance, "REVIEW", "DONE").await;
    let instance = look(&owner, &instance).await;
    assert_eq!(open(&instance), ["PHARMACY"], "{instance}");
    finish(&server, &nurse, &instance, "PHARMACY", "NOT_NEEDED").await;
    let instance = look(&owner, &instance).await;
    assert_eq!(open(&instance), ["LETTER"]);
    finish(&server, &nurse, &instance, "LETTER", "DONE").await;
    let instance = look(&owner, &instance).await;
    assert_eq!((&instance["status"], instance["tasks"].as_array().unwrap().len()), (&json!("COMPLETED"), 3));

    // Where a guard does not hold, what hangs on it alone is left out too.
    let other = start(&owner).await;
    finish(&server, &nurse, &other, "REVIEW", "PARTLY_DONE").await;
    let other = look(&owner, &other).await;
    assert_eq!(open(&other), ["TRANSPORT", "LETTER"], "{other}");
    Ok(())
}

#[tokio::test]
async fn what_runs_keeps_its_edition_and_one_failed_step_ends_it() -> Result<()> {
    let server = clinic().await?;
    let (owner, nurse) =
        (server.person("northside", "owner").await, server.person("northside", "nurse").await);
    in_use(&owner, discharge(vec![step("review", &[], None), step("old", &["review"], None)])).await;
    let running = start(&owner).await;
    let second = in_use(
        &owner,
        discharge(vec![step("review", &[], None), step("new", &["review"], None), step("beside", &[], None)]),
    )
    .await;
    assert_eq!(second["edition"], 2);
    finish(&server, &nurse, &running, "REVIEW", "DONE").await;
    let running = look(&owner, &running).await;
    assert_eq!((open(&running), &running["definition"]["edition"]), (vec!["OLD"], &json!(1)));

    let fresh = start(&owner).await;
    assert_eq!(fresh["definition"]["edition"], 2);
    finish(&server, &nurse, &fresh, "REVIEW", "NOT_POSSIBLE").await;
    let fresh = look(&owner, &fresh).await;
    assert_eq!(fresh["status"], "FAILED");
    let left: Vec<_> = fresh["tasks"].as_array().unwrap().iter().map(|task| &task["status"]).collect();
    assert_eq!(left, [&json!("FAILED"), &json!("CANCELLED")]);

    let input = json!({ "id": running["id"], "ifVersion": running["version"] });
    let cancelled = owner.run("workflowCancel", INSTANCE, input).await;
    assert_eq!(cancelled["workflowInstance"]["status"], "CANCELLED", "{cancelled}");
    assert_eq!(open(&cancelled["workflowInstance"]), Vec::<&str>::new());
    let again = json!({ "id": running["id"], "ifVersion": cancelled["workflowInstance"]["version"] });
    let again = owner.run("workflowCancel", INSTANCE, again).await;
    assert_eq!(again["userErrors"][0]["code"], "INVALID_TRANSITION");

    // In the database, too, a definition in use stays as it is.
    let mut sql = server.installation.tenant_connection("northside").await?;
    let add = "INSERT INTO workflow_step (definition_id, key, position, task_code, role_code, priority, follows) \
        SELECT id, 'late', 9, 'LATE', 'nurse', 'ROUTINE', '{}' FROM workflow_definition WHERE status = 'ACTIVE'";
    let error = sqlx::query(add).execute(&mut sql).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), "PX003");
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_could_never_end_is_not_written() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let refused = async |steps: Vec<Value>| {
        let answer = owner.run("workflowDefine", DEFINITION, discharge(steps)).await;
        assert!(answer["workflowDefinition"].is_null(), "{answer}");
        let error = &answer["userErrors"][0];
        (error["code"].as_str().unwrap().to_owned(), error["path"].to_string())
    };
    let circle = vec![step("one", &[], None), step("two", &["three"], None), step("three", &["two"], None)];
    assert_eq!(refused(circle).await, ("INVALID".to_owned(), r#"["input","steps"]"#.to_owned()));
    let nowhere = vec![step("one", &["nowhere"], None)];
    assert_eq!(
        refused(nowhere).await,
        ("NOT_FOUND".to_owned(), r#"["input","steps","0","follows"]"#.to_owned())
    );
    let mut strange = step("one", &[], None);
    strange["role"] = json!("magician");
    assert_eq!(refused(vec![strange]).await.0, "NOT_FOUND");
    let blind = vec![step("one", &[], None), step("two", &[], Some("one.outcome == 'DONE'"))];
    assert_eq!(refused(blind).await, ("INVALID".to_owned(), r#"["input","steps","1","guard"]"#.to_owned()));
    assert_eq!(refused(vec![step("one", &[], None), step("one", &[], None)]).await.0, "ALREADY_EXISTS");
    assert_eq!(refused(Vec::new()).await.0, "OUT_OF_RANGE");
    Ok(())
}

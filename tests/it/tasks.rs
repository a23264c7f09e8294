//! What somebody has to do: asked for, taken on by one, done, and never lost.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use chrono::TimeDelta;
use futures::future::join_all;
use praxis_domain::{
    encounters,
    event::{Event, Recorded},
    tasks,
};
use praxis_entity::{
    encounter::{EncounterClass, EncounterStatus},
    ids::{EncounterId, EventId, PatientId, TaskId},
    value::EncounterClinical,
};
use praxis_platform::{access::Actor, clock::Clock, jobs::Outcome};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::{
    access::counted,
    support::{people::Person, server::TestServer},
};

const TASK: &str = "task { id version status priority code role ownerName outcome overdue description result reason \
    allowedActions encounter { id } patient { id } } userErrors { code message path }";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "root@northside.test", "owner")]).await
}

/// A visit of a patient, as an import records it.
pub async fn visit(server: &TestServer, patient: &str, status: EncounterStatus) -> EncounterId {
    let op = server.as_system("northside").await.unwrap();
    let new = encounters::RecordEncounter {
        patient: patient.parse::<PatientId>().unwrap(),
        practitioner: None,
        facility: None,
        organization: None,
        appointment: None,
        class: EncounterClass::Ambulatory,
        status,
        started_at: None,
        ended_at: None,
        clinical: EncounterClinical::default(),
        participants: Vec::new(),
    };
    let recorded = encounters::record(&op, new).await.unwrap();
    op.commit().await.unwrap();
    recorded.id
}

/// Lets the worker do all that is due.
pub async fn work_off(server: &TestServer) -> Result<()> {
    let worker = server.app.worker.as_ref().unwrap();
    loop {
        let woken = worker.ready(8, &[]).await?;
        if woken.is_empty() {
            return Ok(());
        }
        for woken in woken {
            for ran in worker.serve(&woken).await? {
                assert_eq!(ran.result, Outcome::Done, "{}", ran.name);
            }
        }
    }
}

async fn create(person: &Person<'_>, input: Value) -> Value {
    let made = person.run("taskCreate", TASK, input).await;
    assert_eq!(made["userErrors"], json!([]), "{made}");
    made["task"].clone()
}

/// Runs a mutation on a task as it is known.
async fn act(person: &Person<'_>, mutation: &str, task: &Value, more: Value) -> Value {
    let mut input = json!({ "id": task["id"], "ifVersion": task["version"] });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    person.run(mutation, TASK, input).await
}

async fn done(person: &Person<'_>, mutation: &str, task: &Value, more: Value) -> Value {
    let answer = act(person, mutation, task, more).await;
    assert_eq!(answer["userErrors"], json!([]), "{mutation}: {answer}");
    answer["task"].clone()
}

fn refused(answer: &Value) -> &str {
    assert!(answer["task"].is_null(), "{answer}");
    answer["userErrors"][0]["code"].as_str().unwrap()
}

#[tokio::test]
async fn a_physician_asks_the_nurses_and_one_of_them_does_it() -> Result<()> {
    let server = clinic().await?;
    let (physician, nurse) =
        (server.person("northside", "physician").await, server.person("northside", "nurse").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
    let asked = create(
        &physician,
        json!({ "code": "ORDER", "encounterId": encounter.to_string(), "role": "nurse", "priority": "URGENT",
            "description": "Full blood count" }),
    )
    .await;
    assert_eq!((&asked["status"], &asked["priority"]), (&json!("REQUESTED"), &json!("URGENT")));
    assert_eq!(asked["patient"]["id"], json!(patient));
    assert_eq!(asked["allowedActions"], json!(["confidentialitySet", "taskAssign", "taskCancel"]));

    let op = server.as_system("northside").await?;
    assert_eq!(tasks::open(&op, &[encounter]).await?.len(), 1);
    op.rollback().await?;
    let inbox = "query($in: TaskInbox) { tasks(filter: { inbox: $in }) { totalCount nodes { id description } } taskCounts { mine myRoles unclaimed overdue } }";
    let seen = nurse.ask(inbox, json!({ "in": "MY_ROLES" })).await;
    assert_eq!(seen["tasks"]["nodes"], json!([{ "id": asked["id"], "description": "Full blood count" }]));
    assert_eq!(seen["taskCounts"], json!({ "mine": 0, "myRoles": 1, "unclaimed": 1, "overdue": 0 }));

    let taken = done(&nurse, "taskClaim", &asked, json!({})).await;
    assert_eq!(taken["status"], "ACCEPTED");
    assert!(taken["ownerName"].as_str().unwrap().contains("nurse"));
    assert_eq!(taken["allowedActions"], json!(["taskAssign", "taskComplete", "taskStart"]));
    assert_eq!(nurse.ask(inbox, json!({ "in": "MINE" })).await["tasks"]["totalCount"], 1);
    let begun = done(&nurse, "taskStart", &taken, json!({})).await;
    let waits = done(&nurse, "taskHold", &begun, json!({ "reason": "Needs a new needle" })).await;
    assert_eq!((&waits["status"], &waits["reason"]), (&json!("ON_HOLD"), &json!("Needs a new needle")));
    assert_eq!(waits["allowedActions"], json!(["taskAssign", "taskResume"]));
    let goes_on = done(&nurse, "taskResume", &waits, json!({})).await;
    let over = done(
        &nurse,
        "taskComplete",
        &goes_on,
        json!({ "outcome": "DONE", "result": "Sent to the laboratory" }),
    )
    .await;
    assert_eq!((&over["status"], &over["outcome"]), (&json!("COMPLETED"), &json!("DONE")));
    assert_eq!(over["description"], "Full blood count");
    assert_eq!(over["result"], "Sent to the laboratory");
    assert_eq!(over["allowedActions"], json!([]));
    let op = server.as_system("northside").await?;
    assert!(tasks::open(&op, &[encounter]).await?.is_empty());
    op.rollback().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_who_take_a_task_on_at_once_one_gets_it() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let nurses: Vec<Person<'_>> = join_all((0..8).map(|_| server.person("northside", "nurse"))).await;
    for _ in 0..3 {
        let task = create(&owner, json!({ "code": "ROUND", "role": "nurse" })).await;
        let task = &task;
        let tries = nurses.iter().flat_map(|nurse| {
            (0..8).map(move |_| async move { act(nurse, "taskClaim", task, json!({})).await })
        });
        let answers = join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| !answer["task"].is_null()).count(), 1);
        for lost in answers.iter().filter(|answer| answer["task"].is_null()) {
            assert_eq!(refused(lost), "VERSION_CONFLICT", "{lost}");
        }
        let mut sql = server.installation.tenant_connection("northside").await?;
        let written: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_entry WHERE action = 'task.claim' AND object_id = (SELECT id FROM task ORDER BY id DESC LIMIT 1)").fetch_one(&mut sql).await?;
        assert_eq!(written, 1);
    }
    Ok(())
}

#[tokio::test]
async fn whose_turn_it_is_follows_from_owner_role_and_requester() -> Result<()> {
    let server = clinic().await?;
    let (physician, nurse, other) = (
        server.person("northside", "physician").await,
        server.person("northside", "nurse").await,
        server.person("northside", "nurse").await,
    );
    let desk = server.person("northside", "receptionist").await;
    let me = "{ viewer { id } }";
    let nurse_id = nurse.ask(me, json!({})).await["viewer"]["id"].clone();

    let task = create(&physician, json!({ "code": "ROUND", "role": "nurse" })).await;
    assert_eq!(refused(&act(&desk, "taskClaim", &task, json!({})).await), "LOCKED");
    assert_eq!(refused(&act(&nurse, "taskStart", &task, json!({})).await), "INVALID_TRANSITION");
    let given = done(&physician, "taskAssign", &task, json!({ "to": { "userId": nurse_id } })).await;
    assert_eq!(refused(&act(&other, "taskClaim", &given, json!({})).await), "LOCKED");
    let refuses = done(&nurse, "taskReject", &given, json!({ "reason": "On another ward" })).await;
    assert_eq!((&refuses["status"], &refuses["reason"]), (&json!("REJECTED"), &json!("On another ward")));

    let task = create(&physician, json!({ "code": "ROUND", "role": "nurse" })).await;
    let taken = done(&nurse, "taskClaim", &task, json!({})).await;
    assert_eq!(refused(&act(&other, "taskComplete", &taken, json!({ "outcome": "DONE" })).await), "LOCKED");
    assert_eq!(refused(&act(&nurse, "taskCancel", &taken, json!({})).await), "LOCKED");
    let back = done(&nurse, "taskAssign", &taken, json!({ "to": { "role": "nurse" } })).await;
    assert_eq!((&back["status"], &back["ownerName"]), (&json!("REQUESTED"), &Value::Null));
    let taken = done(&other, "taskClaim", &back, json!({})).await;
    let failed = done(&other, "taskComplete", &taken, json!({ "outcome": "NOT_POSSIBLE" })).await;
    assert_eq!(failed["status"], "FAILED");

    // Nobody but those who lead asks a colleague by name.
    let query = "mutation($to: ID!) { taskCreate(input: { code: \"ROUND\", ownerId: $to }) { task { id } } }";
    assert_eq!(other.send(query, json!({ "to": nurse_id }), &[]).await.code(), "FORBIDDEN");
    let biller = server.person("northside", "auditor").await;
    let who = biller.ask(me, json!({})).await["viewer"]["id"].clone();
    let answer = physician.run("taskCreate", TASK, json!({ "code": "ROUND", "ownerId": who })).await;
    assert_eq!(refused(&answer), "INVALID");
    Ok(())
}

#[tokio::test]
async fn what_a_task_is_about_is_of_its_own_patient() -> Result<()> {
    let server = clinic().await?;
    let physician = server.person("northside", "physician").await;
    let (ada, bea) = (
        physician.register("Ada", "Quill", "1990-01-02").await,
        physician.register("Bea", "Rook", "1991-01-02").await,
    );
    let of_bea = visit(&server, &bea, EncounterStatus::InProgress).await;
    let input = json!({ "code": "CALL", "patientId": ada, "encounterId": of_bea.to_string() });
    assert_eq!(refused(&physician.run("taskCreate", TASK, input).await), "INVALID");
    let input = json!({ "code": "CALL", "patientId": ada, "focusId": of_bea.to_string() });
    assert_eq!(refused(&physician.run("taskCreate", TASK, input).await), "INVALID");
    let cancelled = visit(&server, &ada, EncounterStatus::Cancelled).await;
    let input = json!({ "code": "CALL", "encounterId": cancelled.to_string() });
    assert_eq!(refused(&physician.run("taskCreate", TASK, input).await), "LOCKED");

    let mut sql = server.installation.tenant_connection("northside").await?;
    let (ada, bea) = (ada.parse::<PatientId>()?.0, bea.parse::<PatientId>()?.0);
    for (columns, values) in [
        ("encounter_id", format!("'{}'", of_bea.0)),
        ("focus_kind, focus_id", format!("'enc', '{}'", of_bea.0)),
        ("focus_kind, focus_id", format!("'pat', '{bea}'")),
        ("focus_kind, focus_id", format!("'con', '{bea}'")),
        ("focus_kind, focus_id", format!("'apt', '{bea}'")),
    ] {
        let insert = format!(
            "INSERT INTO task (id, code, priority, status, patient_id, {columns}) VALUES (gen_random_uuid(), 'CALL', 'ROUTINE', 'REQUESTED', '{ada}', {values})"
        );
        let error = sql.execute(sqlx::raw_sql(AssertSqlSafe(insert))).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert!(["23503", "23514"].contains(&code.as_str()), "{columns}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn tasks_of_a_closed_record_are_not_there_and_those_of_the_clinic_are() -> Result<()> {
    let server = clinic().await?;
    let (owner, nurse) =
        (server.proven("northside", "owner").await, server.person("northside", "nurse").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let task =
        create(&owner, json!({ "code": "CALL", "patientId": patient, "description": "Therapy" })).await;
    let paper = create(&owner, json!({ "code": "SUPPLIES", "description": "Order paper" })).await;
    let list = "{ tasks { totalCount nodes { id description } } }";
    assert_eq!(nurse.ask(list, json!({})).await["tasks"]["totalCount"], 2);
    let forbids =
        json!({ "patientId": patient, "decision": "DENY", "class": "ALL", "whom": { "role": "nurse" } });
    let forbidden = owner.run("consentRecord", "userErrors { code }", forbids).await;
    assert_eq!(forbidden["userErrors"], json!([]));
    let seen = nurse.ask(list, json!({})).await;
    assert_eq!(
        seen["tasks"],
        json!({ "totalCount": 1, "nodes": [{ "id": paper["id"], "description": "Order paper" }] })
    );
    let one = nurse.ask("query($id: ID!) { task(id: $id) { id } }", json!({ "id": task["id"] })).await;
    assert_eq!(one["task"], Value::Null);
    assert_eq!(refused(&act(&nurse, "taskClaim", &task, json!({})).await), "NOT_FOUND");
    done(&nurse, "taskClaim", &paper, json!({})).await;

    let mut sql = server.installation.tenant_connection("northside").await?;
    let readable: i64 = sqlx::query_scalar("SELECT count(*) FROM task WHERE position('Order paper'::bytea IN words) > 0 OR position('Therapy'::bytea IN words) > 0").fetch_one(&mut sql).await?;
    assert_eq!(readable, 0);
    Ok(())
}

#[tokio::test]
async fn what_is_late_is_counted_and_found() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let due = server.clock.now() + TimeDelta::hours(1);
    let soon = create(&nurse, json!({ "code": "CALL", "dueAt": due.to_rfc3339() })).await;
    let whenever = create(&nurse, json!({ "code": "CALL" })).await;
    done(&nurse, "taskClaim", &soon, json!({})).await;
    let late = "{ tasks(filter: { overdue: true }) { nodes { id overdue } } taskCounts { overdue } }";
    assert_eq!(nurse.ask(late, json!({})).await["taskCounts"]["overdue"], 0);
    server.clock.advance(TimeDelta::hours(2));
    let nurse = server.person("northside", "nurse").await;
    let seen = nurse.ask(late, json!({})).await;
    assert_eq!(seen["tasks"]["nodes"], json!([{ "id": soon["id"], "overdue": true }]));
    // What is due first comes first, and what has no time last.
    let pages = "query($after: String) { tasks(first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }";
    let first = nurse.ask(pages, json!({ "after": null })).await;
    assert_eq!(first["tasks"]["nodes"][0]["id"], soon["id"]);
    let second = nurse.ask(pages, json!({ "after": first["tasks"]["pageInfo"]["endCursor"] })).await;
    assert_eq!(second["tasks"]["nodes"][0]["id"], whenever["id"]);
    let past = json!({ "code": "CALL", "dueAt": "2020-01-01T00:00:00Z" });
    assert_eq!(refused(&nurse.run("taskCreate", TASK, past).await), "OUT_OF_RANGE");
    assert_eq!(refused(&nurse.run("taskCreate", TASK, json!({ "code": "call her" })).await), "INVALID");
    Ok(())
}

#[tokio::test]
async fn a_late_task_is_brought_to_mind_each_time_louder_and_once() -> Result<()> {
    let server = clinic().await?;
    let nurse = server.person("northside", "nurse").await;
    let due = server.clock.now() + TimeDelta::hours(1);
    let late = create(&nurse, json!({ "code": "CALL", "dueAt": due.to_rfc3339() })).await;
    let done_in_time = create(&nurse, json!({ "code": "CALL", "dueAt": due.to_rfc3339() })).await;
    let taken = done(&nurse, "taskClaim", &done_in_time, json!({})).await;
    done(&nurse, "taskComplete", &taken, json!({ "outcome": "DONE" })).await;
    let mut sql = server.installation.tenant_connection("northside").await?;
    let mut levels = async || -> Result<Vec<i16>> {
        work_off(&server).await?;
        let id = late["id"].as_str().unwrap().parse::<TaskId>()?.0;
        let all: Vec<(uuid::Uuid, i16)> =
            sqlx::query_as("SELECT task_id, level FROM task_escalation ORDER BY level")
                .fetch_all(&mut sql)
                .await?;
        assert!(all.iter().all(|(task, _)| *task == id), "what was done in time is nobody's concern");
        Ok(all.into_iter().map(|(_, level)| level).collect())
    };
    assert!(levels().await?.is_empty());
    server.clock.advance(TimeDelta::minutes(61));
    assert_eq!(levels().await?, [1]);
    assert_eq!(levels().await?, [1]);
    server.clock.advance(TimeDelta::minutes(31));
    assert_eq!(levels().await?, [1, 2]);
    server.clock.advance(TimeDelta::hours(9));
    assert_eq!(levels().await?, [1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn no_task_outlives_the_visit_it_belongs_to() -> Result<()> {
    let server = clinic().await?;
    let (physician, nurse) =
        (server.person("northside", "physician").await, server.person("northside", "nurse").await);
    let patient = physician.register("Ada", "Quill", "1990-01-02").await;
    let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
    let input = json!({ "code": "CALL", "encounterId": encounter.to_string() });
    let (waiting, over) = (create(&physician, input.clone()).await, create(&nurse, input).await);
    let taken = done(&nurse, "taskClaim", &over, json!({})).await;
    done(&nurse, "taskComplete", &taken, json!({ "outcome": "DONE" })).await;
    let other = create(&physician, json!({ "code": "CALL", "patientId": patient })).await;
    let op = server.as_system("northside").await?;
    let event = Event::EncounterRecorded { encounter, patient: patient.parse()? };
    let recorded =
        Recorded { id: EventId(op.new_id()), at: op.now(), actor: None, encounter_seq: Some(1), event };
    tasks::react::visit_cancelled(&op, &recorded).await?;
    op.commit().await?;
    for (task, status) in [(waiting, "CANCELLED"), (over, "COMPLETED"), (other, "REQUESTED")] {
        let seen =
            nurse.ask("query($id: ID!) { task(id: $id) { status } }", json!({ "id": task["id"] })).await;
        assert_eq!(seen["task"]["status"], status);
    }
    Ok(())
}

/// Where each mutation leads, and from where.
const MOVES: &[(&str, &[&str], &str)] = &[
    ("taskClaim", &["REQUESTED"], "ACCEPTED"),
    ("taskStart", &["ACCEPTED"], "IN_PROGRESS"),
    ("taskHold", &["IN_PROGRESS"], "ON_HOLD"),
    ("taskResume", &["ON_HOLD"], "IN_PROGRESS"),
    ("taskComplete", &["ACCEPTED", "IN_PROGRESS"], "COMPLETED"),
    ("taskReject", &["REQUESTED"], "REJECTED"),
    ("taskAssign", &["REQUESTED", "ACCEPTED", "IN_PROGRESS", "ON_HOLD"], "REQUESTED"),
    ("taskCancel", &["REQUESTED", "ACCEPTED", "IN_PROGRESS", "ON_HOLD"], "CANCELLED"),
];

#[tokio::test]
async fn from_every_status_every_mutation_does_what_the_table_says() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let me = owner.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
    let ways: &[(&str, &[&str])] = &[
        ("REQUESTED", &[]),
        ("ACCEPTED", &["taskClaim"]),
        ("IN_PROGRESS", &["taskClaim", "taskStart"]),
        ("ON_HOLD", &["taskClaim", "taskStart", "taskHold"]),
        ("COMPLETED", &["taskClaim", "taskComplete"]),
        ("REJECTED", &["taskReject"]),
        ("CANCELLED", &["taskCancel"]),
    ];
    let more = |mutation: &str| match mutation {
        "taskHold" | "taskReject" => json!({ "reason": "Because" }),
        "taskComplete" => json!({ "outcome": "DONE" }),
        "taskAssign" => json!({ "to": { "userId": me } }),
        _ => json!({}),
    };
    for (status, way) in ways {
        for (mutation, from, to) in MOVES {
            let mut task = create(&owner, json!({ "code": "WALK", "ownerId": me })).await;
            for step in *way {
                task = done(&owner, step, &task, more(step)).await;
            }
            assert_eq!(task["status"], *status);
            let offered = task["allowedActions"].as_array().unwrap().contains(&json!(mutation));
            assert_eq!(offered, from.contains(status), "{mutation} is offered from {status}");
            let answer = act(&owner, mutation, &task, more(mutation)).await;
            if from.contains(status) {
                assert_eq!(answer["task"]["status"], *to, "{mutation} from {status}: {answer}");
            } else {
                assert_eq!(refused(&answer), "INVALID_TRANSITION", "{mutation} from {status}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_know_of_a_patient_sees_no_tasks_about_them() -> Result<()> {
    let server = clinic().await?;
    let (owner, nurse) =
        (server.person("northside", "owner").await, server.person("northside", "nurse").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let about =
        create(&owner, json!({ "code": "CALL", "description": "Call back", "patientId": patient })).await;
    create(&owner, json!({ "code": "TIDY", "description": "Tidy up" })).await;
    let seen = async || {
        let listed = nurse.ask("{ tasks { totalCount nodes { code } } }", json!({})).await["tasks"].clone();
        let one = nurse.ask("query($id: ID!) { task(id: $id) { id } }", json!({ "id": about["id"] })).await;
        (listed["totalCount"].clone(), one["task"].is_object())
    };
    assert_eq!(seen().await, (json!(2), true));
    let refusal =
        json!({ "patientId": patient, "decision": "DENY", "class": "ALL", "whom": { "role": "nurse" } });
    let refused = owner.run("consentRecord", "consent { id } userErrors { code path }", refusal).await;
    assert_eq!(refused["userErrors"], json!([]), "{refused}");
    assert_eq!(seen().await, (json!(1), false));
    Ok(())
}

#[tokio::test]
async fn a_chart_shows_what_is_to_be_done_about_each_patient_and_visit_at_once() -> Result<()> {
    let server = clinic().await?;
    let (physician, officer) =
        (server.person("northside", "physician").await, server.person("northside", "privacy_officer").await);
    let mut visits = Vec::new();
    for (given, family, born) in
        [("Ada", "Quill", "1990-01-02"), ("Ben", "Moss", "1961-07-30"), ("Cleo", "Reed", "1975-11-11")]
    {
        let patient = physician.register(given, family, born).await;
        for code in ["ORDER", "CALL_BACK"] {
            let encounter = visit(&server, &patient, EncounterStatus::InProgress).await;
            create(&physician, json!({ "code": code, "encounterId": encounter.to_string() })).await;
            visits.push((patient.clone(), encounter));
        }
        create(&physician, json!({ "code": "LETTER", "patientId": patient })).await;
    }
    let list =
        "tasks(first: 10, orderBy: NEWEST, filter: { status: [REQUESTED] }) { totalCount nodes { code } }";
    let patients = |count: usize| {
        let of = |n: usize| {
            format!(
                "p{n}: patient(by: {{ id: \"{}\" }}) {{ {list} encounters {{ nodes {{ {list} }} }} }}",
                visits[n * 2].0
            )
        };
        format!("{{ {} }}", (0..count).map(of).collect::<Vec<_>>().join(" "))
    };
    let three = physician.ask(&patients(3), json!({})).await;
    for n in 0..3 {
        let chart = &three[format!("p{n}")];
        assert_eq!(
            chart["tasks"],
            json!({ "totalCount": 3, "nodes": [{ "code": "LETTER" }, { "code": "CALL_BACK" }, { "code": "ORDER" }] })
        );
        let mut codes = Vec::new();
        for encounter in chart["encounters"]["nodes"].as_array().unwrap() {
            assert_eq!(encounter["tasks"]["totalCount"], 1);
            codes.push(encounter["tasks"]["nodes"][0]["code"].as_str().unwrap());
        }
        codes.sort_unstable();
        assert_eq!(codes, ["CALL_BACK", "ORDER"]);
    }
    // Those of siblings are loaded together: three charts take no more statements than one.
    let charts = |first: u32| {
        format!("{{ patients(first: {first}) {{ nodes {{ {list} encounters {{ nodes {{ {list} }} }} }} }} }}")
    };
    counted(&server, Actor::system(), &charts(3)).await;
    let (one, _) = counted(&server, Actor::system(), &charts(1)).await;
    let (three, answer) = counted(&server, Actor::system(), &charts(3)).await;
    assert_eq!(answer["data"]["patients"]["nodes"].as_array().unwrap().len(), 3, "{answer}");
    assert_eq!(one, three);
    let page = format!(
        "{{ patient(by: {{ id: \"{}\" }}) {{ tasks(first: 2) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ code }} }} }} }}",
        visits[0].0
    );
    let page = physician.ask(&page, json!({})).await["patient"]["tasks"].clone();
    assert_eq!(
        (page["nodes"].as_array().unwrap().len(), &page["pageInfo"]["hasNextPage"]),
        (2, &json!(true))
    );
    // Whoever may see no tasks sees none here either, and is told why.
    let query = format!(
        "{{ patient(by: {{ id: \"{}\" }}) {{ tasks {{ totalCount }} redactions {{ field reason }} }} }}",
        visits[0].0
    );
    let hidden = officer.send(&query, json!({}), &[]).await;
    assert_eq!(hidden.body["data"]["patient"]["tasks"], Value::Null, "{}", hidden.text);
    assert!(hidden.body["data"]["patient"]["redactions"].to_string().contains("tasks"), "{}", hidden.text);
    Ok(())
}

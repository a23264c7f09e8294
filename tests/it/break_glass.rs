//! Emergency access: declared, told, over in time, reviewed by somebody else.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use anyhow::Result;
use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use futures::future::join_all;
use praxis::rounds::Round;
use praxis_entity::ids::{BreakGlassId, PatientId, TypedId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{
    installation::TestInstallation,
    people::Person,
    server::{TestServer, send},
};

const SHOWN: &str =
    "breakGlass { id status classes overdue mine reason finding endedAt } userErrors { code path }";
const REASON: &str = "Unconscious after a fall, allergies unknown";

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

fn emergency(patient: &str) -> Value {
    json!({ "patientId": patient, "category": "THREAT_TO_LIFE", "reason": REASON, "classes": ["CLINICAL", "IDENTIFIERS"] })
}

async fn declare(person: &Person<'_>, patient: &str) -> Value {
    person.run("breakGlassDeclare", SHOWN, emergency(patient)).await
}

async fn review(person: &Person<'_>, id: &Value, outcome: &str) -> Value {
    let input = json!({ "id": id, "outcome": outcome, "comment": "Spoke with the ward; it was right." });
    person.run("breakGlassReview", SHOWN, input).await
}

async fn mails(server: &TestServer, template: &str) -> Result<i64> {
    let mut sql = server.installation.tenant_connection("northside").await?;
    let count = "SELECT count(*) FROM mail_message WHERE template = $1";
    Ok(sqlx::query_scalar(count).bind(template).fetch_one(&mut sql).await?)
}

#[tokio::test]
async fn a_nurse_declares_the_officers_are_told_and_one_of_them_reviews() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let patient = desk.register("Ada", "Quill", "1990-01-02").await;
    let (nurse, officer) =
        (server.proven("northside", "nurse").await, server.proven("northside", "privacy_officer").await);

    let declared = declare(&nurse, &patient).await;
    assert_eq!(declared["userErrors"], json!([]));
    let id = &declared["breakGlass"]["id"];
    assert_eq!(declared["breakGlass"]["status"], "ACTIVE");
    assert_eq!(declared["breakGlass"]["classes"], json!(["IDENTIFIERS", "CLINICAL"]));
    // The words are for the reviewers, not for whoever looks over a shoulder.
    assert_eq!(declared["breakGlass"]["reason"], Value::Null);
    // The officer and the owner are told at once; nothing of it names the patient.
    assert_eq!(mails(&server, "break_glass_declared").await?, 2);

    let listed = "{ breakGlasses(filter: { reviewed: false }) { totalCount nodes { id reason mine patient { name { full } } status } } }";
    let seen = officer.ask(listed, json!({})).await;
    assert_eq!(
        seen["breakGlasses"],
        json!({ "totalCount": 1, "nodes": [{ "id": id, "reason": REASON, "mine": false,
            "patient": { "name": { "full": "Ada Quill" } }, "status": "ACTIVE" }] })
    );
    assert_eq!(review(&officer, id, "JUSTIFIED").await["userErrors"][0]["code"], "INVALID_TRANSITION");

    let ended = nurse.run("breakGlassEnd", SHOWN, json!({ "id": id })).await;
    assert_eq!(ended["breakGlass"]["status"], "ENDED");
    let again = nurse.run("breakGlassEnd", SHOWN, json!({ "id": id })).await;
    assert_eq!(again["userErrors"][0]["code"], "INVALID_TRANSITION");

    let reviewed = review(&officer, id, "JUSTIFIED").await;
    assert_eq!(reviewed["breakGlass"]["status"], "JUSTIFIED");
    assert_eq!(reviewed["breakGlass"]["finding"], "Spoke with the ward; it was right.");
    assert_eq!(review(&officer, id, "UNJUSTIFIED").await["userErrors"][0]["code"], "INVALID_TRANSITION");
    Ok(())
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_with_a_reason() -> Result<()> {
    let server =
        TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")])
            .await?;
    let desk = server.person("northside", "receptionist").await;
    let patient = desk.register("Ada", "Quill", "1990-01-02").await;
    let elsewhere = server.person("harbor", "receptionist").await.register("Bea", "Rook", "1991-01-02").await;
    let nurse = server.proven("northside", "nurse").await;
    let with = |change: Value| {
        let mut input = emergency(&patient);
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        input
    };
    for (change, code, field) in [
        (json!({ "reason": "urgent" }), "INVALID", "reason"),
        (json!({ "reason": "                              " }), "INVALID", "reason"),
        (json!({ "reason": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx" }), "INVALID", "reason"),
        (json!({ "reason": "ab".repeat(2_000) + "cdef" }), "TOO_LONG", "reason"),
        (json!({ "classes": [] }), "REQUIRED", "classes"),
        (json!({ "minutes": 0 }), "OUT_OF_RANGE", "minutes"),
        (json!({ "minutes": 241 }), "OUT_OF_RANGE", "minutes"),
        (json!({ "minutes": -5 }), "OUT_OF_RANGE", "minutes"),
        (json!({ "patientId": elsewhere }), "NOT_FOUND", "patientId"),
        (json!({ "patientId": "pat_01jd3k5n8re6ktp1rb6z9q4x2m" }), "NOT_FOUND", "patientId"),
    ] {
        let refused = nurse.run("breakGlassDeclare", SHOWN, with(change.clone())).await;
        let expected = json!([{ "code": code, "path": ["input", field] }]);
        assert_eq!(refused["userErrors"], expected, "{change}");
    }
    assert_eq!(mails(&server, "break_glass_declared").await?, 0);

    // Without a second factor, or without the right, nothing happens whatever is asked.
    let query = "mutation($input: BreakGlassDeclareInput!) { breakGlassDeclare(input: $input) { breakGlass { id } } }";
    let unproven = server.person("northside", "nurse").await;
    let input = json!({ "input": emergency(&patient) });
    assert_eq!(unproven.send(query, input.clone(), &[]).await.code(), "STEP_UP_REQUIRED");
    assert_eq!(desk.send(query, input, &[]).await.code(), "FORBIDDEN");
    // A factor shown too long ago is none.
    server.clock.advance(TimeDelta::minutes(6));
    let input = json!({ "input": emergency(&patient) });
    assert_eq!(nurse.send(query, input, &[]).await.code(), "STEP_UP_REQUIRED");
    Ok(())
}

#[tokio::test]
async fn what_is_open_is_not_prolonged_by_whoever_asks_how_often() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let patient = desk.register("Ada", "Quill", "1990-01-02").await;
    let nurse = server.proven("northside", "nurse").await;
    let answers = join_all((0..16).map(|_| declare(&nurse, &patient))).await;
    let opened = answers.iter().filter(|answer| answer["breakGlass"]["id"].is_string()).count();
    assert_eq!(opened, 1);
    assert!(
        answers.iter().filter(|answer| answer["breakGlass"].is_null()).all(|answer| answer["userErrors"]
            == json!([{ "code": "ALREADY_EXISTS", "path": ["input", "patientId"] }]))
    );
    // Over is over, to the second; then there may be another, with reasons and notice of its own.
    server.clock.advance(TimeDelta::minutes(60));
    let nurse = renewed(&server, &nurse).await;
    let listed = nurse.ask("{ breakGlasses { nodes { status } } }", json!({})).await;
    assert_eq!(listed["breakGlasses"]["nodes"], json!([{ "status": "EXPIRED" }]));
    assert_eq!(declare(&nurse, &patient).await["userErrors"], json!([]));
    assert_eq!(mails(&server, "break_glass_declared").await?, 2);
    Ok(())
}

/// The same person with a new session and a second factor shown just now.
async fn renewed<'a>(server: &'a TestServer, person: &Person<'_>) -> Person<'a> {
    let _ = person;
    let mut sql = server.installation.tenant_connection("northside").await.unwrap();
    let email: String = sqlx::query_scalar(
        "SELECT email FROM user_account WHERE id = (SELECT user_id FROM break_glass LIMIT 1)",
    )
    .fetch_one(&mut sql)
    .await
    .unwrap();
    server.prove("northside", &email).await
}

#[tokio::test]
async fn while_a_review_is_overdue_its_author_declares_nothing() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let (first, second) =
        (desk.register("Ada", "Quill", "1990-01-02").await, desk.register("Bea", "Rook", "1991-01-02").await);
    let nurse = server.proven("northside", "nurse").await;
    let declared = declare(&nurse, &first).await;
    let id = declared["breakGlass"]["id"].clone();
    let tenant = server.app.directory.by_slug("northside").unwrap();
    let look = || Round::Emergencies.look(&server.app.platform, tenant.clone());

    // A second before, another patient may be opened all the same.
    server.clock.advance(TimeDelta::hours(72) - TimeDelta::seconds(1));
    let nurse = renewed(&server, &nurse).await;
    let other = declare(&nurse, &second).await;
    assert_eq!(other["userErrors"], json!([]));
    // The first one ran out long ago; declaring another has noted it.
    assert_eq!(look().await?, 0);
    assert_eq!(mails(&server, "break_glass_overdue").await?, 0);

    server.clock.advance(TimeDelta::seconds(1));
    for patient in [&first, &second] {
        let refused = declare(&nurse, patient).await;
        assert_eq!(refused["userErrors"], json!([{ "code": "REVIEW_OVERDUE", "path": ["input"] }]));
    }
    // The officers are told of it once, whoever looks and how often.
    let looks = join_all((0..4).map(|_| look())).await;
    assert_eq!(looks.into_iter().map(Result::unwrap).sum::<u64>(), 1);
    assert_eq!(look().await?, 0);
    assert_eq!(mails(&server, "break_glass_overdue").await?, 1);

    // Nobody reviews their own: not even the owner, who may review.
    let owner = server.prove("northside", "owner@praxis.test").await;
    let late = owner
        .ask("{ breakGlasses(filter: { overdue: true }) { nodes { id overdue status } } }", json!({}))
        .await;
    assert_eq!(late["breakGlasses"]["nodes"], json!([{ "id": id, "overdue": true, "status": "EXPIRED" }]));
    let own = declare(&owner, &second).await;
    owner.run("breakGlassEnd", SHOWN, json!({ "id": own["breakGlass"]["id"] })).await;
    let refused = review(&owner, &own["breakGlass"]["id"], "JUSTIFIED").await;
    assert_eq!(refused["userErrors"], json!([{ "code": "LOCKED", "path": ["input", "id"] }]));

    assert_eq!(review(&owner, &id, "UNJUSTIFIED").await["breakGlass"]["status"], "UNJUSTIFIED");
    assert_eq!(declare(&nurse, &first).await["userErrors"], json!([]));
    Ok(())
}

#[tokio::test]
async fn the_database_holds_the_box_whatever_the_server_says() -> Result<()> {
    let server = clinic().await?;
    let desk = server.person("northside", "receptionist").await;
    let patient = desk.register("Ada", "Quill", "1990-01-02").await;
    let (nurse, officer) =
        (server.proven("northside", "nurse").await, server.proven("northside", "privacy_officer").await);
    let declared = declare(&nurse, &patient).await;
    let id = declared["breakGlass"]["id"].as_str().unwrap().parse::<BreakGlassId>()?.uuid();
    let mut sql = server.installation.tenant_connection("northside").await?;

    let copy = |columns: &str, values: &str| {
        format!(
            "INSERT INTO break_glass (id, user_id, patient_id, category, classes, statement, status, declared_at, expires_at, review_due_at{columns}) \
             SELECT gen_random_uuid(), user_id, patient_id, category, classes, statement, {values} FROM break_glass WHERE id = '{id}'"
        )
    };
    let set = |change: &str| format!("UPDATE break_glass SET {change} WHERE id = '{id}'");
    let (reviewer, author) = ("(SELECT id FROM user_account WHERE email LIKE 'privacy%')", "user_id");
    let reviewed =
        |by: &str| format!("status = 'JUSTIFIED', reviewed_at = now(), reviewed_by = {by}, finding = ''");
    for (attempt, refusal) in [
        (set("expires_at = expires_at + interval '1 hour'"), "42501"),
        (set("declared_at = now() + interval '1 day'"), "42501"),
        (set("created_at = now() + interval '1 day'"), "42501"),
        (set("review_due_at = review_due_at + interval '1 hour'"), "42501"),
        (set("user_id = gen_random_uuid()"), "42501"),
        (set("classes = '{CLINICAL,CONTACT}'"), "42501"),
        (format!("DELETE FROM break_glass WHERE id = '{id}'"), "42501"),
        ("TRUNCATE break_glass".to_owned(), "42501"),
        ("ALTER TABLE break_glass DISABLE TRIGGER ALL".to_owned(), "42501"),
        ("CREATE OR REPLACE VIEW break_glass_open AS SELECT 1".to_owned(), "42501"),
        // Longer than four hours, from elsewhere in time, or twice at once.
        (copy("", "'ACTIVE', now(), now() + interval '241 minutes', now() + interval '72 hours'"), "23514"),
        (copy("", "'ACTIVE', now(), now() + interval '1 hour', now() + interval '73 hours'"), "23514"),
        (copy("", "'ACTIVE', now(), now() + interval '1 hour', now() + interval '72 hours'"), "23505"),
        (
            copy(
                ", created_at",
                "'ACTIVE', now(), now() + interval '1 hour', now() + interval '72 hours', now() + interval '1 day'",
            ),
            "42501",
        ),
        // Begun anywhere but at the beginning; reviewed while open; by its author.
        (copy("", "'EXPIRED', now(), now() + interval '1 hour', now() + interval '72 hours'"), "PX001"),
        (set(&reviewed(reviewer)), "PX001"),
        (set("status = 'ENDED'"), "23514"),
    ] {
        let error = sql.execute(AssertSqlSafe(attempt.as_str())).await.expect_err(&attempt);
        let code = error.as_database_error().unwrap().code().map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some(refusal), "{attempt}: {error}");
    }

    nurse.run("breakGlassEnd", SHOWN, json!({ "id": declared["breakGlass"]["id"] })).await;
    for (attempt, refusal) in [
        (set("status = 'ACTIVE'"), "PX001"),
        (set("ended_at = NULL, ended_by = NULL"), "PX003"),
        (set(&reviewed(author)), "23514"),
        (set("status = 'JUSTIFIED'"), "23514"),
    ] {
        let error = sql.execute(AssertSqlSafe(attempt.as_str())).await.expect_err(&attempt);
        let code = error.as_database_error().unwrap().code().map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some(refusal), "{attempt}: {error}");
    }
    review(&officer, &declared["breakGlass"]["id"], "UNJUSTIFIED").await;
    for attempt in [
        set("status = 'JUSTIFIED'"),
        set("reviewed_at = NULL, reviewed_by = NULL, finding = NULL, status = 'ENDED'"),
    ] {
        let error = sql.execute(AssertSqlSafe(attempt.as_str())).await.expect_err(&attempt);
        let code = error.as_database_error().unwrap().code().map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("PX003"), "{attempt}: {error}");
    }
    Ok(())
}

const READ: &str = "query($id: ID!) { patient(by: { id: $id }) { name { full } nationalId phone redactions { field breakGlass } } patients { totalCount } }";

async fn read(person: &Person<'_>, patient: &str) -> Value {
    person.ask(READ, json!({ "id": patient })).await
}

#[tokio::test]
async fn what_is_opened_is_read_marked_and_closed_again_to_the_second() -> Result<()> {
    let server = clinic().await?;
    let owner = server.proven("northside", "owner").await;
    let register = async |given: &str, family: &str, born: &str, number: &str| {
        let input = json!({ "name": { "given": [given], "family": family }, "birthDate": born,
            "phone": "+442079460123", "nationalId": number });
        let made = owner.run("patientCreate", "patient { id nationalId } userErrors { code }", input).await;
        (made["patient"]["id"].as_str().unwrap().to_owned(), made["patient"]["nationalId"].clone())
    };
    let (ada, number) = register("Ada", "Quill", "1990-01-02", "943 476 5919").await;
    let (bea, _) = register("Bea", "Rook", "1991-01-02", "943 476 5870").await;
    let (nurse, other) =
        (server.proven("northside", "nurse").await, server.proven("northside", "nurse").await);

    // A nurse's role does not show the number, and says that an emergency would.
    let before = read(&nurse, &ada).await;
    assert_eq!(
        (&before["patient"]["name"]["full"], &before["patient"]["nationalId"]),
        (&json!("Ada Quill"), &Value::Null)
    );
    let redactions = before["patient"]["redactions"].as_array().unwrap();
    assert!(redactions.contains(&json!({ "field": "nationalId", "breakGlass": true })), "{redactions:?}");
    // Then the patient forbids nurses everything.
    let deny = json!({ "patientId": ada, "decision": "DENY", "class": "ALL", "whom": { "role": "nurse" } });
    let denied = owner.run("consentRecord", "consent { id } userErrors { code }", deny).await;
    assert_eq!(denied["userErrors"], json!([]));
    let gone = json!({ "patient": null, "patients": { "totalCount": 1 } });
    assert_eq!(read(&nurse, &ada).await, gone);

    let mut input = emergency(&ada);
    input["classes"] = json!(["IDENTITY", "IDENTIFIERS"]);
    input["minutes"] = json!(30);
    let declared = nurse.run("breakGlassDeclare", SHOWN, input.clone()).await;
    let id = declared["breakGlass"]["id"].as_str().unwrap().parse::<BreakGlassId>()?.uuid();
    // At once, on every server; of this patient and these classes only; for nobody else.
    let open = read(&nurse, &ada).await;
    assert_eq!(
        (&open["patient"]["name"]["full"], &open["patient"]["nationalId"]),
        (&json!("Ada Quill"), &number)
    );
    assert_eq!((&open["patient"]["phone"], &open["patients"]["totalCount"]), (&Value::Null, &json!(2)));
    let elsewhere = server.another().await?;
    let request = Request::post("/graphql")
        .header("host", &nurse.host)
        .header("content-type", "application/json")
        .header("authorization", &nurse.bearer)
        .body(Body::from(json!({ "query": READ, "variables": { "id": ada } }).to_string()))?;
    assert_eq!(send(&elsewhere.router, request).await.body["data"], open);
    assert_eq!(read(&nurse, &bea).await["patient"]["nationalId"], Value::Null);
    assert_eq!(read(&other, &ada).await, gone);
    // It opens reading and nothing else.
    let write = "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { patient { id } userErrors { code } } }";
    let written = nurse.send(write, json!({ "id": ada }), &[]).await;
    assert!(written.body["data"]["patientUpdate"]["patient"].is_null(), "{}", written.text);

    let mut sql = server.installation.tenant_connection("northside").await?;
    let marked = "SELECT count(*) FILTER (WHERE break_glass_id = $1 AND purpose = 'ETREAT'), count(*) FILTER (WHERE break_glass_id IS NULL OR purpose <> 'ETREAT') \
        FROM audit_entry WHERE action = 'disclose' AND actor_id = (SELECT user_id FROM break_glass WHERE id = $1) AND $2 = ANY(patients) AND at >= (SELECT declared_at FROM break_glass WHERE id = $1)";
    let (ada_id, bea_id) = (ada.parse::<PatientId>()?.uuid(), bea.parse::<PatientId>()?.uuid());
    let (under, beside): (i64, i64) =
        sqlx::query_as(marked).bind(id).bind(ada_id).fetch_one(&mut sql).await?;
    assert_eq!((under, beside), (2, 0));
    let (under, beside): (i64, i64) =
        sqlx::query_as(marked).bind(id).bind(bea_id).fetch_one(&mut sql).await?;
    assert_eq!((under, beside), (0, 1));

    server.clock.advance(TimeDelta::minutes(30) - TimeDelta::seconds(20));
    let nurse = renewed(&server, &nurse).await;
    assert_eq!(read(&nurse, &ada).await["patient"]["nationalId"], number);
    server.clock.advance(TimeDelta::seconds(20));
    assert_eq!(read(&nurse, &ada).await, gone);

    // By the database's own clock as well, whatever the server's says.
    nurse.run("breakGlassDeclare", SHOWN, input).await;
    assert_eq!(read(&nurse, &ada).await["patient"]["nationalId"], number);
    let schema = server.app.directory.by_slug("northside").unwrap().schema.clone();
    let back = format!(
        "SET session_replication_role = replica; UPDATE {schema}.break_glass SET created_at = created_at - interval '31 minutes' WHERE status = 'ACTIVE'"
    );
    server.installation.admin().await?.execute(sqlx::raw_sql(AssertSqlSafe(back))).await?;
    assert_eq!(read(&nurse, &ada).await, gone);
    Ok(())
}

#[tokio::test]
async fn it_opens_a_record_while_redis_and_the_identity_provider_are_away() -> Result<()> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    // Nobody listens there.
    let config = installation.config_with(&[("redis.url", "redis://127.0.0.1:1")])?;
    let server = TestServer::over(installation, config).await?;
    let owner = server.proven("northside", "owner").await;
    let away = json!({ "name": "Away", "issuer": "https://identity.invalid", "clientId": "praxis" });
    let added = owner.run("identityProviderAdd", "identityProvider { id } userErrors { code }", away).await;
    assert_eq!(added["userErrors"], json!([]));

    let input = json!({ "name": { "given": ["Ada"], "family": "Quill" }, "birthDate": "1990-01-02",
        "nationalId": "943 476 5919" });
    let made = owner.run("patientCreate", "patient { id } userErrors { code }", input).await;
    let patient = made["patient"]["id"].as_str().unwrap();
    let nurse = server.proven("northside", "nurse").await;
    assert!(read(&nurse, patient).await["patient"]["nationalId"].is_null());
    assert_eq!(declare(&nurse, patient).await["userErrors"], json!([]));
    assert!(read(&nurse, patient).await["patient"]["nationalId"].is_string());
    assert_eq!(mails(&server, "break_glass_declared").await?, 1);
    Ok(())
}

//! Where a second factor is asked for, by a role or for what is sensitive, and how somebody who lost theirs comes back.

use chrono::DateTime;

use super::*;

const CLOSED: [&str; 5] = [
    "{ viewer { id } }",
    "{ patients { nodes { id } } }",
    "{ node(id: \"pat_01m83y56tqexft0335kqm5vt9e\") { id } }",
    "mutation { recoveryCodesRenew { recoveryCodes } }",
    "mutation { facilityAdd(input: { code: \"A\", name: \"A\", timeZone: \"UTC\" }) { facility { id } } }",
];

async fn closed(staff: &Staff<'_>) {
    for query in CLOSED {
        let answer = staff.ask(query, json!({})).await;
        assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED", "{query}: {}", answer.text);
    }
}

async fn require(owner: &Staff<'_>, role: &str, required: bool) {
    let input = json!({ "role": role, "required": required });
    let payload = owner.run("roleRequireSecondFactor", "role required", input).await;
    assert_eq!(payload["required"], required, "{payload}");
}

#[tokio::test]
async fn a_role_that_asks_for_a_second_factor_is_passed_by_no_way() -> Result<()> {
    let server = clinic().await?;
    let owner = Staff::new(&server, "owner").await;
    let asking = json!({ "role": "nurse", "required": true });
    let refused =
        owner.ask(&mutation("roleRequireSecondFactor", "role", &asking), json!({ "input": asking })).await;
    assert_eq!(refused.code(), "STEP_UP_REQUIRED");
    owner.enrol().await;

    let before = Staff::new(&server, "nurse").await;
    let (enrolled, _) = {
        let staff = Staff::new(&server, "nurse").await;
        let (app, _) = staff.enrol().await;
        (staff, app)
    };
    // The step-up of `enrol` is remembered by no server for longer than a moment.
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    require(&owner, "nurse", true).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;

    // A session from before may only enrol; one that showed a factor goes on.
    closed(&before).await;
    assert!(enrolled.ask("{ viewer { id } }", json!({})).await.body["errors"].is_null());
    // So does a new one.
    let mut fresh =
        Staff { server: &server, email: before.email.clone(), bearer: String::new(), refresh: String::new() };
    let answer = fresh.password().await;
    assert_eq!(answer.body["enrolmentRequired"], true, "{}", answer.text);
    fresh.enter(&answer);
    closed(&fresh).await;
    let whoami = server.get(HOST, "/auth/whoami", &[("authorization", &fresh.bearer)]).await;
    assert_eq!(whoami.body["secondFactorRequired"], true);
    // Nor does renewing it help.
    assert_eq!(fresh.renew().await.body["enrolmentRequired"], true);
    closed(&fresh).await;
    // Enrolled, the same session is a whole one at once.
    fresh.enrol().await;
    let open = fresh.ask("{ viewer { secondFactors { required } } }", json!({})).await;
    assert_eq!(open.body["data"]["viewer"]["secondFactors"]["required"], true, "{}", open.text);
    // The last factor can't be taken away.
    let kept = fresh.run("totpRemove", "secondFactors { required }", Value::Null).await;
    assert_eq!(kept["userErrors"][0]["code"], "LOCKED");
    // The session from before now has something to show, and so can't enrol any more.
    let late = before.ask(&mutation("totpEnrol", "uri", &Value::Null), json!({})).await;
    assert_eq!(late.code(), "STEP_UP_REQUIRED");
    closed(&before).await;
    Ok(())
}

#[tokio::test]
async fn a_first_factor_is_enrolled_soon_after_signing_in_or_not_at_all() -> Result<()> {
    let server = clinic().await?;
    let mut nurse = Staff::new(&server, "nurse").await;
    server.clock.advance(TimeDelta::minutes(9));
    assert!(nurse.ask("{ viewer { id } }", json!({})).await.body["errors"].is_null());
    server.clock.advance(TimeDelta::minutes(6));
    nurse.renew().await;
    for field in ["totpEnrol", "passkeyRegisterStart"] {
        let select = if field == "totpEnrol" { "uri" } else { "options" };
        let late = nurse.ask(&mutation(field, select, &Value::Null), json!({})).await;
        assert_eq!(late.code(), "STEP_UP_REQUIRED", "{}", late.text);
    }
    Ok(())
}

#[tokio::test]
async fn stepping_up_opens_sensitive_actions_for_five_minutes() -> Result<()> {
    let server = clinic().await?;
    let mut owner = Staff::new(&server, "owner").await;
    let (app, codes) = owner.enrol().await;
    server.clock.advance(TimeDelta::minutes(5));
    let asking = json!({ "role": "nurse", "required": true });
    let ask = async |owner: &Staff<'_>| {
        owner.ask(&mutation("roleRequireSecondFactor", "role", &asking), json!({ "input": asking })).await
    };
    assert_eq!(ask(&owner).await.code(), "STEP_UP_REQUIRED");
    let options = owner.post("/auth/step-up/options", json!({})).await;
    assert_eq!(options.body["methods"], json!(["TOTP", "RECOVERY_CODE"]));
    let wrong = owner.post("/auth/step-up", json!({ "totp": "000000" })).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    let stepped_up = owner.post("/auth/step-up", json!({ "totp": app.next(&server) })).await;
    assert_eq!(stepped_up.status, StatusCode::OK, "{}", stepped_up.text);
    let until = DateTime::parse_from_rfc3339(stepped_up.body["freshUntil"].as_str().unwrap())?;
    assert!((until.to_utc() - server.clock.now()).num_seconds() >= 295);
    assert!(ask(&owner).await.body["errors"].is_null());
    server.clock.advance(TimeDelta::minutes(5));
    owner.renew().await;
    assert_eq!(ask(&owner).await.code(), "STEP_UP_REQUIRED");
    assert_eq!(owner.post("/auth/step-up", json!({ "recoveryCode": codes[3] })).await.status, StatusCode::OK);
    assert!(ask(&owner).await.body["errors"].is_null());
    let nobody = server_post(&server, "/auth/step-up", json!({ "totp": "000000" })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn whoever_lost_everything_is_let_enrol_anew_by_an_administrator() -> Result<()> {
    let server = clinic().await?;
    let owner = Staff::new(&server, "owner").await;
    let manager = Staff::new(&server, "practice_manager").await;
    let nurse = Staff::new(&server, "nurse").await;
    nurse.enrol().await;
    nurse.make_passkey(Kind::EdDsa, 1).await;
    let id = async |staff: &Staff<'_>| {
        staff.ask("{ viewer { id } }", json!({})).await.body["data"]["viewer"]["id"].clone()
    };
    let (owners, nurses) = (id(&owner).await, id(&nurse).await);
    let reset = async |by: &Staff<'_>, whom: &Value| {
        let input = json!({ "userId": whom });
        by.ask(&mutation("userResetSecondFactors", "user { id }", &input), json!({ "input": input })).await
    };
    assert_eq!(reset(&nurse, &owners).await.code(), "FORBIDDEN");
    assert_eq!(reset(&owner, &nurses).await.code(), "STEP_UP_REQUIRED");
    owner.enrol().await;
    manager.enrol().await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    // Nobody lifts themselves above what they may do.
    assert_eq!(reset(&manager, &owners).await.code(), "FORBIDDEN");
    let own = reset(&owner, &owners).await;
    assert_eq!(own.body["data"]["userResetSecondFactors"]["userErrors"][0]["code"], "LOCKED");

    let before = mails(&server, &nurse.email).await;
    let done = reset(&owner, &nurses).await;
    assert_eq!(done.body["data"]["userResetSecondFactors"]["user"]["id"], nurses, "{}", done.text);
    assert_eq!(mails(&server, &nurse.email).await, before + 1);
    assert_eq!(entries(&server, "user.reset-second-factors", "OK").await, 1);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(nurse.ask("{ viewer { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(nurse.password().await.status, StatusCode::OK);
    Ok(())
}

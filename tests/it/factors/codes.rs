//! Codes of an authenticator app, and those written down for when it is lost: each works once, and guessing is slow.

use futures::future::join_all;

use super::*;
use crate::support::server::send;

#[tokio::test]
async fn a_confirmed_app_is_asked_for_and_each_code_works_once() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    // Set up but not confirmed, it counts for nothing.
    nurse.run("totpEnrol", "uri", Value::Null).await;
    assert_eq!(nurse.password().await.status, StatusCode::OK);
    let wrong = nurse.run("totpConfirm", "recoveryCodes", json!({ "code": "000000" })).await;
    assert_eq!(wrong["userErrors"][0]["code"], "INVALID");

    let (app, codes) = nurse.enrol().await;
    assert_eq!(codes.len(), 10);
    assert_eq!(mails(&server, &nurse.email).await, 1);
    let asked = nurse.password().await;
    assert_eq!((asked.status, asked.code()), (StatusCode::UNAUTHORIZED, "SECOND_FACTOR_REQUIRED"));
    assert_eq!(asked.body["methods"], json!(["TOTP", "RECOVERY_CODE"]));
    assert!(asked.body["accessToken"].is_null());
    // The challenge is no session.
    let bearer = format!("Bearer {}", asked.body["challenge"].as_str().unwrap());
    let whoami = server.get(HOST, "/auth/whoami", &[("authorization", &bearer)]).await;
    assert_eq!(whoami.status, StatusCode::UNAUTHORIZED);

    // The code that confirmed the app is used up.
    let confirmed = app.shown();
    assert_eq!(nurse.answer(&asked, json!({ "totp": confirmed })).await.status, StatusCode::UNAUTHORIZED);
    let code = app.next(&server);
    let entered = nurse.answer(&asked, json!({ "totp": code })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert_eq!(nurse.second_factor(json!({ "totp": code })).await.status, StatusCode::UNAUTHORIZED);
    // So is the challenge.
    let next = app.next(&server);
    assert_eq!(nurse.answer(&asked, json!({ "totp": next })).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nurse.second_factor(json!({ "totp": next })).await.status, StatusCode::OK, "it was not spent");
    Ok(())
}

#[tokio::test]
async fn of_sixty_four_clients_with_one_code_one_gets_in() -> Result<()> {
    let server = clinic().await?;
    let another = server.another().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, _) = nurse.enrol().await;
    let challenges = join_all((0..64).map(|_| nurse.password())).await;
    let code = app.next(&server);
    let race = challenges.iter().enumerate().map(|(number, asked)| {
        let router = if number % 2 == 0 { &server.app.router } else { &another.router };
        let body = json!({ "challenge": asked.body["challenge"], "totp": code }).to_string();
        let request = axum::http::Request::post("/auth/second-factor")
            .header("host", HOST)
            .header("content-type", "application/json");
        send(router, request.body(body.into()).unwrap())
    });
    let answers = join_all(race).await;
    let entered = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(entered, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 401)), "a replay is no guess");
    Ok(())
}

#[tokio::test]
async fn a_challenge_ends_with_its_time_the_password_and_the_account() -> Result<()> {
    let server = TestServer::new(&[
        ("northside", "root@northside.test", "owner"),
        ("southside", "root@southside.test", "owner"),
    ])
    .await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, _) = nurse.enrol().await;
    let asked = nurse.password().await;
    server.clock.advance(TimeDelta::minutes(5));
    let code = app.next(&server);
    assert_eq!(nurse.answer(&asked, json!({ "totp": code })).await.status, StatusCode::UNAUTHORIZED);

    let asked = nurse.password().await;
    let shown = json!({ "challenge": asked.body["challenge"], "totp": code });
    let elsewhere = server.post("southside.praxis.test", "/auth/second-factor", &[], shown).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    for changed in ["password_hash = password_hash", "active = false"] {
        let mut sql = server.installation.tenant_connection("northside").await?;
        let asked = nurse.password().await;
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE user_account SET {changed} WHERE email = $1")))
            .bind(&nurse.email)
            .execute(&mut sql)
            .await?;
        let answer = nurse.answer(&asked, json!({ "totp": code })).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{changed}");
    }
    for broken in ["", "x", "AAAA", &"A".repeat(5000)] {
        let body = json!({ "challenge": broken, "totp": code });
        let answer = server.post(HOST, "/auth/second-factor", &[], body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{broken:.9}");
    }
    for body in [
        json!({}),
        json!({ "challenge": "x" }),
        json!({ "challenge": "x", "totp": "1", "recoveryCode": "2" }),
    ] {
        let answer = server.post(HOST, "/auth/second-factor", &[], body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    }
    Ok(())
}

#[tokio::test]
async fn guessing_is_slowed_down_for_all_servers_and_forgiven_in_time() -> Result<()> {
    let server = clinic().await?;
    let another = server.another().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (app, codes) = nurse.enrol().await;
    let asked = nurse.password().await;
    for guess in 0..5 {
        let shown =
            if guess % 2 == 0 { json!({ "totp": "000000" }) } else { json!({ "recoveryCode": "nonsense" }) };
        assert_eq!(nurse.answer(&asked, shown).await.status, StatusCode::UNAUTHORIZED, "{guess}");
    }
    let right = app.next(&server);
    let closed = nurse.answer(&asked, json!({ "totp": right })).await;
    assert_eq!((closed.status, closed.code()), (StatusCode::TOO_MANY_REQUESTS, "THROTTLED"));
    assert!(closed.headers.contains_key("retry-after"));
    let body = json!({ "challenge": asked.body["challenge"], "recoveryCode": codes[0] }).to_string();
    let request = axum::http::Request::post("/auth/second-factor")
        .header("host", HOST)
        .header("content-type", "application/json");
    let elsewhere = send(&another.router, request.body(body.into())?).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(entries(&server, "second-factor", "DENIED").await, 7);

    server.clock.advance(TimeDelta::minutes(1));
    let entered = nurse.answer(&asked, json!({ "totp": app.code(&server) })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    Ok(())
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_its_owner_is_told() -> Result<()> {
    let server = clinic().await?;
    let mut nurse = Staff::new(&server, "nurse").await;
    let (_, codes) = nurse.enrol().await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    let entered = nurse.second_factor(json!({ "recoveryCode": typed })).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert_eq!(mails(&server, &nurse.email).await, 2);
    assert_eq!(
        nurse.second_factor(json!({ "recoveryCode": codes[0] })).await.status,
        StatusCode::UNAUTHORIZED
    );
    nurse.enter(&entered);
    let left = nurse.ask("{ viewer { secondFactors { recoveryCodesLeft } } }", json!({})).await;
    assert_eq!(left.body["data"]["viewer"]["secondFactors"]["recoveryCodesLeft"], 9);

    let renewed =
        texts(&nurse.run("recoveryCodesRenew", "recoveryCodes", Value::Null).await["recoveryCodes"]);
    assert_eq!(renewed.len(), 10);
    assert_eq!(
        nurse.second_factor(json!({ "recoveryCode": codes[1] })).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(nurse.second_factor(json!({ "recoveryCode": renewed[1] })).await.status, StatusCode::OK);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT row_to_json(c)::text FROM recovery_code c").fetch_all(&mut sql).await?;
    let plain = renewed[0].replace('-', "");
    assert!(rows.iter().all(|row| !row.contains(&plain)), "codes are stored as hashes only");
    Ok(())
}

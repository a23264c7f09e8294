//! Passkeys, after a password or alone: for one person, at one place, and no copy of them.

use authenticator::PRESENT;

use super::*;

#[tokio::test]
async fn a_passkey_is_a_second_factor_and_can_be_both_at_once() -> Result<()> {
    let server = clinic().await?;
    for (kind, seed) in [(Kind::Es256, 1), (Kind::EdDsa, 2), (Kind::Rs256, 3)] {
        let nurse = Staff::new(&server, "nurse").await;
        let (mut key, made) = nurse.make_passkey(kind, seed).await;
        assert_eq!((&made["userErrors"], &made["passkey"]["host"]), (&json!([]), &json!(HOST)));
        assert_eq!(texts(&made["recoveryCodes"]).len(), 10);

        let asked = nurse.password().await;
        assert_eq!(asked.body["methods"], json!(["PASSKEY", "RECOVERY_CODE"]));
        let shown = key.get(&asked.body["passkey"]);
        let entered = nurse.answer(&asked, json!({ "passkey": shown })).await;
        assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
        assert_eq!(nurse.answer(&asked, json!({ "passkey": shown })).await.status, StatusCode::UNAUTHORIZED);

        let alone =
            async |passkey: Value| server_post(&server, "/auth/passkey", json!({ "passkey": passkey })).await;
        let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
        assert_eq!(options["userVerification"], "required");
        let shown = key.get(&options);
        let entered = alone(shown.clone()).await;
        assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
        assert_eq!(alone(shown).await.status, StatusCode::UNAUTHORIZED, "the challenge is spent");
        // Alone it has to verify its holder, and to say whose it is.
        let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
        key.flags = PRESENT;
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::UNAUTHORIZED);
        key.flags = PRESENT | authenticator::VERIFIED;
        let handle = key.user_handle.take();
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::UNAUTHORIZED);
        key.user_handle = handle;
        assert_eq!(alone(key.get(&options)).await.status, StatusCode::OK);
    }
    Ok(())
}

#[tokio::test]
async fn a_challenge_answers_nothing_but_what_it_was_made_for() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, _) = nurse.make_passkey(Kind::EdDsa, 1).await;
    let asked = nurse.password().await;
    let step_up = nurse.post("/auth/step-up/options", json!({})).await.body;
    let alone = server_post(&server, "/auth/passkey/options", json!({})).await.body;
    let registration = nurse.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    for wrong in [&step_up["passkey"], &alone, &registration] {
        let shown = json!({ "passkey": key.get(wrong) });
        assert_eq!(nurse.answer(&asked, shown).await.status, StatusCode::UNAUTHORIZED);
    }
    for wrong in [&asked.body["passkey"], &step_up["passkey"], &registration] {
        let body = json!({ "passkey": key.get(wrong) });
        assert_eq!(server_post(&server, "/auth/passkey", body).await.status, StatusCode::UNAUTHORIZED);
    }
    for wrong in [&asked.body["passkey"], &alone, &registration] {
        let answer = nurse.post("/auth/step-up", json!({ "passkey": key.get(wrong) })).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "STEP_UP_REQUIRED"));
    }
    // A challenge of another session is another challenge.
    let colleague = Staff::new(&server, "nurse").await;
    let (mut theirs, _) = colleague.make_passkey(Kind::EdDsa, 2).await;
    let options = colleague.post("/auth/step-up/options", json!({})).await.body;
    let body = json!({ "passkey": theirs.get(&options["passkey"]) });
    assert_eq!(nurse.post("/auth/step-up", body.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(colleague.post("/auth/step-up", body).await.status, StatusCode::OK);
    let start = colleague.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    let credential = Authenticator::new(Kind::EdDsa, 3, HOST, ORIGIN).create(&start);
    let input = json!({ "name": "Key", "credential": credential });
    let refused = nurse.run("passkeyRegisterFinish", "passkey { id }", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    // In its own session it is good once.
    let made = colleague.run("passkeyRegisterFinish", "passkey { id }", input.clone()).await;
    assert!(made["passkey"]["id"].is_string(), "{made}");
    let again = colleague.run("passkeyRegisterFinish", "passkey { id }", input).await;
    assert_eq!(again["userErrors"][0]["code"], "INVALID");
    Ok(())
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person_and_one_place() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, made) = nurse.make_passkey(Kind::EdDsa, 1).await;
    // The same credential again, for oneself or for somebody else.
    let colleague = Staff::new(&server, "nurse").await;
    let (_, stolen) = colleague.make_passkey(Kind::EdDsa, 1).await;
    assert_eq!(stolen["userErrors"][0]["code"], "ALREADY_EXISTS");
    let options = nurse.run("passkeyRegisterStart", "options", Value::Null).await["options"].clone();
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
    // Somebody else's passkey after one's own password.
    let (mut theirs, _) = colleague.make_passkey(Kind::EdDsa, 2).await;
    let asked = nurse.password().await;
    assert_eq!(
        nurse.answer(&asked, json!({ "passkey": theirs.get(&asked.body["passkey"]) })).await.status,
        StatusCode::UNAUTHORIZED
    );
    key.origin = "https://northside.praxis.test.evil.example".to_owned();
    let phished = json!({ "passkey": key.get(&asked.body["passkey"]) });
    assert_eq!(nurse.answer(&asked, phished).await.status, StatusCode::UNAUTHORIZED);
    // Renamed and removed by its owner only.
    let id = made["passkey"]["id"].clone();
    let foreign = colleague.run("passkeyRemove", "secondFactors { required }", json!({ "id": id })).await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
    let renamed = nurse.run("passkeyRename", "passkey { name }", json!({ "id": id, "name": "Desk" })).await;
    assert_eq!(renamed["passkey"]["name"], "Desk");
    let removed = nurse.run("passkeyRemove", "secondFactors { passkeys { id } }", json!({ "id": id })).await;
    assert_eq!(removed["secondFactors"]["passkeys"], json!([]));
    assert_eq!(nurse.password().await.status, StatusCode::OK, "without a factor none is asked for");
    Ok(())
}

#[tokio::test]
async fn a_copied_passkey_is_shut_off_and_told_of() -> Result<()> {
    let server = clinic().await?;
    let nurse = Staff::new(&server, "nurse").await;
    let (mut key, _) = nurse.make_passkey(Kind::Es256, 1).await;
    let entered = async |key: &mut Authenticator| {
        let asked = nurse.password().await;
        let shown = json!({ "passkey": key.get(&asked.body["passkey"]) });
        nurse.answer(&asked, shown).await.status
    };
    key.counter = 9;
    assert_eq!(entered(&mut key).await, StatusCode::OK);
    key.counter = 4;
    assert_eq!(entered(&mut key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(entries(&server, "passkey.cloned", "DENIED").await, 1);
    assert_eq!(mails(&server, &nurse.email).await, 2);
    let mut sql = server.installation.tenant_connection("northside").await?;
    let alerts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mail_message WHERE template = 'passkey-cloned'")
            .fetch_one(&mut sql)
            .await?;
    assert!(alerts >= 1);
    // From now on neither copy is offered or believed.
    let asked = nurse.password().await;
    assert_eq!(asked.body["methods"], json!(["RECOVERY_CODE"]));
    let options = server_post(&server, "/auth/passkey/options", json!({})).await.body;
    key.counter = 100;
    let alone = json!({ "passkey": key.get(&options) });
    assert_eq!(server_post(&server, "/auth/passkey", alone).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

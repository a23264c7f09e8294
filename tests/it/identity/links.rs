//! Mailed links: a new password, and signing in without one.

use super::*;

const ANN: &str = "ann@praxis.test";

async fn with_ann() -> Result<Clinic> {
    let clinic = Clinic::new().await?;
    clinic.server.user("northside", ANN, "physician").await?;
    Ok(clinic)
}

impl Clinic {
    async fn ask_for(&self, path: &str, email: &str) -> Answer {
        self.post(path, json!({ "email": email })).await
    }

    async fn reset(&self, token: &str, password: &str) -> Answer {
        self.post("/auth/password-reset/confirm", json!({ "token": token, "password": password })).await
    }

    async fn sign_in(&self, token: &str, device: &str) -> Answer {
        let body = json!({ "token": token, "session": "bearer" });
        let cookie = format!("__Host-praxis-link={device}");
        self.server.post(HOST, "/auth/magic-link/confirm", &[("cookie", &cookie)], body).await
    }
}

/// What the device keeps that asked.
fn device(answer: &Answer) -> String {
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure; HttpOnly; SameSite=Strict; Max-Age=900"), "{cookie}");
    cookie.split(['=', ';']).nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_and_every_session_ends() -> Result<()> {
    let clinic = with_ann().await?;
    let before = clinic.server.login(HOST, ANN, PASSWORD).await;
    let bearer = format!("Bearer {}", before.body["accessToken"].as_str().unwrap());
    assert_eq!(clinic.ask_for("/auth/password-reset", " Ann@Praxis.Test").await.status, StatusCode::ACCEPTED);
    clinic.ask_for("/auth/password-reset", ANN).await;
    let mails = clinic.arrived().await?;
    assert_eq!(mails.len(), 2);
    let (secret, other) = (mails[0].secret(), mails[1].secret());

    assert_eq!(violation(&clinic.reset(&secret, "praxis.test.ann").await), "TOO_COMMON");
    assert_eq!(clinic.reset(&secret, NEW).await.status, StatusCode::NO_CONTENT);
    assert_eq!(clinic.server.login(HOST, ANN, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(clinic.server.login(HOST, ANN, NEW).await.status, StatusCode::OK);
    let whoami = clinic.server.get(HOST, "/auth/whoami", &[("authorization", &bearer)]).await;
    assert_eq!(whoami.status, StatusCode::UNAUTHORIZED);
    // Neither this link nor the other one does anything more.
    for secret in [&secret, &other] {
        assert_eq!(violation(&clinic.reset(secret, "eleven blue boats rest").await), "NOT_FOUND");
    }
    let notice = clinic.arrived().await?;
    assert_eq!(notice.len(), 1);
    assert!(notice[0].header("Subject").contains("was changed"));
    assert!(!notice[0].text.contains(NEW));
    Ok(())
}

#[tokio::test]
async fn whoever_knows_their_password_changes_it_and_other_sessions_end() -> Result<()> {
    let clinic = with_ann().await?;
    let sign_in = async || {
        let answer = clinic.server.login(HOST, ANN, PASSWORD).await;
        format!("Bearer {}", answer.body["accessToken"].as_str().unwrap())
    };
    let (here, there) = (sign_in().await, sign_in().await);
    let change = async |bearer: &str, current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        clinic.server.post(HOST, "/auth/password", &[("authorization", bearer)], body).await
    };
    assert_eq!(
        clinic.post("/auth/password", json!({ "current": PASSWORD, "password": NEW })).await.status,
        StatusCode::UNAUTHORIZED
    );
    let wrong = change(&here, "seven quiet herons count goats", NEW).await;
    assert_eq!(
        (violation(&wrong), &wrong.body["errors"][0]["extensions"]["field"]),
        ("INVALID", &json!("current"))
    );
    assert_eq!(violation(&change(&here, PASSWORD, "northsidenorthside").await), "TOO_COMMON");
    assert_eq!(change(&here, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
    let whoami = async |bearer: &str| {
        clinic.server.get(HOST, "/auth/whoami", &[("authorization", bearer)]).await.status
    };
    assert_eq!((whoami(&here).await, whoami(&there).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    assert_eq!(clinic.server.login(HOST, ANN, NEW).await.status, StatusCode::OK);
    let notice = clinic.arrived().await?;
    assert_eq!((notice.len(), notice[0].header("Subject").contains("was changed")), (1, true));
    // Ten wrong guesses are enough.
    for _ in 0..10 {
        change(&here, "wrong", NEW).await;
    }
    assert_eq!(change(&here, NEW, "eleven blue boats rest").await.status, StatusCode::TOO_MANY_REQUESTS);
    Ok(())
}

#[tokio::test]
async fn a_link_lasts_fifteen_minutes_and_of_sixty_four_one_uses_it() -> Result<()> {
    let clinic = with_ann().await?;
    clinic.ask_for("/auth/password-reset", ANN).await;
    let late = clinic.arrived().await?[0].secret();
    clinic.server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(violation(&clinic.reset(&late, NEW).await), "NOT_FOUND");

    clinic.ask_for("/auth/password-reset", ANN).await;
    let secret = clinic.arrived().await?[0].secret();
    let answers = join_all((0..64).map(|_| clinic.reset(&secret, NEW))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::NO_CONTENT).count(), 1);
    assert_eq!(
        clinic
            .count("SELECT count(*) FROM audit_entry WHERE action = 'user.set-password' AND outcome = 'OK'")
            .await?,
        1
    );
    Ok(())
}

#[tokio::test]
async fn asking_tells_nothing_about_who_is_known_here() -> Result<()> {
    let clinic = with_ann().await?;
    for path in ["/auth/password-reset", "/auth/magic-link"] {
        let mut times = [Duration::ZERO; 2];
        for round in 0..3 {
            for (which, email) in [ANN.to_owned(), format!("nobody{round}@praxis.test")].iter().enumerate() {
                let start = Instant::now();
                let answer = clinic.ask_for(path, email).await;
                times[which] += start.elapsed();
                assert_eq!(answer.status, StatusCode::ACCEPTED);
                assert_eq!(answer.body, json!({ "accepted": true }));
                assert_eq!(answer.headers.contains_key("set-cookie"), path == "/auth/magic-link");
            }
        }
        eprintln!("{path}: known {:?}, unknown {:?} for three", times[0], times[1]);
        assert!(times[0].abs_diff(times[1]) < Duration::from_millis(200), "{times:?}");
    }
    // Three links in a quarter of an hour, whatever they are for; unknown addresses get none.
    let mails = clinic.arrived().await?;
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| mail.to == ANN));
    // A flood of questions is stopped at the door, again the same for both.
    for email in [ANN, "somebody@praxis.test"] {
        let mut last = StatusCode::ACCEPTED;
        for _ in 0..10 {
            last = clinic.ask_for("/auth/password-reset", email).await.status;
        }
        let flooded = clinic.ask_for("/auth/password-reset", email).await;
        assert_eq!(
            (flooded.status, last == StatusCode::ACCEPTED || last == StatusCode::TOO_MANY_REQUESTS),
            (StatusCode::TOO_MANY_REQUESTS, true)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_only_where_it_was_asked_for() -> Result<()> {
    let clinic = with_ann().await?;
    let asked = clinic.ask_for("/auth/magic-link", ANN).await;
    let device = device(&asked);
    let secret = clinic.arrived().await?[0].secret();
    // Whoever reads the mailbox has the link, and not the device.
    for foreign in ["", "x", &secret] {
        assert_eq!(violation(&clinic.sign_in(&secret, foreign).await), "NOT_FOUND");
    }
    let get = clinic.server.get(HOST, "/auth/magic-link", &[]).await;
    assert_eq!(get.status, StatusCode::OK);
    let answers = join_all((0..64).map(|_| clinic.sign_in(&secret, &device))).await;
    let signed_in: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(signed_in.len(), 1);
    let bearer = format!("Bearer {}", signed_in[0].body["accessToken"].as_str().unwrap());
    let whoami = clinic.server.get(HOST, "/auth/whoami", &[("authorization", &bearer)]).await;
    assert_eq!(whoami.status, StatusCode::OK);
    assert_eq!(clinic.count("SELECT count(*) FROM session WHERE methods = '{link}'").await?, 1);
    // A link to sign in sets no password, and the other way round.
    clinic.ask_for("/auth/password-reset", ANN).await;
    let reset = clinic.arrived().await?[0].secret();
    assert_eq!(violation(&clinic.sign_in(&reset, &device).await), "NOT_FOUND");
    assert_eq!(violation(&clinic.reset(&secret, NEW).await), "NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn a_disabled_account_gets_no_link_and_its_links_are_void() -> Result<()> {
    let clinic = with_ann().await?;
    clinic.ask_for("/auth/password-reset", ANN).await;
    let secret = clinic.arrived().await?[0].secret();
    let owner = clinic.server.person("northside", "owner").await;
    let data = owner.ask("{ users(first: 50) { nodes { id email } } }", json!({})).await;
    let ann =
        data["users"]["nodes"].as_array().unwrap().iter().find(|user| user["email"] == ANN).unwrap().clone();
    owner.run("userDisable", "user { id } userErrors { code }", json!({ "id": ann["id"] })).await;
    assert_eq!(violation(&clinic.reset(&secret, NEW).await), "NOT_FOUND");
    assert_eq!(clinic.ask_for("/auth/password-reset", ANN).await.status, StatusCode::ACCEPTED);
    assert_eq!(clinic.arrived().await?.len(), 0);
    Ok(())
}

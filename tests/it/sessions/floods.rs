//! Many who sign in at once, and how long each answer takes.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() -> Result<()> {
    let server = clinic().await?;
    server
        .execute(
            "INSERT INTO user_account (id, email, display_name, password_hash, active) \
         SELECT gen_random_uuid(), 'gone@praxis.test', 'Gone', password_hash, false FROM user_account",
        )
        .await?;
    let (mut known, mut unknown, mut disabled) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does slows all of them alike; fewer than the throttle counts.
    for round in 0..9 {
        for (email, times) in [
            (ANN.to_owned(), &mut known),
            (format!("nobody{round}@praxis.test"), &mut unknown),
            ("gone@praxis.test".to_owned(), &mut disabled),
        ] {
            let password = if email == "gone@praxis.test" { PASSWORD } else { "wrong" };
            let start = Instant::now();
            let answer = server.login(HOST, &email, password).await;
            times.push(start.elapsed());
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{email}");
        }
    }
    // The fastest of each: whatever else the machine does can only add to it.
    let fastest = |times: Vec<Duration>| times.into_iter().min().unwrap();
    let [known, unknown, disabled] = [known, unknown, disabled].map(fastest);
    eprintln!("the fastest: known {known:?}, unknown {unknown:?}, disabled {disabled:?}");
    // Without the decoy an unknown account would answer in a tenth of the time.
    for other in [unknown, disabled] {
        let ratio = other.as_secs_f64() / known.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{known:?} and {other:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_turned_away_and_not_kept_waiting() -> Result<()> {
    let server = clinic().await?;
    let start = Instant::now();
    let flood = (0..400).map(|number| {
        let (server, email) = (&server, format!("nobody{number}@praxis.test"));
        async move { server.login(HOST, &email, "wrong").await }
    });
    let answers = futures::future::join_all(flood).await;
    let took = start.elapsed();
    let busy: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::UNAUTHORIZED).collect();
    for answer in &busy {
        assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "THROTTLED"));
        assert_eq!(answer.headers[header::RETRY_AFTER], "2");
    }
    eprintln!("400 sign-ins at once: {} turned away, all answered in {took:?}", busy.len());
    assert!(!busy.is_empty() && busy.len() < 400, "{}", busy.len());
    // And then everybody gets in again.
    assert_eq!(server.login(HOST, ANN, PASSWORD).await.status, StatusCode::OK);
    Ok(())
}

//! How long a session lives, idle or busy, and how soon every server knows that it is over or may less.

use std::time::{Duration, Instant};

use praxis_platform::{
    clock::Clock,
    session::{self, Authenticator, Credential, Over, SessionKind},
};

use super::*;

#[tokio::test]
async fn a_session_that_nobody_uses_ends_whatever_carries_it() -> Result<()> {
    let server = clinic().await?;
    let (tokens, cookie) = (server.tokens().await, server.cookie().await);
    let by_cookie = async || whoami(&server.app.router, HOST, "cookie", &cookie).await;
    // Used now and then it goes on; a bearer renews its token meanwhile.
    let mut tokens = tokens;
    for _ in 0..4 {
        server.clock.advance(TimeDelta::minutes(9));
        assert_eq!((server.knows(&tokens.access).await, by_cookie().await), (StatusCode::OK, StatusCode::OK));
        tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    }
    // Renewing is no use: a program that does it by itself keeps nobody signed in.
    server.clock.advance(TimeDelta::minutes(8));
    tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    server.clock.advance(TimeDelta::seconds(6 * 60 + 50));
    assert_eq!(by_cookie().await, StatusCode::OK);
    server.clock.advance(TimeDelta::seconds(10));
    assert_eq!(server.knows(&tokens.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&tokens.refresh, None).await.status, StatusCode::UNAUTHORIZED);
    server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(by_cookie().await, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy() -> Result<()> {
    let server = clinic().await?;
    let cookie = server.cookie().await;
    let began = server.clock.now();
    let mut tokens = server.tokens().await;
    for _ in 0..79 {
        server.clock.advance(TimeDelta::minutes(9));
        assert_eq!(server.knows(&tokens.access).await, StatusCode::OK);
        assert_eq!(whoami(&server.app.router, HOST, "cookie", &cookie).await, StatusCode::OK);
        tokens = Tokens::of(&server.refresh(&tokens.refresh, None).await);
    }
    server.clock.advance_to(began + TimeDelta::hours(12) - TimeDelta::seconds(10));
    let last = server.refresh(&tokens.refresh, None).await;
    // The last token ends with its session.
    let ends: chrono::DateTime<chrono::Utc> = last.body["expiresAt"].as_str().unwrap().parse()?;
    assert!(ends <= began + TimeDelta::hours(12) + TimeDelta::seconds(10), "{ends}");
    let tokens = Tokens::of(&last);
    assert_eq!(server.knows(&tokens.access).await, StatusCode::OK);
    server.clock.advance(TimeDelta::seconds(20));
    assert_eq!(server.knows(&tokens.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&server.app.router, HOST, "cookie", &cookie).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&tokens.refresh, None).await.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn the_clinic_decides_how_long_a_session_may_idle() -> Result<()> {
    let server = clinic().await?;
    for minutes in [4, 61] {
        let sql = format!("INSERT INTO session_policy (idle_minutes) VALUES ({minutes})");
        assert!(server.execute(&sql).await.unwrap_err().to_string().contains("session_policy_idle_range"));
    }
    let cookie = server.cookie().await;
    let by_cookie = async || whoami(&server.app.router, HOST, "cookie", &cookie).await;
    server.execute("INSERT INTO session_policy (idle_minutes) VALUES (60)").await?;
    server.clock.advance(TimeDelta::minutes(59));
    assert_eq!(by_cookie().await, StatusCode::OK);
    // A shorter limit takes hold of sessions that are open already.
    server.execute("UPDATE session_policy SET idle_minutes = 5").await?;
    server.clock.advance(TimeDelta::seconds(5 * 60 + 1));
    assert_eq!(by_cookie().await, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn what_ends_a_session_takes_effect_with_the_next_request_on_every_server() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    for ending in [
        "UPDATE session SET ended_at = now()",
        "UPDATE user_account SET active = false",
        "UPDATE session SET expires_at = now()",
    ] {
        let bearer = format!("Bearer {}", server.tokens().await.access);
        for router in [&server.app.router, &other.router] {
            assert_eq!(whoami(router, HOST, "authorization", &bearer).await, StatusCode::OK);
            assert_eq!(patients(router, &bearer).await.status, StatusCode::OK);
        }
        server.execute(ending).await?;
        for router in [&server.app.router, &other.router] {
            let answer = patients(router, &bearer).await;
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
                "{ending}"
            );
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
            assert_eq!(whoami(router, HOST, "authorization", &bearer).await, StatusCode::UNAUTHORIZED);
        }
        server.execute("UPDATE user_account SET active = true").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_role_takes_effect_with_the_next_request_on_every_server() -> Result<()> {
    let server = clinic().await?;
    let other = server.another().await?;
    let bearer = format!("Bearer {}", server.tokens().await.access);
    for router in [&server.app.router, &other.router] {
        assert!(patients(router, &bearer).await.body["errors"].is_null());
    }
    server.execute("DELETE FROM membership").await?;
    for router in [&server.app.router, &other.router] {
        assert_eq!(patients(router, &bearer).await.code(), "FORBIDDEN");
    }
    Ok(())
}

#[tokio::test]
async fn a_watched_session_is_over_when_it_is_idle_ended_or_changed() -> Result<()> {
    let server = clinic().await?;
    let system = server.system();
    let authenticator = Authenticator::default();
    let actor = async || {
        let credential = Credential { token: server.tokens().await.access, kind: SessionKind::Bearer };
        authenticator.actor(&system, &credential, None).await
    };
    // Watching is no use: it does not keep a session from going idle.
    let watched = actor().await?;
    for _ in 0..14 {
        server.clock.advance(TimeDelta::minutes(1));
        assert_eq!(session::check(&system, &watched).await?, None);
    }
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, Some(Over::Ended));

    // Kept from idling, it ends for good.
    let watched = actor().await?;
    server.execute("UPDATE session SET last_seen_at = last_seen_at + interval '1 day'").await?;
    server.clock.advance(TimeDelta::hours(12) - TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, None);
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(session::check(&system, &watched).await?, Some(Over::Ended));

    for (change, over) in [
        ("UPDATE session SET ended_at = now()", Over::Ended),
        ("UPDATE role SET retired = true", Over::Changed),
        ("DELETE FROM membership", Over::Changed),
        ("UPDATE user_account SET active = false", Over::Ended),
    ] {
        server.execute("UPDATE user_account SET active = true; UPDATE role SET retired = false").await?;
        let watched = actor().await?;
        let (start, watching) = (Instant::now(), session::watch(&system, &watched));
        let changing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.execute(change).await.unwrap();
            Instant::now()
        };
        let (found, changed) = futures::future::join(watching, changing).await;
        assert_eq!(found, over, "{change}");
        assert!(changed.elapsed() <= Duration::from_secs(2), "{change}: {:?}", start.elapsed());
    }
    Ok(())
}

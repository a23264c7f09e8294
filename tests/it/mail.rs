//! Mail: nothing that was committed is lost, and nothing is sent twice where SMTP allows it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use chrono::TimeDelta;
use praxis::{App, rounds::Round};
use praxis_entity::mail_message;
use praxis_platform::{
    Op, OpFactory, RequestInfo, Write,
    access::Actor,
    audit::Entry,
    mail::{self, Links, MAX_ATTEMPTS, Mailer, NewMail, Sent, Smtp, Transport},
    tenancy::Control,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{
    server::TestServer,
    smtp::{MailServer, Treat},
    steps::refused_steps,
};

mod killed;
mod kit;

async fn clinic() -> Result<TestServer> {
    TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await
}

/// What sends the mails of a server over this mail server.
pub(crate) async fn mailer(server: &TestServer, app: &App, address: &str) -> Result<Mailer> {
    let control = Control::connect(&server.installation.url, &*server.installation.keys).await?;
    Ok(Mailer {
        platform: Arc::clone(&app.platform),
        directory: Arc::clone(&app.directory),
        control,
        transport: Transport::Smtp(Smtp::parse(address)?),
        from: "no-reply@praxis.test".parse()?,
        links: Links { origin: "https://{host}".to_owned() },
    })
}

/// Sends until nothing is due.
pub(crate) async fn send_all(mailer: &Mailer) -> Result<Sent> {
    let mut sum = Sent::default();
    loop {
        let woken = mailer.ready(8, &[]).await?;
        if woken.is_empty() {
            return Ok(sum);
        }
        for woken in woken {
            let sent = mailer.serve(&woken).await?;
            sum.sent += sent.sent;
            sum.postponed += sent.postponed;
            sum.dead += sent.dead;
        }
    }
}

async fn writing(server: &TestServer, slug: &str) -> Result<Op<Write>> {
    let tenant = server.app.directory.by_slug(slug).unwrap();
    let operator = Arc::new(Actor::operator());
    let platform = Arc::clone(&server.app.platform);
    Ok(OpFactory::new(platform, tenant, operator, RequestInfo::default(), true).write().await?)
}

fn notice(to: &str) -> NewMail {
    let facts = json!({ "name": "Ada", "at": "today" });
    NewMail {
        to: to.to_owned(),
        template: "password_changed",
        locale: None,
        facts: facts.as_object().unwrap().clone(),
        dedupe_key: None,
    }
}

async fn enqueue(server: &TestServer, slug: &str, mail: NewMail) -> Result<()> {
    let op = writing(server, slug).await?;
    mail::enqueue(&op, mail).await?;
    op.record(Entry::done("test"));
    Ok(op.commit().await?)
}

async fn rows(server: &TestServer, slug: &str) -> Result<Vec<mail_message::Model>> {
    let op = writing(server, slug).await?;
    let mut rows = mail::list(&op, None).await?;
    rows.extend(mail::list(&op, Some("SENT")).await?);
    op.rollback().await?;
    Ok(rows)
}

#[tokio::test]
async fn a_mail_is_sent_once_its_cause_is_committed_and_then_forgotten() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;

    let op = writing(&server, "northside").await?;
    mail::enqueue(&op, notice("taken-back@praxis.test")).await?;
    op.rollback().await?;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    assert_eq!(send_all(&mailer).await?, Sent { sent: 1, postponed: 0, dead: 0 });
    // Also when the hint of its lease comes round.
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(send_all(&mailer).await?, Sent::default());

    let taken = post.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, "ada@praxis.test");
    assert_eq!(taken[0].header("From"), "NORTHSIDE <no-reply@praxis.test>");
    assert_eq!(taken[0].header("Auto-Submitted"), "auto-generated");
    assert!(taken[0].text.contains("https://northside.praxis.test/auth/password-reset"), "{}", taken[0].text);
    let row = &rows(&server, "northside").await?[0];
    assert_eq!((row.status.as_str(), row.attempts, row.facts.is_none()), ("SENT", 1, true));
    assert_eq!(taken[0].header("Message-ID"), format!("<{}@praxis.test>", row.id));
    let mut admin = server.installation.admin().await?;
    let hints: i64 = sqlx::query_scalar("SELECT count(*) FROM cell.ready").fetch_one(&mut admin).await?;
    assert_eq!(hints, 0);
    Ok(())
}

#[tokio::test]
async fn a_second_mail_with_the_same_key_is_not_written() -> Result<()> {
    let server = clinic().await?;
    for _ in 0..2 {
        let mail = NewMail { dedupe_key: Some("once".to_owned()), ..notice("ada@praxis.test") };
        enqueue(&server, "northside", mail).await?;
    }
    assert_eq!(rows(&server, "northside").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_may_pass_is_tried_again_later_under_the_same_id() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[Treat::RefuseReceiver(451), Treat::RefuseMail(452)]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;

    assert_eq!(send_all(&mailer).await?, Sent { postponed: 1, ..Sent::default() });
    assert_eq!(rows(&server, "northside").await?[0].last_error.as_deref(), Some("RCPT: 451"));
    // Not before its time.
    assert_eq!(send_all(&mailer).await?, Sent::default());
    server.clock.advance(TimeDelta::seconds(15));
    assert_eq!(send_all(&mailer).await?, Sent { postponed: 1, ..Sent::default() });
    assert_eq!(rows(&server, "northside").await?[0].last_error.as_deref(), Some("the mail: 452"));
    server.clock.advance(TimeDelta::seconds(30));
    assert_eq!(send_all(&mailer).await?, Sent { sent: 1, ..Sent::default() });
    assert_eq!(post.taken().len(), 1);

    // Nobody listens: that may pass as well.
    enqueue(&server, "northside", notice("bea@praxis.test")).await?;
    let nobody = self::mailer(&server, &server.app, "smtp://127.0.0.1:1?tls=none").await?;
    assert_eq!(send_all(&nobody).await?, Sent { postponed: 1, ..Sent::default() });
    Ok(())
}

#[tokio::test]
async fn what_can_not_succeed_is_given_up_until_an_operator_asks() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[Treat::RefuseReceiver(550)]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    enqueue(&server, "northside", notice("gone@praxis.test")).await?;
    enqueue(&server, "northside", NewMail { template: "no_such", ..notice("ada@praxis.test") }).await?;
    assert_eq!(send_all(&mailer).await?, Sent { dead: 2, ..Sent::default() });
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(send_all(&mailer).await?, Sent::default());
    let why: BTreeSet<_> =
        rows(&server, "northside").await?.into_iter().map(|row| row.last_error.unwrap()).collect();
    assert_eq!(why, BTreeSet::from(["RCPT: 550".to_owned(), "there is no template no_such".to_owned()]));

    let op = writing(&server, "northside").await?;
    assert_eq!(mail::retry(&op, None).await?, 2);
    op.commit().await?;
    assert_eq!(send_all(&mailer).await?, Sent { sent: 1, dead: 1, postponed: 0 });

    // Forty times no is no.
    post.plan(&[Treat::RefuseMail(421); MAX_ATTEMPTS as usize]);
    enqueue(&server, "northside", notice("bea@praxis.test")).await?;
    let mut sum = Sent::default();
    for _ in 0..MAX_ATTEMPTS {
        let sent = send_all(&mailer).await?;
        (sum.postponed, sum.dead) = (sum.postponed + sent.postponed, sum.dead + sent.dead);
        server.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!((sum.postponed, sum.dead), (MAX_ATTEMPTS as u32 - 1, 1));
    Ok(())
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_means_the_same_mail_again_and_never_a_lost_one()
-> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[Treat::TakeAndHangUp]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    assert_eq!(send_all(&mailer).await?, Sent { postponed: 1, ..Sent::default() });
    server.clock.advance(TimeDelta::seconds(15));
    assert_eq!(send_all(&mailer).await?, Sent { sent: 1, ..Sent::default() });
    // The one case in which SMTP can't tell: twice, to the letter the same.
    let taken = post.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert_eq!(taken[0].header("Date"), taken[1].header("Date"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_send_each_mail_once_and_no_clinic_waits_for_another() -> Result<()> {
    let server = TestServer::new(&[
        ("northside", "a@praxis.test", "owner"),
        ("harbor", "b@praxis.test", "owner"),
        ("quay", "c@praxis.test", "owner"),
    ])
    .await?;
    let other = server.another().await?;
    let post = MailServer::start(&[]).await;
    let (one, two) =
        (mailer(&server, &server.app, &post.url()).await?, mailer(&server, &other, &post.url()).await?);
    // A busy clinic, and two that want one mail each; the servers are at it from the first one on.
    let writing = async {
        for number in 0..150 {
            enqueue(&server, "northside", notice(&format!("n{number}@praxis.test"))).await?;
            if number == 40 {
                enqueue(&server, "harbor", notice("h@praxis.test")).await?;
                enqueue(&server, "quay", notice("q@praxis.test")).await?;
            }
        }
        anyhow::Ok(())
    };
    let sending = async |mailer: &Mailer| {
        let mut sent = 0;
        while post.taken().len() < 152 {
            sent += send_all(mailer).await?.sent;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(sent)
    };
    let start = Instant::now();
    let ((), a, b) = tokio::try_join!(writing, sending(&one), sending(&two))?;
    eprintln!("152 mails in {:?}: {a} by one server, {b} by the other", start.elapsed());
    assert!(a > 0 && b > 0);
    // What one server had taken up when the other looked was left to it.
    server.clock.advance(TimeDelta::hours(1));
    send_all(&one).await?;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let taken = post.taken();
    for mail in &taken {
        *times.entry(mail.to.clone()).or_default() += 1;
    }
    assert_eq!(times.len(), 152);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    let place = |to: &str| taken.iter().position(|mail| mail.to == to).unwrap();
    // However fast it is written: theirs don't come after all of the busy clinic's.
    assert!(place("h@praxis.test") < 130 && place("q@praxis.test") < 130);
    Ok(())
}

#[tokio::test]
async fn whose_mail_waits_is_one_question_and_nobody_speaks_for_another() -> Result<()> {
    let server = clinic().await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    runtime.execute("SELECT cell.wake('mail', now())").await?;
    let mut admin = server.installation.admin().await?;
    let tenants: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT tenant FROM cell.ready").fetch_all(&mut admin).await?;
    assert_eq!(tenants, [schema]);
    for attempt in [
        "SELECT * FROM cell.ready",
        "INSERT INTO cell.ready (tenant, queue, run_at) VALUES ('t_00000000000000000000000000', 'mail', now())",
        "DELETE FROM cell.ready",
    ] {
        let error = runtime.execute(AssertSqlSafe(attempt)).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{attempt}");
    }
    // Whoever is bound to no tenant has nothing to say.
    let error = admin.execute("SELECT cell.wake('mail', now())").await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"));
    Ok(())
}

#[tokio::test]
async fn a_suspended_clinic_keeps_its_mail() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    for number in 0..5 {
        enqueue(&server, "northside", notice(&format!("n{number}@praxis.test"))).await?;
    }
    let mut admin = server.installation.admin().await?;
    let hints = "SELECT count(*) FROM cell.ready WHERE queue = 'mail'";
    assert_eq!(sqlx::query_scalar::<_, i64>(hints).fetch_one(&mut admin).await?, 5);
    for (state, sent) in [("SUSPENDED", 0), ("ACTIVE", 5)] {
        admin.execute(AssertSqlSafe(format!("UPDATE control.tenant SET state = '{state}'"))).await?;
        server.app.directory.refresh().await?;
        server.clock.advance(TimeDelta::minutes(2));
        for woken in mailer.ready(8, &[]).await? {
            mailer.serve(&woken).await?;
        }
        assert_eq!(post.taken().len(), sent, "{state}");
        if sent == 0 {
            // However long it lasts and whatever waits, it is one row that is put off again and again.
            assert_eq!(sqlx::query_scalar::<_, i64>(hints).fetch_one(&mut admin).await?, 1);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_database_knows_how_a_mail_may_fare() -> Result<()> {
    let server = clinic().await?;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    let mut runtime = server.installation.tenant_connection("northside").await?;
    // A row's other columns follow its status; here only the steps are of interest.
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut runtime).await?;
    let lift = format!(
        "ALTER TABLE {schema}.mail_message DROP CONSTRAINT mail_message_sent_is_forgotten, DROP CONSTRAINT mail_message_sent_has_time"
    );
    server.installation.admin().await?.execute(AssertSqlSafe(lift)).await?;
    let refused = refused_steps(&server, &mut runtime, "mail_message", &["QUEUED", "SENT", "DEAD"]).await?;
    let expected = ["DEAD SENT", "SENT DEAD", "SENT QUEUED"].map(str::to_owned);
    assert_eq!(refused, BTreeSet::from(expected));
    Ok(())
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    unreachable!("{what} did not happen within a minute");
}

#[tokio::test]
async fn what_is_kept_for_a_time_is_forgotten_then_and_nothing_else() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[]).await;
    let mailer = mailer(&server, &server.app, &post.url()).await?;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    assert_eq!(send_all(&mailer).await?.sent, 1);
    let asked = json!({ "email": "owner@praxis.test" });
    server.post("northside.praxis.test", "/auth/password-reset", &[], asked).await;
    let owner = server.person("northside", "owner").await;
    owner
        .run("facilityAdd", "userErrors { code }", json!({ "code": "A", "name": "A", "timeZone": "UTC" }))
        .await;
    let tenant = server.app.directory.by_slug("northside").unwrap();
    let look = async || Round::Retention.look(&server.app.platform, Arc::clone(&tenant)).await;
    let left = async || -> Result<(i64, i64, i64)> {
        let mut sql = server.installation.tenant_connection("northside").await?;
        let counts = "SELECT (SELECT count(*) FROM mail_message), (SELECT count(*) FROM account_link), (SELECT count(*) FROM idempotency_key)";
        Ok(sqlx::query_as(counts).fetch_one(&mut sql).await?)
    };
    // The mail with the link was not sent yet.
    assert_eq!((look().await?, left().await?), (0, (2, 1, 1)));
    // More than one transaction takes.
    let more = "INSERT INTO idempotency_key SELECT another.* FROM idempotency_key AS one, generate_series(1, 10000) AS n,
        jsonb_populate_record(NULL::idempotency_key, to_jsonb(one) || jsonb_build_object('operation', n::text)) AS another";
    server.installation.tenant_connection("northside").await?.execute(more).await?;
    server.clock.advance(TimeDelta::hours(25));
    let round = Round::Retention.look_after(&server.app.platform, Arc::clone(&tenant)).await?;
    assert_eq!((round, left().await?), (10_001, (2, 1, 0)));
    server.clock.advance(TimeDelta::days(30));
    assert_eq!((look().await?, left().await?), (1, (2, 0, 0)));
    server.clock.advance(TimeDelta::days(60));
    // What waits is not forgotten, however long.
    assert_eq!((look().await?, left().await?), (1, (1, 0, 0)));
    assert_eq!(rows(&server, "northside").await?[0].status, "QUEUED");
    assert_eq!(look().await?, 0);
    Ok(())
}

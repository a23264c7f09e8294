//! What people do on the sign-in page, in a real browser.
//!
//! Needs Node.js, `npm ci` in `tests/browser`, and a Chromium. `scripts/setup` sees to all three
//! where `PRAXIS_BROWSER_TESTS` is set, and there it is a failure to be without them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use chrono::TimeDelta;
use praxis_domain::{identity, providers};
use praxis_entity::role;
use praxis_platform::{OpFactory, RequestInfo, access::Actor, audit::Entry};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Command,
    sync::oneshot,
    time::timeout,
};

use crate::{
    mail::{mailer, send_all},
    support::{
        idp::Idp,
        server::{PASSWORD, TestServer},
        smtp::MailServer,
    },
};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const LONGEST: Duration = Duration::from_secs(180);

#[tokio::test]
async fn people_sign_in_with_passkeys_and_codes_in_chromium() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let browser = BROWSERS.iter().find_map(|name| find(name));
    let (Some(node), Some(browser)) = (find("node"), browser) else {
        return without("Node.js or Chromium is not installed");
    };
    if !folder.join("node_modules/playwright-core").is_dir() {
        return without("`npm ci` was not run in tests/browser");
    }

    let server = TestServer::at("localhost", &[("northside", "nurse@northside.test", "nurse")]).await?;
    server.user("northside", "porter@northside.test", "receptionist").await?;
    ask_for_a_second_factor(&server, "receptionist").await?;
    let (_idp, invitation) = invite_where_there_is_a_provider(&server).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let clock = server.clock;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.app.serve(
        vec![listener],
        None,
        Box::pin(async {
            let _ = stopped.await;
        }),
    ));

    let mut flows = Command::new(node)
        .arg("flows.mjs")
        .current_dir(&folder)
        .env("BASE", format!("http://northside.localhost:{port}"))
        .env("CHROMIUM", browser)
        .env("EMAIL", "nurse@northside.test")
        .env("REQUIRED_EMAIL", "porter@northside.test")
        .env("PASSWORD", PASSWORD)
        .env("INVITATION", invitation)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = flows.stdin.take().context("no standard input")?;
    let mut lines = BufReader::new(flows.stdout.take().context("no standard output")?).lines();
    let status = timeout(LONGEST, async {
        while let Some(line) = lines.next_line().await? {
            eprintln!("{line}");
            if let Some(seconds) = line.strip_prefix("advance ") {
                clock.advance(TimeDelta::seconds(seconds.parse()?));
                input.write_all(b"advanced\n").await?;
            }
        }
        anyhow::Ok(flows.wait().await?)
    })
    .await
    .context("the browser took too long")??;
    ensure!(status.success(), "a story failed in the browser");
    let _ = stop.send(());
    Ok(serving.await??)
}

fn without(what: &str) -> Result<()> {
    if env::var_os("PRAXIS_BROWSER_TESTS").is_some() {
        bail!("{what}, and PRAXIS_BROWSER_TESTS asks for this test");
    }
    eprintln!("==================================================================");
    eprintln!("NOT RUN: the sign-in page was not tried in a browser.");
    eprintln!("{what}; `PRAXIS_BROWSER_TESTS=1 make setup` installs what is missing.");
    eprintln!("==================================================================");
    Ok(())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

async fn ask_for_a_second_factor(server: &TestServer, role: &str) -> Result<()> {
    let tenant = server.app.directory.by_slug("northside").context("no such clinic")?;
    let platform = std::sync::Arc::clone(&server.app.platform);
    let operator = std::sync::Arc::new(Actor::operator());
    let op = OpFactory::new(platform, tenant, operator, RequestInfo::default(), true).write().await?;
    role::Entity::update_many()
        .col_expr(role::Column::SecondFactorRequired, Expr::value(true))
        .filter(role::Column::Code.eq(role))
        .exec(op.db())
        .await?;
    op.record(Entry::done("role.require-second-factor"));
    Ok(op.commit().await?)
}

/// A provider of the clinic's, and the secret of an invitation.
async fn invite_where_there_is_a_provider(server: &TestServer) -> Result<(Idp, String)> {
    let idp = Idp::start(&server.clock).await;
    let op = server.as_system("northside").await?;
    let provider = providers::NewProvider {
        name: "Hospital".to_owned(),
        issuer: idp.issuer.clone(),
        client_id: "praxis".to_owned(),
        client_secret: None,
        scopes: Vec::new(),
        multi_factor_acr: Vec::new(),
    };
    let invited = identity::NewInvitation {
        email: "nia@northside.test".to_owned(),
        display_name: "Nia Okoro".to_owned(),
        role: "nurse".to_owned(),
        facility: None,
        practitioner: None,
    };
    providers::add(&op, provider).await?;
    identity::invite(&op, invited).await?;
    op.commit().await?;
    let post = MailServer::start(&[]).await;
    send_all(&mailer(server, &server.app, &post.url()).await?).await?;
    let mail = post.taken().pop().context("no mail came")?;
    Ok((idp, mail.secret()))
}

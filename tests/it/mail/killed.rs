//! Servers that end while they send: killed, or told to stop.

use tokio::process::{Child, Command};

use super::*;

/// A server in a process of its own, over the test's installation.
fn serve(server: &TestServer, post: &MailServer) -> Result<Child> {
    let post = post.url();
    let variables = [("PRAXIS_SMTP_URL", post.as_str()), ("PRAXIS_MAIL_FROM", "no-reply@praxis.test")];
    server.installation.spawn(&["serve", "--listen", "127.0.0.1:0"], &variables)
}

#[tokio::test]
async fn killed_while_it_sends_it_leaves_the_mail_to_another_and_only_once_its_lease_ended() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[Treat::Stall]).await;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    let mut process = serve(&server, &post)?;
    until("sending", async || post.stalled() == 1).await;
    // SIGKILL.
    process.kill().await?;

    let mailer = mailer(&server, &server.app, &post.url()).await?;
    assert_eq!(send_all(&mailer).await?, Sent::default());
    server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(send_all(&mailer).await?, Sent::default());
    server.clock.advance(TimeDelta::minutes(6));
    assert_eq!(send_all(&mailer).await?, Sent { sent: 1, ..Sent::default() });
    assert_eq!(post.taken().len(), 1);
    Ok(())
}

#[tokio::test]
async fn told_to_stop_while_it_sends_it_waits_for_the_answer() -> Result<()> {
    let server = clinic().await?;
    let post = MailServer::start(&[Treat::TakeSlowly(Duration::from_secs(3))]).await;
    enqueue(&server, "northside", notice("ada@praxis.test")).await?;
    let mut process = serve(&server, &post)?;
    until("claiming", async || rows(&server, "northside").await.unwrap()[0].attempts == 1).await;
    let pid = process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await?.success());
    assert!(process.wait().await?.success());
    assert_eq!(rows(&server, "northside").await?[0].status, "SENT");
    assert_eq!(post.taken().len(), 1);
    Ok(())
}

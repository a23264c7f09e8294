//! Clients that do not read, or are not there any more: they are cut off, and hold nothing for ever.

use std::future::pending;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Answers that fill what lies between server and client.
const LARGE: &str = "{ __schema { types { name description fields { name description args { name description type { name } } } inputFields { name description } enumValues { name description } } } }";

/// How long the server has patience with who does not read, and some more.
const PATIENCE: Duration = Duration::from_secs(75);

impl Clinic {
    /// A request on a connection of its own; nothing of the answer is read.
    async fn asks(&self, owner: &Person<'_>, query: &str, accept: &str) -> Result<TcpStream> {
        let body = json!({ "query": query }).to_string();
        let mut stream = TcpStream::connect(self.address).await?;
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {HOST}\r\nauthorization: {}\r\naccept: {accept}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            owner.bearer,
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        Ok(stream)
    }

    /// Whether a socket of theirs is let in.
    async fn lets_in(&self, person: &Person<'_>) -> bool {
        let mut socket = self.open(&[]).await.unwrap();
        socket.say(json!({ "type": "connection_init", "payload": { "authorization": person.bearer } })).await;
        socket.hear().await.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_cut_off_and_leaves_the_seat() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut deaf = Vec::new();
    for _ in 0..16 {
        deaf.push(clinic.socket(&owner).await);
    }
    assert!(!clinic.lets_in(&owner).await, "all seats are taken");
    for socket in &mut deaf {
        for id in 0..40 {
            socket.subscribe(&id.to_string(), LARGE, json!({})).await;
        }
    }
    let begun = Instant::now();
    while !clinic.lets_in(&owner).await {
        assert!(begun.elapsed() < PATIENCE, "who does not read keeps the seat");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    eprintln!("sockets that nobody read were cut off after {:?}", begun.elapsed());
    drop(deaf);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_no_ping_is_cut_off() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    // Reads what comes and says nothing.
    let mut silent = clinic.socket(&owner).await.socket.into_inner();
    let begun = Instant::now();
    let mut heard = Vec::new();
    timeout(PATIENCE, silent.read_to_end(&mut heard)).await??;
    // An empty ping, and the end.
    assert!(heard.starts_with(&[0x89, 0]), "{heard:?}");
    assert!((30..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    // Who answers stays: the client below answers by itself as long as it is polled.
    let mut alive = clinic.socket(&owner).await;
    assert!(
        timeout(Duration::from_secs(45), alive.socket.next())
            .await
            .is_ok_and(|said| { matches!(said, Some(Ok(Message::Ping(_)))) })
    );
    assert!(timeout(Duration::from_secs(1), pending::<()>()).await.is_err());
    alive.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(alive.hear().await.unwrap()["type"], "next");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_stream_of_events_says_that_it_is_there() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let query = "subscription { events { id } }";
    let mut stream = clinic.asks(&owner, query, "text/event-stream").await?;
    let mut heard = String::new();
    let mut buffer = [0; 1_000];
    let begun = Instant::now();
    // Two comments, which are events of nothing.
    while heard.matches("\n:").count() < 2 {
        let read = timeout(Duration::from_secs(30), stream.read(&mut buffer)).await??;
        assert!(read > 0, "{heard}");
        heard += std::str::from_utf8(&buffer[..read])?;
    }
    assert!((10..40).contains(&begun.elapsed().as_secs()), "{:?}: {heard}", begun.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_reads_does_not_keep_its_connection() -> Result<()> {
    let clinic = Clinic::new().await?;
    let owner = clinic.server.person("northside", "owner").await;
    let mut deaf = Vec::new();
    for _ in 0..4 {
        let mut stream = clinic.asks(&owner, LARGE, "application/json").await?;
        // Further requests on the same connection, whose answers have no place.
        for _ in 0..30 {
            let body = json!({ "query": LARGE }).to_string();
            let head = format!(
                "POST /graphql HTTP/1.1\r\nhost: {HOST}\r\nauthorization: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                owner.bearer,
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
        }
        deaf.push(stream);
    }
    tokio::time::sleep(PATIENCE).await;
    for mut stream in deaf {
        let mut rest = Vec::new();
        // What was on its way comes, then the end: not all thirty-one answers.
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await?;
        let answers = rest.windows(9).filter(|part| part == b"HTTP/1.1 ").count();
        assert!((1..31).contains(&answers), "{answers}");
    }
    Ok(())
}

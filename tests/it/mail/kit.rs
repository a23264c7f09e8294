//! The same against a mail server that others wrote (`kits/smtp` of the shared kits), where it is at hand.

use std::{env, fs, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use super::*;

/// The server, stopped with the value.
struct Sink {
    _process: Child,
    url: String,
    out: PathBuf,
}

impl Sink {
    /// Starts it; says loudly when it is not there.
    async fn start(mode: &str) -> Option<Self> {
        let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/kits");
        let kits = env::var_os("PRAXIS_KITS").map_or(beside, PathBuf::from);
        let (python, script) = (kits.join("_venv/bin/python"), kits.join("smtp/sink.py"));
        if !python.exists() || !script.exists() {
            eprintln!("NOT TESTED: no kits/smtp (with its _venv) in {}; set PRAXIS_KITS", kits.display());
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let out = env::temp_dir().join(format!("praxis-smtp-{port}.jsonl"));
        let _ = fs::remove_file(&out);
        let mut process = Command::new(python)
            .args([script.as_os_str(), port.to_string().as_ref()])
            .envs([("MODE", mode.as_ref()), ("OUT", out.as_os_str())])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("smtp up"));
        Some(Self { _process: process, url: format!("smtp://127.0.0.1:{port}?tls=none"), out })
    }

    /// How often each receiver's mail was taken.
    fn taken(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for line in fs::read_to_string(&self.out).unwrap_or_default().lines() {
            let mail: serde_json::Value = serde_json::from_str(line).unwrap();
            *times.entry(mail["to"][0].as_str().unwrap().to_owned()).or_default() += 1;
        }
        times
    }
}

/// Sends `mails` by two servers, looking again each time a minute has passed, and counts what arrived.
async fn arrived(mode: &str, mails: usize) -> Result<()> {
    let Some(sink) = Sink::start(mode).await else { return Ok(()) };
    let server = clinic().await?;
    let other = server.another().await?;
    let (one, two) =
        (mailer(&server, &server.app, &sink.url).await?, mailer(&server, &other, &sink.url).await?);
    for number in 0..mails {
        enqueue(&server, "northside", notice(&format!("n{number}@praxis.test"))).await?;
    }
    let start = Instant::now();
    for _ in 0..4 {
        let (a, b) = tokio::try_join!(send_all(&one), send_all(&two))?;
        eprintln!("{mode}: {a:?} {b:?} after {:?}", start.elapsed());
        server.clock.advance(TimeDelta::minutes(1));
    }
    // All leases end, all hints come round: what was sent is not sent again.
    server.clock.advance(TimeDelta::hours(2));
    assert_eq!(send_all(&one).await?, Sent::default());
    let times = sink.taken();
    assert_eq!(times.len(), mails, "lost: {times:?}");
    assert!(times.values().all(|times| *times == 1), "twice: {times:?}");
    assert!(rows(&server, "northside").await?.iter().all(|row| row.status == "SENT"));
    fs::remove_file(&sink.out)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kit_takes_each_mail_once() -> Result<()> {
    arrived("ok", 40).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kit_refuses_each_mail_twice_and_then_takes_it_once() -> Result<()> {
    arrived("tempfail", 40).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kit_takes_twenty_seconds_for_each_mail_and_gets_it_once() -> Result<()> {
    arrived("slow", 6).await
}

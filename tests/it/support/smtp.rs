//! A mail server of a test's own, which does as it is told.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server does with the next mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treat {
    /// Takes it.
    Take,
    /// Takes it, and is slow to say so.
    TakeSlowly(Duration),
    /// Refuses the receiver with this code.
    RefuseReceiver(u16),
    /// Refuses the mail itself with this code.
    RefuseMail(u16),
    /// Takes it and hangs up before saying so.
    TakeAndHangUp,
    /// Never answers when it hears of the receiver.
    Stall,
}

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// To whom.
    pub to: String,
    /// Header and body.
    pub text: String,
}

impl Taken {
    /// A header of it.
    pub fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
    }

    /// What is behind the `#` of the first link.
    pub fn secret(&self) -> String {
        // Quoted-printable wraps long lines.
        let text = self.text.replace("=\r\n", "");
        let (_, rest) = text.split_once('#').unwrap();
        rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "-_".contains(*letter)).collect()
    }
}

/// The server.
#[derive(Clone)]
pub struct MailServer {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    plan: VecDeque<Treat>,
    taken: Vec<Taken>,
    stalled: usize,
}

impl MailServer {
    /// Starts one that takes everything, once the plan is used up.
    pub async fn start(plan: &[Treat]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State { plan: plan.iter().copied().collect(), ..State::default() };
        let server = Self { port: listener.local_addr().unwrap().port(), state: Arc::new(Mutex::new(state)) };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        server
    }

    /// Its address, as the configuration has it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// The mails taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// How many clients wait for an answer that will not come.
    pub fn stalled(&self) -> usize {
        self.state.lock().unwrap().stalled
    }

    /// What is done with the next mails.
    pub fn plan(&self, plan: &[Treat]) {
        self.state.lock().unwrap().plan.extend(plan);
    }
}

async fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut treat = Treat::Take;
    let mut to = String::new();
    write.write_all(b"220 test\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer = match line.split([' ', ':']).next()? {
            "EHLO" => "250-test\r\n250 8BITMIME".to_owned(),
            "MAIL" => {
                treat = state.lock().unwrap().plan.pop_front().unwrap_or(Treat::Take);
                "250 ok".to_owned()
            }
            "RCPT" => {
                to = line.split(['<', '>']).nth(1)?.to_owned();
                match treat {
                    Treat::RefuseReceiver(code) => format!("{code} no {to}"),
                    Treat::Stall => {
                        state.lock().unwrap().stalled += 1;
                        std::future::pending::<()>().await;
                        return None;
                    }
                    _ => "250 ok".to_owned(),
                }
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push_str("\r\n");
                }
                if let Treat::TakeSlowly(wait) = treat {
                    tokio::time::sleep(wait).await;
                }
                if !matches!(treat, Treat::RefuseMail(_)) {
                    state.lock().unwrap().taken.push(Taken { to: to.clone(), text });
                }
                match treat {
                    Treat::RefuseMail(code) => format!("{code} no"),
                    Treat::TakeAndHangUp => return None,
                    _ => "250 ok".to_owned(),
                }
            }
            "QUIT" => return write.write_all(b"221 bye\r\n").await.ok(),
            _ => "500 what".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    None
}

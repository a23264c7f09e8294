//! Handing one notice over to whoever carries it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{ids::PushDeviceId, notification};
use praxis_platform::{
    mail::{self, Letter, Links, Mailbox, Transport, Undelivered},
    push::{self, NotRung, PushProvider},
    sms::{self, NotTaken, SmsProvider, Text},
};

use super::judge::Verdict;

/// Who carries notices; what nobody carries is not sent.
#[derive(Clone)]
pub struct Ports {
    /// Mails, and who sends them.
    pub mail: Option<(Transport, Mailbox)>,
    /// Text messages.
    pub sms: Option<SmsProvider>,
    /// Calls to devices.
    pub push: Option<PushProvider>,
    /// Where links lead.
    pub links: Links,
}

/// What became of a notice.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The provider took it, and perhaps says what it calls it.
    Sent { provider: &'static str, message: Option<String> },
    /// It is where it was to be.
    Delivered,
    /// It was not taken; another try may do.
    Failed { provider: &'static str, why: String },
    /// No try will do.
    Dead { provider: Option<&'static str>, why: String },
    /// What it speaks of is not so any more.
    Cancelled(&'static str),
    /// The recipient is not to be written to in this way.
    Suppressed(&'static str),
    /// Whoever has the number or address closed it; its keyed hash.
    Stopped { provider: &'static str, token: Vec<u8> },
    /// Not now.
    Later(DateTime<Utc>),
    /// Left as it is: the lease would end before it could be handed over.
    Left,
}

/// A notice, what became of it, and devices that are gone.
pub(super) struct Done {
    pub(super) notice: notification::Model,
    pub(super) outcome: Outcome,
    pub(super) gone: Vec<PushDeviceId>,
}

/// Hands a notice over. `now` is when that begins.
pub(super) async fn deliver(
    ports: &Ports,
    now: DateTime<Utc>,
    notice: notification::Model,
    verdict: Verdict,
) -> Done {
    let mut gone = Vec::new();
    let in_time = |longest: Duration| {
        TimeDelta::from_std(longest).is_ok_and(|longest| now + longest < notice.next_attempt_at)
    };
    let outcome = match verdict {
        Verdict::Settled(outcome) => outcome,
        Verdict::Mail(_) if !in_time(mail::LONGEST) => Outcome::Left,
        Verdict::Sms { .. } if !in_time(sms::LONGEST) => Outcome::Left,
        Verdict::Push(_) if !in_time(push::LONGEST * 4) => Outcome::Left,
        Verdict::Mail(letter) => mailed(ports, &letter).await,
        Verdict::Sms { text, token } => texted(ports, &text, token).await,
        Verdict::Push(devices) => rung(ports, &notice, &devices, now, &mut gone).await,
    };
    Done { notice, outcome, gone }
}

async fn mailed(ports: &Ports, letter: &Letter) -> Outcome {
    let Some((transport, sender)) = &ports.mail else { return Outcome::Suppressed("NO_PROVIDER") };
    let provider = transport.name();
    match transport.hand_over(letter, sender).await {
        Ok(()) => Outcome::Sent { provider, message: Some(letter.id.clone()) },
        Err(Undelivered::Later(why)) => Outcome::Failed { provider, why },
        Err(Undelivered::Never(why)) => Outcome::Dead { provider: Some(provider), why },
    }
}

async fn texted(ports: &Ports, text: &Text, token: Vec<u8>) -> Outcome {
    let Some(sms) = &ports.sms else { return Outcome::Suppressed("NO_PROVIDER") };
    let provider = sms.name();
    match sms.send(text).await {
        Ok(message) => Outcome::Sent { provider, message },
        Err(NotTaken::Later(why)) => Outcome::Failed { provider, why },
        Err(NotTaken::Never(why)) => Outcome::Dead { provider: Some(provider), why },
        Err(NotTaken::Stopped) => Outcome::Stopped { provider, token },
    }
}

/// Rings up all devices of a user; one that heard it is enough.
async fn rung(
    ports: &Ports,
    notice: &notification::Model,
    devices: &[(PushDeviceId, String)],
    now: DateTime<Utc>,
    gone: &mut Vec<PushDeviceId>,
) -> Outcome {
    let Some(push) = &ports.push else { return Outcome::Suppressed("NO_PROVIDER") };
    let provider = push.name();
    let about: String = notice.id.to_string().chars().rev().take(32).collect();
    let mut worst = Outcome::Suppressed("NO_DEVICE");
    let mut heard = false;
    for (device, address) in devices {
        match push.ring(address, &about, now.timestamp()).await {
            Ok(()) => heard = true,
            Err(NotRung::Gone) => gone.push(*device),
            Err(NotRung::Later(why)) => worst = Outcome::Failed { provider, why },
            Err(NotRung::Never(why)) => worst = Outcome::Dead { provider: Some(provider), why },
        }
    }
    if heard { Outcome::Sent { provider, message: None } } else { worst }
}

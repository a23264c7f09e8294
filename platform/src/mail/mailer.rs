//! Sending what is due, for all tenants of the installation, on any number of servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use futures::StreamExt;
use lettre::message::Mailbox;
use praxis_entity::{ids::TenantId, mail_message};

use super::{Transport, Undelivered, message, row, smtp};
use crate::{
    Failure, Op, OpFactory, Platform, Read, RequestInfo,
    access::Actor,
    tenancy::{Control, Directory, Queue, Standing, Tenant, Woken},
    vault::crypto,
};

/// A mail that was not taken after so many tries is given up: about a day and a half.
pub const MAX_ATTEMPTS: i32 = 40;
/// Longer than handing over one mail can take, so that no mail is in two hands.
const LEASE: TimeDelta = TimeDelta::minutes(20);
const _: () = assert!(smtp::LONGEST.as_secs() < LEASE.num_seconds().unsigned_abs());
/// Mails of one tenant before another one gets its turn.
const TURN: usize = 20;
/// Mails of one tenant at once.
const AT_ONCE: usize = 4;
/// How long a tenant waits that can't be looked at.
const SET_ASIDE: TimeDelta = TimeDelta::minutes(1);

/// Where links in mails lead: to a clinic's own address.
#[derive(Debug, Clone)]
pub struct Links {
    /// As `https://{host}`; `{host}` stands for the clinic's host name.
    pub origin: String,
}

impl Links {
    /// The address of a clinic with this host name.
    pub fn of(&self, host: &str) -> String {
        self.origin.trim_end_matches('/').replace("{host}", host)
    }
}

/// What became of mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// The mail server took them.
    pub sent: u32,
    /// They are tried again later.
    pub postponed: u32,
    /// They are given up.
    pub dead: u32,
}

/// Sends mails.
pub struct Mailer {
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// Where hints of waiting work are.
    pub control: Control,
    /// How mails leave.
    pub transport: Transport,
    /// Who sends them; the clinic's name is shown where it has none.
    pub from: Mailbox,
    /// Where links lead.
    pub links: Links,
}

#[derive(Default)]
struct Counts {
    claimed: AtomicU32,
    sent: AtomicU32,
    postponed: AtomicU32,
    dead: AtomicU32,
}

impl Mailer {
    /// Tenants that have mail due, up to `most` of them and none that is busy.
    pub async fn ready(&self, most: usize, busy: &[TenantId]) -> Result<Vec<Woken>, Failure> {
        let now = self.platform.clock.now();
        self.control.take_ready(Queue::Mail, now, now + LEASE, most, busy).await
    }

    /// Sends a turn of a tenant's mails.
    pub async fn serve(&self, woken: &Woken) -> Result<Sent, Failure> {
        let set_aside = self.platform.clock.now() + SET_ASIDE;
        // A suspended clinic keeps its mail; one that the directory does not know yet is asked for again.
        let tenant =
            self.directory.by_id(woken.tenant).filter(|tenant| tenant.standing() != Standing::Refused);
        let turn = tenant.map(|tenant| async move { self.turn(&tenant).await });
        self.control.look_after(woken, set_aside, turn).await
    }

    async fn turn(&self, tenant: &Arc<Tenant>) -> Result<Sent, Failure> {
        let system = self.system(tenant);
        let counts = Counts::default();
        let none_left = AtomicBool::new(false);
        let tries = futures::stream::iter(0..TURN).map(async |_| {
            if none_left.load(Ordering::Relaxed) {
                return Ok(());
            }
            let more = self.next(&system, &counts).await;
            none_left.fetch_or(!matches!(more, Ok(true)), Ordering::Relaxed);
            more.map(|_| ())
        });
        // What others of this turn are sending is let finish, whatever happens to one.
        tries.buffer_unordered(AT_ONCE).fold(Ok(()), async |all, one| Result::and(all, one)).await?;
        if counts.claimed.load(Ordering::Relaxed) >= u32::try_from(TURN).unwrap_or(u32::MAX) {
            // There may be more: back into the queue, behind the others.
            row::wake(&system.read(), self.platform.clock.now()).await?;
        }
        Ok(Sent {
            sent: counts.sent.load(Ordering::Relaxed),
            postponed: counts.postponed.load(Ordering::Relaxed),
            dead: counts.dead.load(Ordering::Relaxed),
        })
    }

    /// Sends the mail that has been due for longest; false when there is none.
    async fn next(&self, system: &OpFactory, counts: &Counts) -> Result<bool, Failure> {
        let op = system.read();
        let lease_ends = op.now() + LEASE;
        let claimed = row::claim(&op, lease_ends).await?;
        // Sending takes long and needs no connection.
        op.release().await;
        let Some(mail) = claimed else { return Ok(false) };
        counts.claimed.fetch_add(1, Ordering::Relaxed);
        let outcome = match self.written(&op, &mail).await {
            Ok(Ok(message)) => self.transport.deliver(&message).await,
            Ok(Err(problem)) => Err(Undelivered::Never(problem)),
            // The key or the database is away, which says nothing about the mail.
            Err(failure) => Err(Undelivered::Later(failure.to_string())),
        };
        op.release().await;
        self.settle(system, &op, &mail, outcome, counts).await?;
        Ok(true)
    }

    async fn settle(
        &self,
        system: &OpFactory,
        op: &Op<Read>,
        mail: &mail_message::Model,
        outcome: Result<(), Undelivered>,
        counts: &Counts,
    ) -> Result<(), Failure> {
        let (count, result) = match outcome {
            Ok(()) => (&counts.sent, self.insist(|| row::sent(system, mail)).await),
            Err(Undelivered::Later(why)) if mail.attempts < MAX_ATTEMPTS => {
                tracing::info!(tenant = %system.tenant().id, row = %mail.id, attempts = mail.attempts, problem = %why, "a mail was not taken; it is tried again");
                let until = op.now() + pause(mail.attempts)?;
                (&counts.postponed, self.insist(|| row::postpone(op, mail, until, &why)).await)
            }
            Err(Undelivered::Later(why) | Undelivered::Never(why)) => {
                tracing::warn!(tenant = %system.tenant().id, row = %mail.id, attempts = mail.attempts, problem = %why, "a mail is given up; see `praxis mail list`");
                (&counts.dead, self.insist(|| row::dead(system, mail, &why)).await)
            }
        };
        op.release().await;
        count.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// Writes down what became of a mail, for as long as the lease allows: what is sent and not written
    /// down would be sent again.
    async fn insist<F: Future<Output = Result<(), Failure>>>(
        &self,
        write: impl Fn() -> F,
    ) -> Result<(), Failure> {
        let mut wait = Duration::from_millis(250);
        for _ in 0..8 {
            match write().await {
                Err(Failure::Unavailable(error) | Failure::TimedOut(error)) => {
                    tracing::warn!(%error, "what became of a mail can't be written down yet");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                other => return other,
            }
        }
        write().await
    }

    /// The mail as it goes out, or why it never can.
    async fn written(
        &self,
        op: &Op<Read>,
        mail: &mail_message::Model,
    ) -> Result<Result<message::Ready, String>, Failure> {
        let tenant = op.tenant();
        let Some(sealed) = &mail.facts else { return Ok(Err("what it says is lost".to_owned())) };
        let key = op.data_key(tenant.uuid()).await?;
        let mut facts =
            op.open_unseen(&key, &op.place("mail_message", mail.id.0, tenant.uuid()), sealed).await?.0;
        facts.insert("clinic".to_owned(), tenant.display_name.clone().into());
        facts.insert("origin".to_owned(), self.links.of(&self.directory.host_of(tenant)).into());
        let locales: Vec<&str> = mail.locale.as_deref().into_iter().chain([tenant.locale.as_str()]).collect();
        Ok(message::write(mail, &self.from, &tenant.display_name, &locales, &facts))
    }

    fn system(&self, tenant: &Arc<Tenant>) -> OpFactory {
        let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
        OpFactory::new(
            Arc::clone(&self.platform),
            Arc::clone(tenant),
            Arc::new(Actor::system()),
            request,
            true,
        )
    }
}

/// Twice as long each time, from fifteen seconds to an hour, and never all at once.
fn pause(attempts: i32) -> Result<TimeDelta, Failure> {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(8);
    let whole = (15_000_i64 << doublings).min(3_600_000);
    let [noise] = crypto::random::<1>()?;
    Ok(TimeDelta::milliseconds(whole / 2 + whole / 2 * i64::from(noise) / 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_an_hour_and_last_a_day_in_sum() {
        let mut sum = TimeDelta::zero();
        for attempts in 1..MAX_ATTEMPTS {
            let paused = pause(attempts).unwrap();
            assert!(paused >= TimeDelta::milliseconds(7_500) && paused <= TimeDelta::hours(1), "{attempts}");
            sum += paused;
        }
        assert!(sum > TimeDelta::hours(15) && sum < TimeDelta::hours(34), "{sum}");
        assert!(pause(1).unwrap() <= TimeDelta::seconds(15));
    }

    #[test]
    fn a_link_leads_to_the_clinic() {
        let links = |origin: &str| Links { origin: origin.to_owned() }.of("a.example");
        assert_eq!(links("https://{host}"), "https://a.example");
        assert_eq!(links("http://{host}:8080/"), "http://a.example:8080");
        assert_eq!(links("https://app.example/{host}"), "https://app.example/a.example");
    }
}

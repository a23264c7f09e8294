//! The loop that sends mails, on every server; the database sees to it that each mail is in one hand.

use std::{sync::Arc, time::Duration};

use praxis_platform::mail::{Mailer, Sent};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How soon a new mail is noticed.
const TICK: Duration = Duration::from_secs(1);
/// Tenants whose mails are sent at the same time.
const TENANTS: usize = 8;

/// Sends mails until told to stop, then lets those under way finish.
///
/// A mail server that is slow for one clinic holds up one of the places, not the others.
pub async fn run(mailer: Arc<Mailer>, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        while under_way.try_join_next().is_some() {}
        let free = TENANTS.saturating_sub(under_way.len());
        if free == 0 {
            continue;
        }
        match mailer.ready(free).await {
            Ok(woken) => {
                for woken in woken {
                    let mailer = Arc::clone(&mailer);
                    under_way.spawn(async move {
                        match mailer.serve(&woken).await {
                            Ok(sent) => count(sent),
                            Err(error) => {
                                tracing::warn!(tenant = %woken.tenant, %error, "mails can't be sent at the moment");
                            }
                        }
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "nobody can say whose mails are due at the moment"),
        }
    }
    while under_way.join_next().await.is_some() {}
}

fn count(Sent { sent, postponed, dead }: Sent) {
    for (result, mails) in [("sent", sent), ("postponed", postponed), ("dead", dead)] {
        ::metrics::counter!("praxis_mails_total", "result" => result).increment(u64::from(mails));
    }
}

//! The server says that it is there: steps of a migration that take something away wait for servers that use it.

use std::time::Duration;

use praxis_platform::tenancy::Control;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// Often enough to be missed only when it is gone.
const EVERY: Duration = Duration::from_secs(5);

/// Says so for as long as it is let. That the server goes is said by [`leave`], when it serves nobody any more.
pub async fn announce(control: Control, server: Uuid) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = control.announce(server).await {
            tracing::warn!(error = %error, "the control schema could not be told that this server is there");
        }
    }
}

/// Says that the server goes.
pub async fn leave(control: &Control, server: Uuid) {
    if let Err(error) = control.take_leave(server).await {
        tracing::warn!(error = %error, "the control schema could not be told that this server goes");
    }
}
